/**
 * Why a decision about a key or a secret is what it is. One closed set, used by logs, metrics, events, the CLI and tests alike;
 * docs/reasons.md is checked against it.
 */
export const REASONS = {
  // Nothing to do.
  'is-current': 'The key stands in AWSCURRENT: applications read it.',
  'is-pending': 'The key stands in AWSPENDING: a rotation is under way.',
  'is-stranger': 'Not minted by the rotator and not adopted: never changed.',
  'current-leaked':
    'The key stands in AWSCURRENT and is known to be leaked: a rotation must supersede it. Every pass says so until one has.',
  'pending-leaked': 'The key stands in AWSPENDING and is known to be leaked: it is not promoted.',
  'leak-settles':
    'Leaked before it was ever current; disabled a minute after the leak was recorded, when no promotion can be under way that has not seen it.',
  'adoption-waits': 'The configuration adopts the key; it counts as superseded from the first promotion on.',
  'in-overlap': 'Superseded, and its overlap is not over.',
  'in-use': 'The overlap is over, but the key is still in use: held.',
  'in-recovery': 'Disabled, and its recovery time is not over.',
  'current-not-usable':
    'No Active key stands in AWSCURRENT, so this one may be the last that works: nothing is retired.',
  'mint-unsettled': 'A run announced a new key and may still be at work.',
  'orphan-used': 'Looks like a key lost while minting, but somebody has used it: treated as a stranger.',
  'user-unproven':
    'Looks like a key lost while minting, but the current key is not among those of the user, who may be another one of the same name: left to the next rotation, which asks.',
  'listing-lags': 'IAM does not list the key, which may be too young to be listed.',
  'is-deleted': 'An adopted key whose life is over.',
  // A fact is missing.
  'last-use-unread': 'Due; its last use must be read before anything is changed.',
  // The ledger is put right.
  'date-missing':
    'A date is missing in the ledger, or left over from an earlier life: written as of now, so that waits grow and never shrink.',
  'entry-missing': 'The key has no entry in the ledger, or one that names another version: written.',
  'reactivated-by-hand': 'A disabled key is Active again: somebody needs it. Its overlap starts anew.',
  'key-gone': 'The key is no longer among those of the user: its entry is removed.',
  'used-while-disabled':
    'The key was used after it had been disabled, so somebody activated it for a while: its recovery time starts anew.',
  'intent-stored':
    'The key that a run announced is stored in its version: what is missing is recorded, and the announcement removed.',
  'intent-settled': 'No key came of what an unfinished run announced: its announcement is removed.',
  'pending-label-left-over':
    'AWSPENDING is still on a version that was promoted: taken off, so that a later rollback is not undone by a retry.',
  'leak-over': 'The mark of a leak whose key is gone: removed.',
  // A key is changed.
  leaked: 'Leaked, and another key is current: disabled without a look at overlap, hold or use.',
  'leaked-current':
    "Leaked, and the policy says onLeak 'disable-first': disabled although it stands in AWSCURRENT and no other key is current yet.",
  'slot-for-leak':
    'The current key is leaked, and the one that is to replace it needs this slot: deleted before its recovery time is over.',
  'overlap-over': 'The overlap is over and the key is not in use: disabled.',
  'hold-over': 'Still in use, but held for as long as the policy allows: disabled.',
  'use-ignored': "The overlap is over, and the policy says ifInUse 'disable': disabled without a look at its use.",
  'recovery-over': 'Inactive for the whole recovery time: deleted.',
  'orphan-never-used': 'Lost while minting, in no version and never used: deleted.',
} as const;

export type Reason = keyof typeof REASONS;
