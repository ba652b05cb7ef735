/** Audits of a simulated account, by the function's own adapters. */
import { describe, expect, it } from 'vitest';
import { AUDIT_DEFAULTS, type AuditPolicy } from '../../lambdas/contract/deployment.ts';
import type { CallRecord } from '../../local/model.ts';
import { DAY, HOUR } from '../policy.ts';
import { deployAudit, newestReport, objectIn } from '../simulation/audit.ts';
import { Simulation } from '../simulation/world.ts';

/** An account with the audit and the users of a deployment, a year old. */
function accountWith(
  keys: readonly { readonly userName: string }[] = [],
  audit: Partial<AuditPolicy> = {},
  timeout?: number,
) {
  const simulation = new Simulation({ keys });
  simulation.deployment = { ...simulation.deployment, audit: { ...AUDIT_DEFAULTS, ...audit } };
  deployAudit(simulation.account, () => simulation.deployment, timeout);
  const calls = (service?: string) =>
    simulation.account.history.filter(
      (entry): entry is CallRecord =>
        entry.kind === 'call' && entry.functionName === 'audit' && (service ?? entry.service) === entry.service,
    );
  const tally = () => {
    const counts: Record<string, number> = {};
    for (const { action } of calls()) counts[action] = (counts[action] ?? 0) + 1;
    return counts;
  };
  return { simulation, account: simulation.account, audit: () => simulation.invoke('audit', {}), calls, tally };
}

const ids = (account: Parameters<typeof newestReport>[0]) => newestReport(account).findings.map(({ id }) => id);

describe('an audit', () => {
  it('of an account without keys finds nothing, and writes page, table and report before it points to them', async () => {
    const { account, audit, calls } = accountWith();
    account.createUser('nobody');
    expect(await audit()).toMatchObject({ ok: true, result: { findings: { critical: 0, low: 0 }, users: 1, keys: 0 } });
    const folder = 'reports/2026/01/01/000009Z';
    expect(calls('s3').map(({ action, parameters }) => `${action} ${parameters.Key}`)).toEqual([
      `PutObject ${folder}/report.html`,
      `PutObject ${folder}/report.csv`,
      `PutObject ${folder}/report.json`,
      'PutObject reports/latest.json',
    ]);
    expect(newestReport(account)).toMatchObject({
      account: account.id,
      at: '2026-01-01T00:00:09Z',
      findings: [],
      summary: { users: 1 },
    });
    expect(objectIn(account, `${folder}/report.html`)).toMatch(/^<!doctype html>/);
  });

  it('reads afresh only the users that have something to report, and names the keys that the report does not', async () => {
    const { simulation, account, audit, tally } = accountWith();
    for (const name of ['old', 'young', 'used']) account.createUser(name);
    const { accessKeyId } = account.createAccessKey('old');
    const { accessKeyId: used } = account.createAccessKey('used');
    await simulation.advance(91 * DAY);
    account.createAccessKey('young');
    await simulation.useDirectly(used);
    await audit();
    expect(ids(account)).toEqual([
      `key-older-than:old:${accessKeyId}`,
      `key-older-than:used:${used}`,
      `key-never-used:old:${accessKeyId}`,
      'user-not-rotated:old',
      'user-not-rotated:used',
      'user-not-rotated:young',
      'role-would-do:used',
    ]);
    expect(tally()).toMatchObject({
      ListAccessKeys: 2,
      GetAccessKeyLastUsed: 1,
      ListSecrets: 1,
      GenerateCredentialReport: 1,
    });
  });

  it('finds nothing wrong with a user whose keys rotate as they should, at no time of the way', async () => {
    const { simulation, account, audit } = accountWith([{ userName: 'app' }]);
    account.createUser('app');
    await simulation.schedule('iam/app', 30);
    simulation.startApplications();
    for (let day = 0; day < 75; day += 5) {
      await simulation.advanceWithPasses(5, 6);
      await audit();
      expect(ids(account)).toEqual([]);
    }
    expect(newestReport(account)).toMatchObject({
      summary: { managedUsers: 1 },
      secrets: [{ secret: 'iam/app', user: 'app', rotationEnabled: true }],
    });
    const [secret] = newestReport(account).secrets;
    expect(secret?.keys.some(({ state }) => state === 'current')).toBe(true);
    expect(simulation.oracle.finish()).toEqual([]);
  });

  it('finds the same three times in a row, in the same order', async () => {
    const { simulation, account, audit } = accountWith([{ userName: 'app' }, { userName: 'gone' }]);
    for (let n = 0; n < 30; n += 1) {
      account.createUser(`user${n % 7}-${n}`);
      account.createAccessKey(`user${n % 7}-${n}`);
      if (n % 3 === 0) account.createAccessKey(`user${n % 7}-${n}`);
    }
    account.createUser('app');
    await simulation.advance(100 * DAY);
    const reports = [];
    for (let run = 0; run < 3; run += 1) {
      await audit();
      const { at: _, credentialReportAt: __, ...same } = newestReport(account);
      reports.push(same);
    }
    expect(reports[0]?.findings.length).toBeGreaterThan(60);
    expect(reports[1]).toEqual(reports[0]);
    expect(reports[2]).toEqual(reports[0]);
  });

  it('takes a user that was deleted since the report was made for no error, and reports nothing of it', async () => {
    const { simulation, account, audit } = accountWith();
    account.createUser('leaving');
    account.createAccessKey('leaving');
    await simulation.advance(100 * DAY);
    await audit();
    expect(ids(account)).toContain('user-not-rotated:leaving');
    account.deleteUser('leaving');
    await simulation.advance(HOUR);
    expect(await audit()).toMatchObject({ ok: true });
    expect(ids(account)).toEqual([]);
  });

  it('knows the user of a secret of another deployment by its keys', async () => {
    const { simulation, account, audit } = accountWith([{ userName: 'app' }]);
    account.createUser('app');
    await simulation.schedule('iam/app', 30);
    const { deployment } = simulation;
    simulation.deployment = { ...deployment, name: 'another', keys: [] };
    await audit();
    expect(ids(account)).toEqual([]);
    expect(newestReport(account).secrets).toMatchObject([{ secret: 'iam/app', user: 'app' }]);
  });

  it('believes of the users of its own only its own secrets, whatever another one says of their keys', async () => {
    const { simulation, account, audit } = accountWith([{ userName: 'app' }]);
    account.createUser('app');
    await simulation.schedule('iam/app', 30);
    const { accessKeyId: stranger } = account.createAccessKey('app');
    const current = String(JSON.parse(account.valueOf('iam/app') ?? '{}').AccessKeyId);
    const entry = 'version=v1 minted=2026-01-01T00:00:00Z promoted=2026-01-01T00:00:00Z';
    account.createSecret('zzz', {
      value: '{}',
      tags: {
        'iam-key-rotator:deployment': 'forged',
        [`iam-key-rotator:key/${current}`]: entry,
        [`iam-key-rotator:key/${stranger}`]: entry,
      },
    });
    await audit();
    expect(ids(account)).toContain('two-active-keys:app');
  });

  it('sees a secret whose tag somebody took off, and misses one that is not there', async () => {
    const { simulation, account, audit } = accountWith([{ userName: 'app' }]);
    account.createUser('app');
    await simulation.schedule('iam/app', 30);
    const [key] = simulation.deployment.keys;
    if (key === undefined) throw new Error('no key');
    account.operate('secretsmanager', 'UntagResource', {
      SecretId: 'iam/app',
      TagKeys: ['iam-key-rotator:deployment'],
    });
    simulation.deployment = {
      ...simulation.deployment,
      keys: [key, { ...key, userName: 'other', secretName: 'iam/other' }],
    };
    await audit();
    expect(ids(account)).toEqual(['secret-missing:other:iam/other', 'secret-without-user:other:iam/other']);
  });
});

