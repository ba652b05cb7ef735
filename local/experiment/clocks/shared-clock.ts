/** The time as processes of the experiment share it: a file of eight bytes, the ms since 1970 as a little-endian double. */
import { closeSync, openSync, writeSync } from 'node:fs';

/** The variable that names the file to a client's process. */
export const CLOCK_VARIABLE = 'EXPERIMENT_CLOCK';

export class SharedClock {
  readonly file: string;
  readonly #descriptor: number;

  constructor(file: string, now: number) {
    this.file = file;
    this.#descriptor = openSync(file, 'w', 0o600);
    this.set(now);
  }

  /** @param now ms since 1970 */
  set(now: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(now);
    writeSync(this.#descriptor, bytes, 0, bytes.length, 0);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
