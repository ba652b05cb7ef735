import { describe, expect, it } from 'vitest';
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { RotatorError } from '../../lambdas/domain/errors.ts';
import type { Ledger } from '../../lambdas/domain/ledger.ts';
import type { Reason } from '../../lambdas/domain/reasons.ts';
import type { Decision, KeyDecision } from '../../lambdas/domain/retire.ts';
import { applyDecisions, type ChangeBudget } from '../../lambdas/retirement/apply.ts';
import { at, key, NEW, NOW, OLD, OTHER } from '../domain/world.ts';
import { deployedKey } from '../policy.ts';
import { ARN, awsError, CURRENT, failureOf, type Given, Ports, WHO } from '../rotate/ports.ts';

const tagOf = (keyId: string) => `iam-key-rotator:key/${keyId}`;
const ENTRY = { keyId: OLD, version: CURRENT, superseded: { at: at(-60), by: NEW } };
const RECORDED = `version=${CURRENT} superseded=2026-06-15T11:59:00Z by=${NEW}`;
const DUE = at(3600);
const LAST_USE = { at: at(-120), service: 's3', region: 'us-east-1' };
const INTENT = { run: 'run-old', token: CURRENT, at: at(-600), before: [] };

const disable = (keyId = OLD): KeyDecision => ({
  about: 'key',
  keyId,
  role: 'superseded',
  do: 'disable',
  reason: 'overlap-over',
  entry: { ...ENTRY, keyId },
});
const remove = (more: Partial<Extract<KeyDecision, { do: 'delete' }>> = {}): KeyDecision => ({
  about: 'key',
  keyId: OLD,
  role: 'superseded',
  do: 'delete',
  reason: 'recovery-over',
  ...more,
});
const none = (reason: Reason, more: Partial<KeyDecision> = {}): KeyDecision => ({
  about: 'key',
  keyId: OLD,
  role: 'superseded',
  ...more,
  do: 'none',
  reason,
});
const resolve: Decision = { about: 'intent', intent: INTENT, do: 'resolve', reason: 'intent-settled' };
const takeOff: Decision = { about: 'label', do: 'take-off', version: CURRENT, reason: 'pending-label-left-over' };

async function apply(
  decisions: readonly Decision[],
  ports = new Ports(),
  budget: ChangeBudget = { left: 25, exceeded: false },
  policy: Partial<DeployedKey> = {},
  ledger: Pick<Ledger, 'leaks'> = { leaks: new Map() },
) {
  const target = { arn: ARN, policy: deployedKey({ userName: 'app', ...policy }), readAt: NOW, ledger };
  await applyDecisions(decisions, target, budget, ports.world);
  return { calls: ports.calls, happenings: ports.happenings, budget };
}
const keyed = (given: Given = {}) => new Ports({ keys: [key(OLD), key(OTHER)], ...given });
const happening = (what: string, reason: Reason, more: object = {}) => ({
  what,
  ...WHO,
  keyId: OLD,
  reason,
  observed: false,
  ...more,
});

