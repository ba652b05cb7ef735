/** Reports to look at and to test with; the same in every run. */
import {
  type AuditReport,
  type ComplianceName,
  type Finding,
  type KeyAge,
  type ManagedKey,
  type ManagedSecret,
  SEVERITIES,
  type Severity,
} from '../../lambdas/audit/report.ts';
import { RandomIds } from '../../local/random.ts';

const DAY_MS = 86_400_000;
const CIS = { framework: 'CIS AWS Foundations', version: '3.0.0' } as const;

/** Checks as an audit has them: severity, names elsewhere. */
const CHECKS = {
  'root-access-key': [
    'critical',
    [{ ...CIS, id: '1.4' }, hub('IAM.4'), config('IAM_ROOT_ACCESS_KEY_CHECK'), prowler('iam_no_root_access_key')],
  ],
  'rotation-failed': ['high', []],
  'key-older-than': [
    'high',
    [{ ...CIS, id: '1.14' }, hub('IAM.3'), config('ACCESS_KEYS_ROTATED'), prowler('iam_rotate_access_key_90_days')],
  ],
  'key-not-retired': ['medium', []],
  'key-unused': ['medium', [{ ...CIS, id: '1.12' }, hub('IAM.22'), config('IAM_USER_UNUSED_CREDENTIALS_CHECK')]],
  'two-active-keys': ['medium', [{ ...CIS, id: '1.13' }, prowler('iam_user_two_active_access_key')]],
  'key-never-used': ['medium', [{ ...CIS, id: '1.12' }, prowler('iam_user_accesskey_unused')]],
  'key-inactive': ['low', []],
  'user-not-managed': ['low', []],
  'role-would-do': ['info', []],
} as const satisfies Record<string, readonly [Severity, readonly ComplianceName[]]>;

type Check = keyof typeof CHECKS;

function hub(id: string): ComplianceName {
  return { framework: 'Security Hub', id };
}
function config(id: string): ComplianceName {
  return { framework: 'AWS Config', id };
}
function prowler(id: string): ComplianceName {
  return { framework: 'Prowler', id };
}

const finding = (
  check: Check,
  user: string,
  rest: Pick<Finding, 'title' | 'evidence' | 'remedy'> & Partial<Finding>,
) => ({
  id: [check, user, rest.keyId].filter(Boolean).join('/'),
  check,
  severity: CHECKS[check][0],
  user,
  compliance: CHECKS[check][1],
  ...rest,
});

function reportOf(
  at: Date,
  findings: readonly Finding[],
  ages: readonly KeyAge[],
  secrets: readonly ManagedSecret[],
  users = new Set(ages.map(({ user }) => user)).size,
): AuditReport {
  const sorted = [...findings].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
  const count = (severity: Severity) => findings.filter((one) => one.severity === severity).length;
  return {
    formatVersion: 1,
    account: '111122223333',
    region: 'eu-central-1',
    deployment: 'iam-key-rotator',
    at: at.toISOString(),
    credentialReportAt: new Date(at.getTime() - 2.4 * 3_600_000).toISOString(),
    thresholds: { maxKeyAge: 90, unusedFor: 45, neverUsedFor: 7 },
    summary: {
      users,
      keys: ages.length,
      activeKeys: ages.filter(({ active }) => active).length,
      managedUsers: secrets.length,
      findings: {
        critical: count('critical'),
        high: count('high'),
        medium: count('medium'),
        low: count('low'),
        info: count('info'),
      },
    },
    findings: sorted,
    ages,
    secrets,
  };
}

