/**
 * The decision of the retire pass about one secret. Pure: observed facts, policy and `now` in; decisions with reasons out. Applying never
 * decides again.
 */
import type { DeployedKey } from '../contract/deployment.ts';
import { adoptedKey } from './adoption.ts';
import { promotionsOver, staleLeaks } from './leak.ts';
import {
  entryOf,
  type Intent,
  type Leak,
  type LedgerEntry,
  LISTING_LAG,
  pinnedUserId,
  settledAt,
  surelyAfter,
  unsettled,
  usedWhileDisabled,
} from './ledger.ts';
import { type AccessKey, AWSCURRENT, AWSPENDING, after, type LastUse, versionWith } from './model.ts';
import { supersededEntry } from './promote.ts';
import type { Reason } from './reasons.ts';
import { labelledRole, provesSameUser, type Role, roleOf, type Standing, usableCurrent, wasPromoted } from './roles.ts';

/** What a pass has gathered about one secret, all read afresh. */
export interface RetireObserved extends Standing {
  /** Last uses read so far, by key id; undefined as a value: never used. */
  readonly lastUse: ReadonlyMap<string, LastUse | undefined>;
}

/** What is to be done, about a key or about the secret itself. */
export type Decision =
  | KeyDecision
  | {
      readonly about: 'intent';
      readonly intent: Intent;
      readonly do: 'none' | 'resolve';
      readonly reason: Reason;
      readonly due?: Date;
    }
  | { readonly about: 'leak'; readonly keyId: string; readonly do: 'clear'; readonly reason: Reason }
  | { readonly about: 'label'; readonly do: 'take-off'; readonly version: string; readonly reason: Reason };

export type KeyDecision = {
  readonly about: 'key';
  readonly keyId: string;
  readonly role: Role;
  readonly reason: Reason;
  /** When the next thing happens to the key, as far as is known. */
  readonly due?: Date;
  /** The last use that was looked at. */
  readonly lastUse?: LastUse;
} & (
  | { readonly do: 'none' }
  /** Read the key's last use and decide again. */
  | { readonly do: 'look' }
  /** Write the entry. */
  | { readonly do: 'record'; readonly entry: LedgerEntry }
  /** Remove the entry. */
  | { readonly do: 'forget' }
  /** Set the key Inactive. `entry` is to be recorded then, with the date of that moment as `disabled`. */
  | { readonly do: 'disable'; readonly entry: LedgerEntry }
  /** Delete the key. With `entry` that is recorded then, otherwise the entry is removed. */
  | { readonly do: 'delete'; readonly entry?: LedgerEntry }
);

/** Seconds: a key that was never promoted waits at least this long, so that the retries of its rotation can take it up. */
const ABANDONED_WAIT = 86_400;

/**
 * Decides about one secret.
 *
 * @param rotateTimeout timeout of the rotate function, in seconds
 * @returns one decision a key and a ledger entry, then those about the secret
 */
export function decideRetirement(
  observed: RetireObserved,
  policy: DeployedKey,
  rotateTimeout: number,
  now: Date,
): Decision[] {
  const decisions = observed.keys.map((key) => decideKey(key, observed, policy, rotateTimeout, now));
  for (const entry of observed.ledger.entries.values()) {
    if (!observed.keys.some((key) => key.id === entry.keyId))
      decisions.push(decideUnlisted(entry, observed, policy, now));
  }
  decisions.push(...decideMissingAdoption(observed, policy, now));
  const stale = staleLeaks(observed.ledger, observed.keys, now).map(
    ({ keyId }): Decision => ({ about: 'leak', keyId, do: 'clear', reason: 'leak-over' }),
  );
  return [...decisions, ...stale, ...decideIntents(observed, decisions, rotateTimeout, now), ...decideLabel(observed)];
}

function decideKey(
  key: AccessKey,
  observed: RetireObserved,
  policy: DeployedKey,
  rotateTimeout: number,
  now: Date,
): KeyDecision {
  const role = roleOf(key, observed, policy);
  const verdicts: Record<Role, () => Verdict> = {
    current: () => decideCurrent(key, observed, now),
    pending: () => decidePending(key, observed),
    superseded: () => decideSuperseded(key, observed, policy, now),
    adoptable: () => decideAdoptable(key, observed, now),
    orphan: () => decideOrphan(key, observed, rotateTimeout, now),
    stranger: () => ({ do: 'none', reason: 'is-stranger' }),
  };
  return { about: 'key', keyId: key.id, role, ...verdicts[role]() };
}

