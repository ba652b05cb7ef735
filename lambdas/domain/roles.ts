/** What each key of a user is to its secret. Derived from labels, values and the ledger; stored nowhere. */
import type { DeployedKey } from '../contract/deployment.ts';
import { type Ledger, mayComeOf } from './ledger.ts';
import { type AccessKey, AWSCURRENT, AWSPENDING, hasLabel, type Labels } from './model.ts';

export type Role = 'current' | 'pending' | 'superseded' | 'adoptable' | 'orphan' | 'stranger';

/** What roles are derived from, all read afresh. */
export interface Standing {
  readonly labels: Labels;
  readonly ledger: Ledger;
  /** The key in AWSCURRENT's value; undefined while that is the bootstrap value. */
  readonly currentKeyId: string | undefined;
  /** The key in AWSPENDING's value, if that is another version and has one. */
  readonly pendingKeyId: string | undefined;
  /** The version that an unresolved intent names and the key in its value, if it has one. */
  readonly stored: { readonly keyId: string; readonly version: string } | undefined;
}

/**
 * The role of a key. Both the value and the ledger can say that a key is current or pending, and either suffices: an operator may
 * have stored the key anew in another version, which the ledger doesn't know.
 */
export function roleOf(key: AccessKey, standing: Standing, policy: DeployedKey, rotateTimeout: number): Role {
  const entry = standing.ledger.entries.get(key.id);
  if (key.id === standing.currentKeyId || hasLabel(standing.labels, entry?.version, AWSCURRENT)) return 'current';
  if (key.id === standing.pendingKeyId || hasLabel(standing.labels, entry?.version, AWSPENDING)) return 'pending';
  // An entry without a version is an adoption, and only the configuration adopts: whoever may write tags can't.
  if (entry !== undefined && (entry.version !== undefined || policy.adopt === key.id)) return 'superseded';
  if (policy.adopt === key.id) return 'adoptable';
  if (key.id === standing.stored?.keyId) return 'superseded';
  const intent = standing.ledger.intent;
  if (intent !== undefined && intent.minted === undefined && mayComeOf(intent, key, rotateTimeout)) return 'orphan';
  return 'stranger';
}
