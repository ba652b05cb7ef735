import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { adopt } from '../../cli/commands/adopt.ts';
import { revoke } from '../../cli/commands/revoke.ts';
import { rollback } from '../../cli/commands/rollback.ts';
import { rotate } from '../../cli/commands/rotate.ts';
import type { OperatorCommand } from '../../cli/operator/command.ts';
import { adviseAdoption, entryLines } from '../../cli/steer/adoption.ts';
import { resolveConfig } from '../../infra/config/index.ts';
import { TAGS } from '../../lambdas/contract/names.ts';
import { judgeByPolicies } from '../../local/policy-engine.ts';
import { connectTo, deployStack, run as runIn } from '../cli/world.ts';
import { DAY, HOUR } from '../policy.ts';
import { Simulation } from '../simulation/world.ts';
import { keyIds, SCENES, SECRET } from './scenes.ts';

/** Runs a command while the simulated time goes on. */
async function run(simulation: Simulation, command: OperatorCommand, argv: readonly string[], answer?: string) {
  const { account } = simulation;
  const options = answer === undefined ? {} : { answer };
  const ran = await account.clock.run(runIn(account, command, argv, options));
  const code = /^iam-key-rotator: ([A-Z_]+): /m.exec(ran.err)?.[1];
  return { ...ran, code, json: () => JSON.parse(ran.out) };
}

async function scene(name: string): Promise<Simulation> {
  const simulation = await SCENES[name]?.start();
  if (simulation === undefined) throw new Error(`no scene ${name}`);
  deployStack(simulation);
  return simulation;
}

/** No command tells the secret of any key. */
const secretsIn = ({ account }: Simulation, { out, err }: { out: string; err: string }) =>
  account.mintedSecrets.filter((secret) => `${out}${err}`.includes(secret));

describe('rollback', () => {
  it('shows what it will do, asks, and does nothing without a yes', async () => {
    const simulation = await scene('disabled');
    const [older = '', newer = ''] = keyIds(simulation);
    const { history } = simulation.account;
    const before = history.length;
    const { exit, code, out } = await run(simulation, rollback, ['app'], 'n');
    expect({ exit, code }).toEqual({ exit: 18, code: 'NOT_CONFIRMED' });
    expect(out).toContain(`AWSCURRENT goes back from ${newer} to ${older}`);
    expect(out).toContain(`1. set ${older} Active`);
    expect(out).toContain('The next rotation, 2026-');
    expect(history.slice(before).filter(({ kind }) => kind === 'change')).toEqual([]);
  });

  it('does it with --yes, and says in JSON what it did; again, there is nothing to do', async () => {
    const simulation = await scene('disabled');
    const [older, newer] = keyIds(simulation);
    const ran = await run(simulation, rollback, ['app', '--yes', '--json']);
    expect(ran.exit).toBe(0);
    expect(ran.json()).toMatchObject({
      command: 'rollback',
      secret: SECRET,
      outcome: 'rolled-back',
      from: { keyId: newer },
      to: { keyId: older },
      steps: ['activate', 'wait', 'verify', 'move'],
    });
    expect(simulation.currentKey(SECRET)).toBe(older);
    expect(secretsIn(simulation, ran)).toEqual([]);
    const again = await run(simulation, rollback, ['app', '--yes', '--json']);
    expect(again.json()).toMatchObject({ outcome: 'nothing-to-do', to: { keyId: older }, newer });
    const forward = await run(simulation, rollback, ['app', '--yes', '--key', String(newer)]);
    expect(forward.out).toContain(`Done: AWSCURRENT of ${SECRET} holds ${newer}`);
  });

  it('refuses a key that was reported as leaked, and one that is deleted, with what to do', async () => {
    const simulation = await scene('retiring');
    const [older = ''] = keyIds(simulation);
    const Tags = [{ Key: `${TAGS.leakPrefix}${older}`, Value: 'at=2026-01-02T00:00:00Z signal=operator' }];
    simulation.account.operate('secretsmanager', 'TagResource', { SecretId: SECRET, Tags });
    expect(await run(simulation, rollback, ['app', '--yes'])).toMatchObject({ exit: 1, code: 'KEY_LEAKED' });
    const deleted = await run(await scene('deleted'), rollback, ['app', '--yes', '--json']);
    expect(deleted).toMatchObject({ exit: 1, code: 'ROLLBACK_KEY_GONE' });
    expect(deleted.json()).toMatchObject({ error: { code: 'ROLLBACK_KEY_GONE' } });
  });

  it('names the fields of the team that change with the value, and none of their contents', async () => {
    const simulation = await scene('retiring');
    const SecretString = JSON.stringify({ ...simulation.current(SECRET), Endpoint: 'https://example.test' });
    simulation.account.operate('secretsmanager', 'PutSecretValue', { SecretId: SECRET, SecretString });
    const { out } = await run(simulation, rollback, ['app'], 'n');
    expect(out).toContain('Fields of the value that change with it, beside the key: Endpoint.');
    expect(out).not.toContain('example.test');
  });

  it('says who may reserve a key, where these credentials may not write to the ledger; and changes nothing', async () => {
    const simulation = await scene('due');
    const current = simulation.currentKey(SECRET);
    simulation.account.faults.add({
      match: { action: 'TagResource' },
      kind: 'refuse',
      error: { code: 'AccessDeniedException' },
    });
    const { code, exit, err } = await run(simulation, rollback, ['app', '--yes']);
    expect({ code, exit }).toEqual({ code: 'LEDGER_CLOSED', exit: 1 });
    expect(err).toContain('ledgerOperators');
    expect(simulation.currentKey(SECRET)).toBe(current);
  });

  it.each([
    [['app', '--key', 'wJalrXUtnFEMI/K7MDENG'], 'BAD_OPTION'],
    [['nobody'], 'SECRET_UNKNOWN'],
    [[], 'BAD_OPTION'],
  ])('refuses the arguments %j', async (argv, expected) => {
    const { code, err } = await run(await scene('retiring'), rollback, argv);
    expect(code).toBe(expected);
    expect(err).not.toContain('wJalr');
  });
});

