import { describe, expect, it } from 'vitest';
import { doctor } from '../../cli/commands/doctor.ts';
import { type AlarmFacts, type Check, examine, type HealthFacts } from '../../cli/operator/health.ts';
import { keyTag } from '../../lambdas/domain/ledger.ts';
import { DAY } from '../policy.ts';
import { type KeyOf, LivedInAccount } from './account.ts';
import { run } from './world.ts';

function rotated(...keys: KeyOf[]): LivedInAccount {
  const lived = new LivedInAccount(keys);
  lived.rotate(...keys.flatMap(({ userName, mode }) => (mode === 'observe' ? [] : [userName])));
  return lived;
}
const app = () => rotated({ userName: 'app' });

async function checksOf(lived: LivedInAccount, ...argv: string[]) {
  const { exit, out } = await run(lived.account, doctor, ['--json', ...argv]);
  return { exit, checks: JSON.parse(out).checks as Check[] };
}
/** What is not well, alarms left out. */
async function troubles(lived: LivedInAccount, ...argv: string[]) {
  const { exit, checks } = await checksOf(lived, ...argv);
  return [
    exit,
    ...checks
      .filter(({ state, check }) => state !== 'ok' && check !== 'alarms')
      .map(({ check, subject, state }) => `${state} ${check} ${subject}`),
  ];
}
const says = async (lived: LivedInAccount, check: string) =>
  (await checksOf(lived)).checks
    .filter((one) => one.check === check)
    .map((one) => one.says)
    .join('\n');

