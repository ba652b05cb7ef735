/**
 * How long what was read may be acted upon. Nothing locks IAM or Secrets Manager between a read and a change, and neither has conditional writes
 * for keys: an operator may move a label or activate a key meanwhile. A few seconds are the best that can be had.
 */
import { RotatorError } from './errors.ts';
import { after, iso } from './model.ts';

/** Seconds. A look takes a second or two; past this, an answer was late or throttled, and the facts are old. */
export const FRESH_FOR = 15;

/**
 * Call it directly before a key is disabled or deleted. Invariant 1.
 *
 * @param readAt when the first of the facts was asked for
 * @throws RotatorError READ_STALE
 */
export function assertFresh(readAt: Date, now: Date, keyId: string): void {
  if (now <= after(readAt, FRESH_FOR)) return;
  throw new RotatorError('READ_STALE', {
    found: `what was read at ${iso(readAt)}, on which the change of the key ${keyId} rests, was complete only at ${iso(now)}`,
    expected: `at most ${FRESH_FOR} seconds between: later, the key may have become current or be in use`,
    remedy: 'nothing: the key was left as it is, and the next run reads anew; if this lasts, see why AWS answers late',
  });
}