describe('rotate', () => {
  it('starts a rotation, follows it step by step, and names the new key', async () => {
    const simulation = await scene('deleted');
    const ran = await run(simulation, rotate, ['app']);
    expect(ran.exit).toBe(0);
    expect(ran.out).toContain(`Done: ${simulation.currentKey(SECRET)} is the current key of ${SECRET} (`);
    expect(ran.err).toContain('[3/5] key minted and stored');
    expect(secretsIn(simulation, ran)).toEqual([]);
  });

  it('refuses early, with the words of the function, and starts nothing; with --force it is told by the same words', async () => {
    const simulation = await scene('disabled');
    const early = await run(simulation, rotate, ['app']);
    expect(early).toMatchObject({ exit: 1, code: 'SLOT_NOT_FREE_YET' });
    expect(simulation.account.findSecret(SECRET)?.labels.get('AWSPENDING')).toBeUndefined();
    const forced = await run(simulation, rotate, ['app', '--force']);
    expect(forced).toMatchObject({ exit: 1, code: 'SLOT_NOT_FREE_YET' });
    expect(simulation.rotationErrors().at(-1)).toContain('SLOT_NOT_FREE_YET');
  });

  it('only starts one with --no-wait, and then follows that one', async () => {
    const simulation = await scene('deleted');
    const started = await run(simulation, rotate, ['app', '--no-wait', '--json']);
    const { token, outcome } = started.json();
    expect(outcome).toBe('started');
    const followed = await run(simulation, rotate, ['app', '--json']);
    expect(followed.json()).toMatchObject({ outcome: 'rotated', token });
  });

  it('goes on when the answer to starting it was lost', async () => {
    const simulation = await scene('deleted');
    simulation.account.faults.add({ match: { action: 'RotateSecret' }, kind: 'lose-answer' });
    expect(await run(simulation, rotate, ['app'])).toMatchObject({ exit: 0 });
  });

  it('points at the log when the time is up and nothing is in its way', async () => {
    const simulation = await scene('deleted');
    simulation.account.faults.add({ match: { action: 'GetCallerIdentity' }, kind: 'network', times: 1000 });
    const { exit, code, err } = await run(simulation, rotate, ['app', '--timeout', '60s']);
    expect({ exit, code }).toEqual({ exit: 1, code: 'ROTATION_UNFINISHED' });
    expect(err).toContain('aws logs tail /aws/lambda/rotate');
  });
});

