import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { NOW } from '../domain/world.ts';
import { contextOf } from '../rotate/lambda.ts';
import { NONE, reportOf, rowOf } from './reports.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.doUnmock('../../lambdas/adapters/audit-clients.ts');
});

const OLD = ['true', '2026-01-01T00:00:00+00:00', '2026-06-14T00:00:00+00:00', 'eu-central-1', 's3'];

/** The handler as Lambda loads it, with an account of one user in the place of AWS. */
async function load(content: string) {
  const folder = mkdtempSync(join(tmpdir(), 'function-'));
  const deployment = { formatVersion: 1, name: 'prod', maxChangesPerRun: 1, rotateTimeout: 120, keys: [] };
  writeFileSync(join(folder, 'deployment.json'), JSON.stringify(deployment));
  const env = { LAMBDA_TASK_ROOT: folder, AWS_REGION: 'eu-central-1', REPORT_BUCKET: 'the-bucket' };
  const powertools = { POWERTOOLS_METRICS_NAMESPACE: 'test', POWERTOOLS_SERVICE_NAME: 'test-service' };
  for (const [name, value] of Object.entries({ ...env, ...powertools })) vi.stubEnv(name, value);
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] });
  const written: string[] = [];
  vi.resetModules();
  vi.doMock('../../lambdas/adapters/audit-clients.ts', () => ({
    auditAdapters: () => ({
      reports: { request: async () => 'ready', fetch: async () => ({ content, at: NOW }) },
      users: {
        list: async () => [{ id: 'AKIAOLD', status: 'Active', created: new Date('2026-01-01T00:00:00Z') }],
        lastUse: async () => 'never',
      },
      secrets: { async *list() {} },
      hub: { send: async () => {} },
      store: (bucket: string) => ({ put: async (name: string) => void written.push(`${bucket}/${name}`) }),
    }),
  }));
  const printed: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  const { handler } = await import('../../lambdas/audit/handler.ts');
  const lines = () =>
    printed
      .join('')
      .trim()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line));
  return { handler, written, lines };
}

describe('the audit Lambda', () => {
  it('writes the report, counts what it found by severity, and says where it is', async () => {
    const { handler, written, lines } = await load(reportOf([rowOf('app', OLD, NONE)]));
    const told = {
      findings: { critical: 0, high: 0, medium: 1, low: 1, info: 0 },
      users: 1,
      keys: 1,
      report: 's3://the-bucket/reports/2026/06/15/120000Z/report.json',
    };
    expect(await handler({}, contextOf('run-now', 900_000))).toEqual(told);
    expect(written.at(-1)).toBe('the-bucket/reports/latest.json');
    expect(lines()).toEqual([
      expect.objectContaining({ level: 'INFO', message: 'audit-completed', function_request_id: 'run-now', ...told }),
      expect.objectContaining({
        AuditsCompleted: 1,
        AuditsFailed: 0,
        FindingsCritical: 0,
        FindingsHigh: 0,
        FindingsMedium: 1,
        FindingsLow: 1,
        FindingsInfo: 0,
      }),
    ]);
  });

  it('that can not be whole counts as failed, says why, and writes nothing', async () => {
    const { handler, written, lines } = await load('damaged');
    await expect(handler({}, contextOf('run-now', 900_000))).rejects.toMatchObject({
      code: 'CREDENTIAL_REPORT_MALFORMED',
    });
    expect(written).toEqual([]);
    expect(lines()).toEqual([
      expect.objectContaining({
        level: 'ERROR',
        message: 'audit-failed',
        error: expect.objectContaining({ code: 'CREDENTIAL_REPORT_MALFORMED' }),
      }),
      expect.objectContaining({ AuditsFailed: 1 }),
    ]);
    expect(lines()[1]).not.toHaveProperty('AuditsCompleted');
  });
});
