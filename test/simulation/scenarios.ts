/** The situations that faults are injected into: what comes before, the act that is struck, and how long it takes until all is quiet again. */
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { type DerivedField, FORMATS } from '../../lambdas/contract/formats.ts';
import { DAY, HOUR, MINUTE } from '../policy.ts';
import { Simulation, type SimulationOptions } from './world.ts';

/** What whoever invokes does after a failure. `twice-at-once`: every invocation is delivered twice from the start. */
export type Caller = 'same-token' | 'new-token' | 'gives-up' | 'again' | 'twice-at-once';

export const ROTATION_CALLERS: readonly Caller[] = ['same-token', 'new-token', 'gives-up', 'twice-at-once'];
export const RETIRE_CALLERS: readonly Caller[] = ['again', 'twice-at-once'];

/** Of a leak: Secrets Manager, which goes on with the rotation that follows it. Lambda repeats the response by itself. */
export const LEAK_CALLERS: readonly Caller[] = [...ROTATION_CALLERS];

export interface Scenario {
  /** Sentence, for a test's name. */
  readonly what: string;
  readonly callers: readonly Caller[];
  readonly start: (caller: Caller) => Promise<Simulation>;
  readonly act: (simulation: Simulation, caller: Caller) => Promise<unknown>;
  /** After the act, in days. */
  readonly quietAfter: number;
  /** What is wrong three hours after the act, whatever struck it. */
  readonly soon?: (simulation: Simulation) => readonly string[];
}

/** @throws Error that names the scenarios there are */
export function scenarioOf(name: string): Scenario {
  const scenario = SCENARIOS[name];
  if (scenario !== undefined) return scenario;
  throw new Error(`no scenario '${name}': expected one of ${Object.keys(SCENARIOS).join(', ')}`);
}

const RETRY_AFTER = 20 * MINUTE;

/** Users without a key, whose secrets have the bootstrap value. */
function unrotated(caller: Caller, options: SimulationOptions = {}): Simulation {
  const attempts = caller === 'gives-up' ? 1 : 3;
  const token = caller === 'new-token' ? 'new' : 'same';
  const rotationRetry = { attempts, spacingMs: RETRY_AFTER * 1000, token } as const;
  const simulation = new Simulation({
    keys: [{ userName: 'app' }],
    ...options,
    account: { rotationRetry, ...options.account },
  });
  for (const { userName } of simulation.deployment.keys) simulation.account.createUser(userName);
  return simulation;
}

/** Each user has a current key. */
async function ordinary(caller: Caller, policy: Partial<DeployedKey> = {}, more: SimulationOptions = {}) {
  const simulation = unrotated(caller, { keys: [{ userName: 'app', ...policy }], ...more });
  for (const { secretName } of simulation.deployment.keys) await simulation.schedule(secretName, 90);
  await simulation.advanceWithPasses(0.1, 1.2);
  return simulation;
}

/** The same, with a superseded key each. */
async function superseding(caller: Caller, policy: Partial<DeployedKey> = {}, more: SimulationOptions = {}) {
  const simulation = await ordinary(caller, policy, more);
  for (const { secretName } of simulation.deployment.keys) await simulation.rotate(secretName);
  return simulation;
}

const supersededKey = (simulation: Simulation) =>
  Object.keys(simulation.keys('app')).find((id) => id !== simulation.currentKey('iam/app')) ?? '';

/** An application that has not switched uses the superseded key once a day. */
async function usedDaily(simulation: Simulation, days: number): Promise<void> {
  for (let day = 0; day < days; day += 1) {
    await simulation.useDirectly(supersededKey(simulation));
    await simulation.advanceWithPasses(1, 12);
  }
}

/** A rotation that dies at a call, and is not tried again yet. */
async function dying(caller: Caller, action: string, kind: 'crash-before' | 'crash-after'): Promise<Simulation> {
  const simulation = await ordinary(caller);
  simulation.account.faults.add({ match: { action, functionName: 'rotate' }, kind });
  await simulation.rotate('iam/app');
  return simulation;
}

async function disabled(caller: Caller): Promise<Simulation> {
  const simulation = await superseding(caller);
  await simulation.advanceWithPasses(3.2, 3.2 * 12);
  return simulation;
}

const rotate = (simulation: Simulation) => simulation.rotate('iam/app');
const schedule = (simulation: Simulation) => simulation.schedule('iam/app', 90);
const retire = (simulation: Simulation) => simulation.retire();

/** The retry that Secrets Manager makes by itself, or else the next rotation. */
const retried = (simulation: Simulation, caller: Caller) =>
  caller === 'gives-up' ? rotate(simulation) : simulation.advance(30 * MINUTE);

/** A report of a leak, and time for what follows. */
async function leak(simulation: Simulation, keyId = String(simulation.currentKey('iam/app'))): Promise<void> {
  simulation.reportLeak(keyId);
  await simulation.advance(20 * MINUTE);
}

