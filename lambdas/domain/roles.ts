/** What each key of a user is to its secret. Derived from labels, values and the ledger; stored nowhere. */
import type { DeployedKey } from '../contract/deployment.ts';
import { isAdopted } from './adoption.ts';
import { entryOf, type Intent, type Ledger, mayComeOf, pinnedUserId, unresolved } from './ledger.ts';
import { type AccessKey, AWSCURRENT, AWSPENDING, AWSPREVIOUS, hasLabel, type Labels } from './model.ts';

export type Role = 'current' | 'pending' | 'superseded' | 'adoptable' | 'orphan' | 'stranger';

/** What roles are derived from, all read afresh. */
export interface Standing {
  readonly labels: Labels;
  readonly ledger: Ledger;
  readonly keys: readonly AccessKey[];
  /** The key in AWSCURRENT's value; undefined while that is the bootstrap value. */
  readonly currentKeyId: string | undefined;
  /** The key in AWSPENDING's value, if that is another version and has one. */
  readonly pendingKeyId: string | undefined;
  /** Key ids by version, for the versions that unresolved intents name and that have a value. */
  readonly stored: ReadonlyMap<string, string>;
}

/** The role of a key that IAM lists. */
export function roleOf(key: AccessKey, standing: Standing, policy: DeployedKey): Role {
  return knownRole(key, standing, policy) ?? (isOrphan(key, standing, policy) ? 'orphan' : 'stranger');
}

/** The key in AWSCURRENT while it is there and Active: only then is there something to fall back on. */
export function usableCurrent({ currentKeyId, keys }: Pick<Standing, 'currentKeyId' | 'keys'>): string | undefined {
  return keys.find((key) => key.id === currentKeyId && key.status === 'Active')?.id;
}

/**
 * True when no call is needed to know that the user is the one whose id is pinned. Key ids are never given twice and go with their user: a
 * user made again under the same name can't have the current key.
 */
export function provesSameUser({
  ledger,
  labels,
  currentKeyId,
  keys,
}: Pick<Standing, 'ledger' | 'labels' | 'currentKeyId' | 'keys'>): boolean {
  return pinnedUserId(ledger, labels) === undefined || keys.some((key) => key.id === currentKeyId);
}

/** True when the version has stood in AWSCURRENT: the ledger says so, or AWSPREVIOUS does, which comes with leaving it. */
export function wasPromoted(version: string | undefined, labels: Labels, ledger: Ledger): boolean {
  return entryOf(ledger, version)?.promoted !== undefined || hasLabel(labels, version, AWSPREVIOUS);
}

/** The keys in the versions that intents name, by version. `keyIn`: the key in a version's value, if it has one. */
export function storedKeys(
  intents: readonly Intent[],
  keyIn: (version: string) => string | undefined,
): ReadonlyMap<string, string> {
  const stored = new Map<string, string>();
  for (const { token } of intents) {
    const keyId = keyIn(token);
    if (keyId !== undefined) stored.set(token, keyId);
  }
  return stored;
}

/** The keys that may have come of an announcement of the version. */
export function announcedKeys(
  version: string,
  intents: readonly Intent[],
  keys: readonly AccessKey[],
): readonly AccessKey[] {
  return keys.filter((key) => intents.some((intent) => intent.token === version && mayComeOf(intent, key)));
}

/**
 * The role that labels give a key, listed or not. Both the value and the ledger can say it, and either suffices: an operator may
 * have stored the key anew in another version, which the ledger doesn't know.
 */
export function labelledRole(keyId: string, standing: Standing): 'current' | 'pending' | undefined {
  const { labels, ledger, currentKeyId, pendingKeyId } = standing;
  const version = ledger.entries.get(keyId)?.version;
  if (keyId === currentKeyId || hasLabel(labels, version, AWSCURRENT)) return 'current';
  return keyId === pendingKeyId || hasLabel(labels, version, AWSPENDING) ? 'pending' : undefined;
}

function knownRole(key: AccessKey, standing: Standing, policy: DeployedKey): Role | undefined {
  const labelled = labelledRole(key.id, standing);
  if (labelled !== undefined) return labelled;
  const entry = standing.ledger.entries.get(key.id);
  const adopted = isAdopted(key, standing, policy);
  // An entry without a version is an adoption, and only the configuration adopts, by id or as the only key: whoever may write tags can't.
  if (entry !== undefined && (entry.version !== undefined || adopted)) return 'superseded';
  if (adopted) return 'adoptable';
  return [...standing.stored.values()].includes(key.id) ? 'superseded' : undefined;
}

/**
 * An orphan is explained by an announcement of which nothing else came. Where more keys could be explained than there are announcements,
 * at least one of them is a stranger, nobody can tell which, and none is touched.
 */
function isOrphan(key: AccessKey, standing: Standing, policy: DeployedKey): boolean {
  const { ledger, stored } = standing;
  // Two runs may share a token. What the one stored does not tell what became of the other's key.
  const claimed = new Set(ledger.intents.map((intent) => intent.minted));
  const explained = (intent: Intent) => stored.has(intent.token) && !claimed.has(stored.get(intent.token));
  const open = unresolved(ledger).filter((intent) => !explained(intent));
  const explains = (other: AccessKey) =>
    knownRole(other, standing, policy) === undefined && open.some((intent) => mayComeOf(intent, other));
  return explains(key) && standing.keys.filter(explains).length <= open.length;
}
