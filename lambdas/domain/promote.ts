/** The decision of finishSecret: move AWSCURRENT, or put right what an earlier finishSecret left half done. */
import type { DeployedKey } from '../contract/deployment.ts';
import { RotatorError } from './errors.ts';
import type { Evidence, Ledger, LedgerEntry } from './ledger.ts';
import { AWSCURRENT, AWSPENDING, after, hasLabel, iso, type Labels, versionWith } from './model.ts';

export interface PromoteObserved {
  readonly token: string;
  readonly labels: Labels;
  readonly ledger: Ledger;
}

export type PromotePlan =
  | {
      readonly do: 'promote';
      readonly keyId: string;
      /** The version that AWSCURRENT leaves. */
      readonly from: string;
      /** Entry of the new key, as it was before. */
      readonly entry: LedgerEntry;
      /** Entries of the keys that the promotion supersedes. */
      readonly supersedes: readonly LedgerEntry[];
      /** The unique id to pin, at the first promotion. */
      readonly pin?: string;
    }
  /** The label has moved; these entries are still to be written, these keys still to be disabled. */
  | {
      readonly do: 'complete';
      readonly keyId: string;
      readonly record: readonly LedgerEntry[];
      readonly superseded: readonly LedgerEntry[];
    }
  /** The label has moved, and nothing is missing. */
  | { readonly do: 'nothing' }
  | { readonly do: 'refuse'; readonly error: RotatorError };

/** Seconds for which the evidence of testSecret holds. finishSecret follows it at once; a retry runs testSecret again. */
export const EVIDENCE_LASTS = 900;

/** Decides what finishSecret does. */
export function decidePromotion(observed: PromoteObserved, policy: DeployedKey, now: Date): PromotePlan {
  const { token, labels, ledger } = observed;
  const entry = [...ledger.entries.values()].find((candidate) => candidate.version === token);
  const evidence = ledger.evidence?.token === token ? ledger.evidence : undefined;
  const keyId = entry?.keyId ?? evidence?.keyId;

  if (hasLabel(labels, token, AWSCURRENT)) {
    if (keyId === undefined) return { do: 'nothing' };
    const superseded = supersededBy(keyId, ledger);
    const record = entry?.promoted === undefined ? [promotedEntry(entry ?? { keyId, version: token }, now)] : [];
    return record.length + superseded.length > 0 ? { do: 'complete', keyId, record, superseded } : { do: 'nothing' };
  }
  if (!hasLabel(labels, token, AWSPENDING)) {
    return refuse('TOKEN_NOT_PENDING', {
      found: `the version ${token} has ${labels.get(token)?.join(', ') ?? 'no label'}`,
      expected: 'AWSPENDING',
      remedy: 'start another rotation',
    });
  }
  if (entry?.promoted !== undefined) return refuseRolledBack(token, entry.promoted);
  const from = versionWith(labels, AWSCURRENT);
  if (from === undefined) return refuseWithoutCurrent();
  if (evidence === undefined || now > after(evidence.at, EVIDENCE_LASTS) || evidence.keyId !== keyId) {
    return refuse('NOT_VERIFIED', {
      found:
        evidence === undefined
          ? 'no verification of this version'
          : `a verification of ${evidence.keyId} at ${iso(evidence.at)}`,
      expected: `one of ${keyId ?? 'its key'}, at most ${EVIDENCE_LASTS} seconds old`,
      remedy: 'start the rotation again: testSecret verifies the key anew',
    });
  }
  if (ledger.userId !== undefined && ledger.userId !== evidence.userId)
    return refuseRecreated(evidence, ledger.userId, policy);

  return {
    do: 'promote',
    keyId,
    from,
    entry: entry ?? { keyId, version: token },
    supersedes: leaving(from, keyId, ledger, policy),
    ...(ledger.userId === undefined && { pin: evidence.userId }),
  };
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

/** The entry of a key that another one superseded at `at`; dates of an earlier life are dropped. */
export function supersededEntry(entry: LedgerEntry, at: Date, by: string): LedgerEntry {
  return {
    keyId: entry.keyId,
    ...(entry.version !== undefined && { version: entry.version }),
    ...(entry.minted !== undefined && { minted: entry.minted }),
    superseded: { at, by },
  };
}

/** A version that was promoted and left is not promoted again: somebody moved the label back, and a retry must not undo that. */
export function refuseRolledBack(token: string, at: Date): { readonly do: 'refuse'; readonly error: RotatorError } {
  return refuse('ROLLED_BACK', {
    found: `the version ${token} was promoted at ${iso(at)}, and AWSCURRENT was moved away from it since`,
    expected: 'a version that was never promoted',
    remedy:
      'nothing if that is to last: AWSPENDING is taken off the version, and the next rotation mints a new key. To return to the newer ' +
      'key, move AWSCURRENT to that version by hand (aws secretsmanager update-secret-version-stage)',
  });
}

/** The error for a secret without AWSCURRENT. */
export function refuseWithoutCurrent(): { readonly do: 'refuse'; readonly error: RotatorError } {
  return refuse('CURRENT_MISSING', {
    found: 'no version labelled AWSCURRENT',
    expected: 'one, as Secrets Manager guarantees',
    remedy:
      'put the label on the version that applications are to read (aws secretsmanager update-secret-version-stage)',
  });
}

/** The entries whose keys are superseded by the promotion: that of the version left, and an adopted key, which no version holds. */
function leaving(from: string, newKey: string, ledger: Ledger, policy: DeployedKey): LedgerEntry[] {
  return [...ledger.entries.values()].filter(
    (entry) =>
      entry.keyId !== newKey &&
      (entry.version === from ||
        (entry.version === undefined &&
          entry.superseded === undefined &&
          entry.deleted === undefined &&
          policy.adopt === entry.keyId)),
  );
}

/** Entries of keys that the key superseded and that are not known to be disabled. */
function supersededBy(keyId: string, ledger: Ledger): LedgerEntry[] {
  return [...ledger.entries.values()].filter((entry) => entry.superseded?.by === keyId && entry.disabled === undefined);
}

function refuseRecreated(evidence: Evidence, pinned: string, policy: DeployedKey): PromotePlan {
  return refuse('USER_RECREATED', {
    found: `the pending key belongs to a user ${policy.userName} with the unique id ${evidence.userId}`,
    expected: `${pinned}, the id pinned when the secret's first key was promoted`,
    remedy:
      'make sure that the readers of the secret may have a key of the new user, then remove the tag ' +
      'iam-key-rotator:user-id from the secret and rotate again',
  });
}

function refuse(
  code: ConstructorParameters<typeof RotatorError>[0],
  details: ConstructorParameters<typeof RotatorError>[1],
): { readonly do: 'refuse'; readonly error: RotatorError } {
  return { do: 'refuse', error: new RotatorError(code, details) };
}
