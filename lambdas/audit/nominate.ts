/** Which users are worth reading afresh: those of whom the credential report, or the ledger of their secret, has something to tell. Pure. */
import type { AuditPolicy } from '../contract/deployment.ts';
import { type AccessKey, after } from '../domain/model.ts';
import { isOverdue } from './checks/keys.ts';
import type { KeySlot, ReportedUser } from './credential-report.ts';
import { ledgerKeys, type Managed } from './managed.ts';

/** True when a fresh look at the user's keys may find something. `now` is when the audit runs, so a slot counts by its age then. */
export function isNominated(
  { slots }: ReportedUser,
  managed: Managed | undefined,
  policy: AuditPolicy,
  now: Date,
): boolean {
  const known = managed === undefined ? [] : ledgerKeys(managed);
  const active = slots.filter((slot) => slot.active);
  const inactive = slots.length - active.length;
  const inLedger = (state: 'disabled' | 'other') =>
    known.filter((key) => (key.state === 'disabled') === (state === 'disabled')).length;
  return (
    active.some((slot) => isOld(slot, policy, now) || mayBeUnused(slot, policy, now)) ||
    (active.length > 1 && active.length > inLedger('other')) ||
    inactive > inLedger('disabled') ||
    known.some(({ state, due }) => isOverdue(state, due, now))
  );
}

/** A key is at least as old as the report says. */
const isOld = ({ changed }: KeySlot, { maxKeyAge }: AuditPolicy, now: Date) =>
  changed === undefined || now > after(changed, maxKeyAge);

/** Whether a fresh look at the last use is worth its call. */
export function mayBeUnused(
  { changed, lastUsed }: KeySlot,
  { unusedFor, neverUsedFor }: AuditPolicy,
  now: Date,
): boolean {
  if (lastUsed === 'unknown') return true;
  // Created before it was changed, perhaps: only of a key that was not changed since is it known how long it has not been used.
  if (lastUsed === 'never') return changed === undefined || now > after(changed, neverUsedFor);
  return now > after(lastUsed, unusedFor);
}

/**
 * The keys whose last use is to be read. The report has no key ids: a key is known to be in use only if it alone was created when one of the slots
 * that are in use was last changed.
 */
export function keysToRead(
  keys: readonly AccessKey[],
  { slots }: Pick<ReportedUser, 'slots'>,
  policy: AuditPolicy,
  now: Date,
): readonly AccessKey[] {
  const quick = Math.min(policy.unusedFor, policy.neverUsedFor);
  const active = slots.filter((slot) => slot.active);
  if (active.length > 0 && !active.some((slot) => mayBeUnused(slot, policy, now))) return [];
  const candidates = keys.filter(({ status, created }) => status === 'Active' && now > after(created, quick));
  const at = (date: Date | undefined) => date?.getTime();
  return candidates.filter(({ created }) => {
    const same = active.filter(({ changed }) => at(changed) === at(created));
    const alone = same.length === 1 && keys.filter((key) => at(key.created) === at(created)).length === 1;
    return !(alone && same.every((slot) => !mayBeUnused(slot, policy, now)));
  });
}
