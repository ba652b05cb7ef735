import { describe, expect, it } from 'vitest';
import { plan } from '../../cli/commands/plan.ts';
import { keyTag } from '../../lambdas/domain/ledger.ts';
import { DAY } from '../policy.ts';
import { LivedInAccount } from './account.ts';
import { run } from './world.ts';

/** Users whose keys were superseded at this moment. */
async function superseded(userNames: readonly string[], maxChangesPerRun?: number) {
  const lived = new LivedInAccount(
    userNames.map((userName) => ({ userName, ...(userName === 'watched' && { mode: 'observe' as const }) })),
    maxChangesPerRun,
  );
  lived.rotate(...userNames);
  await lived.pass(30 * DAY);
  lived.rotate(...userNames);
  return lived;
}
const planOf = async ({ account }: LivedInAccount, ...argv: string[]) => {
  const { exit, out } = await run(account, plan, ['--json', ...argv]);
  return { exit, ...JSON.parse(out) };
};

describe('plan', () => {
  it('tells the end of an overlap and the next rotation from the ledger, without a look at the secret', async () => {
    const lived = await superseded(['app']);
    const [old] = lived.keys('app');
    const before = lived.account.history.length;
    expect(await planOf(lived, '--within', '30d')).toMatchObject({
      exit: 0,
      now: [],
      later: [
        { action: 'disable', keyId: old, reason: 'in-overlap', at: '2026-02-03T00:00:00.000Z', observed: false },
        { action: 'rotate', secret: 'iam/app', at: '2026-03-02T00:00:00.000Z' },
      ],
      failures: [],
    });
    const calls = lived.account.history.slice(before).flatMap((entry) => (entry.kind === 'call' ? [entry.action] : []));
    expect(calls.sort()).toEqual(['DescribeStacks', 'GetTemplateSummary', 'ListSecrets']);
  });

  it('says of a rotation that has not succeeded so far that the next one may fail as well', async () => {
    const lived = new LivedInAccount([{ userName: 'app' }]);
    await lived.pass(DAY);
    const why = 'The last one has not succeeded: iam-key-rotator doctor app tells why.';
    expect((await planOf(lived, '--within', '30d')).later).toEqual([
      expect.objectContaining({ action: 'rotate', why }),
    ]);
    for (const columns of [40, 200]) {
      const { out } = await run(lived.account, plan, ['--within', '30d'], { columns, env: { NO_COLOR: '1' } });
      expect(out.replaceAll(/\s+/g, ' ')).toContain(why);
    }
  });

  it('leaves out what lies beyond --within, to the second', async () => {
    const lived = await superseded(['app']);
    expect((await planOf(lived, '--within', '72h')).later).toHaveLength(1);
    expect((await planOf(lived, '--within', '259199s')).later).toHaveLength(0);
  });

  it('decides what is due as the next pass will, and changes nothing', async () => {
    const lived = await superseded(['idle', 'busy', 'watched']);
    const [held = ''] = lived.keys('busy');
    const [idle] = lived.keys('idle');
    await lived.pass(DAY);
    await lived.use(held);
    await lived.pass(2 * DAY);
    const { changes } = tally(lived);
    const { now, later } = await planOf(lived, '--within', '60d');
    expect(tally(lived).changes).toBe(changes);
    expect(now).toMatchObject([
      {
        action: 'disable',
        keyId: idle,
        secret: 'iam/idle',
        reason: 'overlap-over',
        why: expect.stringContaining('disabled'),
      },
      { action: 'disable', secret: 'iam/watched', observed: true },
    ]);
    expect(later[0]).toMatchObject({
      action: 'disable',
      keyId: held,
      reason: 'in-use',
      at: '2026-02-17T00:00:00.000Z',
      lastUse: { service: 'sts' },
    });
  });

  it('tells of a disabled key when it is deleted, and that it is once its recovery time is over', async () => {
    const lived = await superseded(['app']);
    const [old = '', current] = lived.keys('app');
    lived.account.setAccessKeyStatus(old, 'Inactive');
    lived.tag(
      'app',
      keyTag(old),
      `version=${[...lived.secret('app').versions.keys()][1]} superseded=2026-01-31T00:00:00Z by=${current} disabled=2026-01-31T00:00:00Z`,
    );
    expect((await planOf(lived, '--within', '8d')).later).toMatchObject([
      { action: 'delete', keyId: old, at: '2026-02-07T00:01:00.000Z' },
    ]);
    await lived.pass(7 * DAY + 60);
    expect((await planOf(lived)).now).toMatchObject([{ action: 'delete', keyId: old, reason: 'recovery-over' }]);
  });

  it('marks what one pass leaves to the next', async () => {
    const lived = await superseded(['a', 'b', 'c'], 2);
    await lived.pass(3 * DAY);
    const { now, maxChangesPerRun } = await planOf(lived);
    expect(maxChangesPerRun).toBe(2);
    expect(now.map(({ beyondLimit }: { beyondLimit?: boolean }) => beyondLimit === true)).toEqual([false, false, true]);
    const { out } = await run(lived.account, plan);
    expect(out).toContain('the next passes change 3 keys; 0 rotations within 7d');
    expect(out).toContain('A pass changes at most 2 keys; the steps marked + wait for the next ones.');
  });

  it('goes on after a secret that it can not make sense of, tells of it, and ends with exit code 1', async () => {
    const lived = await superseded(['app', 'damaged']);
    await lived.pass(3 * DAY);
    lived.tag('damaged', keyTag('AKIAIOSFODNN7EXAMPLE'), 'nonsense');
    const { exit, now, failures } = await planOf(lived);
    expect(exit).toBe(1);
    expect(now).toHaveLength(1);
    expect(failures).toMatchObject([{ secret: 'iam/damaged', code: 'LEDGER_MALFORMED' }]);
    expect((await run(lived.account, plan)).out).toContain('! iam/damaged: LEDGER_MALFORMED');
  });

  it('looks at a secret that the listing does not show', async () => {
    const lived = await superseded(['app']);
    await lived.pass(3 * DAY);
    lived.account.operate('secretsmanager', 'UntagResource', {
      SecretId: 'iam/app',
      TagKeys: ['iam-key-rotator:deployment'],
    });
    expect((await planOf(lived)).now).toMatchObject([{ action: 'disable' }]);
  });

  it.each([40, 60, 80, 120, 200])('keeps its rows within %d columns', async (columns) => {
    const lived = await superseded(['deploy-prod', 'legacy-batch']);
    await lived.pass(3 * DAY);
    const { out } = await run(lived.account, plan, ['--within', '60d'], { columns, env: { NO_COLOR: '1' } });
    const lines = out.split('\n');
    expect(lines.filter((line) => line.length > columns || line !== line.trimEnd())).toEqual([]);
    expect(out).toContain(lived.keys('deploy-prod')[0]);
    const reason = 'The overlap is over and the key is not in use: disabled.';
    // Beside each key, or once where there is no room.
    expect(out.replaceAll(/\s+/g, ' ').split(reason)).toHaveLength(columns >= 120 ? 3 : 2);
  });

  it.each(['', '0s', 'soon', '1h30m'])('refuses --within %j', async (within) => {
    const lived = new LivedInAccount([]);
    expect(await run(lived.account, plan, [`--within=${within}`])).toMatchObject({ exit: 2, out: '' });
  });

  it('goes on after a secret whose value it may not read', async () => {
    const lived = await superseded(['app', 'closed']);
    await lived.pass(3 * DAY);
    lived.account.faults.add({
      match: { service: 'secretsmanager', action: 'GetSecretValue', secretName: 'iam/closed' },
      kind: 'refuse',
      error: { code: 'AccessDeniedException' },
    });
    const { exit, now, failures } = await planOf(lived);
    expect({ exit, steps: now.length }).toEqual({ exit: 1, steps: 1 });
    expect(failures).toMatchObject([{ secret: 'iam/closed', code: 'ACCESS_DENIED' }]);
  });

  it('ends with what AWS said when AWS fails, and tells no half of a plan', async () => {
    const lived = await superseded(['app']);
    await lived.pass(3 * DAY);
    lived.account.faults.add({ match: { service: 'iam', action: 'ListAccessKeys' }, kind: 'refuse', times: 9 });
    const { exit, out, err } = await run(lived.account, plan);
    expect({ exit, out }).toEqual({ exit: 15, out: '' });
    expect(err).toContain('AWS_UNAVAILABLE: ListAccessKeys failed with ThrottlingException after several attempts');
  });
});

const tally = ({ account }: LivedInAccount) => ({
  changes: account.history.filter(({ kind }) => kind === 'change').length,
});
