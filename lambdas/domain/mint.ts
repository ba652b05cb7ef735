/**
 * The decision of createSecret: mint a key, take up one that an earlier run left in a version, or refuse.
 */
import type { DeployedKey } from '../contract/deployment.ts';
import { adoptedKey, discoverOnlyKey, isFirstMint } from './adoption.ts';
import { describeKey } from './describe-key.ts';
import { currentLeak, type Yielding, yieldingKeys } from './leak.ts';
import {
  type LedgerEntry,
  mayComeOf,
  pinnedUserId,
  surelyAfter,
  unresolved,
  unsettled,
  usedWhileDisabled,
} from './ledger.ts';
import { type AccessKey, after, iso, type LastUse } from './model.ts';
import { mintUnsettled, type Refusal, refuse, userRecreated } from './refusals.ts';
import { provesSameUser, type Role, roleOf, type Standing, usableCurrent } from './roles.ts';
import { assertFits, type BootstrapValue, type KeyValue } from './secret-value.ts';
import { byLastUse, type Past, waysOut } from './ways-out.ts';

/** IAM allows a user two access keys, inactive ones included (IAM quotas). */
export const KEYS_PER_USER = 2;

/** What createSecret has gathered. */
export interface MintObserved extends Standing {
  readonly token: string;
  readonly currentVersion: string;
  readonly current: KeyValue | BootstrapValue;
  /** The user's unique id, read when `provesSameUser` could not tell. */
  readonly userId: string | undefined;
  /** Values of unlabelled versions whose key was never promoted, by version. */
  readonly abandoned: ReadonlyMap<string, KeyValue>;
  /** Last uses read so far, by key id; undefined as a value: never used. */
  readonly lastUse: ReadonlyMap<string, LastUse | undefined>;
}

export type MintPlan =
  /** Read the last use of these keys and decide again. */
  | { readonly do: 'look'; readonly keyIds: readonly string[] }
  /** Store the key of an abandoned version under the new token. */
  | {
      readonly do: 'reuse';
      readonly value: KeyValue;
      readonly created: Date;
      readonly register: readonly LedgerEntry[];
    }
  /** Clear the orphans, free the slots, announce, mint. */
  | {
      readonly do: 'mint';
      readonly clear: readonly string[];
      readonly free: readonly string[];
      /** Superseded keys that make way before their recovery is over, since the current key is leaked. Absent if there are none. */
      readonly yielding?: readonly Yielding[];
      readonly register: readonly LedgerEntry[];
      /** The quota leaves room for another run's key beside this one: look again, once announced, whether there is such a run. */
      readonly roomForTwo: boolean;
    }
  | Refusal;

/** Seconds: an abandoned key closer than this to its disabling is not taken up, since a retire pass may be about to act on it. */
const REUSE_MARGIN = 3600;

/** The versions whose values createSecret reads to find a key that it can take up: never promoted, in no label, not this token's. */
export function abandonedVersions(observed: Pick<MintObserved, 'ledger' | 'labels' | 'token'>): readonly string[] {
  const versions = [...observed.ledger.entries.values()]
    .filter((entry) => entry.promoted === undefined && entry.disabled === undefined)
    .map((entry) => entry.version);
  versions.push(...unresolved(observed.ledger).map((intent) => intent.token));
  return [...new Set(versions)].filter(
    (version): version is string =>
      version !== undefined && version !== observed.token && !observed.labels.has(version),
  );
}

/**
 * Decides what createSecret does.
 *
 * @param rotateTimeout timeout of the rotate function, in seconds
 * @throws RotatorError VALUE_TOO_LARGE
 */