describe('a decision about a key', () => {
  it('to disable it is carried out, and recorded with the date after that', async () => {
    const { calls, happenings, budget } = await apply([disable()], keyed().slow('disable', 3000));
    expect(calls).toEqual([
      ['disable', 'app', OLD],
      ['tag', ARN, { [tagOf(OLD)]: `${RECORDED} disabled=2026-06-15T12:00:03Z` }, []],
    ]);
    expect(happenings).toEqual([happening('disabled', 'overlap-over')]);
    expect(budget).toEqual({ left: 24, exceeded: false });
  });

  it('to delete it is carried out, and its entry removed', async () => {
    const { calls, happenings, budget } = await apply([remove()]);
    expect(calls).toEqual([
      ['remove', 'app', OLD],
      ['tag', ARN, {}, [tagOf(OLD)]],
    ]);
    expect(happenings).toEqual([happening('deleted', 'recovery-over')]);
    expect(budget).toEqual({ left: 24, exceeded: false });
  });

  it('to delete an adopted key leaves its last entry', async () => {
    const { calls } = await apply([remove({ entry: { keyId: OLD, deleted: NOW } })]);
    expect(calls.slice(1)).toEqual([['tag', ARN, { [tagOf(OLD)]: 'deleted=2026-06-15T12:00:00Z' }, []]]);
  });

  it('to delete an orphan has no entry to remove', async () => {
    const { calls, happenings } = await apply([remove({ role: 'orphan', reason: 'orphan-never-used' })]);
    expect(calls).toEqual([['remove', 'app', OLD]]);
    expect(happenings).toEqual([happening('orphan-cleared', 'orphan-never-used')]);
  });

  it('to record it is carried out, and told with what is due', async () => {
    const record: Decision = { ...disable(), do: 'record', reason: 'date-missing', entry: ENTRY, due: DUE };
    const { calls, happenings, budget } = await apply([record]);
    expect(calls).toEqual([['tag', ARN, { [tagOf(OLD)]: RECORDED }, []]]);
    expect(happenings).toEqual([happening('recorded', 'date-missing', { due: DUE })]);
    expect(budget.left).toBe(25);
  });

  it('to forget it is carried out', async () => {
    const { calls, happenings } = await apply([{ ...none('key-gone'), do: 'forget' }]);
    expect(calls).toEqual([['tag', ARN, {}, [tagOf(OLD)]]]);
    expect(happenings).toEqual([happening('forgotten', 'key-gone')]);
  });

  it('to hold it is told with its last use and the end of the hold', async () => {
    const { calls, happenings } = await apply([none('in-use', { due: DUE, lastUse: LAST_USE })]);
    expect(calls).toEqual([]);
    expect(happenings).toEqual([happening('held', 'in-use', { due: DUE, lastUse: LAST_USE })]);
  });

  it.each<Reason>([
    'is-current',
    'is-pending',
    'is-stranger',
    'in-overlap',
    'in-recovery',
    'adoption-waits',
    'is-deleted',
    'listing-lags',
  ])('to leave it, because %s, is not told every hour', async (reason) => {
    expect(await apply([none(reason, { due: DUE })])).toMatchObject({ calls: [], happenings: [] });
  });

  it('to look closer that nobody followed is told like one to leave it', async () => {
    const { happenings } = await apply([{ ...none('last-use-unread'), do: 'look' }]);
    expect(happenings).toEqual([{ what: 'noticed', ...WHO, keyId: OLD, reason: 'last-use-unread' }]);
  });

  it.each<Reason>(['current-not-usable', 'orphan-used', 'mint-unsettled'])(
    'to leave it, because %s, is told, without dates',
    async (reason) => {
      const { calls, happenings } = await apply([none(reason, { due: DUE, lastUse: LAST_USE })]);
      expect(calls).toEqual([]);
      expect(happenings).toEqual([{ what: 'noticed', ...WHO, keyId: OLD, reason }]);
    },
  );

  it('to record it is told also for a reason that is not told when nothing is done', async () => {
    const record: Decision = { ...disable(), do: 'record', reason: 'is-current', entry: ENTRY };
    expect((await apply([record])).happenings).toEqual([happening('recorded', 'is-current')]);
  });
});

describe('a decision about the secret', () => {
  it('removes an announcement', async () => {
    const { calls, happenings } = await apply([resolve]);
    expect(calls).toEqual([['tag', ARN, {}, ['iam-key-rotator:intent/run-old']]]);
    expect(happenings).toEqual([{ what: 'intent-resolved', ...WHO, reason: 'intent-settled', observed: false }]);
  });

  it('leaves an open announcement alone', async () => {
    const open: Decision = { about: 'intent', intent: INTENT, do: 'none', reason: 'mint-unsettled', due: DUE };
    expect(await apply([open])).toMatchObject({ calls: [], happenings: [] });
  });

  it('takes AWSPENDING off', async () => {
    const { calls, happenings } = await apply([takeOff]);
    expect(calls).toEqual([['moveLabel', ARN, 'AWSPENDING', CURRENT]]);
    expect(happenings).toEqual([
      { what: 'label-taken-off', ...WHO, reason: 'pending-label-left-over', observed: false },
    ]);
  });

  it('takes it for done if the version has lost the label meanwhile', async () => {
    const ports = new Ports().before('moveLabel', () => {
      throw awsError('UpdateSecretVersionStage', 'InvalidParameterException');
    });
    expect((await apply([takeOff], ports)).happenings).toHaveLength(1);
  });

  it.each([
    ['is denied', awsError('UpdateSecretVersionStage', 'AccessDeniedException')],
    ['fails otherwise', Object.assign(new Error('x'), { awsCode: 'InvalidParameterException' })],
  ])('fails when that %s', async (_, error) => {
    const ports = new Ports().before('moveLabel', () => {
      throw error;
    });
    expect(await failureOf(apply([takeOff], ports))).toBe(error);
    expect(ports.happenings).toEqual([]);
  });
});