describe('a report that is not there yet', () => {
  const generate = { action: 'GenerateCredentialReport' };
  const get = { action: 'GetCredentialReport' };

  it.each<[string, (account: Simulation['account']) => void]>([
    [
      'whose making is refused by throttling',
      ({ faults }) =>
        faults.add({ match: generate, kind: 'refuse', times: 12, error: { code: 'LimitExceeded', status: 409 } }),
    ],
    [
      'that expired meanwhile',
      ({ faults }) =>
        faults.add({ match: get, kind: 'refuse', times: 1, error: { code: 'ReportExpired', status: 410 } }),
    ],
    [
      'that is not present although it was ready',
      ({ faults }) =>
        faults.add({ match: get, kind: 'refuse', times: 2, error: { code: 'ReportNotPresent', status: 410 } }),
    ],
    [
      'that is in progress for a long time',
      ({ faults }) =>
        faults.add({ match: get, kind: 'refuse', times: 8, error: { code: 'ReportInProgress', status: 404 } }),
    ],
    [
      'whose fetching is throttled',
      ({ faults }) => faults.add({ match: get, kind: 'refuse', times: 15, error: { code: 'Throttling', status: 400 } }),
    ],
  ])('%s is waited for', async (_, disturb) => {
    const { account, audit } = accountWith();
    account.createUser('someone');
    disturb(account);
    expect(await audit()).toMatchObject({ ok: true });
    expect(newestReport(account).summary.users).toBe(1);
  });

  it.each<[string, object, { code: string; status: number }]>([
    ['being made', get, { code: 'ReportInProgress', status: 404 }],
    ['throttled', generate, { code: 'LimitExceeded', status: 409 }],
    ['expired', get, { code: 'ReportExpired', status: 410 }],
  ])('is given up in time when it is %s for ever, and nothing is written', async (_, match, error) => {
    const { account, audit, calls } = accountWith();
    account.faults.add({ match, kind: 'refuse', times: 1_000_000, error });
    const end = await audit();
    expect(end).toMatchObject({
      ok: false,
      errorMessage: expect.stringMatching(/^AUDIT_INCOMPLETE: time ran out: the credential report was /),
    });
    expect(account.clock.nowMs - Date.parse('2026-01-01T00:00:00Z')).toBeLessThan(900_000);
    expect(calls('s3')).toEqual([]);
  });

  it('is waited for anew when IAM goes on giving one that is older than it may be', async () => {
    const { account, audit } = accountWith();
    account.credentialReport.latest = { at: account.clock.nowMs - 4 * 3_600_000 + 1, content: 'stale' };
    account.createUser('someone');
    // By the time it is fetched it has expired.
    account.faults.add({ match: generate, kind: 'late', ms: 10 });
    expect(await audit()).toMatchObject({ ok: true });
    expect(newestReport(account).credentialReportAt > '2026-01-01T00:00:00Z').toBe(true);
  });
});

