/** One audit of the whole account: gather, check, tell. It changes nothing, and gives a whole report or none. */
import { AUDIT_DEFAULTS, type AuditPolicy, type Deployment } from '../contract/deployment.ts';
import type { CredentialReports, ListedSecret, SecretListing, UserKeys } from '../domain/audit.ts';
import { iso } from '../domain/model.ts';
import { CHECKS } from './checks/catalogue.ts';
import { daysBetween, finding } from './checks/finding.ts';
import { checkKeys, type FreshKey } from './checks/keys.ts';
import { checkRoot, checkUnmanaged } from './checks/reported.ts';
import { checkSecret } from './checks/secrets.ts';
import { parseCredentialReport, type ReportedUser } from './credential-report.ts';
import { describeManaged, keyIdsOf, type Managed, managedSecrets } from './managed.ts';
import { isNominated, keysToRead } from './nominate.ts';
import { incomplete, obtainReport } from './obtain-report.ts';
import { type AuditReport, type Finding, type KeyAge, SEVERITIES, type Severity } from './report.ts';

/** What an audit may reach: reads only. */
export interface AuditWorld {
  readonly reports: CredentialReports;
  readonly users: UserKeys;
  readonly secrets: SecretListing;
  readonly now: () => Date;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** When the audit must be over, the writing of its report included. */
  readonly deadline: Date;
}

export interface AuditOptions {
  /** The Region whose secrets are looked at. */
  readonly region: string;
  /** @default what the deployment says, or else `AUDIT_DEFAULTS` */
  readonly policy?: AuditPolicy;
}

/** Users that are read at the same time. IAM publishes no rates: the adapters slow down when it throttles. */
const AT_ONCE = 4;
/** What writing the report may take, in ms. */
const RESERVE = 60_000;

/**
 * Audits the account.
 *
 * Calls: one to have a credential report made, one or more to fetch it, ListSecrets once a hundred secrets under rotation (and DescribeSecret of one of the
 * deployment that is not listed); then, of each user that has
 * something to report, ListAccessKeys, and GetAccessKeyLastUsed of each key that may be unused.
 *
 * @throws RotatorError AUDIT_INCOMPLETE when time runs out, CREDENTIAL_REPORT_MALFORMED
 * @throws AwsCallError whichever read fails: half an audit is none
 */
export async function runAudit(world: AuditWorld, deployment: Deployment, options: AuditOptions): Promise<AuditReport> {
  const policy = options.policy ?? deployment.audit ?? AUDIT_DEFAULTS;
  const reported = await obtainReport(world);
  const report = parseCredentialReport(reported.content);
  const managed = await withOwners(managedSecrets(await listAll(world.secrets, deployment), deployment), world);
  const byUser = secretsByUser(managed);
  const now = world.now();

  const known = new Set(report.users.map(({ user }) => user));
  const missing = managed.flatMap(({ user, policy: bound }) =>
    bound === undefined || user === undefined || known.has(user) ? [] : [{ user, created: undefined, slots: [] }],
  );
  const nominated = report.users.filter((user) => isNominated(user, byUser.get(user.user), policy, now));
  const fresh = await readUsers([...nominated, ...missing], policy, world);

  const findings = [
    ...checkRoot(report.root, reported.at),
    ...managed.flatMap((one) => checkSecret(one, now)),
    ...report.users.flatMap((user) =>
      byUser.has(user.user) || hasNone(user.user, fresh) ? [] : checkUnmanaged(user, policy, reported.at, now),
    ),
    ...[...fresh].flatMap(([user, keys]) => checkFresh(user, keys, byUser.get(user), policy, now)),
  ].sort(gravestFirst);
  const ages = report.users
    .flatMap((user) => agesOf(user, fresh.get(user.user), byUser.get(user.user), now))
    .sort(oldestFirst);
  const days = (seconds: number) => seconds / 86_400;
  return {
    formatVersion: 1,
    account: report.account,
    partition: report.partition,
    region: options.region,
    deployment: deployment.name,
    at: iso(now),
    credentialReportAt: iso(reported.at),
    thresholds: {
      maxKeyAge: days(policy.maxKeyAge),
      unusedFor: days(policy.unusedFor),
      neverUsedFor: days(policy.neverUsedFor),
    },
    summary: {
      users: report.users.length,
      keys: ages.length,
      activeKeys: ages.filter(({ active }) => active).length,
      managedUsers: byUser.size,
      findings: countBySeverity(findings),
    },
    findings,
    ages,
    secrets: managed.map(describeManaged),
  };
}

/** The configuration's word about a user goes before that of a secret which says itself that it is under rotation. */
function secretsByUser(managed: readonly Managed[]): ReadonlyMap<string, Managed> {
  const byUser = new Map<string, Managed>();
  for (const one of managed) {
    if (one.user !== undefined && (one.policy !== undefined || !byUser.has(one.user))) byUser.set(one.user, one);
  }
  return byUser;
}

