/** Finds the smallest history that fails in the same way. */

import fc from 'fast-check';
import { type History, histories, historyOf, seedOf } from './history.ts';
import type { Failure } from './judge.ts';
import { runHistory } from './run.ts';

/** Shrinking ends after so many histories. */
const MOST_TRIES = 1500;

/** The smallest history found that fails in the same way as the `index`th of a campaign. */
export async function shrunk(seed: number, index: number, failure: Failure): Promise<History> {
  let smallest = historyOf(seed, index);
  let tries = 0;
  const property = fc.asyncProperty(histories, async (history) => {
    tries += 1;
    if (tries > MOST_TRIES) return;
    const { failure: found } = await runHistory(history);
    if (found?.kind !== failure.kind) return;
    smallest = history;
    throw new Error(found.what);
  });
  await fc.check(property, { seed: seedOf(seed, index), numRuns: 1 });
  return withoutIdle(smallest, failure);
}

/** The commands of a sequence go together while fast-check shrinks: here each that is not needed goes by itself. */
async function withoutIdle(history: History, { kind }: Failure): Promise<History> {
  let smallest = history;
  for (let index = history.commands.length - 1; index >= 0; index -= 1) {
    const shorter = { ...smallest, commands: smallest.commands.toSpliced(index, 1) };
    const { failure } = await runHistory(shorter);
    if (failure?.kind === kind) smallest = shorter;
  }
  return smallest;
}
