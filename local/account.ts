/**
 * A simulated AWS account: IAM access keys, STS, Secrets Manager with its rotation engine, functions, schedules and events, on a virtual
 * clock. Everything in it is reached through signed requests, as AWS is.
 */
import { VirtualClock } from './clock.ts';
import { CloudWatch } from './cloudwatch.ts';
import { EventBus } from './events.ts';
import { Faults } from './faults.ts';
import { type InProcessHandler, type Listening, listen, requestHandler } from './front-ends.ts';
import { FunctionHost } from './functions.ts';
import { Gateway } from './gateway.ts';
import { LogSubscriptions } from './log-subscriptions.ts';
import {
  type AccessKey,
  AwsError,
  type CallRecord,
  type Change,
  type ChangeRecord,
  type Credentials,
  type HistoryEntry,
  type KeyStatus,
  type Principal,
  type Role,
  type Secret,
  type User,
} from './model.ts';
import { RandomIds } from './random.ts';
import { RotationEngine } from './rotation-engine.ts';
import { Scheduler } from './scheduler.ts';
import type { SimulatedStack } from './services/cloudformation.ts';
import type { ReportState } from './services/credential-report.ts';
import { operationOf, type ServiceName } from './services/registry.ts';
import type { Bucket } from './services/s3.ts';
import { listing } from './services/secrets-manager.ts';
import { Topics } from './topics.ts';
import type { Input, Output } from './wire/protocols.ts';

export interface AccountOptions {
  /** @default '111122223333' */
  readonly accountId?: string;
  /** @default 'eu-central-1' */
  readonly region?: string;
  /** @default 2026-01-01T00:00:00Z */
  readonly start?: Date;
  /** Seed of all identifiers. @default 1 */
  readonly seed?: number;
  /** How long a new key is unknown everywhere, in ms: 2 to 20 seconds have been seen. @default 8 seconds */
  readonly activationDelay?: number | (() => number);
  /** How long a key that was activated again is unknown everywhere, in ms: IAM's changes propagate. @default 0 */
  readonly reactivationDelay?: number;
  /** Whether a call with a key that became usable less than 30 seconds ago is refused once more: propagation is not monotonic. @default never */
  readonly flicker?: () => boolean;
  /** How long ListAccessKeys does not show a new key, in ms. @default 0 */
  readonly keyListingLag?: number;
  /** How far ListSecrets lags behind, in ms. @default 0 */
  readonly listingLag?: number;
  /** How long a use takes to show in GetAccessKeyLastUsed, in ms. @default 0 */
  readonly lastUsedLag?: number;
  /** How long IAM takes to make a credential report, in ms. @default 5 seconds */
  readonly credentialReportTakes?: number;
  /** Most entries on a page of ListAccessKeys or ListSecrets. @default 100 */
  readonly pageSize?: number;
  /**
   * How a failed rotation is retried in its window. AWS publishes neither number nor spacing, nor whether a retry keeps the token.
   * @default 3 attempts, 20 minutes apart, with the same token
   */
  readonly rotationRetry?: { readonly attempts: number; readonly spacingMs: number; readonly token: 'same' | 'new' };
  /** Send a RotationToken with each step, as rotations under an assumed role do. @default false */
  readonly rotationToken?: boolean;
}

/** One call as a policy engine needs to see it. */
export interface Verdict {
  readonly allowed: boolean;
  readonly reason: string;
}

export interface AuthorizationRequest {
  /** The role's ARN, not the session's. */
  readonly principalArn: string;
  /** As in a policy: `iam:CreateAccessKey`. */
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string | string[]>>;
  readonly resourcePolicy?: unknown;
}

const HIDDEN = new Set(['SecretString', 'SecretBinary', 'RotationToken', 'Body', 'Findings']);