/** Four users at the end of a year, as in the demo. */
export function smallReport(): AuditReport {
  const at = new Date('2027-01-01T02:00:00Z');
  const iso = (daysAgo: number) => new Date(at.getTime() - daysAgo * DAY_MS).toISOString();
  const current = (keyId: string, age: number): ManagedKey => ({
    keyId,
    state: 'current',
    minted: iso(age),
    promoted: iso(age - 0.01),
  });
  const old = (keyId: string, minted: number, superseded: number, disabled?: number): ManagedKey => ({
    keyId,
    state: disabled === undefined ? 'retiring' : 'disabled',
    minted: iso(minted),
    promoted: iso(minted - 0.01),
    superseded: iso(superseded),
    ...(disabled !== undefined && { disabled: iso(disabled) }),
    due: iso(disabled === undefined ? superseded - 3 : disabled - 7),
  });
  const secret = (user: string, next: number | undefined, ...keys: ManagedKey[]): ManagedSecret => ({
    secret: `iam-key-rotator/${user}`,
    user,
    mode: 'enforce',
    rotationEnabled: true,
    ...(keys[0]?.promoted !== undefined && { lastRotated: keys[0].promoted }),
    ...(next !== undefined && { nextRotation: iso(-next) }),
    keys,
  });
  const secrets = [
    secret('deploy-prod', 24.8, current('AKIAVB7QFOXWQ2RT5MNA', 5.2), old('AKIAVB7QFOXWH6YPL3ZC', 35.2, 5.1, 1.8)),
    secret('legacy-batch', 88.9, current('AKIAVB7QFOXWKD4UZWLB', 1.1), old('AKIAVB7QFOXWT3EXBWVV', 91.1, 1)),
    secret('two-keys', 11),
    secret('crashy', 24.7, current('AKIAVB7QFOXWM5GJ7XKD', 5.3), old('AKIAVB7QFOXWB2NQRSE4', 35.3, 5.2, 1.9)),
  ];
  const ages: KeyAge[] = [
    ...secrets.flatMap(({ user, keys }) =>
      keys.map(({ keyId, minted = '', state }) => ({
        user,
        keyId,
        days: Math.floor((at.getTime() - Date.parse(minted)) / DAY_MS),
        active: state !== 'disabled',
        managed: true,
      })),
    ),
    { user: 'two-keys', keyId: 'AKIAVB7QFOXW7JCL3A6P', days: 668, active: true, managed: false },
    { user: 'two-keys', keyId: 'AKIAVB7QFOXWPS5D2EHT', days: 507, active: true, managed: false },
  ];
  const findings = [
    finding('rotation-failed', 'two-keys', {
      secret: 'iam-key-rotator/two-keys',
      title: 'The rotation of iam-key-rotator/two-keys has failed since 2026-01-01.',
      evidence:
        'The secret has never held a key. Both slots of the user are taken by keys that the rotator did not make.',
      remedy:
        'Find out what uses AKIAVB7QFOXW7JCL3A6P and AKIAVB7QFOXWPS5D2EHT, delete one of them or adopt it, and rotate.',
    }),
    finding('key-older-than', 'two-keys', {
      keyId: 'AKIAVB7QFOXW7JCL3A6P',
      title: 'Active key of 668 days; at most 90 are allowed.',
      evidence: 'Made 2025-03-03, last used 2027-01-01 in eu-central-1 with sts.',
      remedy: 'Rotate it: let its application read iam-key-rotator/two-keys, then adopt the key.',
    }),
    finding('key-older-than', 'two-keys', {
      keyId: 'AKIAVB7QFOXWPS5D2EHT',
      title: 'Active key of 507 days; at most 90 are allowed.',
      evidence: 'Made 2025-08-11, last used 2025-09-30 in us-east-1 with sts.',
      remedy: 'Deactivate it, and delete it after a week.',
    }),
    finding('key-unused', 'two-keys', {
      keyId: 'AKIAVB7QFOXWPS5D2EHT',
      title: 'Active key that was not used for 457 days; at most 45 are allowed.',
      evidence: 'Last used 2025-09-30 in us-east-1 with sts.',
      remedy: 'Deactivate it, and delete it after a week.',
    }),
    finding('two-active-keys', 'two-keys', {
      title: 'Two active keys outside a rotation.',
      evidence: 'AKIAVB7QFOXW7JCL3A6P (668 days) and AKIAVB7QFOXWPS5D2EHT (507 days).',
      remedy: 'Keep the one that is used, AKIAVB7QFOXW7JCL3A6P, and deactivate the other.',
    }),
    finding('role-would-do', 'deploy-prod', {
      keyId: 'AKIAVB7QFOXWQ2RT5MNA',
      secret: 'iam-key-rotator/deploy-prod',
      title: 'Used from EC2 only, which could have a role.',
      evidence: 'Every use in the last 30 days came from instances of this account.',
      remedy: 'Give the instances a role, and take the user away.',
    }),
  ];
  return reportOf(at, findings, ages, secrets);
}

/** The small account once all of it is in order. */
export function wellReport(): AuditReport {
  const report = smallReport();
  const secrets = report.secrets.filter(({ keys }) => keys.length > 0);
  return reportOf(
    new Date(report.at),
    report.findings.filter(({ severity }) => severity === 'info'),
    report.ages.filter(({ managed }) => managed),
    secrets,
  );
}