describe('an audit that can not be whole', () => {
  async function crowded(timeout?: number) {
    const world = accountWith([], {}, timeout);
    for (let n = 0; n < 40; n += 1) {
      world.account.createUser(`user${n}`);
      world.account.createAccessKey(`user${n}`);
    }
    await world.simulation.advance(100 * DAY);
    return world;
  }

  it('fails with AUDIT_INCOMPLETE when the users take too long, and writes nothing', async () => {
    const { account, audit, calls } = await crowded(300);
    account.faults.add({ match: { action: 'ListAccessKeys' }, kind: 'late', ms: 45_000, times: 1000 });
    expect(await audit()).toMatchObject({
      ok: false,
      errorMessage: expect.stringMatching(/^AUDIT_INCOMPLETE: .* of 40 users/),
    });
    expect(calls('s3')).toEqual([]);
  });

  it.each(['ListAccessKeys', 'GetAccessKeyLastUsed', 'ListSecrets', 'GenerateCredentialReport', 'GetCredentialReport'])(
    'fails when %s is refused, and writes nothing',
    async (action) => {
      const { account, audit, calls } = await crowded();
      account.faults.add({
        match: { action },
        kind: 'refuse',
        times: 1000,
        error: { code: 'AccessDenied', status: 403 },
      });
      expect(await audit()).toMatchObject({
        ok: false,
        errorMessage: expect.stringContaining(`${action} failed with AccessDenied`),
      });
      expect(calls('s3')).toEqual([]);
    },
  );

  it('gets through throttling', async () => {
    const { account, audit } = await crowded();
    account.faults.add({
      match: { action: 'ListAccessKeys' },
      kind: 'refuse',
      times: 9,
      error: { code: 'Throttling', status: 400 },
    });
    expect(await audit()).toMatchObject({ ok: true, result: { findings: { medium: 80, low: 40 } } });
  });

  it.each([1, 2, 3, 4])('leaves the pointer to the report before when write %i is refused', async (n) => {
    const { simulation, account, audit } = await crowded();
    await audit();
    const before = newestReport(account);
    await simulation.advance(DAY);
    account.faults.add({
      match: { action: 'PutObject', nth: n },
      kind: 'refuse',

      error: { code: 'AccessDenied', status: 403 },
    });
    expect(await audit()).toMatchObject({
      ok: false,
      errorMessage: expect.stringContaining('PutObject failed with AccessDenied'),
    });
    expect(newestReport(account)).toEqual(before);
    const objects = [...account.buckets.values()][0]?.objects ?? new Map();
    const folders = [...objects.keys()].filter((name) => name.startsWith('reports/2026/04/12/'));
    expect(folders.some((name) => name.endsWith('report.json'))).toBe(n === 4);
  });
});

describe('a single fault', () => {
  const KINDS = ['network', 'lose-answer', 'crash-before', 'crash-after'] as const;

  it.each(KINDS)(
    'of the kind %s, at any call, leaves a whole report or none, and the next audit gets there',
    async (kind) => {
      const { simulation, account, audit, calls } = accountWith([{ userName: 'app' }]);
      account.createUser('app');
      account.createUser('other');
      account.createAccessKey('other');
      await simulation.schedule('iam/app', 90);
      await simulation.advance(60 * DAY);
      await audit();
      const whole = newestReport(account);
      const count = calls().length;
      expect(count).toBeGreaterThan(8);
      for (let nth = 1; nth <= count; nth += 1) {
        await simulation.advance(5 * HOUR);
        account.faults.add({ match: { functionName: 'audit', nth }, kind });
        await audit();
        account.faults.clear();
        expect(newestReport(account).findings.map(({ id }) => id)).toEqual(whole.findings.map(({ id }) => id));
        expect(await audit()).toMatchObject({ ok: true });
        expect(newestReport(account).at).not.toBe(whole.at);
      }
      expect(simulation.oracle.finish()).toEqual([]);
    },
  );

  it('that put a secret access key into a report would be noticed', async () => {
    const { simulation, account, audit } = accountWith();
    account.createUser('app');
    const { secretAccessKey } = account.createAccessKey('app');
    await audit();
    expect(simulation.oracle.finish()).toEqual([]);
    const [bucket] = account.buckets.values();
    bucket?.objects.set('reports/x', [{ body: secretAccessKey, contentType: 'text/plain', at: 0 }]);
    expect(simulation.oracle.finish()).toMatchObject([{ invariant: 7, what: expect.stringContaining('the bucket') }]);
  });
});
