/** Counted calls to AWS: the functions run from source against the simulated account, and its history says what reached it. */
import { isDeepStrictEqual } from 'node:util';
import type { CallRecord } from '../local/model.ts';
import { DAY, HOUR, MINUTE } from '../test/policy.ts';
import { Simulation } from '../test/simulation/world.ts';
import { type Figure, RETIRE_DUE, RETIRE_SECRETS } from './budgets.ts';
import { promoteNewKey } from './lived-in.ts';

const WRITES = new Set(['PutSecretValue', 'UpdateSecretVersionStage']);

export async function measureCalls() {
  return { ...(await countRotation()), ...(await countRetirePasses()) };
}

/** Real keys take some seconds to be known at STS; this is one that has been seen. */
const SLOW_KEY_MS = 8000;

/** Undisturbed means that nothing has to be asked twice: STS knows the new key at once. What waiting for a slower key adds is told beside it. */
async function countRotation(): Promise<Record<'rotationCalls' | 'rotationWrites', Figure>> {
  const calls = await callsOfRotation(0);
  const waiting = (await callsOfRotation(SLOW_KEY_MS)).length - calls.length;
  const writes = calls.filter(({ action }) => WRITES.has(action));
  return {
    rotationCalls: {
      value: calls.length,
      how: `${tally(calls)}; ${waiting} more while a new key takes ${SLOW_KEY_MS / 1000} s to be known`,
    },
    rotationWrites: { value: writes.length, how: tally(writes) },
  };
}

/** Of the second rotation of a user: the first one has no key to leave behind. */
async function callsOfRotation(activationDelay: number): Promise<CallRecord[]> {
  const simulation = new Simulation({ keys: [{ userName: 'app' }], account: { activationDelay } });
  simulation.account.createUser('app');
  await simulation.schedule('iam/app', 90);
  await simulation.advance(30 * DAY);
  await simulation.retire();
  const first = simulation.current('iam/app').AccessKeyId;

  const calls = await callsDuring(simulation, () => simulation.rotate('iam/app'));
  assertSound(simulation);
  expectThat(simulation.rotationErrors(), []);
  expectThat(simulation.current('iam/app').AccessKeyId !== first, true);
  return calls;
}

/** Three passes over one account: the first follows some keys, the second disables them, and the third, a recovery time later, deletes them. */
async function countRetirePasses(): Promise<Record<'followPass' | 'disablePass' | 'deletePass', Figure>> {
  const everyNth = RETIRE_SECRETS / RETIRE_DUE;
  const names = Array.from({ length: RETIRE_SECRETS }, (_, index) => `app${index}`);
  const due = names.filter((_, index) => index % everyNth === 0);
  const simulation = new Simulation({ keys: names.map((userName) => ({ userName })) });
  for (const key of simulation.deployment.keys) {
    if (!due.includes(key.userName)) promoteNewKey(simulation.account, key);
  }
  // Real lives for the keys that are due: two rotations, and an hourly pass that finds nothing to retire yet.
  for (const userName of due) {
    simulation.account.createUser(userName);
    await simulation.schedule(`iam/${userName}`, 90);
    await simulation.rotate(`iam/${userName}`);
  }
  expectThat(simulation.rotationErrors(), []);
  await simulation.advance(HOUR);
  await simulation.retire();

  await simulation.advance(HOUR);
  const following = await callsDuring(simulation, () => simulation.retire());
  expectThat(simulation.passes.at(-1), { examined: RETIRE_SECRETS, changes: 0, failures: [] });
  await simulation.advance(3 * DAY);
  const disabling = await callsDuring(simulation, () => simulation.retire());
  expectThat(simulation.passes.at(-1), { examined: RETIRE_SECRETS, changes: RETIRE_DUE, failures: [] });
  await simulation.advance(7 * DAY + MINUTE);
  const deleting = await callsDuring(simulation, () => simulation.retire());
  expectThat(simulation.passes.at(-1), { examined: RETIRE_SECRETS, changes: RETIRE_DUE, failures: [] });
  assertSound(simulation);
  return {
    followPass: { value: following.length, how: tally(following) },
    disablePass: { value: disabling.length, how: tally(disabling) },
    deletePass: { value: deleting.length, how: tally(deleting) },
  };
}

/** All calls but the operator's: those of the functions, and those that testSecret makes as the new key. */
async function callsDuring(simulation: Simulation, work: () => Promise<unknown>): Promise<CallRecord[]> {
  const { history, operator } = simulation.account;
  const before = history.length;
  await work();
  return history
    .slice(before)
    .filter((entry) => entry.kind === 'call')
    .filter((call) => call.principal !== operator.principal.arn);
}

/** How often each operation was called, the most frequent first. */
function tally(calls: readonly CallRecord[]): string {
  const counts = new Map<string, number>();
  for (const { action } of calls) counts.set(action, (counts.get(action) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([action, count]) => `${count} ${action}`)
    .join(', ');
}

/** What was counted is of no use if it wasn't what it claims to be. */
function expectThat(found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(found, expected)) return;
  throw new Error(
    `the simulated account did not go as planned: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`,
  );
}

function assertSound(simulation: Simulation): void {
  expectThat(simulation.oracle.finish(), []);
}
