/** The line that shows how far the year is, and what has just happened. Rewritten in place, and only on a terminal. */
import type { Change } from '../model.ts';
import { cut, type Page, shortId } from './text.ts';

const REDRAW_MS = 60;
const ERASE = '\r\u001b[2K';

export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export class ProgressLine {
  readonly #stream: ProgressStream;
  readonly #page: Page;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #latest = '';

  constructor(stream: ProgressStream, page: Page) {
    this.#stream = stream;
    this.#page = page;
  }

  /** Shows a text in place of the line. */
  say(text: string): void {
    if (this.#stream.isTTY) this.#stream.write(ERASE + this.#page.paint('dim', cut(text, this.#page.width - 1)));
  }

  /** Remembers what has happened, until something else does. */
  note(text: string): void {
    this.#latest = text;
  }

  /** Shows the day, at most some times a second. `now` is real time, in ms. */
  day(day: number, days: number, now = performance.now()): void {
    if (!this.#stream.isTTY || now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    const { width, paint } = this.#page;
    const length = Math.max(0, Math.min(24, width - 50));
    const done = Math.round((day / days) * length);
    const bar = length < 8 ? '' : `${paint('green', '━'.repeat(done))}${paint('dim', '─'.repeat(length - done))} `;
    const lead = `day ${String(day).padStart(3)} of ${days} `;
    const room = width - 1 - lead.length - (bar === '' ? 0 : length + 1);
    this.#stream.write(`${ERASE}${lead}${bar}${cut(this.#latest, room)}`);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#stream.isTTY) this.#stream.write(ERASE);
  }
}

/** A change of the account in a few words; undefined if it is not worth a look. */
export function inWords(change: Change): string | undefined {
  switch (change.what) {
    case 'key-minted':
      return `${change.userName}: ${shortId(change.keyId)} minted`;
    case 'key-deleted':
      return `${change.userName}: ${shortId(change.keyId)} deleted`;
    case 'key-status':
      return `${change.userName}: ${shortId(change.keyId)} ${change.status === 'Active' ? 'activated' : 'disabled'}`;
    case 'label-moved':
      return change.label === 'AWSCURRENT' ? `${change.secret}: a new key is current` : undefined;
    default:
      return undefined;
  }
}
