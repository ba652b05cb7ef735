/** Checks that go by the credential report alone, and say so: what they find is no matter of hours. Pure. */
import type { AuditPolicy } from '../../contract/deployment.ts';
import { after, iso } from '../../domain/model.ts';
import type { ReportedUser } from '../credential-report.ts';
import type { Finding } from '../report.ts';
import { ROLE_HINTS } from './catalogue.ts';
import { days, daysBetween, finding } from './finding.ts';

/** Keys of the root user. Only the root user can list them, so their ids are not told. */
export function checkRoot({ user, slots }: ReportedUser, reportAt: Date): Finding[] {
  if (slots.length === 0) return [];
  const active = slots.filter((slot) => slot.active).length;
  const evidence = `${slots.length} ${slots.length === 1 ? 'key' : 'keys'}, ${active} Active, by the credential report of ${iso(reportAt)}`;
  return [finding('root-key', { user }, evidence, active === 0 ? 'high' : undefined)];
}

/** A user that no managed secret holds a key of. */
export function checkUnmanaged(reported: ReportedUser, policy: AuditPolicy, reportAt: Date, now: Date): Finding[] {
  const { user } = reported;
  const active = reported.slots.filter((slot) => slot.active);
  if (active.length === 0) return [];
  const evidence = `${active.length} Active ${active.length === 1 ? 'key' : 'keys'} by the credential report of ${iso(reportAt)}`;
  return [finding('user-not-rotated', { user }, evidence), ...roleWouldDo(reported, policy, now)];
}

function roleWouldDo({ user, slots }: ReportedUser, { unusedFor }: AuditPolicy, now: Date): Finding[] {
  const hints = slots.flatMap(({ active, lastUsed, service = '', region = '' }) => {
    const hint = Object.hasOwn(ROLE_HINTS, service) ? ROLE_HINTS[service] : undefined;
    if (!active || hint === undefined || !(lastUsed instanceof Date) || now > after(lastUsed, unusedFor)) return [];
    return [`${service}${region === '' ? '' : ` in ${region}`}, ${days(daysBetween(lastUsed, now))} ago (${hint})`];
  });
  // IAM tells the last call alone: a second key that calls something else may need to be one.
  if (hints.length === 0 || hints.length < slots.filter(({ active }) => active).length) return [];
  const evidence = `last recorded call: ${hints.join('; ')}. IAM tells which service was called last, not who called it, nor what was called before`;
  return [finding('role-would-do', { user }, evidence)];
}