const TEAMS = ['billing', 'deploy', 'search', 'mail', 'archive', 'mobile', 'warehouse', 'partner', 'metrics', 'legacy'];
const JOBS = ['ci', 'batch', 'export', 'sync', 'upload', 'reports', 'backup', 'smtp', 'feed', 'import'];
const REGIONS = ['eu-central-1', 'eu-west-1', 'us-east-1'];

/** An account of many users with seven keys for five of them, most of them not under rotation. */
export function largeReport(users = 5000, managed = 60): AuditReport {
  const at = new Date('2027-01-01T02:00:00Z');
  const ids = new RandomIds(7);
  let state = 7;
  // Park and Miller's generator: what it gives is spread well enough, and the same everywhere.
  const random = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const keyId = () => ids.id('AKIA');
  const iso = (daysAgo: number) => new Date(at.getTime() - daysAgo * DAY_MS).toISOString();
  const day = (daysAgo: number) => iso(daysAgo).slice(0, 10);
  const findings: Finding[] = [
    finding('root-access-key', '<root_account>', {
      title: 'The root user has an active access key.',
      evidence: 'Made 2019-05-14, last used 2026-11-02 in us-east-1 with s3.',
      remedy: 'Find out what uses it, give that a role, and delete the key as root.',
    }),
  ];
  const ages: KeyAge[] = [];
  const secrets: ManagedSecret[] = [];
  for (let index = 0; index < users; index += 1) {
    const user = `${TEAMS[index % 10]}-${JOBS[Math.floor(index / 10) % 10]}-${Math.floor(index / 100) + 1}`;
    if (index < managed) {
      const age = 1 + Math.floor(random() * 29);
      const key: ManagedKey = { keyId: keyId(), state: 'current', minted: iso(age), promoted: iso(age - 0.01) };
      const previous = keyId();
      const [superseded, disabled] = [iso(age - 0.01), iso(age - 3.1)];
      const beforeThat = { keyId: previous, minted: iso(age + 30), promoted: iso(age + 29.99), superseded };
      const retired: ManagedKey[] =
        age > 12
          ? []
          : age > 4
            ? [{ ...beforeThat, state: 'disabled', disabled, due: iso(age - 10.1) }]
            : [{ ...beforeThat, state: 'retiring', due: iso(age - 3.01) }];
      secrets.push({
        secret: `iam-key-rotator/${user}`,
        user,
        mode: index % 20 === 19 ? 'observe' : 'enforce',
        rotationEnabled: index !== 33,
        lastRotated: iso(age - 0.01),
        nextRotation: iso(age - 30),
        keys: [key, ...retired],
      });
      ages.push({ user, keyId: key.keyId, days: age, active: true, managed: true });
      for (const { state } of retired)
        ages.push({ user, keyId: previous, days: age + 30, active: state === 'retiring', managed: true });
      continue;
    }
    const keys = index % 5 < 2 ? 2 : 1;
    const mine = Array.from({ length: keys }, () => {
      const days = Math.floor(random() ** 2.2 * 2600);
      const unused = Math.floor(random() ** 3 * Math.min(days, 500));
      return { id: keyId(), days, unused, active: random() > 0.12, region: pick(REGIONS) };
    });
    for (const { id, days, unused, active, region } of mine) {
      ages.push({ user, keyId: id, days, active, managed: false });
      const evidence = `Made ${day(days)}, last used ${day(unused)} in ${region} with ${pick(['s3', 'sts', 'sqs', 'ses'])}.`;
      if (active && days > 90)
        findings.push(
          finding('key-older-than', user, {
            keyId: id,
            title: `Active key of ${days} days; at most 90 are allowed.`,
            evidence,
            remedy: `Put ${user} under rotation, and adopt the key.`,
          }),
        );
      if (active && unused > 45)
        findings.push(
          finding('key-unused', user, {
            keyId: id,
            title: `Active key that was not used for ${unused} days; at most 45 are allowed.`,
            evidence,
            remedy: 'Deactivate it, and delete it after a week.',
          }),
        );
      if (!active)
        findings.push(
          finding('key-inactive', user, {
            keyId: id,
            title: 'Inactive key that was not deleted.',
            evidence: `Made ${day(days)}.`,
            remedy: 'Delete it.',
          }),
        );
    }
    if (mine.filter(({ active }) => active).length > 1)
      findings.push(
        finding('two-active-keys', user, {
          title: 'Two active keys outside a rotation.',
          evidence: mine.map(({ id, days }) => `${id} (${days} days)`).join(' and '),
          remedy: 'Keep the one that is used, and deactivate the other.',
        }),
      );
  }
  return reportOf(at, findings, ages, secrets, users);
}