describe('several decisions', () => {
  it('are carried out in their order, and what is only recorded is written at the end, in one go', async () => {
    const record = (keyId: string): Decision => ({
      ...disable(keyId),
      do: 'record',
      reason: 'date-missing',
      entry: { keyId, version: CURRENT },
    });
    const { calls, happenings } = await apply(
      [
        record(OLD),
        resolve,
        { ...none('key-gone', { keyId: NEW }), do: 'forget' },
        takeOff,
        disable(OTHER),
        record('AKIA'),
      ],
      keyed(),
    );
    expect(calls).toEqual([
      ['moveLabel', ARN, 'AWSPENDING', CURRENT],
      ['disable', 'app', OTHER],
      ['tag', ARN, { [tagOf(OTHER)]: `${RECORDED} disabled=2026-06-15T12:00:00Z` }, []],
      [
        'tag',
        ARN,
        { [tagOf(OLD)]: `version=${CURRENT}`, [tagOf('AKIA')]: `version=${CURRENT}` },
        ['iam-key-rotator:intent/run-old', tagOf(NEW)],
      ],
    ]);
    expect(happenings.map(({ what }) => what)).toEqual([
      ...['recorded', 'intent-resolved', 'forgotten', 'label-taken-off', 'disabled', 'recorded'],
    ]);
  });

  it("are only told in mode 'observe'", async () => {
    const record: Decision = { ...disable(), do: 'record', reason: 'date-missing', entry: ENTRY };
    const decisions: Decision[] = [
      disable(),
      remove(),
      record,
      { ...none('key-gone'), do: 'forget' },
      resolve,
      takeOff,
    ];
    const { calls, happenings, budget } = await apply(
      decisions,
      keyed(),
      { left: 0, exceeded: false },
      { mode: 'observe' },
    );
    expect(calls).toEqual([]);
    expect(happenings).toEqual([
      happening('disabled', 'overlap-over', { observed: true }),
      happening('deleted', 'recovery-over', { observed: true }),
      happening('recorded', 'date-missing', { observed: true }),
      happening('forgotten', 'key-gone', { observed: true }),
      { what: 'intent-resolved', ...WHO, reason: 'intent-settled', observed: true },
      { what: 'label-taken-off', ...WHO, reason: 'pending-label-left-over', observed: true },
    ]);
    expect(budget).toEqual({ left: 0, exceeded: false });
  });
});

describe('the limit of a pass', () => {
  it('keeps from changing more, but what was to be recorded by then is', async () => {
    const { calls, happenings, budget } = await apply([resolve, disable(OTHER), disable(OLD), takeOff], keyed(), {
      left: 1,
      exceeded: false,
    });
    expect(calls.map(([operation]) => operation)).toEqual(['disable', 'tag', 'tag']);
    expect(calls.at(-1)).toEqual(['tag', ARN, {}, ['iam-key-rotator:intent/run-old']]);
    expect(happenings.map(({ what }) => what)).toEqual(['intent-resolved', 'disabled']);
    expect(budget).toEqual({ left: 0, exceeded: true });
  });

  it.each([
    ['IAM refused to disable the key', awsError('UpdateAccessKey', 'AccessDenied'), 5],
    ['IAM refused to delete the key', awsError('DeleteAccessKey', 'AccessDenied'), 5],
    ['the answer was lost: the key may be changed', awsError('UpdateAccessKey', 'TimeoutError', false), 4],
    ['only the record of the change was refused', awsError('TagResource', 'AccessDeniedException'), 4],
    ['the rotator itself refused', new RotatorError('READ_STALE', { found: 'x', expected: 'y', remedy: 'z' }), 5],
  ])('counts what may have changed: %s', async (_, error, left) => {
    const ports = keyed().before('disable', () => {
      throw error;
    });
    const budget = { left: 5, exceeded: false };
    expect(await failureOf(apply([disable()], ports, budget))).toBe(error);
    expect(budget).toEqual({ left, exceeded: false });
    expect(ports.happenings).toEqual([]);
  });

  it('counts no change of a key that was read too long ago', async () => {
    const ports = keyed();
    ports.pass(15_001);
    const budget = { left: 5, exceeded: false };
    expect(await failureOf(apply([disable()], ports, budget))).toMatchObject({ code: 'READ_STALE' });
    expect(await failureOf(apply([remove()], ports, budget))).toMatchObject({ code: 'READ_STALE' });
    expect(ports.calls).toEqual([]);
    expect(budget).toEqual({ left: 5, exceeded: false });
  });
});

describe('a key that is leaked', () => {
  const leaked: Pick<Ledger, 'leaks'> = { leaks: new Map([[OLD, { keyId: OLD, at: NOW, signal: 'health' }]]) };
  const applied = (decision: Decision) => apply([decision], keyed(), { left: 25, exceeded: false }, {}, leaked);
  const about = { about: 'key', keyId: OLD, role: 'superseded' } as const;
  const both = [tagOf(OLD), `iam-key-rotator:leak/${OLD}`];

  it('leaves no mark behind when it is deleted or forgotten, nor one that its entry outlives', async () => {
    const gone = await applied({ ...about, do: 'delete', reason: 'recovery-over' });
    expect(gone.calls.at(-1)).toEqual(['tag', ARN, {}, both]);
    const forgotten = await applied({ ...about, do: 'forget', reason: 'key-gone' });
    expect(forgotten.calls).toEqual([['tag', ARN, {}, both]]);
    const adopted = await applied({
      ...about,
      do: 'delete',
      reason: 'recovery-over',
      entry: { keyId: OLD, deleted: NOW },
    });
    expect(adopted.calls.at(-1)).toEqual(['tag', ARN, expect.anything(), both.slice(1)]);
  });

  it('has its mark taken off where nothing else is left of it, and that is told', async () => {
    const { calls, happenings } = await applied({ about: 'leak', keyId: OLD, do: 'clear', reason: 'leak-over' });
    expect(calls).toEqual([['tag', ARN, {}, both.slice(1)]]);
    expect(happenings).toEqual([happening('leak-cleared', 'leak-over')]);
  });
});
