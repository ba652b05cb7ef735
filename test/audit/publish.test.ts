/** What is written, and what Security Hub is told. Without an account: reports in, objects and findings out. */
import { describe, expect, it } from 'vitest';
import { finding } from '../../lambdas/audit/checks/finding.ts';
import { parseCsv } from '../../lambdas/audit/csv.ts';
import { LATEST, publish } from '../../lambdas/audit/publish.ts';
import { renderCsv } from '../../lambdas/audit/render-csv.ts';
import type { AuditReport, Finding } from '../../lambdas/audit/report.ts';
import { IMPORTED, tellSecurityHub } from '../../lambdas/audit/security-hub.ts';
import type { FindingSink, ReportStore } from '../../lambdas/domain/audit.ts';
import { AwsCallError } from '../../lambdas/domain/errors.ts';

const report = (findings: readonly Finding[], at = '2026-06-15T12:00:00Z'): AuditReport => ({
  formatVersion: 1,
  account: '111122223333',
  partition: 'aws',
  region: 'eu-central-1',
  deployment: 'ours',
  at,
  credentialReportAt: at,
  thresholds: { maxKeyAge: 90, unusedFor: 45, neverUsedFor: 45 },
  summary: {
    ...{ users: 1, keys: 1, activeKeys: 1, managedUsers: 0 },
    findings: { critical: 0, high: 0, medium: 0, low: 0, info: 0 },
  },
  findings,
  ages: [],
  secrets: [],
});

const OLD = finding('key-older-than', { user: 'app', keyId: 'AKIAIOSFODNN7EXAMPLE' }, 'created long ago');
const LEFT = finding('secret-without-user', { user: '=cmd|x', secret: 'iam/app' }, 'gone, "really"');
const ROOT = finding('root-key', { user: '<root_account>' }, '1 key');
const USER = finding('user-not-rotated', { user: 'app' }, '1 key');

function memory(): ReportStore & { readonly objects: Map<string, string>; readonly writes: string[] } {
  const objects = new Map<string, string>();
  const writes: string[] = [];
  return {
    objects,
    writes,
    async put(name, _type, body) {
      writes.push(name);
      objects.set(name, body);
    },
    async get(name) {
      return objects.get(name);
    },
  };
}

interface Sent {
  readonly Id: string;
  readonly RecordState: string;
  readonly CreatedAt: string;
  readonly UpdatedAt: string;
}

function hubThat(fails = false): FindingSink & { readonly sent: Sent[] } {
  const sent: Sent[] = [];
  return {
    sent,
    async send(findings) {
      if (fails) throw new AwsCallError('BatchImportFindings', 'InvalidAccessException', true, 'not enabled');
      sent.push(...(findings as Sent[]));
    },
  };
}

const told = ({ sent }: { readonly sent: readonly Sent[] }) =>
  sent.map(({ Id, RecordState, CreatedAt }) => `${RecordState} ${Id} ${CreatedAt}`);

describe('a report', () => {
  it('is written whole before anything points to it', async () => {
    const store = memory();
    const latest = await publish(report([OLD]), store);
    expect(store.writes).toEqual([latest.html, latest.csv, latest.json, LATEST]);
    expect(latest.json).toBe('reports/2026/06/15/120000Z/report.json');
    expect(JSON.parse(store.objects.get(latest.json) ?? '')).toEqual(report([OLD]));
    expect(JSON.parse(store.objects.get(LATEST) ?? '')).toEqual(latest);
  });

  it('as CSV has a record a finding, and nothing that a spreadsheet would calculate', () => {
    const [header, ...records] = parseCsv(renderCsv(report([OLD, LEFT])));
    expect(header?.slice(0, 5)).toEqual(['severity', 'check', 'user', 'key_id', 'secret']);
    expect(records.map((fields) => fields.slice(0, 5))).toEqual([
      ['medium', 'key-older-than', 'app', 'AKIAIOSFODNN7EXAMPLE', ''],
      ['medium', 'secret-without-user', "'=cmd|x", '', 'iam/app'],
    ]);
    expect(records[0]?.[8]).toContain('CIS AWS Foundations 7.0.0 2.12; Security Hub IAM.3');
    expect(records.every((fields) => fields.length === header?.length)).toBe(true);
  });
});

describe('Security Hub', () => {
  it('is told of findings under an id that lasts, with when they were first seen, and of those that are gone as archived', async () => {
    const store = memory();
    const [first, second, third] = [hubThat(), hubThat(), hubThat()];
    await tellSecurityHub(report([OLD, USER]), store, first);
    await tellSecurityHub(report([OLD], '2026-06-16T12:00:00Z'), store, second);
    await tellSecurityHub(report([OLD], '2026-06-17T12:00:00Z'), store, third);
    const id = (one: Finding) => `iam-key-rotator/ours/${one.id}`;
    expect(told(first)).toEqual([OLD, USER].map((one) => `ACTIVE ${id(one)} 2026-06-15T12:00:00Z`));
    expect(told(second)).toEqual([
      `ACTIVE ${id(OLD)} 2026-06-15T12:00:00Z`,
      `ARCHIVED ${id(USER)} 2026-06-15T12:00:00Z`,
    ]);
    expect(told(third)).toEqual([`ACTIVE ${id(OLD)} 2026-06-15T12:00:00Z`]);
    expect(third.sent[0]?.UpdatedAt).toBe('2026-06-17T12:00:00Z');
  });

  it('is told by the next audit what this one could not tell', async () => {
    const store = memory();
    await tellSecurityHub(report([OLD, USER]), store, hubThat());
    await expect(tellSecurityHub(report([LEFT]), store, hubThat(true))).rejects.toThrow('InvalidAccessException');
    const next = hubThat();
    await tellSecurityHub(report([]), store, next);
    expect(told(next).map((line) => line.split(' ')[0])).toEqual(['ARCHIVED', 'ARCHIVED', 'ARCHIVED']);
    expect(JSON.parse(store.objects.get(IMPORTED) ?? '').findings).toEqual([]);
  });

  it('gets what it asks for: resource by kind, severity by label, texts no longer than it takes', async () => {
    const hub = hubThat();
    const long = { ...OLD, id: 'long', evidence: 'x'.repeat(2000), remedy: 'y'.repeat(2000) };
    await tellSecurityHub(report([ROOT, OLD, LEFT, USER, long]), memory(), hub);
    expect(hub.sent[1]).toMatchObject({
      FindingProviderFields: { Severity: { Label: 'MEDIUM' }, Types: [expect.stringContaining('/')] },
    });
    expect(hub.sent).toMatchObject([
      { Severity: { Label: 'CRITICAL' }, Resources: [{ Type: 'AwsAccount', Id: 'AWS::::Account:111122223333' }] },
      {
        ProductArn: 'arn:aws:securityhub:eu-central-1:111122223333:product/111122223333/default',
        Compliance: { Status: 'FAILED' },
        Resources: [{ Type: 'AwsIamAccessKey', Region: 'eu-central-1' }],
      },
      { Resources: [{ Type: 'AwsSecretsManagerSecret' }] },
      { Resources: [{ Type: 'AwsIamUser', Id: 'arn:aws:iam::111122223333:user/app' }] },
      { Description: `app: ${'x'.repeat(1018)}…`, Remediation: { Recommendation: { Text: `${'y'.repeat(511)}…` } } },
    ]);
  });
});
