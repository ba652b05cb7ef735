/** What a row of the table is, and how it is brought about: a world, something wrong in it, one run, and what the run left behind. */
import { createHash } from 'node:crypto';
import { vi } from 'vitest';
import type { ErrorCode } from '../../lambdas/domain/errors.ts';
import type { SimulatedAccount } from '../../local/account.ts';
import type { InvokeResult } from '../../local/functions.ts';
import { secretsFound } from '../../local/oracle.ts';
import { iamOperations } from '../../local/services/iam.ts';
import type { Operation } from '../../local/services/registry.ts';
import { addVersion, moveLabel, secretsManagerOperations } from '../../local/services/secrets-manager.ts';
import { stsOperations } from '../../local/services/sts.ts';
import { DAY } from '../policy.ts';
import { Simulation, type SimulationOptions } from '../simulation/world.ts';

export const SECRET = 'iam/app';
export const TOKEN = '11111111-2222-3333-4444-555555555555';
/** Looks like a secret access key, and stands in every malformed value: no message or log may repeat it. */
export const FAKE = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY';

/** What a run must not leave behind but for a clean-up, by what it is about: keys, versions by the hash of their value, labels, tags. */
export type Snapshot = Readonly<Record<string, string>>;

/** How a run ended. */
export interface End {
  /** Undefined if it succeeded. */
  readonly message: string | undefined;
  /** One line a difference, such as `- label AWSPENDING of iam/app: …`. */
  readonly changed: readonly string[];
  /** Where secret material stands that should not. */
  readonly leaks: readonly string[];
}

/** What a run leaves behind all the same, because it is a clean-up or the trace that the next run needs. */
export interface Changes {
  readonly why: string;
  /** Every line of `End.changed` matches one of these, and each of these matches a line. */
  readonly lines: readonly RegExp[];
}

export interface Row {
  /** What is wrong, as a sentence. */
  readonly wrong: string;
  readonly code: ErrorCode;
  readonly changes?: Changes;
  readonly end: () => Promise<End>;
}

/**
 * Where a row begins.
 *
 * - `new`: user app without a key, the secret with its bootstrap value, rotation on.
 * - `rotated`: one key, current.
 * - `superseded`: two keys; the overlap of the older one is over.
 * - `disabled`: the same, but the older one is Inactive, and its recovery time is over.
 */
export type From = 'new' | 'rotated' | 'superseded' | 'disabled';

export interface Scene {
  /** @default 'rotated' */
  readonly from?: From;
  readonly options?: SimulationOptions;
  /** Brings about what is wrong. */
  readonly bring?: (world: Simulation) => unknown;
  readonly run: (world: Simulation) => Promise<InvokeResult>;
}

export function row(wrong: string, code: ErrorCode, scene: Scene, changes?: Changes): Row {
  return { wrong, code, ...(changes && { changes }), end: () => play(scene) };
}

/** A row without an account: `act` is called, and throws. */
export function rowOf(wrong: string, code: ErrorCode, act: () => unknown): Row {
  return { wrong, code, end: () => caught(act) };
}

export async function play({ from = 'rotated', options, bring, run }: Scene): Promise<End> {
  const world = await worldFrom(from, options);
  await bring?.(world);
  const before = snapshotOf(world.account);
  const result = await run(world);
  const message = result.ok ? undefined : result.errorMessage;
  const logs = world.account.functions.names().flatMap((name) => world.account.functions.get(name).logs);
  return {
    message,
    changed: differences(before, snapshotOf(world.account)),
    leaks: [...secretsFound(world.account), ...leaksIn(message ?? '', 'message'), ...leaksIn(logs.join('\n'), 'logs')],
  };
}

async function caught(act: () => unknown): Promise<End> {
  try {
    await act();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const told = error instanceof Error ? `${error.stack}` : message;
    return { message, changed: [], leaks: leaksIn(told, 'error') };
  }
  return { message: undefined, changed: [], leaks: [] };
}

const leaksIn = (text: string, where: string) => (text.includes(FAKE) ? [`a secret in the ${where}`] : []);

async function worldFrom(from: From, options?: SimulationOptions): Promise<Simulation> {
  const world = new Simulation(options);
  world.account.createUser('app');
  if (from === 'new') {
    world.secret(SECRET).rotation = { enabled: true, lambdaArn: world.rotateArn, rules: {} };
    return world;
  }
  await world.schedule(SECRET, 90);
  if (from === 'rotated') return world;
  await world.rotate(SECRET);
  await world.advance(4 * DAY);
  if (from === 'superseded') return world;
  await world.retire();
  await world.advance(8 * DAY);
  return world;
}