type Verdict =
  | Omit<Extract<KeyDecision, { do: 'none' | 'look' | 'forget' }>, 'about' | 'keyId' | 'role'>
  | RecordVerdict
  | ChangeVerdict;
type RecordVerdict = { readonly do: 'record'; readonly reason: Reason; readonly entry: LedgerEntry };
type ChangeVerdict =
  | { readonly do: 'disable'; readonly reason: Reason; readonly entry: LedgerEntry; readonly lastUse?: LastUse }
  | { readonly do: 'delete'; readonly reason: Reason; readonly entry?: LedgerEntry };

function decideCurrent(key: AccessKey, observed: RetireObserved, now: Date): Verdict {
  const entry = observed.ledger.entries.get(key.id);
  const version = versionWith(observed.labels, AWSCURRENT);
  const reason = observed.ledger.leaks.has(key.id) ? 'current-leaked' : 'is-current';
  // Before the first promotion the team's own value stands there, and createSecret records it.
  if (!hasPromoted(observed) || version === undefined || key.id !== observed.currentKeyId) {
    return { do: 'none', reason };
  }
  const mended: LedgerEntry = {
    keyId: key.id,
    version,
    minted: entry?.minted ?? key.created,
    promoted: entry?.promoted ?? now,
  };
  if (entry?.version !== version) return { do: 'record', reason: 'entry-missing', entry: mended };
  // A date of supersession on a current key comes from before a rollback; left there, it would shorten the next overlap.
  if (entry.promoted === undefined || entry.superseded !== undefined || entry.disabled !== undefined) {
    return { do: 'record', reason: 'date-missing', entry: mended };
  }
  return { do: 'none', reason };
}

/**
 * The key that AWSCURRENT was moved back to by hand: its entry still says that another key has superseded it. The same pass mends the entry, so this
 * is seen once. A key that was never promoted is not meant: that one's rotation has lost its last record.
 */
export function rolledBackTo({ ledger, labels, currentKeyId }: Standing): string | undefined {
  const entry = entryOf(ledger, versionWith(labels, AWSCURRENT));
  const isBack = entry?.superseded !== undefined && entry.promoted !== undefined && entry.keyId === currentKeyId;
  return isBack ? entry.keyId : undefined;
}

function decidePending(key: AccessKey, observed: RetireObserved): Verdict {
  if (observed.ledger.leaks.has(key.id) && observed.ledger.entries.has(key.id))
    return { do: 'none', reason: 'pending-leaked' };
  return observed.ledger.entries.has(key.id) ? { do: 'none', reason: 'is-pending' } : recordStored(key, observed);
}

function decideAdoptable(key: AccessKey, observed: RetireObserved, now: Date): Verdict {
  if (!hasPromoted(observed) || observed.currentKeyId === undefined) return { do: 'none', reason: 'adoption-waits' };
  const entry: LedgerEntry = { keyId: key.id, minted: key.created, superseded: { at: now, by: observed.currentKeyId } };
  return { do: 'record', reason: 'entry-missing', entry };
}

/**
 * True once a key of ours was promoted: before, there is nothing to retire and nothing to mend. A date of supersession says so too, should
 * somebody have taken the pin off; and so does a current key that was minted and not promoted by a rotation: somebody has moved the label by hand.
 */
function hasPromoted({ ledger, labels, currentKeyId }: RetireObserved): boolean {
  const tells = ({ keyId, superseded, promoted }: LedgerEntry) =>
    superseded !== undefined || (keyId === currentKeyId && promoted === undefined);
  return [...ledger.entries.values()].some(tells) || pinnedUserId(ledger, labels) !== undefined;
}

function decideOrphan(key: AccessKey, observed: RetireObserved, rotateTimeout: number, now: Date): Verdict {
  const open = unsettled(observed.ledger, rotateTimeout, now);
  if (open !== undefined) return { do: 'none', reason: 'mint-unsettled', due: settledAt(open, rotateTimeout) };
  // The user may be another one of the same name, and the key somebody's. The next rotation asks IAM.
  if (!provesSameUser(observed)) return { do: 'none', reason: 'user-unproven' };
  if (!observed.lastUse.has(key.id)) return { do: 'look', reason: 'last-use-unread' };
  const lastUse = observed.lastUse.get(key.id);
  return lastUse === undefined
    ? { do: 'delete', reason: 'orphan-never-used' }
    : { do: 'none', reason: 'orphan-used', lastUse };
}

