/** What the listing of secrets tells about those under rotation: whose key each holds, how its rotation goes, and what became of its keys. */
import type { DeployedKey, Deployment } from '../contract/deployment.ts';
import { TAGS } from '../contract/names.ts';
import type { ListedSecret } from '../domain/audit.ts';
import { RotatorError } from '../domain/errors.ts';
import { type Ledger, type LedgerEntry, parseLedger } from '../domain/ledger.ts';
import { AWSCURRENT, AWSPENDING, after, hasLabel, iso, versionWith } from '../domain/model.ts';
import type { ManagedKey, ManagedSecret } from './report.ts';

/** A secret under rotation, by this deployment or another one of the account and Region. */
export interface Managed {
  readonly secret: string;
  /** Name of the deployment that the secret's tag names; it is not proof of anything. */
  readonly deployment: string;
  /** Undefined of another deployment's secret whose keys IAM doesn't know. */
  readonly user: string | undefined;
  /** What this deployment binds the secret to; undefined if it is another one's, or was taken out of the configuration. */
  readonly policy: DeployedKey | undefined;
  /** Undefined if there is no such secret. */
  readonly listed: ListedSecret | undefined;
  /** Undefined if a tag of it can't be read. */
  readonly ledger: Ledger | undefined;
}

const EMPTY: Ledger = { entries: new Map(), intents: [], leaks: new Map() };

/** The secrets of the deployment, those that are missing too, and all others that carry a deployment's tag. In the order of their names. */
export function managedSecrets(listed: readonly ListedSecret[], deployment: Deployment): readonly Managed[] {
  const policies = new Map(deployment.keys.map((key) => [key.secretName, key]));
  const found = listed.map((secret): Managed => {
    const named = secret.tags[TAGS.deployment] ?? '';
    // A secret has its name for itself in an account and Region, whatever its tags say.
    const policy = policies.get(secret.name);
    policies.delete(secret.name);
    return {
      secret: secret.name,
      deployment: named,
      user: policy?.userName,
      policy,
      listed: secret,
      ledger: ledgerOf(secret),
    };
  });
  const missing = [...policies.values()].map(
    (policy): Managed => ({
      secret: policy.secretName,
      deployment: deployment.name,
      user: policy.userName,
      policy,
      listed: undefined,
      ledger: EMPTY,
    }),
  );
  return [...found, ...missing].sort((a, b) => (a.secret < b.secret ? -1 : 1));
}

function ledgerOf({ tags }: ListedSecret): Ledger | undefined {
  try {
    return parseLedger(tags);
  } catch (error) {
    if (!(error instanceof RotatorError)) throw error;
    return undefined;
  }
}

/** The keys of a secret that its ledger knows, the current one first. */
export function keyIdsOf({ ledger = EMPTY, listed }: Managed): readonly string[] {
  const current = currentEntry({ ledger, listed })?.keyId;
  const live = [...ledger.entries.values()].filter(({ deleted }) => deleted === undefined).map(({ keyId }) => keyId);
  return current === undefined ? live : [current, ...live.filter((keyId) => keyId !== current)];
}

/** The entry of the key in AWSCURRENT. */
export function currentEntry({ ledger, listed }: Pick<Managed, 'ledger' | 'listed'>): LedgerEntry | undefined {
  const version = listed && versionWith(listed.labels, AWSCURRENT);
  return [...(ledger?.entries.values() ?? [])].find((entry) => version !== undefined && entry.version === version);
}

/** The version of a rotation that is under way, or was left unfinished. */
export function pendingVersion({ listed }: Managed): string | undefined {
  const version = listed && versionWith(listed.labels, AWSPENDING);
  return listed !== undefined && hasLabel(listed.labels, version, AWSCURRENT) ? undefined : version;
}

/** A key of the ledger with what is to become of it. */
export interface LedgerKey {
  readonly entry: LedgerEntry;
  readonly state: ManagedKey['state'];
  /** When the retire pass is to disable or delete it, at the latest: the longest hold included. */
  readonly due?: Date;
}

/** The keys of the ledger by their state. Without the policy of the secret nobody knows when they are due. */
export function ledgerKeys(managed: Managed): readonly LedgerKey[] {
  const { ledger = EMPTY, listed, policy } = managed;
  const pending = pendingVersion(managed);
  return [...ledger.entries.values()].flatMap((entry): LedgerKey[] => {
    const { version, superseded, disabled, deleted } = entry;
    if (deleted !== undefined) return [];
    if (listed !== undefined && hasLabel(listed.labels, version, AWSCURRENT)) return [{ entry, state: 'current' }];
    if (version !== undefined && version === pending) return [{ entry, state: 'pending' }];
    if (disabled !== undefined)
      return [{ entry, state: 'disabled', ...(policy && { due: after(disabled, policy.deleteAfter) }) }];
    return [
      { entry, state: 'retiring', ...(policy && superseded && { due: after(superseded.at, longestStay(policy)) }) },
    ];
  });
}

/** Seconds for which a superseded key may stay Active. */
const longestStay = ({ deactivateAfter, ifInUse, holdAtMost }: DeployedKey) =>
  deactivateAfter + (ifInUse === 'hold' ? holdAtMost : 0);

/** As it stands in the report. */
export function describeManaged(managed: Managed): ManagedSecret {
  const { secret, user, policy, listed } = managed;
  return {
    secret,
    user: user ?? 'unknown',
    mode: policy?.mode ?? 'enforce',
    rotationEnabled: listed?.rotationEnabled ?? false,
    ...(listed?.lastRotated && { lastRotated: iso(listed.lastRotated) }),
    ...(listed?.nextRotation && { nextRotation: iso(listed.nextRotation) }),
    keys: ledgerKeys(managed)
      .map((key) => describeKey(key, policy))
      .sort((a, b) => (a.keyId < b.keyId ? -1 : 1)),
  };
}

function describeKey({ entry, state, due: latest }: LedgerKey, policy: DeployedKey | undefined): ManagedKey {
  const { keyId, minted, promoted, superseded, disabled } = entry;
  // Of a retiring key the end of its overlap is told: whether it is held then, nobody knows before.
  const due = state === 'retiring' && superseded && policy ? after(superseded.at, policy.deactivateAfter) : latest;
  return {
    keyId,
    state,
    ...(minted && { minted: iso(minted) }),
    ...(promoted && { promoted: iso(promoted) }),
    ...(superseded && { superseded: iso(superseded.at) }),
    ...(disabled && { disabled: iso(disabled) }),
    ...(due && { due: iso(due) }),
  };
}
