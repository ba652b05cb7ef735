/**
 * One user and one secret in memory, behind the ports of the domain. Keeps every call with its arguments, in order; a test may have something
 * happen before a call is answered.
 */
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { AwsCallError } from '../../lambdas/domain/errors.ts';
import type { VersionUse } from '../../lambdas/domain/follow.ts';
import type { Happening } from '../../lambdas/domain/happenings.ts';
import type { AccessKey, LastUse, SecretFacts } from '../../lambdas/domain/model.ts';
import type {
  IamKeys,
  IdentifyAnswer,
  KeyIdentities,
  Rotations,
  SecretStore,
  SecretVersions,
} from '../../lambdas/domain/ports.ts';
import type { Rotation, RotationWorld, Step } from '../../lambdas/rotate/rotation.ts';
import { NEW, NOW } from '../domain/world.ts';
import { deployedKey } from '../policy.ts';

export const ACCOUNT = '111122223333';
export const REGION = 'eu-central-1';
export const ARN = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:iam/app-a1B2c3`;
export const TOKEN = '11111111-2222-3333-4444-555555555555';
/** The version that is current before a rotation. */
export const CURRENT = 'aaaaaaaa-2222-3333-4444-555555555555';
export const USER_ID = 'AIDAEXAMPLEEXAMPLE22';
export const BOOTSTRAP = '{"Bootstrap":"no key yet"}';
export const WHO = { secret: 'iam/app', userName: 'app' };

/** A value that holds a key of the user. */
export const valueWith = (AccessKeyId: string, more: Record<string, unknown> = {}): string =>
  JSON.stringify({
    Version: 1,
    AccessKeyId,
    SecretAccessKey: `secret of ${AccessKeyId}`,
    UserName: 'app',
    CreateDate: '2026-03-07T12:00:00Z',
    ...more,
  });

/** An error of AWS. `refused`: the call surely had no effect. */
export const awsError = (operation: string, awsCode: string, refused = true): AwsCallError =>
  new AwsCallError(operation, awsCode, refused, 'no.');

/** STS says that the key is the user's. */
export const identified = (more: Partial<{ account: string; arn: string; userId: string }> = {}): IdentifyAnswer => ({
  kind: 'identified',
  identity: { account: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:user/app`, userId: USER_ID, ...more },
});

export interface Given {
  readonly labels?: Readonly<Record<string, readonly string[]>>;
  readonly tags?: Readonly<Record<string, string>>;
  /** By version. */
  readonly values?: Readonly<Record<string, string>>;
  readonly keys?: readonly AccessKey[];
  readonly lastUse?: Readonly<Record<string, LastUse>>;
  /** The day of the last read, by version. */
  readonly readOn?: Readonly<Record<string, Date>>;
  readonly rotationEnabled?: boolean;
  readonly scheduledForDeletion?: boolean;
  /** What STS answers, one after the other; the last one for good. */
  readonly answers?: readonly IdentifyAnswer[];
  /** Milliseconds until the function is stopped. */
  readonly timeLeft?: number;
}

type Operation =
  | Exclude<keyof SecretStore, 'list'>
  | keyof IamKeys
  | keyof KeyIdentities
  | 'listSecrets'
  | 'versions'
  | 'startRotation'
  | 'sleep';

export class Ports {
  readonly calls: (readonly [Operation, ...unknown[]])[] = [];
  readonly happenings: Happening[] = [];
  time = NOW;
  labels: Map<string, readonly string[]>;
  tags: Record<string, string>;
  values: Record<string, string>;
  keys: readonly AccessKey[];
  readonly world: RotationWorld & { readonly versions: SecretVersions; readonly rotations: Rotations };
  readonly #given: Given;
  readonly #hooks = new Map<Operation, (nth: number, ...args: unknown[]) => void>();