function decideSuperseded(key: AccessKey, observed: RetireObserved, policy: DeployedKey, now: Date): Verdict {
  const entry = observed.ledger.entries.get(key.id);
  if (entry === undefined) return recordStored(key, observed);
  if (entry.version === undefined && !hasPromoted(observed)) return { do: 'none', reason: 'adoption-waits' };
  const current = usableCurrent(observed);
  if (current === undefined) return { do: 'none', reason: 'current-not-usable' };
  return key.status === 'Active'
    ? decideRetiring(entry, current, observed, policy, now)
    : decideDisabled(entry, current, observed, policy, now);
}

/**
 * If the key stands in the version that an unresolved intent names, the run died before it could record it. A superseded key without an entry
 * always does; a pending one that doesn't was stored by hand.
 */
function recordStored(key: AccessKey, { stored }: RetireObserved): Verdict {
  const version = [...stored].find(([, keyId]) => keyId === key.id)?.[0];
  if (version === undefined) return { do: 'none', reason: 'is-pending' };
  return { do: 'record', reason: 'intent-stored', entry: { keyId: key.id, version, minted: key.created } };
}

function decideRetiring(
  recorded: LedgerEntry,
  by: string,
  observed: RetireObserved,
  policy: DeployedKey,
  now: Date,
): Verdict {
  const { keyId, version } = recorded;
  const promoted = wasPromoted(version, observed.labels, observed.ledger);
  const entry: LedgerEntry = { ...recorded, ...(promoted && { promoted: recorded.promoted ?? now }) };
  const leak = observed.ledger.leaks.get(keyId);
  if (leak !== undefined) return endLeaked(entry, leak, by, promoted || version === undefined, now);
  if (entry.disabled !== undefined || entry.deleted !== undefined) {
    return { do: 'record', reason: 'reactivated-by-hand', entry: supersededEntry(entry, now, by) };
  }
  if (entry.superseded === undefined && version !== undefined && !promoted) {
    // Never promoted, so never superseded: the date lies ahead as far as is needed to make its wait long enough for a retry.
    const since = after(now, Math.max(0, ABANDONED_WAIT - policy.deactivateAfter));
    return { do: 'record', reason: 'date-missing', entry: supersededEntry(entry, since, by) };
  }
  // It was current again since: superseded by another key then, or by this one before it was promoted anew. The last supersession counts.
  const promotedAt = observed.ledger.entries.get(by)?.promoted;
  const { superseded } = entry;
  if (superseded === undefined || superseded.by !== by || superseded.at < (promotedAt ?? superseded.at)) {
    return { do: 'record', reason: 'date-missing', entry: supersededEntry(entry, now, by) };
  }

  const since = superseded.at;
  const overlapOver = after(since, policy.deactivateAfter);
  if (now < overlapOver) return { do: 'none', reason: 'in-overlap', due: overlapOver };
  if (policy.ifInUse === 'disable') return { do: 'disable', reason: 'use-ignored', entry };
  if (!observed.lastUse.has(keyId)) return { do: 'look', reason: 'last-use-unread' };

  const lastUse = observed.lastUse.get(keyId);
  if (lastUse === undefined) return { do: 'disable', reason: 'overlap-over', entry };
  const inUse = lastUse.at > after(since, policy.settle) && now < after(lastUse.at, policy.quietFor);
  const holdOver = after(overlapOver, policy.holdAtMost);
  if (inUse && now < holdOver) return { do: 'none', reason: 'in-use', due: holdOver, lastUse };
  return { do: 'disable', reason: inUse ? 'hold-over' : 'overlap-over', entry, lastUse };
}

/** Invariant 1 holds as ever: there is another, usable key in AWSCURRENT. Overlap and hold are for applications, and a thief is one now. */
function endLeaked(entry: LedgerEntry, leak: Leak, by: string, wasCurrent: boolean, now: Date): Verdict {
  const settled = promotionsOver(leak);
  if (!wasCurrent && now < settled) return { do: 'none', reason: 'leak-settles', due: settled };
  const superseded = entry.superseded?.by === by ? entry : supersededEntry(entry, now, by);
  return { do: 'disable', reason: 'leaked', entry: superseded };
}