/** AWS has put the user under quarantine: which key it has found it doesn't say. */
async function quarantine(simulation: Simulation): Promise<void> {
  simulation.reportQuarantine('app');
  await simulation.advance(20 * MINUTE);
}

/** A leaked key that works is what a leak is about; and its applications have another one. */
function leaksContained(simulation: Simulation): string[] {
  const keys = simulation.keys('app');
  const reported = simulation.happenings.flatMap((told) => (told.what === 'leak-reported' ? [told.keyId] : []));
  if (reported.length === 0) return ['no leak was reported'];
  const current = String(simulation.currentKey('iam/app'));
  const wrong = keys[current] === 'Active' ? [] : [`the current key ${current} is ${keys[current]}`];
  return wrong.concat(reported.flatMap((id) => (keys[id] === 'Active' ? [`the leaked key ${id} is Active`] : [])));
}

export const SES_SMTP = [
  { field: 'SES_SMTP_USERNAME', is: 'ses-smtp-username' },
  { field: 'SES_SMTP_PASSWORD_EU_WEST_1', is: 'ses-smtp-password', region: 'eu-west-1' },
  { field: 'SES_SMTP_PASSWORD_US_EAST_1', is: 'ses-smtp-password', region: 'us-east-1' },
] as const satisfies readonly DerivedField[];

