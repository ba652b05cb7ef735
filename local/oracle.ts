/**
 * The oracle: watches the account's history and says which invariant of the design is broken, when, and by which call. It looks at what
 * the functions did, never at how they decided.
 */

import { ONLY_KEY } from '../lambdas/contract/deployment.ts';
import type { FieldNames } from '../lambdas/contract/formats.ts';
import { TAGS } from '../lambdas/contract/names.ts';
import type { SimulatedAccount } from './account.ts';
import type { CallRecord, Change, ChangeRecord } from './model.ts';
import { storedKey } from './stored-key.ts';

/** What the oracle must know of a deployed key. Durations in seconds. */
export interface WatchedKey {
  readonly secretName: string;
  readonly userName: string;
  /** A key's id, or 'only-key'. */
  readonly adopt?: string | undefined;
  readonly mode: string;
  readonly deactivateAfter: number;
  readonly settle: number;
  readonly ifInUse: string;
  /** @default 'rotate-then-disable' */
  readonly onLeak?: string | undefined;
  readonly holdAtMost: number;
  readonly quietFor: number;
  readonly deleteAfter: number;
  /** Of the secret's value. @default a built-in one */
  readonly format?: { readonly fields: FieldNames } | undefined;
}

export interface WatchedDeployment {
  readonly maxChangesPerRun: number;
  readonly keys: readonly WatchedKey[];
}

/**
 * What the rotator can't tell, however it looks: the limits that docs/safety.md names. What is broken by one of them is told apart from the rest.
 *
 * - `reactivated-unseen`: an operator activated a disabled key and disabled it again, between two looks or while the secret was scheduled for
 *   deletion and took no record, and no use is reported.
 * - `made-beside-announcement`: somebody made a key by hand within a minute of the announcement of a mint that came to nothing, and no use is reported.
 */
export type Residual = 'reactivated-unseen' | 'made-beside-announcement';

/** A broken invariant. `call` is the `seq` of the call that broke it. */
export interface Broken {
  readonly invariant: number;
  readonly at: string;
  readonly what: string;
  readonly call?: number;
  readonly residual?: Residual;
}

export interface Watch {
  readonly broken: readonly Broken[];
  /** Judges the end too: what is left over, and whether a secret stands where none belongs. Call it when all is quiet. */
  finish(): readonly Broken[];
}

/** How many identifications by STS must precede a promotion, and within which time (invariant 2: "just", "several times in a row"). */
const IDENTIFICATIONS = 3;
const JUST_MS = 150_000;
/** All in one run: longer than the rotate function may take. */
const RUN_MS = 5 * 60_000;

/** What is known of one access key. */
interface KnownKey {
  /** Minted by a function, or ever in the secret's current value: the rest are strangers, but for the adopted one. */
  ours: boolean;
  /** The run that minted it. */
  mintedBy: string | undefined;
  /** The run that disabled it last, if a function did. */
  disabledBy: string | undefined;
  /** Ever in the value of a version. */
  stored: boolean;
  /** Ever adopted by the configuration. */
  adopted: boolean;
  /** Authenticated uses, in ms. */
  uses: number[];
  mintedAt: number;
  inactiveSince: number | undefined;
  /** Since when it is Inactive by a function's hand, whatever an operator did since. */
  disabledSince: number | undefined;
  /** Since when an operator has it Active after a function disabled it, and whether a retire pass saw that. */
  reactivated: { readonly at: number; seen: boolean } | undefined;
  /** When it left AWSCURRENT, by whatever hand. */
  leftCurrent: number | undefined;
  /** The overlap of the policy by which a function disabled or deleted it, if no operator has touched it since. */
  endedAfter: number | undefined;
  /** By run: when STS identified it lately, without a refusal between. */
  readonly identified: Map<string, number[]>;
}

/**
 * Starts to watch; whatever happened before is taken as given.
 *
 * @param deployment what is deployed at the moment of asking: a configuration changes
 * @param told what the runs have told so far beyond their logs, to be searched for secrets
 */
export function watchInvariants(
  account: SimulatedAccount,
  deployment: () => WatchedDeployment,
  told: () => string = () => '',
): Watch {
  const oracle = new Oracle(account, deployment, told);
  account.onChange((record) => oracle.see(record));
  account.onCall((call) => oracle.hear(call));
  return oracle;
}