// ---- Bringing it about ------------------------------------------------------------------------------------------------------------

/** Secrets Manager has begun a rotation: the version TOKEN is labelled AWSPENDING, and holds this value or none. */
export function begin(world: Simulation, value?: unknown): void {
  const secret = world.secret(SECRET);
  const version = addVersion(world.account, secret, TOKEN);
  if (value !== undefined) version.value = typeof value === 'string' ? value : JSON.stringify(value);
  moveLabel(world.account, secret, 'AWSPENDING', TOKEN);
}

/** Somebody writes the current value. */
export function setCurrent(world: Simulation, value: unknown): void {
  const SecretString = typeof value === 'string' ? value : JSON.stringify(value);
  world.account.operate('secretsmanager', 'PutSecretValue', { SecretId: SECRET, SecretString });
}

export function setTag(world: Simulation, key: string, value: string): void {
  const Tags = [{ Key: `iam-key-rotator:${key}`, Value: value }];
  world.account.operate('secretsmanager', 'TagResource', { SecretId: SECRET, Tags });
}

export const takeLabel = (world: Simulation, label: string) =>
  moveLabel(world.account, world.secret(SECRET), label, undefined);

export const currentKey = (world: Simulation) => String(world.current(SECRET).AccessKeyId);

/** The current value with other fields; `undefined` leaves one out. */
export const changedValue = (world: Simulation, fields: object) => ({ ...world.current(SECRET), ...fields });

/** A value that has the form and names a key that nobody has. */
export const goodValue = (fields: object = {}) => ({
  Version: 1,
  AccessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  SecretAccessKey: FAKE,
  UserName: 'app',
  ...fields,
});

const TABLES: readonly Readonly<Record<string, Operation>>[] = [iamOperations, secretsManagerOperations, stsOperations];

/** From now on, until the test is over, a function and the key that it tries get this answer instead of AWS's own. Operators get AWS's. */
export function answer(action: string, made: (real: Record<string, unknown>) => object): void {
  const table = TABLES.find((operations) => action in operations);
  const real = table?.[action];
  if (table === undefined || real === undefined) throw new Error(`no operation ${action}`);
  vi.spyOn(table, action).mockImplementation((account, input, principal) => {
    const output = real(account, input, principal);
    return principal.kind !== 'operator' ? Object.fromEntries(Object.entries(made({ ...output }))) : output;
  });
}

/** Every call of this kind is answered with an error. */
export function failing(world: Simulation, action: string, code: string, status: number): void {
  const match = { action, predicate: ({ principal }: { principal: string }) => !principal.includes('Administrator') };
  world.account.faults.add({ match, kind: 'refuse', error: { code, status }, times: 1000 });
}

// ---- Running it -------------------------------------------------------------------------------------------------------------------

export const step =
  (name: string, token = TOKEN) =>
  (world: Simulation) =>
    world.step(name, SECRET, token);
export const pass = (world: Simulation) => world.retire();

// ---- Looking at what is left --------------------------------------------------------------------------------------------------------

export function snapshotOf(account: SimulatedAccount): Snapshot {
  const facts: Record<string, string> = {};
  for (const user of account.users.values()) {
    facts[`user ${user.name}`] = user.id;
    for (const key of user.keys) facts[`key ${key.id} of ${user.name}`] = key.status;
  }
  for (const { arn, name, versions, labels, tags, rotation, deletedAt } of account.secrets.values()) {
    facts[`secret ${arn}`] = JSON.stringify([rotation?.enabled, rotation?.lambdaArn, deletedAt]);
    for (const { id, value } of versions.values()) facts[`version ${id} of ${name}`] = hash(value);
    for (const [label, version] of labels) facts[`label ${label} of ${name}`] = version;
    for (const [key, value] of tags) facts[`tag ${key} of ${name}`] = value;
  }
  return facts;
}

export function differences(before: Snapshot, after: Snapshot): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort().flatMap((fact) => {
    if (before[fact] === after[fact]) return [];
    if (before[fact] === undefined) return [`+ ${fact}: ${after[fact]}`];
    return [after[fact] === undefined ? `- ${fact}: ${before[fact]}` : `~ ${fact}: ${before[fact]} → ${after[fact]}`];
  });
}

const hash = (value: string | undefined) =>
  value === undefined ? 'empty' : createHash('sha256').update(value).digest('hex').slice(0, 12);
