/**
 * Following the switch: who still uses a key that another one has superseded, and who still reads it. Told, and never acted upon: what is looked at
 * may be five minutes old.
 */
import type { DeployedKey } from '../contract/deployment.ts';
import { adoptedKey } from './adoption.ts';
import { type Ledger, type LedgerEntry, surelyAfter, unresolved } from './ledger.ts';
import { AWSCURRENT, AWSPENDING, AWSPREVIOUS, after, hasLabel, iso, type Labels, type LastUse } from './model.ts';
import { wasPromoted } from './roles.ts';

/** A superseded key that was in use and is not disabled yet. */
export interface RetiringKey {
  readonly keyId: string;
  /** The version that holds it; no version ever held an adopted key. */
  readonly version?: string;
  /** Since when another key is current. */
  readonly since: Date;
  /** The pass reads the version itself. */
  readonly readByPasses: boolean;
}

/** A version as ListSecretVersionIds tells it. */
export interface VersionUse {
  readonly version: string;
  readonly labels: readonly string[];
  /** The UTC day of the last GetSecretValue, whoever made it; Secrets Manager tells no time of day. */
  readonly readOn?: Date;
}

/** `unknown`: it can't be told, or not yet. */
export type Verdict = 'yes' | 'no' | 'unknown';

export interface SwitchFacts {
  /** `no`: the key was used after the promotion of its successor and the time that applications have to switch; somebody has not switched. */
  readonly switched: Verdict;
  /** Whether somebody has read AWSPREVIOUS on a day after that of the promotion. */
  readonly previousRead: Verdict;
  /** When, if so: a UTC day. */
  readonly previousReadOn?: Date;
}

const DAY_MS = 86_400_000;

/** The retiring keys of a secret. Those that were never promoted are left out: no application has them. */
export function retiringKeys(labels: Labels, ledger: Ledger, policy: DeployedKey): readonly RetiringKey[] {
  const adopted = adoptedKey(policy, ledger);
  return [...ledger.entries.values()].flatMap((entry) => {
    const { keyId, version, superseded } = entry;
    if (superseded === undefined || entry.disabled !== undefined || entry.deleted !== undefined) return [];
    if (hasLabel(labels, version, AWSCURRENT) || hasLabel(labels, version, AWSPENDING)) return [];
    if (!wasInUse(entry, adopted, labels, ledger)) return [];
    const readByPasses = unresolved(ledger).some(({ token }) => token === version);
    return [{ keyId, ...(version !== undefined && { version }), since: superseded.at, readByPasses }];
  });
}

function wasInUse(
  { keyId, version }: LedgerEntry,
  adopted: string | undefined,
  labels: Labels,
  ledger: Ledger,
): boolean {
  return version === undefined ? keyId === adopted : wasPromoted(version, labels, ledger);
}

/** When the key's overlap is over. */
export function overlapEnd({ since }: RetiringKey, policy: DeployedKey): Date {
  return after(since, policy.deactivateAfter);
}

/**
 * What the last use of a retiring key and the reads of its version tell.
 *
 * The rotator's own reads count in Secrets Manager as anybody's. Its functions read a version while it is current, at the latest in the createSecret
 * that precedes its supersession; while it is pending; and while an announcement names it. So only a read on a later day than that of the
 * supersession is somebody else's, and none of a version that passes go on reading. Clocks of functions may be a minute behind.
 */
export function judgeSwitch(
  key: RetiringKey,
  lastUse: LastUse | undefined,
  versions: readonly VersionUse[],
  policy: DeployedKey,
  now: Date,
): SwitchFacts {
  const settled = after(key.since, policy.settle);
  const early = now <= settled ? 'unknown' : 'yes';
  return {
    switched: lastUse !== undefined && lastUse.at > settled ? 'no' : early,
    ...judgeReads(key, versions, now),
  };
}

function judgeReads(
  { version, since, readByPasses }: RetiringKey,
  versions: readonly VersionUse[],
  now: Date,
): Pick<SwitchFacts, 'previousRead' | 'previousReadOn'> {
  const previous = versions.find((known) => known.version === version && known.labels.includes(AWSPREVIOUS));
  const readOn = previous?.readOn;
  if (readOn === undefined || readByPasses) return { previousRead: 'unknown' };
  const switchDay = dayOf(surelyAfter(since, 0));
  if (dayOf(readOn) > switchDay) return { previousRead: 'yes', previousReadOn: readOn };
  return { previousRead: dayOf(now) > switchDay ? 'no' : 'unknown' };
}

/** The number of the UTC day. */
function dayOf(date: Date): number {
  return Math.floor(date.getTime() / DAY_MS);
}

const SWITCHED: Readonly<Record<Verdict, string>> = {
  yes: 'not since applications had the time to switch',
  no: 'after the switch: somebody has not switched',
  unknown: 'too early to tell who has switched',
};

/**
 * The facts in words: `AKIA… retiring until 2026-01-04T00:00:00Z: last used 2026-01-03T10:00:00Z by s3 in eu-west-1, after the switch: somebody has
 * not switched; AWSPREVIOUS last read on 2026-01-02, after the switch`.
 */
export function tellSwitch(
  told: SwitchFacts & { readonly keyId: string; readonly due: Date; readonly lastUse?: LastUse },
): string {
  const { keyId, due, lastUse, switched, previousRead, previousReadOn } = told;
  const use =
    lastUse === undefined ? 'never used' : `last used ${iso(lastUse.at)} by ${lastUse.service} in ${lastUse.region}`;
  const reads =
    previousReadOn !== undefined
      ? `last read on ${previousReadOn.toISOString().slice(0, 10)}, after the switch`
      : previousRead === 'no'
        ? 'not read since the day of the switch'
        : 'read or not, that can not be told';
  const verdict = lastUse === undefined && switched === 'yes' ? '' : `, ${SWITCHED[switched]}`;
  return `${keyId} retiring until ${iso(due)}: ${use}${verdict}; AWSPREVIOUS ${reads}`;
}
