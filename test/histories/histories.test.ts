/** A bounded number of random histories with a fixed seed. `npm run campaign` runs as many others as wished. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMMANDS, histories, historyOf } from './history.ts';
import { runHistory } from './run.ts';

const SEED = 2026;
const RUNS = 220;

/** What must have happened to a key or a rotation, at least once: otherwise little was judged. */
const HAPPENED = [
  '+rotation succeeded',
  '+minted',
  '+taken-up',
  '+promoted',
  '+held',
  '+disabled',
  '+deleted',
  '+orphan-cleared',
  '+recorded',
  '+forgotten',
  '+label-taken-off',
  '+intent-resolved',
  '!STRANGERS_HOLD_SLOTS',
  '!SLOT_NOT_FREE_YET',
  '!USER_RECREATED',
  '!LEDGER_MALFORMED',
  '!VALUE_MALFORMED',
  '!ROLLED_BACK',
  '!MINT_REFUSED',
  'fault refuse',
  'fault network',
  'fault lose-answer',
  'fault crash-before',
  'fault crash-after',
  'fault late',
];

describe('random histories', () => {
  it('break no invariant, and end where they should once all is put right', { timeout: 300_000 }, async () => {
    let commands = 0;
    let calls = 0;
    const known: Record<string, number> = {};
    const happened = new Set<string>();
    for (let index = 0; index < RUNS; index += 1) {
      const outcome = await runHistory(historyOf(SEED, index));
      commands += outcome.commands;
      calls += outcome.calls;
      for (const what of Object.keys(outcome.coverage)) happened.add(what);
      for (const [what, times] of Object.entries(outcome.limits)) known[what] = (known[what] ?? 0) + times;
      expect(outcome.failure, `npm run campaign -- --replay ${SEED}:${index}`).toBeUndefined();
    }
    console.log(
      `${RUNS} histories, ${commands} commands, ${calls} calls judged; known limits met: ${JSON.stringify(known)}`,
    );
    expect([...COMMANDS, ...HAPPENED].filter((what) => !happened.has(what))).toEqual([]);
  });

  it('are the same for the same seed and number, and so is what comes of them', async () => {
    const twice = async () => JSON.stringify([historyOf(SEED, 7), await runHistory(historyOf(SEED, 7))]);
    expect(await twice()).toBe(await twice());
  });

  it('run again from their JSON as they ran', () => {
    fc.assert(
      fc.property(histories, (history) => {
        expect(JSON.parse(JSON.stringify(history))).toEqual(history);
      }),
      { seed: SEED, numRuns: 50 },
    );
  });
});
