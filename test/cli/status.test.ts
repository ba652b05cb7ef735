import { beforeAll, describe, expect, it } from 'vitest';
import { inOrder, status, statusLines, verdictOf } from '../../cli/commands/status.ts';
import { plain } from '../../cli/operator/page.ts';
import { PROBLEMS, type Standing, severityOf, standingOf, supersededKeyIds } from '../../cli/operator/standing.ts';
import { type KnownUse, survey } from '../../cli/operator/survey.ts';
import { intentTag, keyTag, leakTag } from '../../lambdas/domain/ledger.ts';
import { DAY, HOUR, MINUTE } from '../policy.ts';
import { type KeyOf, LivedInAccount } from './account.ts';
import { connectTo, run } from './world.ts';

/** How the keys of an account stand now. */
async function standings({ account, deployment }: LivedInAccount, uses: Record<string, KnownUse> = {}) {
  const client = await connectTo(account)({})('secretsmanager');
  const surveyed = await survey(client, deployment);
  return surveyed.map((one) => standingOf(one, new Map(Object.entries(uses)), account.clock.now()));
}
const codes = async (lived: LivedInAccount, uses?: Record<string, KnownUse>) =>
  (await standings(lived, uses)).map(({ problems }) => problems.map(({ code }) => code));

/** One key with a current key and one that it has superseded at this moment. */
async function superseded(key: Partial<KeyOf> = {}) {
  const lived = new LivedInAccount([{ userName: 'app', ...key }]);
  lived.rotate('app');
  await lived.pass(30 * DAY);
  lived.rotate('app');
  const [old = '', current = ''] = lived.keys('app');
  return { lived, old, current };
}
const disable = (lived: LivedInAccount, old: string, current: string) => {
  const at = lived.account.clock.now().toISOString().slice(0, 19);
  lived.tag(
    'app',
    keyTag(old),
    `version=x promoted=2026-01-01T00:00:00Z superseded=2026-01-31T00:00:00Z by=${current} disabled=${at}Z`,
  );
};

