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

const cis = (version: string, id: string): ComplianceName => ({ framework: 'CIS AWS Foundations', version, id });
const hub = (id: string): ComplianceName => ({ framework: 'Security Hub', id });
const config = (id: string): ComplianceName => ({ framework: 'AWS Config', id });
const prowler = (id: string): ComplianceName => ({ framework: 'Prowler', id });

const UNUSED = [
  cis('1.x–4.x', '1.12'),
  cis('7.0.0', '2.11'),
  hub('IAM.22'),
  config('IAM_USER_UNUSED_CREDENTIALS_CHECK'),
  prowler('iam_user_accesskey_unused'),
];

/** Some of the checks of an audit: severity, title, remedy, names elsewhere. */
const CHECKS = {
  'root-key': [
    'critical',
    'The root user has an access key',
    'delete it as the root user, and give what uses it a role; no policy limits a root key',
    [hub('IAM.4'), config('IAM_ROOT_ACCESS_KEY_CHECK'), prowler('iam_no_root_access_key')],
  ],
  'rotation-overdue': [
    'high',
    'A managed key was not rotated in time',
    'read why in the log of the rotate function, mend it, and start a rotation (aws secretsmanager rotate-secret)',
    [cis('1.x–4.x', '1.14'), cis('7.0.0', '2.12')],
  ],
  'key-older-than': [
    'medium',
    'An access key is older than allowed',
    'put the user into rotator.config.ts, or replace the key by hand: make another one, switch its applications, disable it, delete it',
    [
      cis('1.x–4.x', '1.14'),
      cis('7.0.0', '2.12'),
      hub('IAM.3'),
      config('ACCESS_KEYS_ROTATED'),
      prowler('iam_rotate_access_key_90_days'),
    ],
  ],
  'two-active-keys': [
    'medium',
    'A user has more than one Active access key outside a rotation',
    'find out which one is used, disable the other one, and delete it when nothing has missed it',
    [cis('1.x–4.x', '1.13'), prowler('iam_user_two_active_access_key')],
  ],
  'key-unused': [
    'medium',
    'An access key is no longer used',
    'disable it, and delete it when for as long as the rarest job takes nothing has missed it',
    UNUSED,
  ],
  'key-inactive': [
    'low',
    'An Inactive access key was not deleted',
    'delete it: an Inactive key can be activated again, and takes one of the two places',
    [],
  ],
  'role-would-do': [
    'info',
    'A role may do in place of an access key',
    'find out what uses the key, and give that a role: of the instance, task, function or pipeline, or by IAM Roles Anywhere',
    [],
  ],
} as const satisfies Record<string, readonly [Severity, string, string, readonly ComplianceName[]]>;

type About = Pick<Finding, 'user' | 'keyId' | 'secret'>;

function finding(check: keyof typeof CHECKS, about: About, evidence: string, graver?: Severity): Finding {
  const [severity, title, remedy, compliance] = CHECKS[check];
  const id = [check, about.user, about.keyId].filter(Boolean).join(':');
  return { id, check, severity: graver ?? severity, ...about, title, evidence, remedy, compliance };
}

const days = (count: number): string => `${count} ${count === 1 ? 'day' : 'days'}`;

const older = (user: string, keyId: string, created: string, age: number): Finding =>
  finding(
    'key-older-than',
    { user, keyId },
    `created ${created}, ${days(age)} ago; at most 90 days are allowed`,
    age > 180 ? 'high' : undefined,
  );

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
    secret('legacy-batch', 88.9, current('AKIAVB7QFOXWKD4UZWLB', 1.1), old('AKIAVB7QFOXWT3EXBWVV', 88.9, 1)),
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
  const user = 'two-keys';
  const [used, forgotten] = ['AKIAVB7QFOXW7JCL3A6P', 'AKIAVB7QFOXWPS5D2EHT'];
  const findings = [
    finding(
      'rotation-overdue',
      { user, secret: 'iam-key-rotator/two-keys' },
      'no key of a rotation is current, next rotation 2027-01-12T02:00:00.000Z',
    ),
    older(user, used, '2025-03-03T14:05:00.000Z', 668),
    older(user, forgotten, '2025-08-11T16:40:00.000Z', 507),
    finding(
      'key-unused',
      { user, keyId: forgotten },
      'last used 2025-09-30T07:12:00.000Z with sts in us-east-1, 457 days ago',
    ),
    finding('two-active-keys', { user }, `${used} (668 days) and ${forgotten} (507 days)`),
    finding(
      'role-would-do',
      { user: 'deploy-prod', secret: 'iam-key-rotator/deploy-prod' },
      'last recorded call: sts: temporary credentials. IAM tells which service was called last, not who called it, nor what was called before',
    ),
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
  const findings: Finding[] = [
    finding('root-key', { user: '<root_account>' }, `1 key, 1 Active, by the credential report of ${iso(0.1)}`),
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
      const age = Math.floor(random() ** 2.2 * 2600);
      const unused = Math.floor(random() ** 3 * Math.min(age, 500));
      return { id: keyId(), age, unused, active: random() > 0.12, region: pick(REGIONS) };
    });
    for (const { id, age, unused, active, region } of mine) {
      ages.push({ user, keyId: id, days: age, active, managed: false });
      const service = pick(['s3', 'sts', 'sqs', 'ses']);
      if (active && age > 90) findings.push(older(user, id, iso(age), age));
      if (active && unused > 45) {
        const evidence = `last used ${iso(unused)} with ${service} in ${region}, ${days(unused)} ago`;
        findings.push(finding('key-unused', { user, keyId: id }, evidence));
      }
      if (!active)
        findings.push(finding('key-inactive', { user, keyId: id }, `Inactive; created ${iso(age)}, ${days(age)} ago`));
    }
    if (mine.filter(({ active }) => active).length > 1)
      findings.push(
        finding('two-active-keys', { user }, mine.map((key) => `${key.id} (${days(key.age)})`).join(' and ')),
      );
  }
  return reportOf(at, findings, ages, secrets, users);
}
