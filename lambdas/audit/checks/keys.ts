/** Checks of a user's keys. Facts come from the fresh reads; pure. */
import type { AuditPolicy } from '../../contract/deployment.ts';
import { type AccessKey, after, iso, type LastUse } from '../../domain/model.ts';
import { ledgerKeys, type Managed } from '../managed.ts';
import type { Finding, Severity } from '../report.ts';
import { days, daysBetween, finding, lastUseInWords } from './finding.ts';
import { OVERDUE_MARGIN } from './secrets.ts';

/** A key as it was read afresh. */
export interface FreshKey extends AccessKey {
  /** `unread`: the report told a use that is recent enough. */
  readonly lastUse: LastUse | 'never' | 'unread';
}

export interface FreshUser {
  readonly user: string;
  readonly keys: readonly FreshKey[];
  /** The secret that holds a key of the user, if one does. */
  readonly managed: Managed | undefined;
}

/** Seconds: retire passes may be a day apart, and the one that is due may fail once. */
export const RETIRE_MARGIN = 2 * 86_400;

/** What is the matter with the keys of one user. */
export function checkKeys(fresh: FreshUser, policy: AuditPolicy, now: Date): Finding[] {
  const { keys } = fresh;
  const active = keys.filter(({ status }) => status === 'Active');
  return [
    ...active.flatMap((key) => [...olderThan(fresh, key, policy, now), ...unused(fresh, key, policy, now)]),
    ...twoActive(fresh, active, now),
    ...keys.flatMap((key) => inactive(fresh, key, now)),
    ...retirementOverdue(fresh, now),
  ];
}

function olderThan({ user, managed }: FreshUser, key: FreshKey, { maxKeyAge }: AuditPolicy, now: Date): Finding[] {
  const { id: keyId, created } = key;
  if (now <= after(created, maxKeyAge)) return [];
  const evidence = `created ${iso(created)}, ${days(daysBetween(created, now))} ago; at most ${days(maxKeyAge / 86_400)} are allowed`;
  const due = leavesBy(key, managed, maxKeyAge, now);
  if (due !== undefined) {
    const known = `${evidence}. It was replaced in time, and is to be disabled by ${iso(due)} at the latest`;
    return [finding('key-older-than', { user, keyId }, known, 'info')];
  }
  const severity: Severity | undefined = now > after(created, 2 * maxKeyAge) ? 'high' : undefined;
  const found = finding('key-older-than', { user, keyId }, evidence, severity);
  return [isStranger(keyId, managed) ? { ...found, remedy: ADOPT } : found];
}

/** Of a user that is under rotation already. */
const ADOPT =
  'the user is under rotation, and this key is none that the rotator made: iam-key-rotator adopt <user> says how it comes to be retired; or delete it when nothing has missed it as Inactive';

const isStranger = (keyId: string, managed: Managed | undefined): boolean =>
  managed?.policy !== undefined && !ledgerKeys(managed).some(({ entry }) => entry.keyId === keyId);

/** Of a key that another one has replaced before it was too old: until when the retire pass has it. After that it is as any other. */
function leavesBy(
  { id, created }: FreshKey,
  managed: Managed | undefined,
  maxKeyAge: number,
  now: Date,
): Date | undefined {
  const known = managed?.policy?.mode === 'enforce' ? ledgerKeys(managed) : [];
  const found = known.find(({ entry, state }) => entry.keyId === id && state === 'retiring');
  if (found?.entry.superseded === undefined || isOverdue(found.state, found.due, now)) return undefined;
  return found.entry.superseded.at <= after(created, maxKeyAge + OVERDUE_MARGIN) ? found.due : undefined;
}

function unused({ user }: FreshUser, key: FreshKey, { unusedFor, neverUsedFor }: AuditPolicy, now: Date): Finding[] {
  const { id: keyId, lastUse, created } = key;
  if (lastUse === 'unread') return [];
  if (lastUse === 'never') {
    if (now <= after(created, neverUsedFor)) return [];
    const evidence = `created ${iso(created)}, ${days(daysBetween(created, now))} ago; IAM has no use of it on record`;
    return [finding('key-never-used', { user, keyId }, evidence)];
  }
  if (now <= after(lastUse.at, unusedFor)) return [];
  const evidence = `${lastUseInWords(lastUse)}, ${days(daysBetween(lastUse.at, now))} ago`;
  return [finding('key-unused', { user, keyId }, evidence)];
}

/** The ledger explains the keys that a rotation has left Active for a while. */
function twoActive({ user, managed }: FreshUser, active: readonly FreshKey[], now: Date): Finding[] {
  const explained = new Set(managed === undefined ? [] : ledgerKeys(managed).map(({ entry }) => entry.keyId));
  const open = active.filter(({ id }) => !explained.has(id));
  if (active.length < 2 || open.length === 0) return [];
  const each = active.map(({ id, created }) => `${id} (${days(daysBetween(created, now))} old)`).sort();
  return [finding('two-active-keys', { user }, `Active: ${each.join(', ')}`)];
}

/** A key in its recovery time is Inactive on purpose. */
function inactive({ user, managed }: FreshUser, { id: keyId, status, created }: FreshKey, now: Date): Finding[] {
  const known = managed !== undefined && ledgerKeys(managed).some(({ entry }) => entry.keyId === keyId);
  if (status !== 'Inactive' || known) return [];
  const evidence = `Inactive; created ${iso(created)}, ${days(daysBetween(created, now))} ago`;
  return [finding('key-inactive', { user, keyId }, evidence)];
}

function retirementOverdue({ user, keys, managed }: FreshUser, now: Date): Finding[] {
  if (managed === undefined) return [];
  return ledgerKeys(managed).flatMap(({ entry, state, due }) => {
    const key = keys.find(({ id }) => id === entry.keyId);
    if (key === undefined || !isOverdue(state, due, now)) return [];
    const since = `${state === 'retiring' ? 'superseded' : 'disabled'} ${iso((state === 'retiring' ? entry.superseded?.at : entry.disabled) ?? now)}`;
    const evidence = `${since}, ${key.status}; to be ${state === 'retiring' ? 'disabled' : 'deleted'} by ${iso(due ?? now)}`;
    return [finding('retirement-overdue', { user, keyId: entry.keyId, secret: managed.secret }, evidence)];
  });
}

/** Whether a key of the ledger is past its time and the margin of the passes. */
export function isOverdue(state: string, due: Date | undefined, now: Date): boolean {
  return (state === 'retiring' || state === 'disabled') && due !== undefined && now > after(due, RETIRE_MARGIN);
}
