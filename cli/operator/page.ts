/** Text for a terminal: room, colours or none, times and durations. All of it pure. */
import { styleText } from 'node:util';
import type { Screen } from '../../client/program/terminal.ts';

export type Colour = Parameters<typeof styleText>[0];
/** Colours a text, or gives it back as it is. */
export type Paint = (colour: Colour, text: string) => string;

/** How much room there is, and with which colours. */
export interface Page {
  /** Columns. Where there is no terminal: as wide as is asked for. */
  readonly width: number;
  readonly paint: Paint;
}

/** Narrower than this, lines break anyway. */
const NARROWEST = 40;
/** Where there is no terminal to ask: `grep` and files have no width, and rows that belong together stay on one line. */
export const UNLIMITED = 10_000;

export const plain: Paint = (_, text) => text;
export const colourful: Paint = (colour, text) => styleText(colour, text, { validateStream: false });

type Environment = Readonly<Record<string, string | undefined>>;

/** The page of a stream. `COLUMNS` is for those who want another width. */
export function pageFor(screen: Screen, env: Environment, colour = true): Page {
  const asked = Number(env.COLUMNS);
  const columns = screen.columns || (Number.isInteger(asked) && asked > 0 ? asked : UNLIMITED);
  return { width: Math.max(NARROWEST, columns), paint: colour && coloured(screen, env) ? colourful : plain };
}

/** NO_COLOR (https://no-color.org) wins over FORCE_COLOR, and both over what the stream is. */
function coloured({ isTTY }: Screen, env: Environment): boolean {
  if (env.NO_COLOR) return false;
  const { FORCE_COLOR } = env;
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return isTTY === true && env.TERM !== 'dumb';
}

/** Breaks a text at its spaces into lines of at most `width`; those after the first are indented. A longer word stays whole. */
export function wrap(text: string, width: number, indent = 0): string[] {
  const [, lead = '', rest = ''] = /^( *)(.*)$/s.exec(text) ?? [];
  const lines: string[] = [];
  let line = lead;
  for (const word of rest.split(' ')) {
    if (line.trim() !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = ' '.repeat(indent) + word;
    } else line += line.trim() === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}

/** Cuts off what does not fit, and says so by a `…`. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time in a unit that tells enough, rounded down: `45s`, `12m`, `71h`, `23d`. */
export function span(ms: number): string {
  const seconds = Math.floor(Math.abs(ms) / 1000);
  if (seconds < MINUTE) return `${seconds}s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)}m`;
  if (seconds < 3 * DAY) return `${Math.floor(seconds / HOUR)}h`;
  return `${Math.floor(seconds / DAY)}d`;
}

/** How far away a moment is: `in 3d`, `5h ago`. */
export function distance(at: Date, now: Date): string {
  const ms = at.getTime() - now.getTime();
  return ms >= 0 ? `in ${span(ms)}` : `${span(ms)} ago`;
}

/** `2026-01-04 13:05`, in UTC. */
export const moment = (at: Date): string => at.toISOString().slice(0, 16).replace('T', ' ');

/** An access key's id, whole, or by its last four characters. */
export const shortId = (keyId: string): string => `…${keyId.slice(-4)}`;
