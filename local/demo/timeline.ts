/** Keys over time: a row each, in characters that can be told apart without colours. Pure. */
import type { KeyLife, KeyState } from './collect.ts';
import { type Colour, month, type Page, shortId } from './text.ts';

interface Glyph {
  readonly sign: string;
  readonly colour: Colour;
}

const GLYPHS: Readonly<Record<KeyState, Glyph>> = {
  stranger: { sign: '═', colour: 'blueBright' },
  current: { sign: '█', colour: 'green' },
  disabled: { sign: '░', colour: 'gray' },
  retiring: { sign: '▓', colour: 'yellow' },
  held: { sign: '◆', colour: 'magentaBright' },
  pending: { sign: '▸', colour: 'cyanBright' },
  orphan: { sign: '!', colour: ['redBright', 'bold'] },
};
const DELETED: Glyph = { sign: '×', colour: 'red' };

/** In the order of a key's life. */
const LEGEND = ['pending', 'current', 'retiring', 'held', 'disabled', 'deleted', 'stranger', 'orphan'] as const;

/** What is drawn of time: from, until, in ms. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What each sign means, in as many lines as it takes. */
export function legend({ width, paint }: Page): string[] {
  const lines: { text: string; length: number }[] = [];
  for (const state of LEGEND) {
    const { sign, colour } = state === 'deleted' ? DELETED : GLYPHS[state];
    const entry = { text: `${paint(colour, sign)} ${state}`, length: state.length + 2 };
    const last = lines.at(-1);
    if (last !== undefined && last.length + 2 + entry.length <= width) {
      last.text += `  ${entry.text}`;
      last.length += 2 + entry.length;
    } else lines.push(entry);
  }
  return lines.map(({ text }) => text);
}

/** An axis of months, then a row a key. */
export function timeline(lives: readonly KeyLife[], range: Range, page: Page): string[] {
  const indent = page.width >= 60 ? 2 : 0;
  const label = page.width >= 72 ? 9 : 5;
  const cells = Math.max(12, page.width - indent - label - 1);
  const margin = ' '.repeat(indent);
  const axis = `${margin}${' '.repeat(label)} ${months(range, cells)}`.trimEnd();
  const rows = lives.map(
    (life) => `${margin}${page.paint('dim', shortId(life.id, label))} ${row(life, range, cells, page)}`,
  );
  return [page.paint('dim', axis), ...rows];
}

/** The names of the months where they begin, by their first letters where there is no room for more. */
function months({ from, to }: Range, cells: number): string {
  const days = (to - from) / 86_400_000;
  const length = (cells / days) * 28 >= 4 ? 3 : 1;
  const axis = new Array<string>(cells).fill(' ');
  for (let at = from; at < to; at = nextMonth(at)) {
    const start = Math.ceil(((at - from) / (to - from)) * cells - 1e-9);
    const name = month(at).slice(0, length);
    if (start + name.length > cells) break;
    axis.splice(start, name.length, ...name);
  }
  return axis.join('');
}

function nextMonth(at: number): number {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
}

/** Each cell shows the state that takes most of it; but a state that would not be seen at all gets a cell, however short it was. */
function row({ spans, deletedAt }: KeyLife, { from, to }: Range, cells: number, { paint }: Page): string {
  const place = (at: number) => ((at - from) / (to - from)) * cells;
  const shares = Array.from({ length: cells }, () => new Map<KeyState, number>());
  for (const { state, from: start, to: end } of spans) {
    for (let cell = Math.max(0, Math.floor(place(start))); cell < Math.min(cells, place(end)); cell += 1) {
      const share = Math.min(place(end), cell + 1) - Math.max(place(start), cell);
      shares[cell]?.set(state, (shares[cell]?.get(state) ?? 0) + share);
    }
  }
  const shown = shares.map((share) => most(share, ([, part]) => part)?.[0]);
  for (const state of new Set(spans.map((span) => span.state))) {
    if (shown.includes(state)) continue;
    const [cell, share] = most([...shares.entries()], ([, candidate]) => candidate.get(state) ?? 0) ?? [0];
    // It takes the cell only from a state that is seen elsewhere as well.
    if (share?.has(state) && shown.indexOf(shown[cell]) !== shown.lastIndexOf(shown[cell])) shown[cell] = state;
  }
  const glyphs = shown.map((state) => state && GLYPHS[state]);
  if (deletedAt !== undefined && deletedAt >= from && deletedAt < to) {
    const cell = Math.floor(place(deletedAt));
    // Where it is all that shows of a state, that stays, and the end is drawn in the next cell.
    const only = glyphs[cell] !== undefined && glyphs.indexOf(glyphs[cell]) === glyphs.lastIndexOf(glyphs[cell]);
    if (cell + (only ? 1 : 0) < cells) glyphs[cell + (only ? 1 : 0)] = DELETED;
  }
  return runs(glyphs, paint).trimEnd();
}

/** The entry with the largest figure; the first of equals. */
function most<T>(entries: Iterable<T>, figure: (entry: T) => number): T | undefined {
  let best: T | undefined;
  for (const entry of entries) if (best === undefined || figure(entry) > figure(best)) best = entry;
  return best;
}

/** Neighbours of one colour are painted together. */
function runs(glyphs: readonly (Glyph | undefined)[], paint: Page['paint']): string {
  let text = '';
  for (let start = 0; start < glyphs.length; ) {
    const glyph = glyphs[start];
    let end = start;
    while (end < glyphs.length && glyphs[end] === glyph) end += 1;
    text += glyph === undefined ? ' '.repeat(end - start) : paint(glyph.colour, glyph.sign.repeat(end - start));
    start = end;
  }
  return text;
}
