/** Putting events on the bus, so that none is lost without a word. */
import type { BusEvent } from '../contract/events.ts';
import { RotatorError } from '../domain/errors.ts';
import type { EventBus } from '../domain/ports.ts';

/** What sending may reach. */
export interface SendWorld {
  readonly bus: EventBus;
  /** Waits for a number of milliseconds. */
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** Entries that PutEvents takes in a call. */
const BATCH = 10;
/** Times that an entry is sent; before each further one a wait, which doubles. */
const ATTEMPTS = 4;
const FIRST_WAIT_MS = 250;

/**
 * Sends all events, ten at a time. What EventBridge does not take of a batch is sent again; what it still doesn't take fails the invocation at its end,
 * which Lambda then repeats. So an event may come twice, with the same `id`.
 *
 * @throws AwsCallError, RotatorError EVENTS_NOT_SENT
 */
export async function sendEvents(events: readonly BusEvent[], world: SendWorld): Promise<void> {
  const refused: string[] = [];
  for (let from = 0; from < events.length; from += BATCH) {
    refused.push(...(await sendBatch(events.slice(from, from + BATCH), world)));
  }
  if (refused.length === 0) return;
  throw new RotatorError('EVENTS_NOT_SENT', {
    found: `${refused.length} of ${events.length} events were refused (${[...new Set(refused)].join(', ')})`,
    expected: `EventBridge to take each within ${ATTEMPTS} attempts`,
    remedy: 'nothing at first: Lambda repeats the invocation; what fails again lies in the dead-letter queue',
  });
}

/** @returns the codes with which events were refused at last */
async function sendBatch(batch: readonly BusEvent[], { bus, sleep }: SendWorld): Promise<readonly string[]> {
  let left = batch;
  for (let attempt = 1; ; attempt += 1) {
    const codes = await bus.put(left);
    const refused = codes.filter((code) => code !== undefined);
    if (refused.length === 0 || attempt === ATTEMPTS) return refused;
    left = left.filter((_, index) => codes[index] !== undefined);
    await sleep(FIRST_WAIT_MS * 2 ** (attempt - 1));
  }
}