export class SimulatedAccount {
  readonly id: string;
  readonly region: string;
  readonly clock: VirtualClock;
  readonly random: RandomIds;
  readonly faults = new Faults();
  readonly users = new Map<string, User>();
  readonly keys = new Map<string, AccessKey>();
  /** Names of users by the id of a key that was deleted: calls about it are judged as before. */
  readonly formerOwners = new Map<string, string>();
  readonly roles = new Map<string, Role>();
  /** By ARN. */
  readonly secrets = new Map<string, Secret>();
  readonly credentialReport: ReportState = {};
  /** By name. */
  readonly buckets = new Map<string, Bucket>();
  /** What was imported into Security Hub, by the id of the finding. */
  readonly hubFindings = new Map<string, Input>();
  /** By name. */
  readonly stacks = new Map<string, SimulatedStack>();
  /** Every call, change and event so far, in order. */
  readonly history: HistoryEntry[] = [];
  /** Every secret access key ever made: none of them may turn up outside a secret's value. */
  readonly mintedSecrets: string[] = [];
  readonly functions: FunctionHost;
  readonly rotation: RotationEngine;
  readonly scheduler: Scheduler;
  readonly events: EventBus;
  readonly topics: Topics;
  readonly logSubscriptions: LogSubscriptions;
  readonly cloudWatch: CloudWatch;
  readonly gateway: Gateway;
  /** Administrator: signs what an operator or the deployment does. */
  readonly operator: { readonly principal: Principal; readonly credentials: Credentials };
  /** Judges the calls of roles, once it is set. */
  authorize?: (request: AuthorizationRequest) => Verdict | Promise<Verdict>;
  readonly options: AccountOptions;
  /** Temporary credentials by access key id. */
  readonly sessions = new Map<string, { readonly credentials: Credentials; readonly principal: Principal }>();
  readonly #callListeners: ((call: CallRecord) => void)[] = [];
  readonly #changeListeners: ((change: ChangeRecord) => void)[] = [];
  readonly #listings = new Map<string, { readonly at: number; readonly entry: Output }[]>();
  #cause: number | undefined;

  constructor(options: AccountOptions = {}) {
    this.options = options;
    this.id = options.accountId ?? '111122223333';
    this.region = options.region ?? 'eu-central-1';
    this.clock = new VirtualClock(options.start ?? new Date('2026-01-01T00:00:00Z'));
    this.random = new RandomIds(options.seed ?? 1);
    this.gateway = new Gateway(this);
    this.events = new EventBus(this);
    this.topics = new Topics(this);
    this.logSubscriptions = new LogSubscriptions(this);
    this.cloudWatch = new CloudWatch(this);
    this.functions = new FunctionHost(this);
    this.rotation = new RotationEngine(this);
    this.scheduler = new Scheduler(this);
    const principal: Principal = {
      kind: 'operator',
      name: 'operator',
      userId: `${this.random.id('AROA')}:operator`,
      arn: `arn:aws:sts::${this.id}:assumed-role/Administrator/operator`,
    };
    this.operator = { principal, credentials: this.session(principal) };
  }

  // ---- Set-up, as an operator at the console would do it --------------------------------------------------------------------------