describe('revoke', () => {
  let simulation: Simulation;
  const events: unknown[] = [];
  let answer: () => unknown;
  beforeAll(async () => {
    simulation = (await SCENES.retiring?.start()) as Simulation;
    simulation.account.functions.register({
      name: 'respond',
      load: () => async (event) => {
        events.push(event);
        return answer();
      },
    });
    deployStack(simulation, { RespondFunctionName: 'respond' });
  });

  it('says whose key it is and what will happen, asks, and has the respond function do it', async () => {
    const [, current = ''] = keyIds(simulation);
    answer = () => [{ keyId: current, secret: SECRET, user: 'app', outcome: 'contained', why: 'it is Inactive' }];
    const no = await run(simulation, revoke, [current], 'n');
    expect(no).toMatchObject({ exit: 18 });
    expect(no.out).toContain(`${current} is the current key of app`);
    expect(no.out).toContain('without an overlap');
    expect(events).toEqual([]);
    const yes = await run(simulation, revoke, [current, '--yes', '--json']);
    expect(yes.exit).toBe(0);
    expect(yes.json()).toMatchObject({ keyId: current, secret: SECRET, outcomes: [{ outcome: 'contained' }] });
    expect(events).toEqual([
      { source: 'iam-key-rotator.cli', 'detail-type': 'Leak Reported', detail: { keyId: current } },
    ]);
  });

  it('ends with what the function failed with', async () => {
    const [older = ''] = keyIds(simulation);
    answer = () => {
      throw new Error('MINT_REFUSED: IAM refused. Expected: a key. To do: mend it.');
    };
    const { exit, code, err } = await run(simulation, revoke, [older, '--yes']);
    expect({ exit, code }).toEqual({ exit: 1, code: 'MINT_REFUSED' });
    expect(err).toContain('What to do: mend it.');
    answer = () => 'done';
    expect(await run(simulation, revoke, [older, '--yes'])).toMatchObject({ exit: 16, code: 'AWS_CALL_FAILED' });
  });

  it('does not promise to end a key of the user that the rotator has not made', async () => {
    const [older = ''] = keyIds(simulation);
    simulation.account.deleteAccessKey(older);
    const { accessKeyId } = simulation.account.createAccessKey('app');
    const { exit, out } = await run(simulation, revoke, [accessKeyId], 'n');
    expect(exit).toBe(18);
    expect(out).toContain('never changes such a one');
    expect(out).not.toContain('disabled as soon as');
  });

  it('says what to do by hand of a key that is not under rotation, and of one that the account does not have', async () => {
    simulation.account.createUser('other');
    const { accessKeyId } = simulation.account.createAccessKey('other');
    const other = await run(simulation, revoke, [accessKeyId]);
    expect(other.exit).toBe(1);
    expect(other.out).toContain(
      `aws iam update-access-key --user-name other --access-key-id ${accessKeyId} --status Inactive`,
    );
    const gone = await run(simulation, revoke, ['AKIAIOSFODNN7EXAMPLE', '--json']);
    expect(gone.json()).toMatchObject({ outcomes: [{ outcome: 'reported' }] });
  });

  it.each(['ASIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG'])(
    'does not take %s for the id of a key, and quotes nothing',
    async (given) => {
      const { code, err } = await run(simulation, revoke, [given]);
      expect(code).toBe('BAD_OPTION');
      expect(err).not.toContain(given);
    },
  );
});