class Oracle implements Watch {
  readonly broken: Broken[] = [];
  readonly #account: SimulatedAccount;
  readonly #deployment: () => WatchedDeployment;
  readonly #told: () => string;
  readonly #known = new Map<string, KnownKey>();
  readonly #changesOfRun = new Map<string, number>();
  /** By run: the reads that failed and were not repeated with success. */
  readonly #failedReads = new Map<string, Map<string, CallRecord>>();
  /** By user: when a mint was announced, in ms. */
  readonly #announced = new Map<string, number[]>();
  readonly #currentKeys = new Map<string, string | undefined>();
  /** By user: the keys that `adopt: 'only-key'` may adopt. */
  readonly #onlyKeys = new Map<string, Set<string>>();

  constructor(account: SimulatedAccount, deployment: () => WatchedDeployment, told: () => string) {
    this.#account = account;
    this.#told = told;
    this.#deployment = deployment;
    for (const { secretName } of deployment().keys) {
      const current = this.#currentKey(secretName);
      if (current !== undefined) Object.assign(this.#know(current), { ours: true, stored: true });
      this.#currentKeys.set(secretName, current);
    }
    for (const key of account.keys.values()) {
      Object.assign(this.#know(key.id), { uses: key.uses.map(({ at }) => at), mintedAt: key.createdAt });
      if (key.status === 'Inactive') this.#know(key.id).inactiveSince = account.clock.nowMs;
    }
  }

  /** A call has ended. */
  hear(call: CallRecord): void {
    if (call.functionName !== undefined) this.#noteRead(call);
    if (call.accessKeyId === undefined) return;
    const key = this.#know(call.accessKeyId);
    if (call.outcome === 'ok') key.uses.push(this.#account.clock.nowMs);
    else if (call.functionName === undefined) this.#judgeTurnedAway(call.accessKeyId, call);
    if (call.action !== 'GetCallerIdentity') return;
    const run = call.invocationId ?? '';
    const before = key.identified.get(run) ?? [];
    key.identified.set(
      run,
      call.outcome === 'ok' ? [...before.slice(-IDENTIFICATIONS), this.#account.clock.nowMs] : [],
    );
  }

  /** The state has changed. */
  see(record: ChangeRecord): void {
    const { change } = record;
    const call = this.#functionCall(record);
    const say: Say = (invariant, what, residual) => {
      this.broken.push({
        invariant,
        at: record.at,
        what,
        ...(call && { call: call.seq }),
        ...(residual && { residual }),
      });
    };
    if (call !== undefined) this.#judgeReads(change, call, say);
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
    for (const place of secretsFound(this.#account, this.#told()))
      this.broken.push({ invariant: 7, at, what: `secret material in ${place}` });
    return this.broken;
  }

  #seeKey(change: Extract<Change, { keyId: string }>, call: CallRecord | undefined, say: Say): void {
    const key = this.#know(change.keyId);
    const policy = this.#deployment().keys.find(({ userName }) => userName === change.userName);
    if (call !== undefined && policy?.mode === 'observe')
      say(10, `${change.what} of ${change.keyId} in mode 'observe'`);
    if (change.what === 'key-minted') key.mintedAt = this.#account.clock.nowMs;
    if (change.what === 'key-minted' && call !== undefined) {
      Object.assign(key, { ours: true, mintedBy: call.invocationId });
      if (policy === undefined) say(8, `a key was minted for ${change.userName}, which no secret is bound to`);
      const orphans = this.#account.users.get(change.userName)?.keys.filter(({ id }) => this.#isOrphan(id)) ?? [];
      if (orphans.length > 1) say(5, `${change.userName} has ${orphans.length} orphans at once`);
    }
    const disabled = change.what === 'key-status' && change.status === 'Inactive';
    if (call !== undefined && (disabled || change.what === 'key-deleted')) {
      this.#judgeRemoval(change.keyId, !disabled, policy, call, say);
      // A key that the same run has minted and takes back, since nobody could store it, is none that was there to be changed.
      const taken = !disabled && key.disabledBy === call.invocationId && this.#isSlot(change.keyId, call, policy);
      if ((key.mintedBy === undefined || key.mintedBy !== call.invocationId) && !taken) this.#countChange(call, say);
      key.disabledBy = disabled ? call.invocationId : undefined;
    }
    // A key that is Inactive has been ended already: deleting it ends nothing for an application.
    if (call === undefined || change.what === 'key-minted' || this.#containmentOf(change.keyId, call, policy))
      key.endedAfter = undefined;
    else if (key.inactiveSince === undefined) key.endedAfter = policy?.deactivateAfter ?? 0;
    if (change.what === 'key-status') this.#noteStatus(key, disabled, call !== undefined);
  }

  #noteStatus(key: KnownKey, disabled: boolean, byFunction: boolean): void {
    const now = this.#account.clock.nowMs;
    key.inactiveSince = disabled ? (key.inactiveSince ?? now) : undefined;
    if (disabled && byFunction) Object.assign(key, { disabledSince: now, reactivated: undefined });
    if (!disabled && key.disabledSince !== undefined) key.reactivated ??= { at: now, seen: false };
  }

  #seeSecret(change: Extract<Change, { secret: string }>, call: CallRecord | undefined, say: Say): void {
    const policy = this.#deployment().keys.find(({ secretName }) => secretName === change.secret);
    if (policy === undefined) return;
    if (call !== undefined && policy.mode === 'observe')
      say(10, `${change.what} of ${change.secret} in mode 'observe'`);
    // A mark lets keys end early: no function but one may write it, and operators of the ledger.
    if (change.what === 'tag-set' && change.key.startsWith(TAGS.leakPrefix) && call && !isBy(call, 'respond'))
      say(1, `${change.key} was written by ${call.functionName}`);
    // It goes with the key, and no sooner: without it the key may come into use again.
    if (change.what === 'tag-removed' && change.key.startsWith(TAGS.leakPrefix) && call !== undefined) {
      const keyId = change.key.slice(TAGS.leakPrefix.length);
      // One that somebody has forged for another user's key says nothing, and is cleared.
      if (this.#account.keys.get(keyId)?.userName === policy.userName)
        say(1, `${change.key} was removed by ${call.functionName}, and its key is there`);
    }
    if (change.what === 'tag-set' && call !== undefined && change.key.startsWith(TAGS.intentPrefix)) {
      const at = this.#account.clock.nowMs;
      this.#announced.set(policy.userName, [...(this.#announced.get(policy.userName) ?? []).slice(-9), at]);
      this.#noteOnlyKey(policy);
    }
    if (change.what === 'tag-set' && call !== undefined && change.key.startsWith(TAGS.keyPrefix))
      this.#noteEntry(change.secret, change.key, policy);
    if (change.what === 'version-filled') {
      const stored = this.#account.findSecret(change.secret)?.versions.get(change.version)?.value;
      const keyId = storedKey(stored, policy.format?.fields)?.accessKeyId;
      if (keyId !== undefined) this.#know(keyId).stored = true;
    }
    if (change.what !== 'label-moved' || change.label !== 'AWSCURRENT') return;
    const before = this.#currentKeys.get(change.secret);
    const current = this.#currentKey(change.secret);
    this.#currentKeys.set(change.secret, current);
    // Whoever moves the label by hand to a key that was ended has chosen that.
    if (call === undefined && current !== undefined) this.#know(current).endedAfter = undefined;
    if (before !== undefined && before !== current) this.#know(before).leftCurrent = this.#account.clock.nowMs;
    if (current === undefined) return;
    if (call !== undefined) this.#judgePromotion(current, policy, say);
    Object.assign(this.#know(current), { ours: true, leftCurrent: undefined });
  }

  /** An operator may have disabled the key, and a function has recorded that: its recovery counts from there. */
  #noteEntry(secret: string, tag: string, { userName, adopt }: WatchedKey): void {
    const keyId = tag.slice(TAGS.keyPrefix.length);
    const key = this.#know(keyId);
    // Recorded while the configuration named it, it stays the adopted one when that says 'only-key' later.
    if (keyId === adopt) this.#addOnlyKey(userName, keyId);
    const recorded = this.#account.findSecret(secret)?.tags.get(tag)?.includes('disabled=') === true;
    if (recorded && key.inactiveSince !== undefined && key.disabledSince === undefined)
      key.disabledSince = this.#account.clock.nowMs;
  }

  /** A mint is announced: what is the only key by now, beside those of the rotator, while nothing is stored in the secret? */
  #noteOnlyKey({ adopt, userName, secretName }: WatchedKey): void {
    if (adopt !== ONLY_KEY || this.#currentKey(secretName) !== undefined) return;
    const keys = this.#account.users.get(userName)?.keys ?? [];
    const [only, ...others] = keys.filter(({ id }) => !this.#know(id).ours);
    const isOldest = keys.every(({ createdAt }) => only !== undefined && only.createdAt < createdAt + 1000);
    if (only !== undefined && others.length === 0 && isOldest) this.#addOnlyKey(userName, only.id);
  }

  #addOnlyKey(userName: string, keyId: string): void {
    this.#onlyKeys.set(userName, new Set([...(this.#onlyKeys.get(userName) ?? []), keyId]));
  }

  #isAdopted(keyId: string, { adopt, userName }: WatchedKey): boolean {
    return adopt === ONLY_KEY ? this.#onlyKeys.get(userName)?.has(keyId) === true : adopt === keyId;
  }

  #judgeRemoval(keyId: string, deleted: boolean, policy: WatchedKey | undefined, call: CallRecord, say: Say): void {
    const key = this.#know(keyId);
    const verb = deleted ? 'deleted' : 'disabled';
    if (policy === undefined) {
      say(4, `${keyId}, a key of a user that no secret is bound to, was ${verb}`);
      return;
    }
    const containment = this.#containmentOf(keyId, call, policy);
    if (this.#currentKey(policy.secretName) === keyId && (deleted || containment !== 'disable-first'))
      say(1, `${keyId}, the key in AWSCURRENT of ${policy.secretName}, was ${verb}`);
    const mistaken = deleted && this.#isBesideAnnouncement(key, policy) ? 'made-beside-announcement' : undefined;
    if (!key.ours && !this.#isAdopted(keyId, policy)) say(4, `the stranger ${keyId} was ${verb}`, mistaken);
    if (!deleted && containment === undefined) this.#judgeDisabling(keyId, policy, say);
    if (!deleted && (containment === 'leaked' || containment === 'slot')) this.#judgeLast(keyId, policy, say);
    // One that works is disabled first: whoever uses it might be the last that works.
    if (deleted && containment === 'slot' && key.inactiveSince !== undefined) return;
    if (!deleted || (this.#isOrphan(keyId) && key.uses.length === 0)) return;
    const now = this.#account.clock.nowMs;
    const seconds = key.inactiveSince === undefined ? 0 : (now - key.inactiveSince) / 1000;
    if (seconds >= policy.deleteAfter) return;
    const whole = key.disabledSince !== undefined && (now - key.disabledSince) / 1000 >= policy.deleteAfter;
    const { reactivated } = key;
    const since = Math.max(reactivated?.at ?? 0, now - policy.deleteAfter * 1000);
    const unseen = whole && reactivated?.seen === false && this.#usesSince(key, since).length === 0;
    const residual = mistaken ?? (unseen ? 'reactivated-unseen' : undefined);
    say(3, `${keyId} was deleted after ${seconds} s Inactive, not ${policy.deleteAfter}`, residual);
  }

  /**
   * Which of the exceptions that docs/adr/0019-containment-beats-recovery.md makes for leaks covers the end of a key by a function, if any:
   *
   * - `leaked`: the key is marked and not current. It may be disabled at once.
   * - `disable-first`: it is marked and current, the policy says so, and the respond function disables it.
   * - `slot`: the current key is marked, and the rotate function takes the slot of another one that is in no label.
   */
  #containmentOf(
    keyId: string,
    call: CallRecord,
    policy: WatchedKey | undefined,
  ): 'leaked' | 'disable-first' | 'slot' | undefined {
    if (policy === undefined) return undefined;
    const secret = this.#account.findSecret(policy.secretName);
    const isMarked = (id: string | undefined) => secret?.tags.has(`${TAGS.leakPrefix}${id}`) === true;
    const current = this.#currentKey(policy.secretName);
    if (keyId === current) {
      const allowed = isMarked(keyId) && policy.onLeak === 'disable-first' && isBy(call, 'respond');
      return allowed ? 'disable-first' : undefined;
    }
    const pending = storedKey(this.#account.valueOf(policy.secretName, 'AWSPENDING'), policy.format?.fields);
    const slot = isMarked(current) && isBy(call, 'rotate') && pending?.accessKeyId !== keyId;
    if (slot) return 'slot';
    return isMarked(keyId) ? 'leaked' : undefined;
  }

  /** Containment stops where no other key works, unless the policy says otherwise: what ends may be the last one (ADR 19). */
  #judgeLast(keyId: string, { secretName, onLeak }: WatchedKey, say: Say): void {
    const { inactiveSince } = this.#know(this.#currentKey(secretName) ?? '');
    if (onLeak === 'disable-first' || inactiveSince === undefined || this.#know(keyId).inactiveSince !== undefined)
      return;
    if (this.#account.clock.nowMs - inactiveSince > DECIDED_WITHIN_MS)
      say(1, `${keyId} was disabled for a leak while the key in AWSCURRENT of ${secretName} does not work`);
  }

  /** Disabled and deleted by one run for its slot, it is one key that is changed. */
  #isSlot(keyId: string, call: CallRecord, policy: WatchedKey | undefined): boolean {
    return this.#containmentOf(keyId, call, policy) === 'slot';
  }

  /** A key that left AWSCURRENT stays Active for the overlap, and for the hold while IAM reports it in use. */
  #judgeDisabling(keyId: string, policy: WatchedKey, say: Say): void {
    const key = this.#know(keyId);
    const { leftCurrent } = key;
    if (leftCurrent === undefined || policy.deactivateAfter === 0 || key.inactiveSince !== undefined) return;
    const now = this.#account.clock.nowMs;
    const seconds = (now - leftCurrent) / 1000;
    if (seconds < policy.deactivateAfter)
      say(5, `${keyId} was disabled ${seconds} s after it left AWSCURRENT, not ${policy.deactivateAfter}`);
    if (policy.ifInUse !== 'hold' || seconds >= policy.deactivateAfter + policy.holdAtMost) return;
    // The rotator may have dated the supersession later than it was, by at most the time that the overlap has lasted since.
    const surely = Math.min(policy.quietFor, policy.deactivateAfter - policy.settle) * 1000;
    if (this.#usesSince(key, Math.max(leftCurrent + policy.settle * 1000, now - surely) + 1).length > 0)
      say(5, `${keyId} was disabled while it was in use, and its hold was not over`);
  }

  /** Uses that IAM reports by now. */
  #usesSince(key: KnownKey, since: number): readonly number[] {
    const visible = this.#account.clock.nowMs - (this.#account.options.lastUsedLag ?? 0);
    return key.uses.filter((at) => at >= since && at <= visible);
  }

  #isBesideAnnouncement(key: KnownKey, policy: WatchedKey): boolean {
    const near = (at: number) => Math.abs(at - key.mintedAt) <= BESIDE_MS;
    // Beside the true orphan there are two that one announcement could explain, and neither may be touched.
    const others = this.#account.users.get(policy.userName)?.keys ?? [];
    const orphan = others.some(({ id, createdAt }) => this.#isOrphan(id) && near(createdAt));
    return (
      !key.ours &&
      !orphan &&
      this.#usesSince(key, 0).length === 0 &&
      (this.#announced.get(policy.userName) ?? []).some(near)
    );
  }

  /** An application was turned away with a key that it may well have read from the secret: a function has ended it too early. */
  #judgeTurnedAway(keyId: string, call: CallRecord): void {
    const { leftCurrent, endedAfter } = this.#know(keyId);
    const policy = this.#deployment().keys.find(({ userName }) => userName === call.userName);
    if (endedAfter === undefined || policy === undefined) return;
    const overlap = leftCurrent === undefined ? 0 : (this.#account.clock.nowMs - leftCurrent) / 1000;
    const current = this.#currentKey(policy.secretName) === keyId;
    if (!current && (leftCurrent === undefined || overlap >= endedAfter)) return;
    const what = `an application was turned away with ${keyId}, ${current ? 'the current key' : `${overlap} s after it left AWSCURRENT`}`;
    this.broken.push({ invariant: 5, at: call.at, what, call: call.seq });
  }

  /** Invariant 6: a read without an answer is remembered until it is repeated with one. */
  #noteRead(call: CallRecord): void {
    if (!READS.has(call.action) || call.invocationId === undefined) return;
    const failed = this.#failedReads.get(call.invocationId) ?? new Map<string, CallRecord>();
    const read = `${call.action} ${JSON.stringify(call.parameters)}`;
    if (isAnswer(call)) failed.delete(read);
    else failed.set(read, call);
    if (failed.size > 0) this.#failedReads.set(call.invocationId, failed);
    else this.#failedReads.delete(call.invocationId);
    if (call.action === 'ListAccessKeys' && isBy(call, 'retire') && this.#takesRecords(call.userName)) {
      for (const { id } of this.#account.users.get(call.userName ?? '')?.keys ?? []) {
        const { reactivated, inactiveSince } = this.#know(id);
        if (reactivated !== undefined && inactiveSince === undefined) reactivated.seen = true;
      }
    }
  }

  /** What a pass sees it can record only in a secret that is not scheduled for deletion: Secrets Manager refuses the tags of one that is. */
  #takesRecords(userName: string | undefined): boolean {
    const policy = this.#deployment().keys.find((key) => key.userName === userName);
    return this.#account.findSecret(policy?.secretName ?? '')?.deletedAt === undefined;
  }

  /** Invariant 6: a run that lacks an answer about a user or a secret changes nothing of theirs. */
  #judgeReads(change: Change, call: CallRecord, say: Say): void {
    const failed = this.#failedReads.get(call.invocationId ?? '');
    if (failed === undefined) return;
    for (const read of failed.values()) {
      if (this.#userOf(read) !== this.#userOf(call)) continue;
      say(6, `${change.what} by ${call.action} though ${read.action} (call ${read.seq}) gave no answer`);
    }
  }

  /** The user that a call is about: by name, by key, or by the secret that is bound to it. */
  #userOf({ userName, secretName, parameters }: CallRecord): string | undefined {
    const { AccessKeyId } = parameters;
    const owner = typeof AccessKeyId === 'string' ? this.#account.keys.get(AccessKeyId)?.userName : undefined;
    return userName ?? owner ?? this.#deployment().keys.find((key) => key.secretName === secretName)?.userName;
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
    const now = this.#account.clock.nowMs;
    const mark = this.#account.findSecret(policy.secretName)?.tags.get(`${TAGS.leakPrefix}${keyId}`);
    if (mark !== undefined && now - Date.parse(/at=(\S+)/.exec(mark)?.[1] ?? '') > DECIDED_WITHIN_MS)
      say(2, `AWSCURRENT of ${policy.secretName} moved to ${keyId}, which is known to be leaked`);
    const runs = [...this.#know(keyId).identified.values()].filter((run) => (run.at(-1) ?? 0) >= now - JUST_MS);
    const inARow = (run: readonly number[]) => run.filter((at) => at >= (run.at(-1) ?? 0) - RUN_MS).length;
    const recent = Math.max(0, ...runs.map(inARow));
    if (recent < IDENTIFICATIONS)
      say(2, `${keyId} was promoted after ${recent} identifications in a row, not ${IDENTIFICATIONS}`);
  }

  /** Minted by us, never in any version, and never adopted by the configuration. */
  #isOrphan(keyId: string): boolean {
    const key = this.#know(keyId);
    if (this.#deployment().keys.some((policy) => this.#isAdopted(keyId, policy))) key.adopted = true;
    return key.ours && !key.stored && !key.adopted;
  }

  #know(keyId: string): KnownKey {
    const key = this.#known.get(keyId) ?? {
      ours: false,
      mintedBy: undefined,
      disabledBy: undefined,
      stored: false,
      adopted: false,
      uses: [],
      mintedAt: 0,
      inactiveSince: undefined,
      disabledSince: undefined,
      reactivated: undefined,
      leftCurrent: undefined,
      endedAfter: undefined,
      identified: new Map<string, number[]>(),
    };
    this.#known.set(keyId, key);
    return key;
  }

  #currentKey(secretName: string): string | undefined {
    const policy = this.#deployment().keys.find((key) => key.secretName === secretName);
    return storedKey(this.#account.valueOf(secretName), policy?.format?.fields)?.accessKeyId;
  }

  /** The call that caused a change, if a function made it. */
  #functionCall(record: ChangeRecord): CallRecord | undefined {
    const call = record.cause === undefined ? undefined : this.#account.history[record.cause];
    return call?.kind === 'call' && call.functionName !== undefined ? call : undefined;
  }
}

/** Functions of a template have longer names. */
const isBy = ({ functionName }: CallRecord, part: string) => functionName?.toLowerCase().includes(part) === true;

type Say = (invariant: number, what: string, residual?: Residual) => void;

/** Reads that decisions rest on. */
const READS: ReadonlySet<string> = new Set([
  'ListSecrets',
  'DescribeSecret',
  'GetSecretValue',
  'ListAccessKeys',
  'GetAccessKeyLastUsed',
  'GetUser',
]);

/** What was read before a change that somebody else makes may be acted upon for so long: evidence holds for 30 seconds, a look for 15. */
const DECIDED_WITHIN_MS = 60_000;

/** How near a key made by hand must be to an announcement to be taken for its orphan. */
const BESIDE_MS = 61_000;

/** True if the caller got an answer that says something: also that there is no such thing. */
function isAnswer({ outcome, fault }: CallRecord): boolean {
  if (fault !== undefined && fault !== 'late') return false;
  return outcome === 'ok' || (typeof outcome === 'object' && !/Denied|Throttl|Internal/.test(outcome.code));
}

/**
 * Where a secret string stands that the account ever gave out, or an SMTP password computed from one, besides the values of secrets: raw, URL-encoded, or base64-encoded, by itself or
 * inside a longer text.
 *
 * @param told what the runs have told, beyond their logs
 */
export function secretsFound(account: SimulatedAccount, told = ''): string[] {
  const places = new Map<string, string>([
    ['what the runs tell', told],
    ['the arguments of the process', process.argv.join(' ')],
    ['the queues', JSON.stringify([...account.functions.queues])],
    ['the history of calls and events', JSON.stringify(account.history)],
  ]);
  for (const name of account.functions.names())
    places.set(`the logs of ${name}`, account.functions.get(name).logs.join('\n'));
  for (const { name, tags } of account.secrets.values()) places.set(`the tags of ${name}`, JSON.stringify([...tags]));
  for (const { name, objects } of account.buckets.values())
    places.set(`the bucket ${name}`, JSON.stringify([...objects]));
  if (account.hubFindings.size > 0) places.set('Security Hub', JSON.stringify([...account.hubFindings]));
  const needles = [...account.mintedSecrets, ...smtpPasswords(account)].flatMap(formsOf);
  return [...places].filter(([, text]) => needles.some((needle) => text.includes(needle))).map(([place]) => place);
}

function formsOf(secret: string): string[] {
  // What comes before shifts the groups of six bits by nothing, two or four; the characters at either end may hold bits of others.
  const inside = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]).toString('base64');
    return text.replace(/=+$/, '').slice(before === 0 ? 0 : before + 1, -1);
  });
  return [secret, encodeURIComponent(secret), ...inside];
}

/** An SMTP password of SES: 33 bytes in base64, the first of them 4. It is computed from a secret access key, and as secret as that. */
const SMTP_PASSWORD = /^B[A-P][A-Za-z0-9+/]{42}$/;

/** The SMTP passwords that ever stood in a value. */
function smtpPasswords(account: SimulatedAccount): string[] {
  const values = [...account.secrets.values()].flatMap(({ versions }) => [...versions.values()]);
  return values.flatMap(({ value }) => {
    try {
      const parsed: unknown = JSON.parse(value ?? '{}');
      return Object.values(Object(parsed)).filter(
        (found): found is string => typeof found === 'string' && SMTP_PASSWORD.test(found),
      );
    } catch {
      return [];
    }
  });
}
