/** The decision of finishSecret: move AWSCURRENT, or put right what an earlier finishSecret left half done. */
import type { DeployedKey } from '../contract/deployment.ts';
import { adoptedKey } from './adoption.ts';
import { CLOCK_TOLERANCE, entryOf, type Ledger, type LedgerEntry } from './ledger.ts';
import { AWSCURRENT, AWSPENDING, AWSPREVIOUS, after, hasLabel, iso, type Labels, versionWith } from './model.ts';
import { currentMissing, pendingLeaked, type Refusal, refuse, rolledBack, userRecreated } from './refusals.ts';
import { wasPromoted } from './roles.ts';

export interface PromoteObserved {
  readonly token: string;
  readonly labels: Labels;
  readonly ledger: Ledger;
}

export type PromotePlan =
  | {
      readonly do: 'promote';
      readonly keyId: string;
      /** The version that AWSCURRENT leaves; absent if an earlier run has moved it and died before it could record that. */
      readonly from?: string;
      /** Entry of the new key, as it was before. */
      readonly entry: LedgerEntry;
      /** Entries of the keys that the promotion supersedes. */
      readonly supersedes: readonly LedgerEntry[];
      /** Why keys that it supersedes end at once, by key: the others have their overlap. */
      readonly ends: Ending;
      /** The unique id to pin, at the first promotion. */
      readonly pin?: string;
    }
  /** The evidence is too old to count as just now: verify once more, and decide again. */
  | { readonly do: 'verify' }
  /** All is recorded; those of these keys that end at once are still to be disabled. */
  | { readonly do: 'complete'; readonly superseded: readonly LedgerEntry[]; readonly ends: Ending }
  | Refusal;

/** Why a superseded key ends at once: the policy has no overlap, or the key is leaked. */
export type Ending = ReadonlyMap<string, 'use-ignored' | 'leaked'>;

/** Seconds for which the evidence of testSecret holds; finishSecret usually follows at once. Somebody may disable the key meanwhile. */
export const EVIDENCE_LASTS = 30;

/** Decides what finishSecret does. */
export function decidePromotion(observed: PromoteObserved, policy: DeployedKey, now: Date): PromotePlan {
  const { token, labels, ledger } = observed;
  const entry = entryOf(ledger, token);
  const evidence = ledger.evidence?.token === token ? ledger.evidence : undefined;
  const keyId = entry?.keyId ?? evidence?.keyId;

  if (hasLabel(labels, token, AWSCURRENT)) {
    if (keyId === undefined || entry?.promoted !== undefined) {
      const superseded = supersededBy(keyId, ledger, now);
      return { do: 'complete', superseded, ends: endingOf(superseded, ledger, policy) };
    }
    return promote(keyId, undefined, versionWith(labels, AWSPREVIOUS), observed, policy);
  }
  if (!hasLabel(labels, token, AWSPENDING)) {
    return refuse('TOKEN_NOT_PENDING', {
      found: `the version ${token} has ${labels.get(token)?.join(', ') ?? 'no label'}`,
      expected: 'AWSPENDING',
      remedy: 'start another rotation',
    });
  }
  if (wasPromoted(token, labels, ledger)) return rolledBack(token);
  const from = versionWith(labels, AWSCURRENT);
  if (from === undefined) return currentMissing();
  if (evidence === undefined || evidence.keyId !== keyId) {
    return refuse('NOT_VERIFIED', {
      found:
        evidence === undefined
          ? 'no verification of this version'
          : `a verification of ${evidence.keyId} at ${iso(evidence.at)}`,
      expected: `one of ${keyId ?? 'its key'}, at most ${EVIDENCE_LASTS} seconds old`,
      remedy: 'start the rotation again: testSecret verifies the key anew',
    });
  }
  if (ledger.leaks.has(keyId)) return pendingLeaked(keyId);
  if (now > after(evidence.at, EVIDENCE_LASTS)) return { do: 'verify' };
  if (ledger.userId !== undefined && ledger.userId !== evidence.userId)
    return userRecreated(`the pending key belongs to a user ${policy.userName} with`, evidence.userId, ledger.userId);

  return promote(keyId, from, from, observed, policy);
}

/** When new evidence was old before it could be read. */
export function verifiedTooSlowly(): Refusal {
  return refuse('NOT_VERIFIED', {
    found: `a verification that was more than ${EVIDENCE_LASTS} seconds old when it could be read, twice`,
    expected: 'one that was made just now: the key may have been disabled since',
    remedy: 'nothing: the next rotation verifies anew; if this lasts, see why AWS answers late',
  });
}

function promote(
  keyId: string,
  from: string | undefined,
  left: string | undefined,
  { token, ledger }: PromoteObserved,
  policy: DeployedKey,
): PromotePlan {
  const entry = entryOf(ledger, token) ?? { keyId, version: token };
  const pin = ledger.userId === undefined && ledger.evidence?.token === token ? ledger.evidence.userId : undefined;
  const supersedes = leaving(left, keyId, ledger, policy);
  return {
    do: 'promote',
    keyId,
    ...(from !== undefined && { from }),
    entry,
    supersedes,
    ends: endingOf(supersedes, ledger, policy),
    ...(pin !== undefined && { pin }),
  };
}

/** A leaked key has no overlap: whoever has found it uses it too. */
function endingOf(superseded: readonly LedgerEntry[], { leaks }: Ledger, { deactivateAfter }: DeployedKey): Ending {
  return new Map(
    superseded.flatMap(({ keyId }) => {
      const leaked = leaks.has(keyId);
      return leaked || deactivateAfter === 0 ? [[keyId, leaked ? 'leaked' : 'use-ignored'] as const] : [];
    }),
  );
}

/** The entry of a key that stands in AWSCURRENT since `at`. */
export function promotedEntry(entry: LedgerEntry, at: Date): LedgerEntry {
  return {
    keyId: entry.keyId,
    ...(entry.version !== undefined && { version: entry.version }),
    ...(entry.minted !== undefined && { minted: entry.minted }),
    promoted: at,
  };
}

/** The entry of a key that another one superseded at `at`. That it was promoted once is kept: such a key is never taken up again. */
export function supersededEntry(entry: LedgerEntry, at: Date, by: string): LedgerEntry {
  return {
    keyId: entry.keyId,
    ...(entry.version !== undefined && { version: entry.version }),
    ...(entry.minted !== undefined && { minted: entry.minted }),
    ...(entry.promoted !== undefined && { promoted: entry.promoted }),
    superseded: { at, by },
  };
}

/** The entries whose keys are superseded by the promotion: that of the version left, and an adopted key, which no version holds. */
function leaving(left: string | undefined, newKey: string, ledger: Ledger, policy: DeployedKey): LedgerEntry[] {
  const isAdopted = (entry: LedgerEntry) =>
    entry.version === undefined &&
    entry.superseded === undefined &&
    entry.deleted === undefined &&
    adoptedKey(policy, ledger) === entry.keyId;
  return [...ledger.entries.values()].filter(
    (entry) => entry.keyId !== newKey && ((left !== undefined && entry.version === left) || isAdopted(entry)),
  );
}

/** Entries of keys that the key superseded and that are not known to be disabled. A date ahead keeps a key, as it does in the retire pass. */
function supersededBy(keyId: string | undefined, ledger: Ledger, now: Date): LedgerEntry[] {
  return [...ledger.entries.values()].filter(
    ({ superseded, disabled }) =>
      keyId !== undefined &&
      superseded?.by === keyId &&
      superseded.at <= after(now, CLOCK_TOLERANCE) &&
      disabled === undefined,
  );
}
