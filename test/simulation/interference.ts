/**
 * An operator acts in the middle: a call of a function is answered late, and meanwhile somebody changes by hand what the function has read. Nothing
 * locks IAM or Secrets Manager, so no decision may outlive what it rests on.
 */
import type { Broken } from '../../local/oracle.ts';
import { type Caller, scenarioOf } from './scenarios.ts';
import type { Simulation } from './world.ts';

const SECRET = 'iam/app';

/** What an operator does by hand. Each does nothing where there is nothing to do it to. */
export const INTERFERENCES: Readonly<Record<string, (simulation: Simulation) => void>> = {
  'moves AWSCURRENT back': (simulation) => moveCurrent(simulation, 'AWSPREVIOUS'),
  'moves AWSCURRENT to the pending version': (simulation) => moveCurrent(simulation, 'AWSPENDING'),
  'takes AWSPENDING off': (simulation) => {
    const RemoveFromVersionId = simulation.secret(SECRET).labels.get('AWSPENDING');
    if (RemoveFromVersionId === undefined) return;
    const input = { SecretId: SECRET, VersionStage: 'AWSPENDING', RemoveFromVersionId };
    simulation.account.operate('secretsmanager', 'UpdateSecretVersionStage', input);
  },
  'adds a field to the value': (simulation) => {
    const SecretString = JSON.stringify({ ...simulation.current(SECRET), Endpoint: 'https://example.test' });
    simulation.account.operate('secretsmanager', 'PutSecretValue', { SecretId: SECRET, SecretString });
  },
  'activates the disabled key': (simulation) => setStatus(simulation, 'Inactive', 'Active'),
  'disables the current key': (simulation) => setStatus(simulation, 'Active', 'Inactive', isCurrent(simulation)),
  'disables the other keys': (simulation) => {
    const current = isCurrent(simulation);
    setStatus(simulation, 'Active', 'Inactive', (id) => !current(id));
  },
  'deletes the current key': (simulation) => remove(simulation, isCurrent(simulation)),
  'deletes the other keys': (simulation) => {
    const current = isCurrent(simulation);
    remove(simulation, (id) => !current(id));
  },
  'makes a key': (simulation) => {
    if (Object.keys(simulation.keys('app')).length < 2) simulation.account.createAccessKey('app');
  },
  'makes the user anew': (simulation) => {
    simulation.account.deleteUser('app');
    simulation.account.createUser('app');
    simulation.account.createAccessKey('app');
  },
};

export interface Interfered {
  readonly broken: readonly Broken[];
  /** Calls that functions made. */
  readonly calls: number;
}

/** Long enough that a decision taken before has gone stale, and short enough that no function runs out of time. */
const LATE_MS = 40_000;

/** Runs a scenario in which the n-th call of a function is answered late, and an operator acts in between; then a fortnight more. */
export async function interfere(scenario: string, caller: Caller, call: number, action: string): Promise<Interfered> {
  const { start, act } = scenarioOf(scenario);
  const simulation = await start(caller);
  const { account } = simulation;
  account.faults.add({
    match: { predicate: ({ functionName }) => functionName !== undefined, nth: call },
    kind: 'late',
    ms: LATE_MS,
  });
  account.onCall(({ fault }) => {
    if (fault === 'late') account.clock.setTimeout(() => INTERFERENCES[action]?.(simulation), LATE_MS / 2);
  });
  await act(simulation, caller);
  await simulation.advanceWithPasses(3 / 24);
  await simulation.advanceWithPasses(14, 24);
  const calls = account.history.filter((entry) => entry.kind === 'call' && entry.functionName !== undefined).length;
  return { broken: simulation.oracle.finish(), calls };
}

/** How many calls functions make in the act. */
export async function callsOf(scenario: string, caller: Caller): Promise<number> {
  const { start, act } = scenarioOf(scenario);
  const simulation = await start(caller);
  let calls = 0;
  simulation.account.onCall(({ functionName }) => {
    if (functionName !== undefined) calls += 1;
  });
  await act(simulation, caller);
  simulation.oracle.finish();
  return calls;
}

function moveCurrent(simulation: Simulation, label: string): void {
  const { labels, versions } = simulation.secret(SECRET);
  const [from, to] = [labels.get('AWSCURRENT'), labels.get(label)];
  if (to === undefined || to === from || versions.get(to)?.value?.includes('AKIA') !== true) return;
  const input = { SecretId: SECRET, VersionStage: 'AWSCURRENT', MoveToVersionId: to, RemoveFromVersionId: from };
  simulation.account.operate('secretsmanager', 'UpdateSecretVersionStage', input);
}

const isCurrent = (simulation: Simulation) => {
  const current = simulation.currentKey(SECRET);
  return (id: string) => id === current;
};

function setStatus(
  simulation: Simulation,
  from: 'Active' | 'Inactive',
  to: 'Active' | 'Inactive',
  which: (id: string) => boolean = () => true,
): void {
  for (const [id, status] of Object.entries(simulation.keys('app')))
    if (status === from && which(id)) simulation.account.setAccessKeyStatus(id, to);
}

function remove(simulation: Simulation, which: (id: string) => boolean): void {
  for (const id of Object.keys(simulation.keys('app')).filter(which)) simulation.account.deleteAccessKey(id);
}