/** Overlap, recovery, and the wait of a key that was never promoted. */
const ORDINARILY = 14;
/** With a hold of eight quiet days between. */
const WITH_HOLD = 24;

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  first: {
    what: 'the first rotation',
    callers: ROTATION_CALLERS,
    start: async (caller) => unrotated(caller),
    act: schedule,
    quietAfter: ORDINARILY,
  },
  ordinary: {
    what: 'an ordinary rotation',
    callers: ROTATION_CALLERS,
    start: (caller) => ordinary(caller),
    act: rotate,
    quietAfter: ORDINARILY,
  },
  'disabled-in-the-way': {
    what: 'a rotation that a disabled key is in the way of',
    callers: ROTATION_CALLERS,
    async start(caller) {
      const simulation = await disabled(caller);
      await simulation.advance(7.5 * DAY);
      return simulation;
    },
    act: rotate,
    quietAfter: ORDINARILY,
  },
  'orphan-in-the-way': {
    what: 'a rotation that finds an orphan',
    callers: ROTATION_CALLERS,
    start: (caller) => dying(caller, 'CreateAccessKey', 'crash-after'),
    act: retried,
    quietAfter: ORDINARILY,
  },
  adoption: {
    what: 'the first rotation of a user whose key is adopted',
    callers: ROTATION_CALLERS,
    async start(caller) {
      const simulation = unrotated(caller);
      simulation.adopt('app', simulation.account.createAccessKey('app').accessKeyId);
      return simulation;
    },
    act: schedule,
    quietAfter: ORDINARILY,
  },
  'only-key': {
    what: 'the first rotation of a user whose only key is adopted',
    callers: ROTATION_CALLERS,
    async start(caller) {
      const simulation = unrotated(caller);
      simulation.account.createAccessKey('app');
      simulation.adopt('app', 'only-key');
      return simulation;
    },
    act: schedule,
    quietAfter: ORDINARILY,
  },
  'stored-by-hand': {
    what: 'the first rotation of a secret that holds a key already, verified in two Regions',
    callers: ROTATION_CALLERS,
    async start(caller) {
      const simulation = unrotated(caller, { keys: [{ userName: 'app', verifyRegions: ['us-east-1'] }] });
      const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = simulation.account.createAccessKey('app');
      const SecretString = JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey, UserName: 'app' });
      simulation.account.operate('secretsmanager', 'PutSecretValue', { SecretId: 'iam/app', SecretString });
      return simulation;
    },
    act: schedule,
    quietAfter: ORDINARILY,
  },
  'overlap-zero': {
    what: 'a rotation with an overlap of zero',
    callers: ROTATION_CALLERS,
    start: (caller) => ordinary(caller, { deactivateAfter: 0 }),
    act: rotate,
    quietAfter: ORDINARILY,
  },
  disable: {
    what: 'a pass that disables a key',
    callers: RETIRE_CALLERS,
    async start(caller) {
      const simulation = await superseding(caller);
      await simulation.advance(3.1 * DAY);
      return simulation;
    },
    act: retire,
    quietAfter: ORDINARILY,
  },
  hold: {
    what: 'a pass that holds a key that is in use',
    callers: RETIRE_CALLERS,
    async start(caller) {
      const simulation = await superseding(caller);
      await usedDaily(simulation, 3);
      await simulation.advance(HOUR);
      return simulation;
    },
    act: retire,
    quietAfter: WITH_HOLD,
  },
  'hold-ended': {
    what: 'a pass that disables a held key which has been quiet',
    callers: RETIRE_CALLERS,
    async start(caller) {
      const simulation = await superseding(caller);
      await usedDaily(simulation, 3);
      await simulation.advance(7.1 * DAY);
      return simulation;
    },
    act: retire,
    quietAfter: ORDINARILY,
  },
  'hold-over': {
    what: 'a pass that disables a key in use, held for as long as the policy allows',
    callers: RETIRE_CALLERS,
    async start(caller) {
      const simulation = await superseding(caller, { holdAtMost: 2 * DAY });
      await usedDaily(simulation, 4);
      await simulation.useDirectly(supersededKey(simulation));
      await simulation.advance(1.1 * DAY);
      return simulation;
    },
    act: retire,
    quietAfter: ORDINARILY,
  },
  delete: {
    what: 'a pass that deletes a key',
    callers: RETIRE_CALLERS,
    async start(caller) {
      const simulation = await disabled(caller);
      await simulation.advance(7.1 * DAY);
      return simulation;
    },
    act: retire,
    quietAfter: ORDINARILY,
  },
  'orphan-cleared': {
    what: 'a pass that clears an orphan',
    callers: RETIRE_CALLERS,
    start: (caller) => dying(caller, 'CreateAccessKey', 'crash-after'),
    act: retire,
    quietAfter: ORDINARILY,
  },
  'announcement-left': {
    what: 'a pass that removes an announcement of which nothing came',
    callers: RETIRE_CALLERS,
    start: (caller) => dying(caller, 'CreateAccessKey', 'crash-before'),
    act: retire,
    quietAfter: ORDINARILY,
  },
  'ledger-repair': {
    what: 'a pass that puts the ledger right after a promotion that was not recorded',
    callers: RETIRE_CALLERS,
    start: (caller) => dying(caller, 'UpdateSecretVersionStage', 'crash-after'),
    act: retire,
    quietAfter: ORDINARILY,
  },
  reactivated: {
    what: 'a pass that finds a disabled key activated by hand',
    callers: RETIRE_CALLERS,
    async start(caller) {
      const simulation = await disabled(caller);
      await simulation.advance(7.1 * DAY);
      simulation.account.setAccessKeyStatus(supersededKey(simulation), 'Active');
      return simulation;
    },
    act: retire,
    quietAfter: ORDINARILY,
  },
  'change-limit': {
    what: 'a pass that may change one of two keys that are due',
    callers: RETIRE_CALLERS,
    async start(caller) {
      const simulation = await superseding(
        caller,
        {},
        { keys: ['app', 'ci'].map((userName) => ({ userName })), maxChangesPerRun: 1 },
      );
      await simulation.advance(3.1 * DAY);
      return simulation;
    },
    act: retire,
    quietAfter: ORDINARILY,
  },
  leak: {
    what: 'a leak of the current key',
    callers: LEAK_CALLERS,
    start: (caller) => ordinary(caller),
    act: (simulation) => leak(simulation),
    soon: leaksContained,
    quietAfter: ORDINARILY,
  },
  'leak-slot-taken': {
    what: 'a leak of the current key while another one is retiring',
    callers: LEAK_CALLERS,
    start: (caller) => superseding(caller),
    act: (simulation) => leak(simulation),
    soon: leaksContained,
    quietAfter: ORDINARILY,
  },
  'leak-disable-first': {
    what: "a leak of the current key under onLeak 'disable-first' while another one is retiring",
    callers: LEAK_CALLERS,
    start: (caller) => superseding(caller, { onLeak: 'disable-first' }),
    act: (simulation) => leak(simulation),
    soon: leaksContained,
    quietAfter: ORDINARILY,
  },
  'leak-quarantine': {
    what: "AWS's quarantine of a user with a current and a retiring key",
    callers: LEAK_CALLERS,
    start: (caller) => superseding(caller),
    act: quarantine,
    soon: leaksContained,
    quietAfter: ORDINARILY,
  },
  'leak-retiring': {
    what: 'a leak of a retiring key',
    callers: LEAK_CALLERS,
    start: (caller) => superseding(caller),
    act: (simulation) => leak(simulation, supersededKey(simulation)),
    soon: leaksContained,
    quietAfter: ORDINARILY,
  },
  'leak-pending': {
    what: 'a leak of a pending key, whose rotation died before it could promote it',
    callers: LEAK_CALLERS,
    start: (caller) => dying(caller, 'UpdateSecretVersionStage', 'crash-before'),
    act: (simulation) => leak(simulation, supersededKey(simulation)),
    soon: leaksContained,
    quietAfter: ORDINARILY,
  },
  'other-form': {
    what: 'a rotation that changes the form of the value, and derives SMTP credentials',
    callers: ROTATION_CALLERS,
    async start(caller) {
      const simulation = await ordinary(caller);
      simulation.deploy('app', { format: { fields: FORMATS.env, derived: SES_SMTP } });
      return simulation;
    },
    act: rotate,
    quietAfter: ORDINARILY,
  },
};