describe('how a key stands', () => {
  it('a key within its time is well, and so is one that it has superseded, unused', async () => {
    const { lived, old, current } = await superseded();
    const [standing] = await standings(lived, { [old]: 'never' });
    expect(standing).toMatchObject({
      secret: 'iam/app',
      user: 'app',
      current: { keyId: current, minted: new Date('2026-01-31T00:00:00Z') },
      nextRotation: new Date('2026-03-02T00:00:00Z'),
      superseded: [
        {
          keyId: old,
          state: 'retiring',
          since: new Date('2026-01-31T00:00:00Z'),
          due: new Date('2026-02-03T00:00:00Z'),
        },
      ],
      problems: [],
    });
  });

  it('a use after the switch is noted within the overlap, and needs attention once the key is held', async () => {
    const { lived, old } = await superseded();
    await lived.pass(3 * DAY - 1);
    const used = { at: new Date('2026-01-31T04:00:01Z'), service: 's3', region: 'eu-west-1' };
    expect(await codes(lived, { [old]: { ...used, at: new Date('2026-01-31T04:00:00Z') } })).toEqual([[]]);
    expect(await codes(lived, { [old]: used })).toEqual([['not-switched']]);
    await lived.pass(1);
    const [standing] = await standings(lived, { [old]: used });
    expect(standing).toMatchObject({
      superseded: [{ state: 'held', due: new Date('2026-02-17T00:00:00Z') }],
      problems: [{ code: 'held', says: expect.stringContaining('last used 67h ago with s3 in eu-west-1') }],
    });
    expect(await codes(lived, { [old]: 'never' })).toEqual([[]]);
  });

  it('a key that should have been disabled or deleted a day ago needs attention', async () => {
    const { lived, old, current } = await superseded();
    await lived.pass(4 * DAY);
    expect(await codes(lived, { [old]: 'never' })).toEqual([[]]);
    await lived.pass(1);
    expect(await codes(lived, { [old]: 'never' })).toEqual([['retirement-late']]);
    disable(lived, old, current);
    expect(await codes(lived)).toEqual([[]]);
    await lived.pass(8 * DAY + MINUTE);
    expect(await codes(lived)).toEqual([[]]);
    await lived.pass(1);
    expect(await codes(lived)).toEqual([['retirement-late']]);
  });

  it('a rollback shows the newer key at once, and is what it says of an old current key', async () => {
    const { lived, old, current } = await superseded({ rotateEvery: 30 * DAY });
    const tags = lived.secret('app').tags;
    const versionOf = (keyId: string) => /version=(\S+)/.exec(tags.get(keyTag(keyId)) ?? '')?.[1];
    const [first = '', second = ''] = [versionOf(old), versionOf(current)];
    lived.tag(
      'app',
      keyTag(old),
      `version=${first} promoted=2026-01-01T00:00:00Z superseded=2026-01-31T00:00:00Z by=${current}`,
    );
    lived.account.operate('secretsmanager', 'UpdateSecretVersionStage', {
      SecretId: 'iam/app',
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: first,
      RemoveFromVersionId: second,
    });
    const [standing] = await standings(lived);
    expect(standing).toMatchObject({
      current: { keyId: old },
      superseded: [{ keyId: current, state: 'retiring' }],
      problems: [{ code: 'rolled-back', remedy: expect.stringContaining(`--key ${current}`) }],
    });
    // As the next pass mends the two.
    lived.tag('app', keyTag(old), `version=${first} promoted=2026-01-01T00:00:00Z`);
    lived.tag(
      'app',
      keyTag(current),
      `version=${second} promoted=2026-01-31T00:00:00Z superseded=2026-01-31T00:00:00Z by=${old}`,
    );
    expect(await codes(lived)).toEqual([['rolled-back']]);
    await lived.pass(2 * DAY);
    const [later] = await standings(lived);
    expect(later?.problems).toMatchObject([
      {
        code: 'overdue',
        says: expect.stringContaining('was moved back'),
        remedy: expect.stringContaining('go forward'),
      },
    ]);
  });

  it('tells of a leaked key until it is disabled, and then that it is', async () => {
    const { lived, old, current } = await superseded();
    const at = lived.account.clock.now();
    const mark = (keyId: string, signal: 'operator' | 'health') => {
      for (const [key, value] of Object.entries(leakTag({ keyId, at, signal }))) lived.tag('app', key, value);
    };
    mark(old, 'operator');
    expect(await codes(lived)).toEqual([['leaked']]);
    disable(lived, old, current);
    expect(await codes(lived)).toEqual([['leak-contained']]);
    mark(current, 'health');
    const [standing] = await standings(lived);
    expect(standing?.problems[0]).toMatchObject({
      code: 'leaked',
      says: `${current} was reported as leaked by AWS Health (in 0s), and is current`,
    });
  });

  it('a current key is overdue a day after its period, to the second', async () => {
    const lived = new LivedInAccount([{ userName: 'app', rotateEvery: 31 * DAY }]);
    lived.rotate('app');
    await lived.pass(32 * DAY);
    expect(await codes(lived)).toEqual([[]]);
    await lived.pass(1);
    expect(await codes(lived)).toEqual([['overdue']]);
  });

  it('a first rotation may take an hour', async () => {
    const lived = new LivedInAccount([{ userName: 'app' }]);
    await lived.pass(HOUR);
    expect(await codes(lived)).toEqual([['first-rotation']]);
    await lived.pass(1);
    expect(await codes(lived)).toEqual([['no-key-yet']]);
  });

  it('a rotation may take an hour, counted from its announcement', async () => {
    const lived = new LivedInAccount([{ userName: 'app' }]);
    lived.rotate('app');
    await lived.pass(DAY);
    const secret = lived.secret('app');
    secret.versions.set('t'.repeat(32), { id: 't'.repeat(32), createdAt: 0 });
    secret.labels.set('AWSPENDING', 't'.repeat(32));
    const [tag] = Object.entries(
      intentTag({ run: 'r', token: 't'.repeat(32), at: lived.account.clock.now(), before: [] }),
    );
    if (tag === undefined) throw new Error('no tag');
    lived.tag('app', ...tag);
    await lived.pass(HOUR);
    expect(await codes(lived)).toEqual([['rotating']]);
    await lived.pass(1);
    expect(await codes(lived)).toEqual([['rotation-unfinished']]);
  });

  it('a secret that is gone, scheduled for deletion, without rotation or with a damaged ledger needs attention', async () => {
    const names = ['gone', 'deleted', 'off', 'damaged', 'watched'];
    const lived = new LivedInAccount(
      names.map((userName) => ({ userName, ...(userName === 'watched' && { mode: 'observe' as const }) })),
    );
    lived.rotate(...names);
    const gone = lived.secret('gone');
    lived.account.secrets.delete(gone.arn);
    lived.account.operate('secretsmanager', 'DeleteSecret', { SecretId: 'iam/deleted' });
    lived.account.operate('secretsmanager', 'CancelRotateSecret', { SecretId: 'iam/off' });
    lived.tag('damaged', keyTag('AKIAIOSFODNN7EXAMPLE'), 'nonsense');
    expect(await codes(lived)).toEqual([
      ['secret-missing'],
      ['deletion-scheduled'],
      ['rotation-off'],
      ['ledger-malformed'],
      ['observed'],
    ]);
  });

  it('asks for the last use of superseded keys alone', async () => {
    const { lived, old } = await superseded();
    const client = await connectTo(lived.account)({})('secretsmanager');
    const [one] = await survey(client, lived.deployment);
    expect(one && supersededKeyIds(one)).toEqual([{ keyId: old, userName: 'app' }]);
  });
});