/** A secret whose tag somebody took off is not listed, nor is one that was made minutes ago: those of the deployment are asked for by name. */
async function listAll(secrets: SecretListing, deployment: Deployment): Promise<readonly ListedSecret[]> {
  const all = new Map<string, ListedSecret>();
  for await (const page of secrets.list()) for (const secret of page) all.set(secret.name, secret);
  for (const { secretName } of deployment.keys) {
    if (all.has(secretName)) continue;
    const secret = await secrets.describe(secretName);
    if (secret !== undefined) all.set(secretName, secret);
  }
  return [...all.values()];
}

/** Whose keys another deployment's secret holds, nothing but the keys themselves tell. */
async function withOwners(managed: readonly Managed[], { users }: AuditWorld): Promise<readonly Managed[]> {
  const all: Managed[] = [];
  for (const one of managed) {
    let { user } = one;
    for (const keyId of keyIdsOf(one)) {
      if (user !== undefined) break;
      user = await users.ownerOf(keyId);
    }
    all.push({ ...one, user });
  }
  return all;
}

/** The keys of users by name; undefined of a user that is gone. */
type Fresh = ReadonlyMap<string, readonly FreshKey[] | undefined>;

/** A fresh read outdoes the report: the user is gone, or has no Active key any more. */
const hasNone = (user: string, fresh: Fresh) =>
  fresh.has(user) && !fresh.get(user)?.some(({ status }) => status === 'Active');

/** Reads users, a few at a time, and stops with an error when there is no time left for all of them. */
async function readUsers(nominated: readonly ReportedUser[], policy: AuditPolicy, world: AuditWorld): Promise<Fresh> {
  const fresh = new Map<string, readonly FreshKey[] | undefined>();
  const queue = nominated.values();
  let failure: { readonly error: unknown } | undefined;
  const work = async () => {
    for (const user of queue) {
      // Whoever reads goes no further once another one has failed, and nobody is left behind at work.
      if (failure !== undefined) return;
      try {
        if (world.now().getTime() + RESERVE > world.deadline.getTime())
          throw incomplete(`${fresh.size} of ${nominated.length} users that have something to report were read`);
        fresh.set(user.user, await readUser(user, policy, world));
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (failure !== undefined) throw failure.error;
  return fresh;
}

async function readUser(
  user: ReportedUser,
  policy: AuditPolicy,
  { users, now }: AuditWorld,
): Promise<readonly FreshKey[] | undefined> {
  const keys = await users.list(user.user);
  if (keys === undefined) return undefined;
  const toRead = new Set(keysToRead(keys, user, policy, now()));
  const fresh: FreshKey[] = [];
  for (const key of keys) {
    const lastUse = toRead.has(key) ? await users.lastUse(key.id) : 'unread';
    // Deleted since it was listed: then there is nothing to report of it.
    if (lastUse !== 'gone') fresh.push({ ...key, lastUse });
  }
  return fresh;
}

/** A user that was deleted since the report was made is no error, and none of its keys a finding. */
function checkFresh(
  user: string,
  keys: readonly FreshKey[] | undefined,
  managed: Managed | undefined,
  policy: AuditPolicy,
  now: Date,
): Finding[] {
  if (keys !== undefined) return checkKeys({ user, keys, managed }, policy, now);
  if (managed?.policy === undefined) return [];
  const { secret } = managed;
  return [
    finding('secret-without-user', { user, secret }, `IAM has no user ${user}; the secret ${secret} is bound to it`),
  ];
}

/** By the fresh read where there is one; otherwise by the report, to which a key is as young as its last change. */
function agesOf(
  { user, slots }: ReportedUser,
  fresh: readonly FreshKey[] | undefined,
  managed: Managed | undefined,
  now: Date,
): KeyAge[] {
  const under = managed !== undefined;
  if (fresh !== undefined) {
    return fresh.map(({ id: keyId, created, status }) => ({
      user,
      keyId,
      days: daysBetween(created, now),
      active: status === 'Active',
      managed: under,
    }));
  }
  return slots.flatMap(({ changed, active }) =>
    changed === undefined ? [] : [{ user, days: daysBetween(changed, now), active, managed: under }],
  );
}

const ORDER: readonly string[] = Object.keys(CHECKS);

/** An order in which nothing is left to chance: the same findings always stand in the same places. */
function gravestFirst(a: Finding, b: Finding): number {
  return (
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    ORDER.indexOf(a.check) - ORDER.indexOf(b.check) ||
    compare(a.user, b.user) ||
    compare(a.id, b.id)
  );
}

const oldestFirst = (a: KeyAge, b: KeyAge) =>
  b.days - a.days || compare(a.user, b.user) || compare(a.keyId ?? '', b.keyId ?? '');

// By code unit: an order that depends on no locale.
const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b));

function countBySeverity(findings: readonly Finding[]): Record<Severity, number> {
  const count = (severity: Severity) => findings.filter((one) => one.severity === severity).length;
  return {
    critical: count('critical'),
    high: count('high'),
    medium: count('medium'),
    low: count('low'),
    info: count('info'),
  };
}
