/**
 * Sets the clock of a Node process, before anything else of it runs (`node --import`): `Date` tells the time that stands in the file named by
 * EXPERIMENT_CLOCK. Nothing else is changed; timers are real. A process without that variable keeps the real time.
 */
import { openSync, readSync } from 'node:fs';
import { virtualDate } from '../../virtual-date.ts';

const file = process.env.EXPERIMENT_CLOCK;
if (file !== undefined) {
  const descriptor = openSync(file, 'r');
  const bytes = Buffer.alloc(8);
  globalThis.Date = virtualDate(() => {
    readSync(descriptor, bytes, 0, bytes.length, 0);
    return bytes.readDoubleLE(0);
  });
}
