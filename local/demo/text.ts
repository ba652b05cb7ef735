/** Text for a terminal: colours or none, wrapping, dates. All of it pure. */
import { styleText } from 'node:util';

export type Colour = Parameters<typeof styleText>[0];
/** Colours a text, or gives it back as it is. */
export type Paint = (colour: Colour, text: string) => string;

/** How much room there is, and with which colours. */
export interface Page {
  /** Columns. */
  readonly width: number;
  readonly paint: Paint;
}

/** What is asked of a stream before it is written to. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Lines are no longer than this on the widest terminal. */
const WIDEST = 120;
/** Where there is no terminal to ask. */
const USUAL = 80;

export const plain: Paint = (_, text) => text;
export const colourful: Paint = (colour, text) => styleText(colour, text, { validateStream: false });

/** The page that a stream has room for. NO_COLOR (https://no-color.org) wins over FORCE_COLOR, and both over what the stream is. */
export function pageFor(stream: Terminal, env: Readonly<Record<string, string | undefined>>): Page {
  const able = stream.isTTY === true && env.TERM !== 'dumb';
  const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  const coloured = !env.NO_COLOR && (forced || (able && env.FORCE_COLOR === undefined));
  return { width: Math.min(stream.columns || USUAL, WIDEST), paint: coloured ? colourful : plain };
}

/** Breaks a text at its spaces; lines after the first are indented. A word that is longer than a line stays whole. */
export function wrap(text: string, width: number, indent = 0): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line.trim() !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = ' '.repeat(indent) + word;
    } else line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}

/** Cuts off what does not fit. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** An access key's id by its last four characters. */
export function shortId(keyId: string, width = 9): string {
  return width >= 9 ? `${keyId.slice(0, 4)}…${keyId.slice(-4)}` : `…${keyId.slice(-4)}`;
}

export const number = (value: number): string => value.toLocaleString('en-US');

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

export const month = (at: number): string => MONTHS[new Date(at).getUTCMonth()] ?? '';

/** For example `15 Feb 01:25`, in UTC. */
export function moment(at: number): string {
  const date = new Date(at);
  return `${String(date.getUTCDate()).padStart(2)} ${month(at)} ${date.toISOString().slice(11, 16)}`;
}
