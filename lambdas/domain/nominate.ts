/**
 * Which secrets of a listing deserve a closer look. The listing may be five minutes old, so this decides nothing: it only saves reads.
 */
import type { DeployedKey } from '../contract/deployment.ts';
import { adoptedKey } from './adoption.ts';
import { isOpen, type Ledger, type LedgerEntry, pinnedUserId, surelyAfter } from './ledger.ts';
import { AWSCURRENT, AWSPENDING, after, hasLabel, type Labels, versionWith } from './model.ts';
import { wasPromoted } from './roles.ts';

/** What a retire pass may have to do for a secret. */
export interface Nomination {
  /** Keys that may be due to be disabled or deleted: their last use is read before the secret is read afresh. */
  readonly suspects: readonly string[];
}

/** Undefined if nothing is to be done for the secret. `rotateTimeout` in seconds. */
export function nominate(
  labels: Labels,
  ledger: Ledger,
  policy: DeployedKey,
  rotateTimeout: number,
  now: Date,
): Nomination | undefined {
  const entries = [...ledger.entries.values()];
  const suspects = entries
    .filter((entry) => mayBeChanged(entry, labels, ledger, policy, now))
    .map((entry) => entry.keyId);
  const toMend = entries.some((entry) => isToMend(entry, labels, ledger, policy));
  const settled = ledger.intents.some((intent) => intent.minted !== undefined || !isOpen(intent, rotateTimeout, now));
  // A leaked key is looked at in every pass: it may be due at once, or somebody may have activated it again.
  return suspects.length > 0 || ledger.leaks.size > 0 || toMend || settled || lacksEntry(labels, ledger, policy)
    ? { suspects }
    : undefined;
}

function mayBeChanged(entry: LedgerEntry, labels: Labels, ledger: Ledger, policy: DeployedKey, now: Date): boolean {
  if (hasLabel(labels, entry.version, AWSCURRENT) || hasLabel(labels, entry.version, AWSPENDING)) return false;
  if (isForeign(entry, ledger, policy) || entry.deleted !== undefined) return false;
  if (entry.disabled !== undefined) return now >= surelyAfter(entry.disabled, policy.deleteAfter);
  return entry.superseded !== undefined && now >= after(entry.superseded.at, policy.deactivateAfter);
}

function isToMend(entry: LedgerEntry, labels: Labels, ledger: Ledger, policy: DeployedKey): boolean {
  if (hasLabel(labels, entry.version, AWSPENDING)) return wasPromoted(entry.version, labels, ledger);
  if (hasLabel(labels, entry.version, AWSCURRENT)) {
    return entry.promoted === undefined || entry.superseded !== undefined || entry.disabled !== undefined;
  }
  if (isForeign(entry, ledger, policy)) return false;
  if (entry.deleted !== undefined) return adoptedKey(policy, ledger) !== entry.keyId;
  return entry.superseded === undefined && entry.disabled === undefined;
}

/** Before the first promotion there is nothing to retire, and nothing to miss. */
function lacksEntry(labels: Labels, ledger: Ledger, policy: DeployedKey): boolean {
  if (pinnedUserId(ledger, labels) === undefined) return false;
  const adopted = adoptedKey(policy, ledger);
  if (adopted !== undefined && !ledger.entries.has(adopted)) return true;
  const current = versionWith(labels, AWSCURRENT);
  return ![...ledger.entries.values()].some((entry) => entry.version === current);
}

/** An adoption that the configuration doesn't make. */
function isForeign(entry: LedgerEntry, ledger: Ledger, policy: DeployedKey): boolean {
  return entry.version === undefined && adoptedKey(policy, ledger) !== entry.keyId;
}
