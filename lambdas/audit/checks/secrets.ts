/** Checks of the secrets under rotation, by what the listing tells of them. Pure. */
import { after, iso } from '../../domain/model.ts';
import { currentEntry, type Managed, pendingVersion } from '../managed.ts';
import type { Finding } from '../report.ts';
import { days, daysBetween, finding } from './finding.ts';

/** Seconds after which a rotation that has begun is no longer under way. It takes minutes; its retries come within the window. */
export const UNFINISHED_AFTER = 2 * 3600;
/** Seconds: windows and retries of a rotation reach into the next day. */
export const OVERDUE_MARGIN = 86_400;

/** What is the matter with a secret under rotation. */
export function checkSecret(managed: Managed, now: Date): Finding[] {
  const { listed, secret, ledger, policy } = managed;
  const about = { user: managed.user ?? 'unknown', secret };
  if (listed === undefined)
    return [
      finding(
        'secret-missing',
        about,
        `the deployed configuration names ${secret}, and Secrets Manager has no such secret`,
      ),
    ];
  if (listed.scheduledForDeletion) {
    const since = listed.deleted === undefined ? '' : `; asked for ${iso(listed.deleted)}`;
    return [finding('secret-scheduled-for-deletion', about, `scheduled for deletion${since}`)];
  }
  return [
    ...(ledger === undefined
      ? [finding('ledger-unreadable', about, 'a tag of the ledger is not in the form that the rotator writes')]
      : []),
    ...(policy?.mode === 'observe'
      ? []
      : [...rotationOff(managed), ...unfinished(managed, now), ...overdue(managed, now)]),
  ];
}

function rotationOff({ user = 'unknown', secret, listed, policy, deployment }: Managed): Finding[] {
  if (listed?.rotationEnabled === true) return [];
  const whose =
    policy === undefined
      ? `; its tag names the deployment ${deployment}, and this one's configuration does not have it`
      : '';
  return [finding('rotation-off', { user, secret }, `rotation is not enabled${whose}`)];
}

function unfinished(managed: Managed, now: Date): Finding[] {
  const { user = 'unknown', secret, ledger, listed } = managed;
  const version = pendingVersion(managed);
  if (version === undefined) return [];
  const entry = [...(ledger?.entries.values() ?? [])].find((candidate) => candidate.version === version);
  const announced = ledger?.intents.filter(({ token }) => token === version).map(({ at }) => at) ?? [];
  const since = entry?.minted ?? announced.sort((a, b) => a.getTime() - b.getTime())[0] ?? listed?.lastChanged;
  if (since === undefined || now <= after(since, UNFINISHED_AFTER)) return [];
  const what = entry === undefined ? 'no key of it is recorded' : `it holds the key ${entry.keyId}`;
  return [
    finding(
      'rotation-failed',
      { user, secret },
      `the pending version ${version} has stood since ${iso(since)}; ${what}`,
    ),
  ];
}

function overdue(managed: Managed, now: Date): Finding[] {
  const { user = 'unknown', secret, listed, ledger, policy } = managed;
  if (listed?.rotationEnabled !== true) return [];
  const current = currentEntry(managed);
  // Only where the ledger can be read and has no current key was none made since the secret was created.
  const since = current?.minted ?? current?.promoted ?? listed.lastRotated ?? (ledger && listed.created);
  const next = listed.nextRotation;
  const tooOld = policy !== undefined && since !== undefined && now > after(since, policy.rotateEvery + OVERDUE_MARGIN);
  const missed = next !== undefined && now > after(next, OVERDUE_MARGIN);
  if (!tooOld && !missed) return [];
  const evidence = [
    current === undefined ? 'no key of a rotation is current' : `the current key is ${current.keyId}`,
    ...(since === undefined ? [] : [`since ${iso(since)}, ${days(daysBetween(since, now))} ago`]),
    ...(next === undefined ? [] : [`next rotation ${iso(next)}`]),
  ];
  return [finding('rotation-overdue', { user, secret, ...(current && { keyId: current.keyId }) }, evidence.join(', '))];
}
