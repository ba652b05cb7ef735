/**
 * Which key made by hand is adopted: the one that the configuration names, or with 'only-key' the one that the ledger names. How far the ledger
 * is believed there: docs/adr/0015-the-only-key.md.
 */
import { type DeployedKey, ONLY_KEY } from '../contract/deployment.ts';
import { type Ledger, pinnedUserId } from './ledger.ts';
import type { AccessKey, Labels } from './model.ts';

/**
 * The id of the key that is adopted; undefined if none is. Whether the user has that key, IAM knows.
 *
 * With 'only-key' it is that of the one entry without a version: no other key's entry lacks it, and of two such entries one was not written by a
 * first rotation, nobody can tell which, and neither counts.
 */
export function adoptedKey(policy: DeployedKey, ledger: Ledger): string | undefined {
  if (policy.adopt !== ONLY_KEY) return policy.adopt;
  const [entry, ...more] = [...ledger.entries.values()].filter(({ version }) => version === undefined);
  return more.length === 0 ? entry?.keyId : undefined;
}

/**
 * True if the key, which IAM lists, is the adopted one. Invariant 4: where only the ledger says so, no key of the user may be older. The only key
 * was there before all others, and whoever may write tags can't change what IAM says of a key's creation.
 */
export function isAdopted(
  key: AccessKey,
  { ledger, keys }: { readonly ledger: Ledger; readonly keys: readonly AccessKey[] },
  policy: DeployedKey,
): boolean {
  return adoptedKey(policy, ledger) === key.id && (policy.adopt !== ONLY_KEY || isOldest(key, keys));
}

/**
 * The key that the first mint adopts, of a policy that says 'only-key': the only one of the user that is none of the rotator's, while nothing was
 * stored in the secret yet. To be recorded before a key is minted beside it: afterwards nobody could tell.
 *
 * @param strangers those of the user's keys that nothing explains
 */
export function discoverOnlyKey(
  strangers: readonly AccessKey[],
  { ledger, labels, keys, current }: Beginning & { readonly keys: readonly AccessKey[] },
  policy: DeployedKey,
): AccessKey | undefined {
  const [key, ...more] = strangers;
  const isDiscovered = policy.adopt === ONLY_KEY && isFirstMint({ ledger, labels, current });
  return isDiscovered && more.length === 0 && key !== undefined && isOldest(key, keys) ? key : undefined;
}

/** While nothing was stored in the secret yet: afterwards a key that was there before can't be told from one made since. */
export function isFirstMint({ ledger, labels, current }: Beginning): boolean {
  return current.kind === 'bootstrap' && ledger.entries.size === 0 && pinnedUserId(ledger, labels) === undefined;
}

/** What tells whether anything was stored in the secret yet. */
interface Beginning {
  readonly ledger: Ledger;
  readonly labels: Labels;
  readonly current: { readonly kind: 'bootstrap' | 'key' };
}

/** No key of the user was made before this one. Dates are to the second: two of the same second count as equally old. */
function isOldest(key: AccessKey, keys: readonly AccessKey[]): boolean {
  return keys.every(({ created }) => created >= key.created);
}
