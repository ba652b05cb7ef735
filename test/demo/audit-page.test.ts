import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeReport } from '../../local/demo/audit-page.ts';

const NAMES = { at: 'now', html: 'reports/b/report.html', csv: 'reports/b/report.csv', json: 'reports/b/report.json' };

/** An account with a bucket of these objects beside another one; of each key there is an older version. */
const accountOf = (objects: Readonly<Record<string, string>>) => {
  const versions = Object.entries(objects).map(([key, body]) => [key, [{ body: 'older' }, { body }]] as const);
  const buckets = [
    ['other', { objects: new Map() }],
    ['reports', { objects: new Map(versions) }],
  ] as const;
  return { id: '111122223333', buckets: new Map(buckets) };
};

describe("the audit's report of the demo", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'iam-key-rotator-report-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is the newest one, as the audit wrote it', () => {
    const account = accountOf({
      'reports/a/report.html': 'old page',
      'reports/b/report.html': 'page',
      'reports/b/report.csv': 'table',
      'reports/b/report.json': 'report',
      'reports/latest.json': JSON.stringify(NAMES),
    });
    const to = join(folder, 'demo-report');
    expect(writeReport(account, to)).toBe(join(to, 'report.html'));
    const written = ['html', 'csv', 'json'].map((kind) => readFileSync(join(to, `report.${kind}`), 'utf8'));
    expect(written).toEqual(['page', 'table', 'report']);
  });

  it('is none as long as no audit has run', () => {
    expect(writeReport({ id: '111122223333' }, folder)).toBeUndefined();
    expect(writeReport(accountOf({ 'reports/a/report.html': 'page' }), folder)).toBeUndefined();
    expect(existsSync(join(folder, 'report.html'))).toBe(false);
  });

  it('is never half of one', () => {
    const half = accountOf({ 'reports/b/report.html': 'page', 'reports/latest.json': JSON.stringify(NAMES) });
    expect(() => writeReport(half, folder)).toThrow('The bucket of reports has no reports/b/report.csv');
    expect(existsSync(join(folder, 'report.html'))).toBe(false);
  });
});
