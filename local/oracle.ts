/**
 * The oracle: watches the account's history and says which invariant of the design is broken, when, and by which call. It looks at what
 * the functions did, never at how they decided.
 */
import type { SimulatedAccount } from './account.ts';
import type { CallRecord, Change, ChangeRecord } from './model.ts';

/** What the oracle must know of a deployed key. Durations in seconds. */
export interface WatchedKey {
  readonly secretName: string;
  readonly userName: string;
  readonly adopt?: string | undefined;
  readonly mode: string;
  readonly deleteAfter: number;
}

export interface WatchedDeployment {
  readonly maxChangesPerRun: number;
  readonly keys: readonly WatchedKey[];
}

/** A broken invariant. `call` is the `seq` of the call that broke it. */
export interface Broken {
  readonly invariant: number;
  readonly at: string;
  readonly what: string;
  readonly call?: number;
}

export interface Watch {
  readonly broken: readonly Broken[];
  /** Judges the end too: what is left over, and whether a secret stands where none belongs. Call it when all is quiet. */
  finish(): readonly Broken[];
}

/** How many identifications by STS must precede a promotion, and within which time (invariant 2: "just", "several times in a row"). */
const IDENTIFICATIONS = 3;
const JUST_MS = 15 * 60_000;

/** What is known of one access key. */
interface KnownKey {
  /** Minted by a function, or ever in the secret's current value: the rest are strangers, but for the adopted one. */
  ours: boolean;
  /** Ever in the value of a version. */
  stored: boolean;
  used: boolean;
  inactiveSince: number | undefined;
  /** When STS identified it lately, without a refusal between. */
  identified: number[];
}

/**
 * Starts to watch; whatever happened before is taken as given.
 *
 * @param deployment what is deployed at the moment of asking: a configuration changes
 */
export function watchInvariants(account: SimulatedAccount, deployment: () => WatchedDeployment): Watch {
  const oracle = new Oracle(account, deployment);
  account.onChange((record) => oracle.see(record));
  account.onCall((call) => oracle.hear(call));
  return oracle;
}

class Oracle implements Watch {
  readonly broken: Broken[] = [];
  readonly #account: SimulatedAccount;
  readonly #deployment: () => WatchedDeployment;
  readonly #known = new Map<string, KnownKey>();
  readonly #changesOfRun = new Map<string, number>();

