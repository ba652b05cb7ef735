/**
 * Which secrets of a listing deserve a closer look. The listing may be five minutes old, so this decides nothing: it only saves reads.
 */
import type { DeployedKey } from '../contract/deployment.ts';
import { type Ledger, type LedgerEntry, settledAt } from './ledger.ts';
import { AWSCURRENT, AWSPENDING, after, hasLabel, type Labels, versionWith } from './model.ts';

/** True if a retire pass may have something to do for the secret. `rotateTimeout` in seconds. */
export function isNominated(
  labels: Labels,
  ledger: Ledger,
  policy: DeployedKey,
  rotateTimeout: number,
  now: Date,
): boolean {
  const { intent } = ledger;
  if (intent !== undefined && intent.minted === undefined && now >= settledAt(intent, rotateTimeout)) return true;
  const entries = [...ledger.entries.values()];
  if (entries.some((entry) => isDue(entry, labels, policy, now))) return true;
  // Before the first promotion there is nothing to retire and nothing to mend.
  if (ledger.userId === undefined) return false;
  if (policy.adopt !== undefined && !ledger.entries.has(policy.adopt)) return true;
  const current = versionWith(labels, AWSCURRENT);
  return !entries.some((entry) => entry.version === current);
}

function isDue(entry: LedgerEntry, labels: Labels, policy: DeployedKey, now: Date): boolean {
  if (hasLabel(labels, entry.version, AWSCURRENT)) {
    const leftOver =
      hasLabel(labels, entry.version, AWSPENDING) || entry.superseded !== undefined || entry.disabled !== undefined;
    return entry.promoted === undefined || leftOver;
  }
  // A promoted version with AWSPENDING was rolled back; the label is to go.
  if (hasLabel(labels, entry.version, AWSPENDING)) return entry.promoted !== undefined;
  if (entry.version === undefined && policy.adopt !== entry.keyId) return false;
  if (entry.deleted !== undefined) return policy.adopt !== entry.keyId;
  if (entry.disabled !== undefined) return now >= after(entry.disabled, policy.deleteAfter);
  return entry.superseded === undefined || now >= after(entry.superseded.at, policy.deactivateAfter);
}