export function decideMint(observed: MintObserved, policy: DeployedKey, rotateTimeout: number, now: Date): MintPlan {
  const { ledger, keys } = observed;
  const pinned = pinnedUserId(ledger, observed.labels);
  const adopted = adoptedKey(policy, ledger);

  if (
    adopted !== undefined &&
    pinned === undefined &&
    !ledger.entries.has(adopted) &&
    !keys.some((key) => key.id === adopted)
  ) {
    return refuse('ADOPT_KEY_NOT_FOUND', {
      found: `user ${policy.userName} has ${keys.length === 0 ? 'no key' : `the keys ${keys.map((key) => key.id).join(' and ')}`}`,
      expected: `the key ${adopted}, which rotator.config.ts adopts`,
      remedy: "correct or remove 'adopt' for this user in rotator.config.ts and deploy",
    });
  }
  if (!provesSameUser(observed) && observed.userId !== pinned) {
    return userRecreated(`the user ${policy.userName} has`, observed.userId, pinned);
  }

  const intent = unsettled(ledger, rotateTimeout, now);
  if (intent !== undefined) return mintUnsettled(intent, rotateTimeout);

  const known = keys.map((key): KnownKey => ({ ...key, role: roleOf(key, observed, policy) }));
  const strangers = known.filter((key) => key.role === 'stranger');
  const reusable = findReusable(observed, now, policy);
  const toAdopt = adopted ?? discoverOnlyKey(strangers, observed, policy)?.id;
  const register = registrations(observed, reusable?.value.keyId, toAdopt, now);
  if (reusable !== undefined) return { do: 'reuse', ...reusable, register };

  const orphans = known.filter((key) => key.role === 'orphan');
  const freeable = known.filter((key) => isFreeable(key, observed, policy, now));
  const tooMany = keys.length - (KEYS_PER_USER - 1);
  const unread = [...orphans, ...freeable].filter((key) => !observed.lastUse.has(key.id));
  if (unread.length > 0) return { do: 'look', keyIds: unread.map((key) => key.id) };

  const clear = orphans.filter((key) => observed.lastUse.get(key.id) === undefined).map((key) => key.id);
  const missing = Math.max(0, tooMany - clear.length);
  // The retire pass dates anew what was used meanwhile.
  const quiet = freeable.filter((key) => !usedWhileDisabled(ledger.entries.get(key.id), observed.lastUse.get(key.id)));
  // Stryker disable next-line MethodExpression: a key is freeable only beside a usable current one, so with two keys a user its slot is needed.
  const free = quiet.slice(0, missing);
  const yielding = yieldingKeys(known, observed, policy, now)
    .filter(({ keyId }) => !free.some((key) => key.id === keyId))
    .slice(0, missing - free.length);
  if (free.length + yielding.length < missing) return refuseForSlots(known, observed, policy, now);

  assertFits(policy, observed.current.others, now);
  // What is freed stands beside the current key, which stays: there is room for two only where nothing is freed.
  const roomForTwo = keys.length - clear.length < KEYS_PER_USER - 1;
  return {
    do: 'mint',
    clear,
    free: free.map((key) => key.id),
    ...(yielding.length > 0 && { yielding }),
    register,
    roomForTwo,
  };
}

/** A key and what it is to the secret. */
interface KnownKey extends AccessKey {
  readonly role: Role;
}

/** Invariant 3: a key of ours, Inactive for the whole recovery time; and never while no other key works. */
function isFreeable(key: KnownKey, observed: MintObserved, policy: DeployedKey, now: Date): boolean {
  const disabled = observed.ledger.entries.get(key.id)?.disabled;
  return (
    key.role === 'superseded' &&
    key.status === 'Inactive' &&
    disabled !== undefined &&
    now >= surelyAfter(disabled, policy.deleteAfter) &&
    usableCurrent(observed) !== undefined
  );
}

/** Entries that the ledger lacks: of the current key (a team may have stored it by hand), the adopted one, and one that an earlier run stored. */
function registrations(
  observed: MintObserved,
  reused: string | undefined,
  adopted: string | undefined,
  now: Date,
): LedgerEntry[] {
  const register: LedgerEntry[] = [];
  for (const key of observed.keys) {
    const entry = observed.ledger.entries.get(key.id);
    if (key.id === observed.currentKeyId) {
      if (entry?.version !== observed.currentVersion || entry.promoted === undefined) {
        register.push({
          keyId: key.id,
          version: observed.currentVersion,
          minted: key.created,
          promoted: entry?.promoted ?? now,
        });
      }
    } else if (entry !== undefined || key.id === reused) {
    } else if (key.id === adopted) {
      register.push({ keyId: key.id, minted: key.created });
    } else {
      // Stored by a run that died before it could record that. Its announcement goes with this mint, and nothing else says whose the key is.
      const intent = unresolved(observed.ledger).find(
        (open) => observed.stored.get(open.token) === key.id && mayComeOf(open, key),
      );
      if (intent !== undefined) register.push({ keyId: key.id, version: intent.token, minted: key.created });
    }
  }
  return register;
}