  constructor(account: SimulatedAccount, deployment: () => WatchedDeployment) {
    this.#account = account;
    this.#deployment = deployment;
    for (const { secretName } of deployment().keys) {
      const current = this.#currentKey(secretName);
      if (current !== undefined) Object.assign(this.#know(current), { ours: true, stored: true });
    }
    for (const key of account.keys.values()) {
      this.#know(key.id).used = key.uses.length > 0;
      if (key.status === 'Inactive') this.#know(key.id).inactiveSince = account.clock.nowMs;
    }
  }

  /** A call has ended. */
  hear(call: CallRecord): void {
    if (call.accessKeyId === undefined) return;
    const key = this.#know(call.accessKeyId);
    if (call.outcome === 'ok') key.used = true;
    if (call.action !== 'GetCallerIdentity') return;
    key.identified =
      call.outcome === 'ok' ? [...key.identified.slice(-IDENTIFICATIONS), this.#account.clock.nowMs] : [];
  }

  /** The state has changed. */
  see(record: ChangeRecord): void {
    const { change } = record;
    const call = this.#functionCall(record);
    const say = (invariant: number, what: string): void => {
      this.broken.push({ invariant, at: record.at, what, ...(call && { call: call.seq }) });
    };
    if ('keyId' in change) this.#seeKey(change, call, say);
    else if ('secret' in change) this.#seeSecret(change, call, say);
  }

  finish(): readonly Broken[] {
    const at = this.#account.clock.now().toISOString();
    for (const { userName } of this.#deployment().keys) {
      for (const key of this.#account.users.get(userName)?.keys ?? []) {
        if (this.#isOrphan(key.id))
          this.broken.push({ invariant: 5, at, what: `the orphan ${key.id} of ${userName} remains` });
      }
    }
    for (const place of secretsFound(this.#account))
      this.broken.push({ invariant: 7, at, what: `secret material in ${place}` });
    return this.broken;
  }

  #seeKey(change: Extract<Change, { keyId: string }>, call: CallRecord | undefined, say: Say): void {
    const key = this.#know(change.keyId);
    const policy = this.#deployment().keys.find(({ userName }) => userName === change.userName);
    if (call !== undefined && policy?.mode === 'observe')
      say(10, `${change.what} of ${change.keyId} in mode 'observe'`);
    if (change.what === 'key-minted' && call !== undefined) {
      key.ours = true;
      if (policy === undefined) say(8, `a key was minted for ${change.userName}, which no secret is bound to`);
      const orphans = this.#account.users.get(change.userName)?.keys.filter(({ id }) => this.#isOrphan(id)) ?? [];
      if (orphans.length > 1) say(5, `${change.userName} has ${orphans.length} orphans at once`);
    }
    const disabled = change.what === 'key-status' && change.status === 'Inactive';
    if (call !== undefined && (disabled || change.what === 'key-deleted')) {
      this.#judgeRemoval(change.keyId, !disabled, policy, say);
      this.#countChange(call, say);
    }
    if (change.what === 'key-status')
      key.inactiveSince = disabled ? (key.inactiveSince ?? this.#account.clock.nowMs) : undefined;
  }

  #seeSecret(change: Extract<Change, { secret: string }>, call: CallRecord | undefined, say: Say): void {
    const policy = this.#deployment().keys.find(({ secretName }) => secretName === change.secret);
    if (policy === undefined) return;
    if (call !== undefined && policy.mode === 'observe')
      say(10, `${change.what} of ${change.secret} in mode 'observe'`);
    for (const { value } of this.#account.findSecret(change.secret)?.versions.values() ?? []) {
      const keyId = keyIn(value);
      if (keyId !== undefined) this.#know(keyId).stored = true;
    }
    if (change.what !== 'label-moved' || change.label !== 'AWSCURRENT') return;
    const current = this.#currentKey(change.secret);
    if (current === undefined) return;
    if (call !== undefined) this.#judgePromotion(current, policy, say);
    this.#know(current).ours = true;
  }

  #judgeRemoval(keyId: string, deleted: boolean, policy: WatchedKey | undefined, say: Say): void {
    const key = this.#know(keyId);
    const verb = deleted ? 'deleted' : 'disabled';
    if (policy === undefined) {
      say(4, `${keyId}, a key of a user that no secret is bound to, was ${verb}`);
      return;
    }
    if (this.#currentKey(policy.secretName) === keyId)
      say(1, `${keyId}, the key in AWSCURRENT of ${policy.secretName}, was ${verb}`);
    if (!key.ours && policy.adopt !== keyId) say(4, `the stranger ${keyId} was ${verb}`);
    if (!deleted || (this.#isOrphan(keyId) && !key.used)) return;
    const seconds = key.inactiveSince === undefined ? 0 : (this.#account.clock.nowMs - key.inactiveSince) / 1000;
    if (seconds < policy.deleteAfter)
      say(3, `${keyId} was deleted after ${seconds} s Inactive, not ${policy.deleteAfter}`);
  }

  #countChange(call: CallRecord, say: Say): void {
    const run = call.invocationId ?? '';
    const count = (this.#changesOfRun.get(run) ?? 0) + 1;
    this.#changesOfRun.set(run, count);
    const { maxChangesPerRun } = this.#deployment();
    if (count > maxChangesPerRun) say(9, `one run changed ${count} keys, the limit being ${maxChangesPerRun}`);
  }

  #judgePromotion(keyId: string, policy: WatchedKey, say: Say): void {
    const key = this.#account.keys.get(keyId);
    if (key?.status !== 'Active' || key.userName !== policy.userName) {
      say(2, `AWSCURRENT of ${policy.secretName} moved to ${keyId}, which is no Active key of ${policy.userName}`);
      return;
    }
    const recent = this.#know(keyId).identified.filter((at) => at >= this.#account.clock.nowMs - JUST_MS).length;
    if (recent < IDENTIFICATIONS)
      say(2, `${keyId} was promoted after ${recent} identifications in a row, not ${IDENTIFICATIONS}`);
  }

  /** Minted by us and never in any version. */
  #isOrphan(keyId: string): boolean {
    const { ours, stored } = this.#know(keyId);
    return ours && !stored;
  }

  #know(keyId: string): KnownKey {
    const key = this.#known.get(keyId) ?? {
      ours: false,
      stored: false,
      used: false,
      inactiveSince: undefined,
      identified: [],
    };
    this.#known.set(keyId, key);
    return key;
  }

  #currentKey(secretName: string): string | undefined {
    return keyIn(this.#account.valueOf(secretName));
  }

  /** The call that caused a change, if a function made it. */
  #functionCall(record: ChangeRecord): CallRecord | undefined {
    const call = record.cause === undefined ? undefined : this.#account.history[record.cause];
    return call?.kind === 'call' && call.functionName !== undefined ? call : undefined;
  }
}

type Say = (invariant: number, what: string) => void;

/** Where a secret string stands that the account ever gave out, besides the values of secrets: raw, base64- or URL-encoded. */
export function secretsFound(account: SimulatedAccount): string[] {
  const places = new Map<string, string>();
  for (const name of account.functions.names())
    places.set(`the logs of ${name}`, account.functions.get(name).logs.join('\n'));
  places.set('the history of calls and events', JSON.stringify(account.history));
  for (const { name, tags } of account.secrets.values()) places.set(`the tags of ${name}`, JSON.stringify([...tags]));
  const needles = account.mintedSecrets.flatMap((secret) => [
    secret,
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    encodeURIComponent(secret),
  ]);
  return [...places].filter(([, text]) => needles.some((needle) => text.includes(needle))).map(([place]) => place);
}

/** The id of the key in a secret's value. */
function keyIn(value: string | undefined): string | undefined {
  try {
    const parsed: unknown = JSON.parse(value ?? '{}');
    const id: unknown = typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, 'AccessKeyId') : undefined;
    return typeof id === 'string' ? id : undefined;
  } catch {
    return undefined;
  }
}