describe('doctor', () => {
  it('finds nothing in a deployment that is well', async () => {
    const lived = app();
    expect(await troubles(lived)).toEqual([0]);
    expect((await checksOf(lived)).checks).toMatchObject([
      { check: 'stack', state: 'ok', says: 'CREATE_COMPLETE, 1 key' },
      { check: 'stack', state: 'ok', says: 'version 0.1.0' },
      { check: 'function', subject: 'rotate', state: 'ok', says: 'Active, nodejs24.x' },
      { check: 'function', subject: 'retire', state: 'ok' },
      { check: 'schedule', subject: 'hourly', state: 'ok', says: 'rate(1 hour)' },
      { check: 'alarms', state: 'warn' },
      { check: 'leaks', subject: 'iam-key-rotator-leak-signals', state: 'ok', says: 'CREATE_COMPLETE in us-east-1' },
      { check: 'secret', subject: 'iam/app', state: 'ok' },
      { check: 'user', subject: 'app', state: 'ok', says: '1 key' },
      { check: 'slot', subject: 'app', state: 'ok', says: '1 free slot' },
    ]);
  });

  it('tells of alarms: quiet, raised, and missing', async () => {
    const lived = app();
    const stack = lived.account.stacks.get('iam-key-rotator');
    if (stack === undefined) throw new Error('no stack');
    const alarm = { logicalId: 'A', type: 'AWS::CloudWatch::Alarm', physicalId: 'rotation-failed' };
    lived.account.stacks.set('iam-key-rotator', { ...stack, resources: [...stack.resources, alarm] });
    const define = (state: 'OK' | 'ALARM') =>
      lived.account.cloudWatch.alarms.set('rotation-failed', { name: 'rotation-failed', state } as never);
    const alarms = async () => (await checksOf(lived)).checks.filter(({ check }) => check === 'alarms');
    expect(await alarms()).toMatchObject([{ state: 'fail', says: 'was deleted: nobody is told' }]);
    define('OK');
    expect(await alarms()).toMatchObject([{ state: 'ok', says: '1 alarm, all quiet' }]);
    define('ALARM');
    expect(await alarms()).toMatchObject([{ state: 'warn', subject: 'rotation-failed', says: 'is in ALARM' }]);
  });

  it('warns of another version, and of a stack that is being changed or has failed', async () => {
    const lived = app();
    const stack = lived.account.stacks.get('iam-key-rotator');
    if (stack === undefined) throw new Error('no stack');
    const metadata = { 'iam-key-rotator': { deployment: lived.deployment, version: '0.0.9' } };
    lived.account.stacks.set('iam-key-rotator', { ...stack, metadata, status: 'UPDATE_IN_PROGRESS' });
    expect(await troubles(lived)).toEqual([0, 'warn stack iam-key-rotator', 'warn stack iam-key-rotator']);
    lived.account.stacks.set('iam-key-rotator', { ...stack, status: 'UPDATE_ROLLBACK_FAILED' });
    expect(await troubles(lived)).toEqual([1, 'fail stack iam-key-rotator']);
  });

  it('warns where nothing forwards what AWS reports in us-east-1, and asks for nothing there', async () => {
    const lived = app();
    lived.account.stacks.delete('iam-key-rotator-leak-signals');
    expect(await troubles(lived)).toEqual([0, 'warn leaks iam-key-rotator-leak-signals']);
    const { out } = await run(lived.account, doctor, ['--json', '--region', 'us-east-1']);
    expect((JSON.parse(out).checks as Check[]).filter(({ check }) => check === 'leaks')).toEqual([]);
  });

  it('misses a function and a schedule', async () => {
    const lived = app();
    const stack = lived.account.stacks.get('iam-key-rotator');
    if (stack === undefined) throw new Error('no stack');
    lived.account.stacks.set('iam-key-rotator', {
      ...stack,
      outputs: { RotateFunctionName: 'gone' },
      resources: [],
    });
    expect(await troubles(lived)).toEqual([
      1,
      'fail function RetireFunctionName',
      'fail function gone',
      'fail schedule retire pass',
    ]);
  });

  it('finds what is the matter with a secret: rotation off, another rotator, a damaged ledger', async () => {
    const lived = rotated({ userName: 'off' }, { userName: 'other' }, { userName: 'damaged' });
    lived.account.operate('secretsmanager', 'CancelRotateSecret', { SecretId: 'iam/off' });
    const other = lived.secret('other').rotation;
    if (other === undefined) throw new Error('no rotation');
    lived.secret('other').rotation = { ...other, lambdaArn: `${other.lambdaArn}-other` };
    lived.tag('damaged', keyTag('AKIAIOSFODNN7EXAMPLE'), 'nonsense');
    expect(await troubles(lived)).toEqual([
      1,
      'fail secret iam/off',
      'fail secret iam/other',
      'fail secret iam/damaged',
    ]);
    expect(await troubles(lived, 'iam/off')).toEqual([1, 'fail secret iam/off']);
    // CloudFormation leaves alone what is unchanged in its template: deploying mends neither.
    const { checks } = await checksOf(lived);
    const remedies = checks.flatMap(({ subject, remedy }) => (/(off|other)$/.test(subject) && remedy ? [remedy] : []));
    expect(remedies).toEqual([
      expect.stringMatching(/^aws secretsmanager rotate-secret --secret-id iam\/off turns it on/),
      expect.stringMatching(
        /^aws secretsmanager rotate-secret --secret-id iam\/other --rotation-lambda-arn \S+:rotate /,
      ),
    ]);
  });

  it('finds what is the matter with a user: gone, its current key gone or Inactive, quarantined', async () => {
    const names = ['gone', 'keyless', 'inactive', 'leaked'].map((userName) => ({ userName }));
    const lived = rotated(...names);
    lived.account.deleteUser('gone');
    lived.account.deleteAccessKey(lived.keys('keyless')[0] ?? '');
    lived.account.setAccessKeyStatus(lived.keys('inactive')[0] ?? '', 'Inactive');
    const leaked = lived.account.users.get('leaked');
    if (leaked === undefined) throw new Error('no user');
    leaked.attachedPolicies = ['arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3'];
    expect(await troubles(lived)).toEqual([
      1,
      'fail user gone',
      'fail user keyless',
      'fail user inactive',
      'fail user leaked',
    ]);
  });

  it('finds the stranger that will hold the slot of the next rotation, and names it', async () => {
    const lived = app();
    const { accessKeyId } = lived.account.createAccessKey('app');
    expect(await troubles(lived)).toEqual([1, 'fail slot app']);
    expect(await says(lived, 'slot')).toContain(accessKeyId);
  });

  it('does not have a rotation tried again before its slot is free', async () => {
    const lived = new LivedInAccount([{ userName: 'app' }]);
    lived.account.createAccessKey('app');
    await lived.pass(DAY);
    const remedyOf = async (check: string) =>
      (await checksOf(lived)).checks.find((one) => one.check === check && one.state === 'fail')?.remedy;
    expect(await remedyOf('secret')).toBe('iam-key-rotator rotate app tries again');
    lived.account.createAccessKey('app');
    expect(await remedyOf('secret')).toBe(
      'first mend what else fails for app; then iam-key-rotator rotate app tries again',
    );
    expect(await remedyOf('slot')).toContain('iam-key-rotator adopt app');
  });

  it('is not troubled by a stranger beside a free slot, nor by full slots in mode observe', async () => {
    const lived = new LivedInAccount([{ userName: 'app' }, { userName: 'watched', mode: 'observe' }]);
    lived.account.createAccessKey('app');
    lived.account.createAccessKey('watched');
    lived.account.createAccessKey('watched');
    expect(await troubles(lived)).toEqual([0]);
  });

  it('takes both slots in keys of the rotator for well as long as one is deleted before the next rotation', async () => {
    const lived = app();
    await lived.pass(30 * DAY);
    lived.rotate('app');
    expect(await troubles(lived)).toEqual([0]);
    lived.secret('app').nextRotationAt = lived.account.clock.nowMs + DAY * 1000;
    expect(await troubles(lived)).toEqual([0, 'warn slot app']);
  });

  it('tells of the alarms: quiet, raised, without actions, deleted, and none', () => {
    const alarms = (...value: AlarmFacts[]) =>
      examine({ ...facts(), alarms: { ok: true, value } })
        .filter(({ check }) => check === 'alarms')
        .map(({ subject, state }) => `${state} ${subject}`);
    const alarm = (name: string, state: string, actionsEnabled = true) => ({ name, state, actionsEnabled });
    expect(alarms()).toEqual(['warn iam-key-rotator']);
    expect(alarms(alarm('a', 'OK'), alarm('b', 'INSUFFICIENT_DATA'))).toEqual(['ok iam-key-rotator']);
    expect(alarms(alarm('a', 'OK'), alarm('b', 'ALARM'))).toEqual(['warn b']);
    expect(alarms(alarm('a', 'OK', false), alarm('b', 'gone'))).toEqual(['warn a', 'fail b']);
  });

  it('says what it may not look at, and fails nothing for it', async () => {
    const lived = app();
    const denied = { kind: 'refuse', error: { code: 'AccessDenied', status: 403 } } as const;
    for (const [service, action] of [
      ['lambda', 'GetFunctionConfiguration'],
      ['cloudformation', 'ListStackResources'],
      ['iam', 'ListAccessKeys'],
      ['iam', 'ListEntitiesForPolicy'],
    ] as const) {
      lived.account.faults.add({ match: { service, action }, times: 9, ...denied });
    }
    expect(await troubles(lived)).toEqual([
      0,
      'skipped function rotate',
      'skipped function retire',
      'skipped schedule retire pass',
      'skipped user app',
    ]);
  });

  it('ends at once when the credentials are no good', async () => {
    const lived = app();
    lived.account.faults.add({
      match: { service: 'iam', action: 'ListAccessKeys' },
      kind: 'refuse',
      error: { code: 'ExpiredToken', status: 403 },
    });
    expect(await run(lived.account, doctor)).toMatchObject({ exit: 11, out: '' });
  });

  it.each([40, 60, 80, 120, 200])('keeps its lines within %d columns', async (columns) => {
    const lived = app();
    lived.account.createAccessKey('app');
    const { out } = await run(lived.account, doctor, [], { columns, env: { NO_COLOR: '1' } });
    expect(out.split('\n').filter((line) => line.length > columns || line !== line.trimEnd())).toEqual([]);
    expect(out).toContain('10 checks: 1 failed, 1 warning\n');
    expect(out).toContain('FAIL  slot app: ');
  });

  it('refuses a name that no secret and no user has', async () => {
    expect(await run(app().account, doctor, ['ap'])).toMatchObject({ exit: 17, out: '' });
  });
});

/** Of a deployment without keys. */
const facts = (): HealthFacts => ({
  stack: {
    ...{ name: 'iam-key-rotator', region: 'r', account: '1', status: 'CREATE_COMPLETE', outputs: {}, version: '0.1.0' },
    deployment: { formatVersion: 1, name: 'iam-key-rotator', maxChangesPerRun: 1, rotateTimeout: 1, keys: [] },
  },
  ...{ version: '0.1.0', functions: new Map(), schedules: new Map(), alarms: { ok: true, value: [] } },
  ...{ surveyed: [], keys: new Map(), quarantined: { ok: true, value: new Map() }, now: new Date(0) },
});