  createUser(name: string, options: { readonly path?: string } = {}): User {
    if (this.users.has(name)) throw new Error(`User ${name} exists`);
    const path = options.path ?? '/';
    const arn = `arn:aws:iam::${this.id}:user${path}${name}`;
    const user: User = { name, path, id: this.random.id('AIDA'), arn, createdAt: this.clock.nowMs, keys: [] };
    this.#byOperator('iam', 'CreateUser', { UserName: name, Path: path }, () => {
      this.users.set(name, user);
      this.change({ what: 'user-created', userName: name });
    });
    return user;
  }

  /** Deletes the user with its keys. */
  deleteUser(name: string): void {
    const user = this.#user(name);
    this.#byOperator('iam', 'DeleteUser', { UserName: name }, () => {
      for (const key of [...user.keys]) this.drop(user, key);
      this.users.delete(name);
      this.change({ what: 'user-deleted', userName: name });
    });
  }

  createRole(name: string, statements: readonly unknown[] = [], managedPolicies: readonly string[] = []): Role {
    const arn = `arn:aws:iam::${this.id}:role/${name}`;
    const role: Role = {
      name,
      arn,
      id: this.random.id('AROA'),
      statements: [...statements],
      managedPolicies: [...managedPolicies],
    };
    this.roles.set(arn, role);
    return role;
  }

  /** Mints a key by hand. The quota is no lock, so `force` goes past it, as concurrent calls have been seen to do; `id` chooses the key's id. */
  createAccessKey(userName: string, options: { readonly force?: boolean; readonly id?: string } = {}): Credentials {
    const { force = false, id } = options;
    const user = this.#user(userName);
    if (!force && id === undefined) this.operate('iam', 'CreateAccessKey', { UserName: userName });
    else this.#byOperator('iam', 'CreateAccessKey', { UserName: userName }, () => this.mint(user, id));
    const key = user.keys.at(-1);
    if (key === undefined) throw new Error(`No key was minted for ${userName}`);
    return { accessKeyId: key.id, secretAccessKey: key.secret };
  }

  setAccessKeyStatus(keyId: string, status: KeyStatus): void {
    this.operate('iam', 'UpdateAccessKey', {
      UserName: this.keys.get(keyId)?.userName,
      AccessKeyId: keyId,
      Status: status,
    });
  }

  deleteAccessKey(keyId: string): void {
    this.operate('iam', 'DeleteAccessKey', { UserName: this.keys.get(keyId)?.userName, AccessKeyId: keyId });
  }

  createSecret(
    name: string,
    options: { readonly value?: string; readonly tags?: Readonly<Record<string, string>> } = {},
  ): Secret {
    const Tags = Object.entries(options.tags ?? {}).map(([Key, Value]) => ({ Key, Value }));
    this.operate('secretsmanager', 'CreateSecret', { Name: name, SecretString: options.value, Tags });
    const secret = this.findSecret(name);
    if (secret === undefined) throw new Error(`Secret ${name} was not created`);
    return secret;
  }

  /** Does one operation as the operator, at once and without faults; throws the AwsError that it answers. */
  operate(service: ServiceName, action: string, input: Input): Output {
    const operation = operationOf(service, action);
    return this.#byOperator(service, action, input, (principal) => operation(this, input, principal));
  }

  // ---- Looking inside -------------------------------------------------------------------------------------------------------------

  /** A secret by name or ARN. */
  findSecret(id: string): Secret | undefined {
    return this.secrets.get(id) ?? [...this.secrets.values()].find((secret) => secret.name === id);
  }

  /** Value of the version with this label, if there is one. */
  valueOf(secretId: string, label = 'AWSCURRENT'): string | undefined {
    const secret = this.findSecret(secretId);
    return secret?.versions.get(secret.labels.get(label) ?? '')?.value;
  }

  /** Calls back after every call, when its outcome is known and before it is answered. */
  onCall(listener: (call: CallRecord) => void): void {
    this.#callListeners.push(listener);
  }

  /** Calls back after every change of state. */
  onChange(listener: (change: ChangeRecord) => void): void {
    this.#changeListeners.push(listener);
  }

  // ---- For the services -----------------------------------------------------------------------------------------------------------

  /** Temporary credentials for a principal; they do not end. */
  session(principal: Principal): Credentials {
    const credentials = {
      accessKeyId: this.random.id('ASIA'),
      secretAccessKey: this.random.secretKey(),
      sessionToken: this.random.sessionToken(),
    };
    this.mintedSecrets.push(credentials.secretAccessKey);
    this.sessions.set(credentials.accessKeyId, { credentials, principal });
    return credentials;
  }

  mint(user: User, id: string = this.random.id('AKIA')): AccessKey {
    const { activationDelay = 8000 } = this.options;
    const createdAt = this.clock.nowMs;
    const usableFrom = createdAt + (typeof activationDelay === 'function' ? activationDelay() : activationDelay);
    const ids = { id, secret: this.random.secretKey() };
    const key: AccessKey = { ...ids, userName: user.name, createdAt, usableFrom, status: 'Active', uses: [] };
    user.keys.push(key);
    this.keys.set(key.id, key);
    this.mintedSecrets.push(key.secret);
    this.change({ what: 'key-minted', userName: user.name, keyId: key.id });
    return key;
  }

  drop(user: User, key: AccessKey): void {
    user.keys.splice(user.keys.indexOf(key), 1);
    this.keys.delete(key.id);
    this.formerOwners.set(key.id, user.name);
    this.change({ what: 'key-deleted', userName: user.name, keyId: key.id });
  }

  /** Records a change of state, caused by the call that is being done, if any. */
  change(change: Change): void {
    const cause = this.#cause === undefined ? {} : { cause: this.#cause };
    const record: ChangeRecord = { kind: 'change', seq: this.history.length, at: this.#at(), ...cause, change };
    this.history.push(record);
    if ('secret' in change) this.noteListing(change.secret);
    for (const listener of this.#changeListeners) listener(record);
  }

  /** Remembers how ListSecrets will show a secret once its lag has passed. */
  noteListing(secretName: string): void {
    const secret = this.findSecret(secretName);
    if (!this.options.listingLag || secret === undefined) return;
    const seen = this.#listings.get(secret.arn) ?? [];
    const current = seen.findLastIndex(({ at }) => at <= this.clock.nowMs - (this.options.listingLag ?? 0));
    const deleted = secret.deletedAt === undefined ? {} : { deleted: true };
    this.#listings.set(secret.arn, [
      ...seen.slice(Math.max(current, 0)),
      { at: this.clock.nowMs, entry: { ...listing(this, secret), ...deleted } },
    ]);
  }

  /** The entry of ListSecrets for a secret, as old as the listing lags; undefined if it does not show. */
  listed(secret: Secret, evenIfDeleted = false): Output | undefined {
    const { listingLag = 0 } = this.options;
    if (listingLag === 0) return secret.deletedAt === undefined || evenIfDeleted ? listing(this, secret) : undefined;
    const entry = this.#listings.get(secret.arn)?.findLast(({ at }) => at <= this.clock.nowMs - listingLag)?.entry;
    return entry?.deleted === true && !evenIfDeleted ? undefined : entry;
  }

  /** Records a service event and puts it on the event bus. */
  emit(name: string, detail: Readonly<Record<string, unknown>>): void {
    const source = 'aws.secretsmanager';
    this.history.push({ kind: 'event', seq: this.history.length, at: this.#at(), source, name, detail });
    this.events.put({
      source,
      'detail-type': 'AWS Service Event via CloudTrail',
      detail: { eventSource: 'secretsmanager.amazonaws.com', eventName: name, additionalEventData: detail },
    });
  }

  // ---- The ways in ----------------------------------------------------------------------------------------------------------------

  /** For SDK clients of this process: signs with these credentials, tries once, needs no socket. */
  clientConfig(credentials: Credentials = this.operator.credentials) {
    return {
      region: this.region,
      credentials,
      requestHandler: this.requestHandler(),
      maxAttempts: 1,
      retryMode: 'standard' as const,
    };
  }

  /** @param now Clock that the clients sign by, in ms: the process's own unless told. */
  requestHandler(now?: () => number): InProcessHandler {
    return requestHandler(this, now);
  }

  /** Serves the account on a free port of the loopback interface. `clientsClock`: as `requestHandler`'s, by default the virtual one. */
  listen(clientsClock?: () => number): Promise<Listening> {
    return listen(this, clientsClock);
  }

  #byOperator<T>(service: ServiceName, action: string, input: Input, operation: (principal: Principal) => T): T {
    const { principal } = this.operator;
    return this.execute(this.record(principal, service, action, input), () => operation(principal));
  }

  /** Does what a call asks for, and records how it ended. */
  execute<T>(call: CallRecord, operation: () => T): T {
    this.#cause = call.seq;
    try {
      const result = operation();
      call.outcome = 'ok';
      return result;
    } catch (error) {
      if (error instanceof AwsError) call.outcome = { code: error.code, message: error.message };
      throw error;
    } finally {
      this.#cause = undefined;
      this.finish(call);
    }
  }

  /** Records a call that is about to be done. */
  record(principal: Principal, service: ServiceName, action: string, input: Input): CallRecord {
    const parameters = Object.fromEntries(Object.entries(input).filter(([name]) => !HIDDEN.has(name)));
    const { caller, accessKeyId } = principal;
    const secretId = input.SecretId ?? input.Name;
    const userName =
      typeof input.UserName === 'string' ? input.UserName : accessKeyId === undefined ? undefined : principal.name;
    const secretName = typeof secretId === 'string' ? (this.findSecret(secretId)?.name ?? secretId) : undefined;
    const call: CallRecord = {
      kind: 'call',
      seq: this.history.length,
      at: this.#at(),
      principal: principal.arn,
      ...(accessKeyId === undefined ? {} : { accessKeyId }),
      ...(caller === undefined ? {} : { functionName: caller.functionName }),
      ...(caller?.invocationId === undefined ? {} : { invocationId: caller.invocationId }),
      ...(userName === undefined ? {} : { userName }),
      ...(secretName === undefined ? {} : { secretName }),
      service,
      action,
      parameters,
      outcome: 'pending',
    };
    this.history.push(call);
    return call;
  }

  /** Tells those who listen that the outcome of a call is known. */
  finish(call: CallRecord): void {
    for (const listener of this.#callListeners) listener(call);
  }

  #user(name: string): User {
    const user = this.users.get(name);
    if (user === undefined) throw new Error(`There is no user ${name}`);
    return user;
  }

  #at(): string {
    return this.clock.now().toISOString();
  }
}
