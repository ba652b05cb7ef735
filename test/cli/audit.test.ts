import { mkdtemp, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { auditCommand, auditLines } from '../../cli/commands/audit.ts';
import { auditSource } from '../../cli/operator/audit-source.ts';
import { plain } from '../../cli/operator/page.ts';
import type { AuditReport, Finding, Severity } from '../../lambdas/audit/report.ts';
import { DAY } from '../policy.ts';
import { LivedInAccount } from './account.ts';
import { type RunOptions, run } from './world.ts';

const finding = (severity: Severity, user: string): Finding => ({
  ...{ id: `${severity}/${user}`, check: `check-${severity}`, severity, user, keyId: 'AKIAIOSFODNN7EXAMPLE' },
  title: 'A key of this user is older than 90 days.',
  evidence: 'Created 2025-01-01, 365 days ago.',
  remedy: 'Put the user under rotation.',
  compliance: [],
});
const reportOf = (...findings: Finding[]): AuditReport => ({
  ...{ formatVersion: 1, account: '111122223333', region: 'eu-central-1', deployment: 'iam-key-rotator' },
  ...{ at: '2026-01-01T12:00:00Z', credentialReportAt: '2026-01-01T10:00:00Z' },
  thresholds: { maxKeyAge: 90, unusedFor: 45, neverUsedFor: 30 },
  summary: {
    ...{ users: 3, keys: 4, activeKeys: 2, managedUsers: 1 },
    findings: {
      ...{ critical: 0, high: 0, medium: 0, low: 0, info: 0 },
      ...Object.fromEntries(findings.map(({ severity }) => [severity, 1])),
    },
  },
  ...{ findings, ages: [], secrets: [] },
});
const full = reportOf(finding('high', 'old'), finding('low', 'unused'));

const lived = new LivedInAccount([]);
const audit = (report: AuditReport | Error, argv: readonly string[] = [], options: RunOptions = {}) =>
  run(
    lived.account,
    auditCommand({
      run: async () => {
        if (report instanceof Error) throw report;
        return report;
      },
      csv: () => 'the csv',
      page: () => '<!doctype html>',
    }),
    argv,
    options,
  );

describe('audit', () => {
  it('tells users, keys and findings in a line, then each finding, then what to do once a check', async () => {
    const { exit, out } = await audit(full);
    expect(exit).toBe(1);
    expect(out.split('\n').slice(0, 2)).toEqual([
      '3 users, 2 active keys: 1 high, 1 low',
      'account 111122223333, 2026-01-01 12:00 UTC, by the credential report of 2026-01-01 10:00 UTC; 1 of the users under rotation',
    ]);
    expect(out).toMatch(/^high +old +AKIAIOSFODNN7EXAMPLE +check-high +A key/m);
    expect(out).toContain('  check-low: Put the user under rotation.');
  });

  it('says where to find what was seen when there is no room for it', async () => {
    const hint = 'What was seen of each';
    expect((await audit(full)).out).not.toContain(hint);
    expect((await audit(full, [], { columns: 60 })).out).toContain(hint);
    expect((await audit(reportOf(), [], { columns: 60 })).out).not.toContain(hint);
  });

  it('ends with exit code 1 for what --fail-on says, and for high by default', async () => {
    expect((await audit(reportOf(finding('medium', 'a')))).exit).toBe(0);
    expect((await audit(reportOf(finding('medium', 'a')), ['--fail-on', 'medium'])).exit).toBe(1);
    expect((await audit(full, ['--fail-on', 'critical'])).exit).toBe(0);
    expect((await audit(reportOf())).out).toContain('nothing found');
  });

  it('--severity leaves out what is less grave, and says so', async () => {
    const { out } = await audit(full, ['--severity', 'medium']);
    expect(out).not.toContain('unused');
    expect(out).toContain('1 finding less grave than medium not shown');
  });

  it('--json is the report as the scheduled audit writes it', async () => {
    expect(JSON.parse((await audit(full, ['--json'])).out)).toEqual(full);
  });

  it('writes the CSV and the page where it is told to, for this user alone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'iam-key-rotator-audit-'));
    const [csv, html] = [join(folder, 'a.csv'), join(folder, 'a.html')];
    const { err } = await audit(full, ['--csv', csv, '--html', html]);
    expect(err).toBe(`wrote ${csv}\nwrote ${html}\n`);
    expect([await readFile(csv, 'utf8'), await readFile(html, 'utf8')]).toEqual(['the csv', '<!doctype html>']);
    expect((await stat(html)).mode & 0o077).toBe(0);
  });

  it('--open opens the page, and says where it is if nothing can', async () => {
    const opened: string[] = [];
    const open = async (path: string) => opened.push(path) > 0;
    await audit(full, ['--open'], { terminal: { open } });
    expect(opened).toEqual([expect.stringMatching(/iam-key-rotator-.*audit\.html$/)]);
    expect(await readFile(opened[0] ?? '', 'utf8')).toBe('<!doctype html>');
    expect((await audit(full, ['--open'])).err).toMatch(/no program could be started to open .*audit\.html\n$/);
  });

  it.each([
    ['--severity', 'worst'],
    ['--fail-on', ''],
    ['--csv', ''],
    ['--csv', join(tmpdir(), 'no', 'such', 'folder', 'a.csv')],
  ])('refuses %s %j', async (option, value) => {
    expect(await audit(full, [option, value])).toMatchObject({ exit: 2, err: expect.stringContaining('BAD_OPTION') });
  });

  it('tells no part of a report that could not be made', async () => {
    expect(await audit(new Error('half'))).toMatchObject({ exit: 1, out: '' });
  });

  it.each([40, 60, 80, 120, 200])('keeps its lines within %d columns', (width) => {
    const lines = auditLines(full, 'info', { width, paint: plain });
    expect(lines.filter((line) => line.length > width || line !== line.trimEnd())).toEqual([]);
    expect(lines.join('\n')).toContain('unused');
  });
});

it('the audit of the function, with the credentials of the operator', async () => {
  const audited = new LivedInAccount([{ userName: 'managed' }]);
  audited.rotate('managed');
  audited.account.createUser('by-hand');
  const { accessKeyId } = audited.account.createAccessKey('by-hand');
  await audited.pass(100 * DAY);
  const ran = run(audited.account, auditCommand(auditSource), ['--json']);
  const { exit, out } = await audited.account.clock.run(ran);
  const { findings, summary } = JSON.parse(out);
  expect({ exit, users: summary.users }).toEqual({ exit: 1, users: 2 });
  expect(findings).toContainEqual(expect.objectContaining({ user: 'by-hand', keyId: accessKeyId }));
  for (const secret of audited.account.mintedSecrets) expect(out).not.toContain(secret);
});