describe('status', () => {
  let lived: LivedInAccount;
  let old: string;

  beforeAll(async () => {
    lived = new LivedInAccount([
      { userName: 'deploy-prod' },
      { userName: 'legacy-batch' },
      { userName: 'never-rotated' },
      { userName: 'watched', mode: 'observe' },
    ]);
    lived.rotate('deploy-prod', 'legacy-batch');
    await lived.pass(30 * DAY);
    lived.rotate('deploy-prod', 'legacy-batch');
    [old = ''] = lived.keys('legacy-batch');
    await lived.pass(2 * DAY);
    await lived.use(old);
    await lived.pass(1.5 * DAY);
  });

  it('begins with a verdict that names what needs attention, which comes first in the table, and ends with exit code 1', async () => {
    const { exit, out, err } = await run(lived.account, status, [], { columns: 200, env: { NO_COLOR: '1' } });
    expect(exit).toBe(1);
    expect(err.split('\r').at(-1)).toBe('\x1b[2K');
    const lines = out.split('\n');
    expect(lines[0]).toBe('4 keys: 2 need attention: iam/legacy-batch (held), iam/never-rotated (no-key-yet)');
    expect(lines.filter((line) => /^[! ·] {2}iam/.test(line)).map((line) => line.slice(0, 20).trim())).toEqual([
      '!  iam/legacy-batch',
      '!  iam/never-rotated',
      '·  iam/watched',
      'iam/deploy-prod',
    ]);
    expect(out).toMatch(new RegExp(`${old} +held +in 13d +36h ago, sts`));
    expect(out).toContain(`! iam/legacy-batch: ${old} is held because it is still in use`);
  });

  it.each([40, 60, 80, 120, 200])('keeps every row within %d columns, and every secret in sight', async (columns) => {
    const { out } = await run(lived.account, status, [], { columns, env: { NO_COLOR: '1' } });
    const lines = out.split('\n');
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    expect(lines.filter((line) => line !== line.trimEnd())).toEqual([]);
    for (const { secretName } of lived.deployment.keys) expect(out).toContain(secretName);
    expect(out).toContain('held');
  });

  it('is not cut where there is no terminal, and has no colours there', async () => {
    const { out } = await run(lived.account, status);
    expect(out).not.toContain('\x1b');
    expect(out).toContain(old);
    expect(out).toMatch(/next rotation +superseded +state +due +last use/);
  });

  it('--attention shows what needs it and nothing else', async () => {
    const { out } = await run(lived.account, status, ['--attention']);
    expect(out).toContain('4 keys: 2 need attention');
    expect(out).not.toContain('iam/deploy-prod');
  });

  it('--json is one document, with everything that the table has', async () => {
    const { exit, out } = await run(lived.account, status, ['--json']);
    expect(exit).toBe(1);
    const document = JSON.parse(out);
    expect(Object.keys(document)).toEqual(['formatVersion', 'command', 'at', 'stack', 'verdict', 'counts', 'secrets']);
    expect(document).toMatchObject({
      formatVersion: 1,
      command: 'status',
      at: '2026-02-03T12:00:00.000Z',
      stack: { name: 'iam-key-rotator', region: 'eu-central-1', account: '111122223333', version: '0.1.0' },
      counts: { keys: 4, attention: 2, note: 1, well: 1 },
    });
    expect(document.secrets[0]).toMatchObject({
      state: 'attention',
      secret: 'iam/legacy-batch',
      superseded: [{ keyId: old, state: 'held', lastUse: { service: 'sts', at: '2026-02-02T00:00:00.000Z' } }],
      problems: [{ code: 'held', severity: 'attention' }],
    });
  });

  it('says that all is well, with exit code 0, when it is', async () => {
    const quiet = new LivedInAccount([{ userName: 'app' }]);
    quiet.rotate('app');
    const { exit, out } = await run(quiet.account, status);
    expect({ exit, verdict: out.split('\n')[0] }).toEqual({ exit: 0, verdict: '1 key: all well' });
  });

  it('tells nothing of any secret, in no form of output', async () => {
    for (const argv of [[], ['--json'], ['--attention']]) {
      const { out, err } = await run(lived.account, status, argv);
      for (const secret of lived.account.mintedSecrets) expect(out + err).not.toContain(secret);
    }
  });

  it('reads a page of the listing, the stack, and the last uses: nothing else', async () => {
    const before = lived.account.history.length;
    await run(lived.account, status);
    const calls = lived.account.history.slice(before).flatMap((entry) => (entry.kind === 'call' ? [entry.action] : []));
    expect(calls.sort()).toEqual([
      'DescribeStacks',
      'GetAccessKeyLastUsed',
      'GetAccessKeyLastUsed',
      'GetTemplateSummary',
      'ListSecrets',
    ]);
  });

  it('takes a key that somebody has deleted for gone, and an error of IAM for one', async () => {
    const [gone = ''] = lived.keys('deploy-prod');
    lived.account.deleteAccessKey(gone);
    expect((await run(lived.account, status, ['--json'])).out).toContain('"lastUse": "gone"');
    lived.account.faults.add({
      match: { service: 'iam', action: 'GetAccessKeyLastUsed' },
      kind: 'refuse',
      error: { code: 'AccessDenied', status: 403 },
    });
    expect(await run(lived.account, status)).toMatchObject({ exit: 12 });
  });
});