describe('adopt', () => {
  const simulation = new Simulation();
  beforeAll(async () => {
    const { account } = simulation;
    deployStack(simulation);
    account.createUser('batch', { path: '/apps/' });
    account.createAccessKey('batch');
    await simulation.advance(HOUR);
    await simulation.useDirectly(account.users.get('batch')?.keys[0]?.id ?? '');
  });

  it('prints an entry for rotator.config.ts that the configuration takes', async () => {
    const ran = await run(simulation, adopt, ['batch', '--json']);
    expect(ran.exit).toBe(0);
    const { entry, state } = ran.json();
    expect({ entry, state }).toEqual({
      state: 'not-configured',
      entry: { user: 'batch', userPath: '/apps/', adopt: 'only-key', schedule: '90d', holdAtMost: '60d' },
    });
    expect(resolveConfig({ keys: [entry] }).targets[0]?.keys[0]?.warnings).toEqual([]);
    const told = await run(simulation, adopt, ['batch']);
    for (const line of ["user: 'batch',", "userPath: '/apps/',", "adopt: 'only-key', // AKIA"])
      expect(told.out).toContain(line);
  });

  it('asks for a free slot first, and names the key that was used the longest ago', () => {
    const now = new Date('2026-03-01T00:00:00Z');
    const key = (id: string, days: number | undefined) => ({
      id,
      status: 'Active' as const,
      created: new Date('2025-01-01T00:00:00Z'),
      lastUse:
        days === undefined
          ? undefined
          : { at: new Date(now.getTime() - days * DAY * 1000), service: 's3', region: 'eu-west-1' },
    });
    const newcomer = { userName: 'u', path: '/', secretName: undefined, effectiveName: 's', secretTaken: false };
    const advice = adviseAdoption({ ...newcomer, keys: [key('AKIAUNUSED', undefined), key('AKIAUSED', 400)] }, now);
    expect(advice.first).toEqual([expect.stringContaining('AKIAUNUSED was used the longest ago (never)')]);
    expect(advice.entry).toEqual({ user: 'u', adopt: 'only-key' });
    expect(entryLines(advice.entry, advice.adopted)).toContain(
      "  adopt: 'only-key', // AKIAUSED, last used: 2025-01-25 with s3 in eu-west-1",
    );
    const none = adviseAdoption({ ...newcomer, secretTaken: true, keys: [] }, now);
    expect(none).toMatchObject({
      entry: { user: 'u' },
      first: [expect.stringContaining('There is a secret s already')],
    });
  });

  it('says of a configured user what its first rotation would be refused with', async () => {
    simulation.account.createUser('app');
    simulation.account.createAccessKey('app');
    simulation.account.createAccessKey('app');
    const secret = simulation.secret(SECRET);
    secret.rotation = { enabled: true, lambdaArn: simulation.rotateArn, rules: { AutomaticallyAfterDays: 30 } };
    const { exit, json } = await run(simulation, adopt, ['app', '--json']);
    expect(exit).toBe(1);
    expect(json()).toMatchObject({ state: 'configured', refusal: { code: 'STRANGERS_HOLD_SLOTS' } });
  });

  it('of a user under rotation, that it is, and which of its keys are not the rotator’s', async () => {
    const managed = await scene('deleted');
    expect((await run(managed, adopt, ['app', '--json'])).json()).toMatchObject({ state: 'managed', unknownKeys: [] });
    const { accessKeyId } = managed.account.createAccessKey('app');
    const { exit, json } = await run(managed, adopt, ['app', '--json']);
    expect(exit).toBe(1);
    expect(json()).toMatchObject({ unknownKeys: [accessKeyId] });
  });

  it('of a user that is not there, how it is made', async () => {
    expect(await run(simulation, adopt, ['nobody'])).toMatchObject({ exit: 1, code: 'USER_NOT_FOUND' });
  });
});

describe('the policies of docs/cli.md', () => {
  it('suffice for a rollback, a rotation, a leak and an adoption, and have no action that none of these calls', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/cli.md'), 'utf8');
    const [read, change] = [...page.matchAll(/```json\n(\{\n {2}"Version"[\s\S]*?)\n```/g)].map(
      ([, text = '']): { Statement: { Action: string[] }[] } => JSON.parse(text),
    );
    const simulation = await scene('without-overlap');
    const { account } = simulation;
    account.functions.register({ name: 'iam-key-rotator-respond', load: () => async () => [] });
    deployStack(simulation, { RespondFunctionName: 'iam-key-rotator-respond' });
    const { name, id } = account.createRole('Operator', [...(read?.Statement ?? []), ...(change?.Statement ?? [])]);
    const arn = `arn:aws:sts::${account.id}:assumed-role/${name}/me`;
    const connect = connectTo(account, account.session({ kind: 'role', name, userId: `${id}:me`, arn }));
    judgeByPolicies(account);
    // The names that CloudFormation gives begin with that of the stack; that of the rotate function doesn't here.
    const judge = account.authorize;
    account.authorize = (request) =>
      judge?.({
        ...request,
        resource: request.resource.replace(/function:(?=rotate$)/, 'function:iam-key-rotator-'),
      }) ?? { allowed: false, reason: 'nobody judges' };
    const as = (command: OperatorCommand, argv: readonly string[]) =>
      account.clock.run(runIn(account, command, argv, { connect }));
    const before = account.history.length;
    expect(await as(rollback, ['app', '--yes'])).toMatchObject({ exit: 0 });
    expect(await as(revoke, [keyIds(simulation)[1] ?? '', '--yes'])).toMatchObject({ exit: 0 });
    expect((await as(rotate, ['app', '--force', '--no-wait'])).exit).toBe(0);
    expect((await as(adopt, ['app'])).exit).toBe(0);
    const called = new Set(
      account.history
        .slice(before)
        .flatMap((entry) =>
          entry.kind === 'call' && entry.principal === arn ? [`${entry.service}:${entry.action}`] : [],
        ),
    );
    const allowed = (change?.Statement ?? []).flatMap(({ Action }) => Action);
    expect(allowed.filter((action) => !called.has(action.replace('InvokeFunction', 'Invoke')))).toEqual([]);
  });
});