function decideDisabled(
  entry: LedgerEntry,
  by: string,
  observed: RetireObserved,
  policy: DeployedKey,
  now: Date,
): Verdict {
  const superseded = entry.superseded ?? { at: now, by };
  const anew: LedgerEntry = { ...supersededEntry(entry, superseded.at, superseded.by), disabled: now };
  if (entry.disabled === undefined) return { do: 'record', reason: 'date-missing', entry: anew };
  const recoveryOver = surelyAfter(entry.disabled, policy.deleteAfter);
  if (now < recoveryOver) return { do: 'none', reason: 'in-recovery', due: recoveryOver };
  if (!observed.lastUse.has(entry.keyId)) return { do: 'look', reason: 'last-use-unread' };
  // Somebody activated it for a while: how long it has been Inactive since, nobody knows.
  if (usedWhileDisabled(entry, observed.lastUse.get(entry.keyId)))
    return { do: 'record', reason: 'used-while-disabled', entry: anew };
  return {
    do: 'delete',
    reason: 'recovery-over',
    ...(adoptedKey(policy, observed.ledger) === entry.keyId && { entry: { keyId: entry.keyId, deleted: now } }),
  };
}

/** An entry whose key IAM doesn't list. */
function decideUnlisted(entry: LedgerEntry, observed: RetireObserved, policy: DeployedKey, now: Date): KeyDecision {
  const { keyId } = entry;
  const role: Role = labelledRole(keyId, observed) ?? 'superseded';
  const about = { about: 'key', keyId, role } as const;
  if (role === 'current') return { ...about, do: 'none', reason: 'current-not-usable' };
  if (role === 'pending') return { ...about, do: 'none', reason: 'is-pending' };
  if (entry.minted !== undefined && now < after(entry.minted, LISTING_LAG)) {
    return { ...about, do: 'none', reason: 'listing-lags', due: after(entry.minted, LISTING_LAG) };
  }
  if (adoptedKey(policy, observed.ledger) !== keyId) return { ...about, do: 'forget', reason: 'key-gone' };
  if (entry.deleted !== undefined) return { ...about, do: 'none', reason: 'is-deleted' };
  // The configuration goes on naming an adopted key: the entry that says so keeps it from being looked for in every pass.
  return { ...about, do: 'record', reason: 'key-gone', entry: { keyId, deleted: now } };
}

/** Adopted by the configuration, promoted over, and neither listed nor recorded: it was deleted by hand. */
function decideMissingAdoption(observed: RetireObserved, policy: DeployedKey, now: Date): KeyDecision[] {
  const keyId = adoptedKey(policy, observed.ledger);
  if (keyId === undefined || !hasPromoted(observed) || observed.ledger.entries.has(keyId)) return [];
  if (observed.keys.some((key) => key.id === keyId)) return [];
  return [{ about: 'key', keyId, role: 'adoptable', do: 'record', reason: 'key-gone', entry: { keyId, deleted: now } }];
}

/** Follows the decisions about keys: announcements go once no orphan is left to be found by them, and the known ones with the last unknown. */
function decideIntents(
  observed: RetireObserved,
  decided: readonly KeyDecision[],
  rotateTimeout: number,
  now: Date,
): Decision[] {
  const open = unsettled(observed.ledger, rotateTimeout, now);
  if (open !== undefined) {
    return [
      { about: 'intent', intent: open, do: 'none', reason: 'mint-unsettled', due: settledAt(open, rotateTimeout) },
    ];
  }
  if (decided.some(isUndecidedOrphan)) return [];
  return observed.ledger.intents.map((intent) => {
    const known = intent.minted !== undefined || observed.stored.has(intent.token);
    return { about: 'intent', intent, do: 'resolve', reason: known ? 'intent-stored' : 'intent-settled' };
  });
}

function isUndecidedOrphan(decision: KeyDecision): boolean {
  return decision.role === 'orphan' && (decision.do === 'look' || decision.reason === 'user-unproven');
}

function decideLabel({ labels, ledger, pendingKeyId }: RetireObserved): Decision[] {
  for (const [version, has] of labels) {
    if (!has.includes(AWSPENDING)) continue;
    if (wasPromoted(version, labels, ledger))
      return [{ about: 'label', do: 'take-off', version, reason: 'pending-label-left-over' }];
    // Invariant 2's gate stands in finishSecret; without the label the key is superseded, and its end begins.
    if (!has.includes(AWSCURRENT) && pendingKeyId !== undefined && ledger.leaks.has(pendingKeyId))
      return [{ about: 'label', do: 'take-off', version, reason: 'pending-leaked' }];
  }
  return [];
}