describe('the verdict', () => {
  const standing = (secret: string, code?: keyof typeof PROBLEMS): Standing => ({
    ...{ secret, user: secret, mode: 'enforce', superseded: [] },
    problems: code === undefined ? [] : [{ code, severity: PROBLEMS[code], says: 'says', remedy: 'remedy' }],
  });

  it('names three, and counts the others', () => {
    const all = ['a', 'b', 'c', 'd', 'e'].map((name) => standing(name, 'overdue'));
    expect(verdictOf([...all, standing('f')])).toBe(
      '6 keys: 5 need attention: a (overdue), b (overdue), c (overdue), 2 more',
    );
    expect(verdictOf([])).toBe('no keys are configured');
  });

  it('is not troubled by notes, which come before what is well', () => {
    const all = [standing('a'), standing('b', 'rotating'), standing('c', 'held')];
    expect(inOrder(all).map(severityOf)).toEqual(['attention', 'note', 'well']);
    expect(verdictOf([standing('b', 'rotating')])).toBe('1 key: all well');
  });

  it('does not shorten the name of a secret, however narrow the page', () => {
    const name = 'team/with/a/very/long/prefix/that/nobody/shortens/application';
    const stack = { name: 's', region: 'r', account: '1' };
    const lines = statusLines([standing(name)], [standing(name)], stack, { width: 60, paint: plain }, new Date(0));
    expect(lines.join('\n')).toContain(name);
  });
});