function findReusable(
  observed: MintObserved,
  now: Date,
  policy: DeployedKey,
): { value: KeyValue; created: Date } | undefined {
  for (const [version, value] of observed.abandoned) {
    const key = observed.keys.find((listed) => listed.id === value.keyId);
    const entry = observed.ledger.entries.get(value.keyId);
    if (key?.status !== 'Active' || value.keyId === observed.currentKeyId) continue;
    if (observed.ledger.leaks.has(value.keyId)) continue;
    if (entry !== undefined && (entry.version !== version || entry.promoted !== undefined)) continue;
    if (entry?.superseded !== undefined && now >= after(entry.superseded.at, policy.deactivateAfter - REUSE_MARGIN))
      continue;
    return { value, created: key.created };
  }
  return undefined;
}

/** The roles whose keys the rotator will not free a slot of, however long one waits. */
const FOREIGN: readonly Role[] = ['stranger', 'adoptable', 'orphan'];

function refuseForSlots(known: readonly KnownKey[], observed: MintObserved, policy: DeployedKey, now: Date): MintPlan {
  const unread = known.filter((key) => !observed.lastUse.has(key.id));
  if (unread.length > 0) return { do: 'look', keyIds: unread.map((key) => key.id) };
  const told = known.map((key) => describeKey(key, key.role, observed.lastUse.get(key.id), now));
  const found = `user ${policy.userName} has ${known.length} access keys: ${told.join(' and ')}`;
  const foreign = known
    .filter((key) => FOREIGN.includes(key.role))
    .map(({ id, role }) => ({ id, role, lastUse: observed.lastUse.get(id) }));
  const [first, ...others] = byLastUse(foreign);
  if (first !== undefined) {
    return refuse('STRANGERS_HOLD_SLOTS', {
      found,
      expected: `a free slot: IAM allows ${KEYS_PER_USER} keys a user, and the rotator never changes a key that is not its own`,
      remedy: waysOut(first, others, policy, pastOf(observed)),
    });
  }
  return refuse('SLOT_NOT_FREE_YET', {
    found: `${found}. The superseded one: ${known
      .filter((key) => key.role === 'superseded')
      .map((key) => progress(observed.ledger.entries.get(key.id), policy))
      .join('; ')}`,
    expected: 'a slot that is free, or held by a key whose recovery time is over',
    remedy:
      deadEnd(known, observed, policy) ??
      'nothing if the rotation was started early: the retire pass frees the slot in time; otherwise shorten deactivateAfter, holdAtMost or ' +
        'deleteAfter in rotator.config.ts, or make the rotation period longer. If the current key is Inactive or gone, activate one that ' +
        'works: nothing is deleted until then',
  });
}

/** The leaked key in AWSCURRENT is Inactive, and the other one may be the last that works, so it keeps its slot: somebody has to choose. */
function deadEnd(known: readonly KnownKey[], observed: MintObserved, policy: DeployedKey): string | undefined {
  const leaked = currentLeak(observed)?.keyId;
  const last = known.find(({ role, status }) => role === 'superseded' && status === 'Active');
  if (leaked === undefined || last === undefined) return undefined;
  if (usableCurrent(observed) !== undefined || policy.onLeak === 'disable-first') return undefined;
  return (
    `delete the leaked key, which is Inactive (aws iam delete-access-key --user-name ${policy.userName} --access-key-id ${leaked}), and rotate ` +
    `again: ${last.id} may be the last key that works, and keeps its slot for that`
  );
}

function pastOf(observed: MintObserved): Past {
  const pinned = pinnedUserId(observed.ledger, observed.labels);
  return { promoted: pinned !== undefined && usableCurrent(observed) !== undefined, empty: isFirstMint(observed) };
}

/** When a superseded key's slot comes free. */
function progress(entry: LedgerEntry | undefined, policy: DeployedKey): string {
  if (entry?.disabled !== undefined) return `deletable from ${iso(surelyAfter(entry.disabled, policy.deleteAfter))}`;
  if (entry?.superseded !== undefined) {
    const { at } = entry.superseded;
    return `to be disabled from ${iso(after(at, policy.deactivateAfter))}, or later while in use, and deleted ${policy.deleteAfter} s after that`;
  }
  return 'not looked at by a retire pass yet';
}