  constructor(given: Given = {}) {
    this.#given = given;
    this.labels = new Map(Object.entries(given.labels ?? {}));
    this.tags = { ...given.tags };
    this.values = { ...given.values };
    this.keys = given.keys ?? [];
    this.world = {
      secrets: this.#secrets(),
      versions: { list: async (...args) => this.#versions(...args) },
      rotations: {
        start: async (secretId) => {
          this.#called('startRotation', secretId);
          return 'started';
        },
      },
      iam: this.#iam(),
      smtpPassword: (secret, region) => `SMTP password of ${secret} in ${region}`,
      identities: { identify: async (...args) => this.#identify(...args) },
      now: () => this.time,
      sleep: async (milliseconds) => {
        this.pass(milliseconds);
        this.#called('sleep', milliseconds);
      },
      deadline: new Date(NOW.getTime() + (given.timeLeft ?? 120_000)),
      runId: 'run-now',
      report: (happening) => this.happenings.push(happening),
    };
  }

  /** Before each such call is answered, counted from 1. What is thrown is the call's failure. */
  before(operation: Operation, happens: (nth: number, ...args: unknown[]) => void): this {
    this.#hooks.set(operation, happens);
    return this;
  }

  /** Before each such call is answered, so many milliseconds pass. */
  slow(operation: Operation, milliseconds: number): this {
    return this.before(operation, () => this.pass(milliseconds));
  }

  pass(milliseconds: number): void {
    this.time = new Date(this.time.getTime() + milliseconds);
  }

  /** The names of the calls, in order. */
  operations(): string[] {
    return this.calls.map(([operation]) => operation);
  }

  /** The arguments of each such call. */
  of(operation: Operation): unknown[][] {
    return this.calls.filter(([name]) => name === operation).map(([, ...args]) => args);
  }

  facts(): SecretFacts {
    const { rotationEnabled = true, scheduledForDeletion = false } = this.#given;
    return {
      arn: ARN,
      name: 'iam/app',
      labels: new Map(this.labels),
      tags: { ...this.tags },
      rotationEnabled,
      scheduledForDeletion,
    };
  }

  #called(operation: Operation, ...args: unknown[]): void {
    this.calls.push([operation, ...args]);
    this.#hooks.get(operation)?.(this.of(operation).length, ...args);
  }

  #identify(...args: unknown[]): IdentifyAnswer {
    this.#called('identify', ...args);
    const { answers = [identified()] } = this.#given;
    return answers[Math.min(this.of('identify').length, answers.length) - 1] ?? identified();
  }

  #versions(...args: unknown[]): readonly VersionUse[] {
    this.#called('versions', ...args);
    return [...this.labels].map(([version, labels]) => {
      const readOn = this.#given.readOn?.[version];
      return { version, labels, ...(readOn && { readOn }) };
    });
  }

  #secrets(): SecretStore {
    return {
      list: (...args) => {
        this.#called('listSecrets', ...args);
        const page = [this.facts()];
        return (async function* () {
          yield page;
        })();
      },
      describe: async (...args) => {
        this.#called('describe', ...args);
        return this.facts();
      },
      read: async (secretId, which) => {
        this.#called('read', secretId, which);
        const version = which.version ?? [...this.labels].find(([, has]) => has.includes(which.label ?? ''))?.[0];
        if (version === undefined) return undefined;
        const value = this.values[version];
        if (value === undefined) return undefined;
        if (which.label !== undefined && !this.labels.get(version)?.includes(which.label))
          throw awsError('GetSecretValue', 'InvalidRequestException');
        return { version, value };
      },
      storePending: async (secretId, token, value, rotationToken) => {
        this.#called('storePending', secretId, token, value, rotationToken);
        this.values[token] = value;
      },
      moveLabel: async (...args) => {
        this.#called('moveLabel', ...args);
        const [, label, from, to] = args;
        const has = (version: string) => this.labels.get(version) ?? [];
        this.labels.set(
          from,
          has(from).filter((other) => other !== label),
        );
        if (to !== undefined) this.labels.set(to, [...has(to), label]);
      },
      tag: async (secretId, write, remove) => {
        this.#called('tag', secretId, write, remove);
        const kept = Object.entries(this.tags).filter(([tag]) => !remove.includes(tag));
        this.tags = { ...Object.fromEntries(kept), ...write };
      },
    };
  }

  #iam(): IamKeys {
    return {
      list: async (...args) => {
        this.#called('list', ...args);
        return this.keys;
      },
      lastUse: async (keyId) => {
        this.#called('lastUse', keyId);
        return this.#given.lastUse?.[keyId];
      },
      userId: async (...args) => {
        this.#called('userId', ...args);
        return USER_ID;
      },
      mint: async (...args) => {
        this.#called('mint', ...args);
        this.keys = [...this.keys, { id: NEW, status: 'Active', created: this.time }];
        return { id: NEW, secret: `secret of ${NEW}`, created: this.time };
      },
      disable: async (userName, keyId) => {
        this.#called('disable', userName, keyId);
        const there = this.keys.some(({ id }) => id === keyId);
        this.keys = this.keys.map((key) => (key.id === keyId ? { ...key, status: 'Inactive' } : key));
        return there;
      },
      remove: async (userName, keyId) => {
        this.#called('remove', userName, keyId);
        this.keys = this.keys.filter(({ id }) => id !== keyId);
      },
    };
  }
}

/** An invocation of a step for user app. */
export function rotationOf(step: Step, policy: Partial<DeployedKey> = {}, more: Partial<Rotation> = {}): Rotation {
  return {
    step,
    secret: { arn: ARN, account: ACCOUNT, region: REGION, name: 'iam/app' },
    token: TOKEN,
    policy: deployedKey({ userName: 'app', ...policy }),
    rotateTimeout: 120,
    ...more,
  };
}

/** What a promise was rejected with; fails when it was not. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it succeeded');
}

/** The message of an error. */
export const told = (error: unknown): string => (error instanceof Error ? error.message : String(error));
