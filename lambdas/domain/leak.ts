/** What a leak changes about a key of ours: how soon it may end. Pure. The exceptions to invariants 1 and 3: docs/adr/0019-containment-beats-recovery.md. */
import type { DeployedKey } from '../contract/deployment.ts';
import { type Leak, type Ledger, LISTING_LAG, surelyAfter } from './ledger.ts';
import { type AccessKey, after } from './model.ts';
import { type Role, type Standing, usableCurrent, wasPromoted } from './roles.ts';

/**
 * Seconds after which no rotation is under way any more that has not seen the mark. finishSecret moves AWSCURRENT within `EVIDENCE_LASTS` of the
 * last identification, and after a read of the ledger: one that read before the mark was there has moved by then, and one that reads later refuses.
 */
const MARK_SEEN = 60;

/** When a leaked key that never was current may be disabled: a promotion decided before the mark was written may still be under way. */
export function promotionsOver(leak: Leak): Date {
  return after(leak.at, MARK_SEEN);
}

/**
 * When the leaked key may be ended at the earliest: until then AWSCURRENT may still move to it. Undefined if that can't be, since it was current
 * already, or no version holds it.
 */
export function settlesAt(keyId: string, { ledger, labels, stored }: Standing): Date | undefined {
  const leak = ledger.leaks.get(keyId);
  const version = ledger.entries.get(keyId)?.version ?? [...stored].find(([, held]) => held === keyId)?.[0];
  const mayBePromoted = version !== undefined && !wasPromoted(version, labels, ledger);
  return leak !== undefined && mayBePromoted ? promotionsOver(leak) : undefined;
}

/** The mark of the current key, if it is leaked. */
export function currentLeak({ ledger, currentKeyId }: Pick<Standing, 'ledger' | 'currentKeyId'>): Leak | undefined {
  return currentKeyId === undefined ? undefined : ledger.leaks.get(currentKeyId);
}

/** A key whose slot the successor of a leaked current key takes. */
export interface Yielding {
  readonly keyId: string;
  /** To be disabled first. */
  readonly active: boolean;
}

/**
 * The superseded keys that make way for the successor of a leaked current key before their recovery is over, the best first: Inactive ones, then
 * leaked ones. Invariant 3's exception. None while the current key is not marked; no Active one that may be the last that works, unless the
 * policy takes a leaked key from its applications at once anyway; and none that a promotion under way may make current.
 */
export function yieldingKeys(
  known: readonly (AccessKey & { readonly role: Role })[],
  standing: Standing,
  policy: DeployedKey,
  now: Date,
): readonly Yielding[] {
  if (currentLeak(standing) === undefined) return [];
  const mayBeActive = usableCurrent(standing) !== undefined || policy.onLeak === 'disable-first';
  const rank = (key: AccessKey) => (key.status === 'Inactive' ? 0 : standing.ledger.leaks.has(key.id) ? 1 : 2);
  return known
    .filter((key) => key.role === 'superseded' && (key.status === 'Inactive' || mayBeActive))
    .filter((key) => now >= (settlesAt(key.id, standing) ?? now))
    .toSorted((a, b) => rank(a) - rank(b))
    .map((key) => ({ keyId: key.id, active: key.status === 'Active' }));
}

/**
 * Whether `onLeak: 'disable-first'` takes the current key from its applications now. Invariant 1's exception: only that policy, only a marked key,
 * and only the respond function asks.
 */
export function endsBeforeSuccessor(standing: Standing, policy: DeployedKey): boolean {
  return (
    policy.onLeak === 'disable-first' &&
    policy.mode === 'enforce' &&
    currentLeak(standing) !== undefined &&
    usableCurrent(standing) !== undefined
  );
}

/** The marks whose key is gone, and of which no entry is left that would take them with it. IAM may not list a young key yet. */
export function staleLeaks(ledger: Ledger, keys: readonly AccessKey[], now: Date): readonly Leak[] {
  return [...ledger.leaks.values()].filter(({ keyId, at }) => {
    const entry = ledger.entries.get(keyId);
    const listed = keys.some((key) => key.id === keyId);
    return !listed && (entry === undefined || entry.deleted !== undefined) && now >= surelyAfter(at, LISTING_LAG);
  });
}
