import { describe, expect, it } from 'vitest';
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { RotatorError } from '../../lambdas/domain/errors.ts';
import { type Ledger, type LedgerEntry, parseLedger } from '../../lambdas/domain/ledger.ts';
import { after as later } from '../../lambdas/domain/model.ts';
import {
  GUARD,
  nextStep,
  noteLook,
  PASS_IS_OVER,
  type Progress,
  planRollback,
  RESERVED_FOR,
  type RollbackObserved,
} from '../../lambdas/domain/rollback.ts';
import { DAY, deployedKey, HOUR } from '../policy.ts';

const NOW = new Date('2026-03-10T12:00:00Z');
const TIMEOUT = 120;
const OLD = 'AKIAOLD';
const NEW = 'AKIANEW';
const policy = deployedKey({ userName: 'app' });
const ago = (seconds: number) => later(NOW, -seconds);

interface Situation {
  readonly status?: 'Active' | 'Inactive' | 'gone';
  readonly old?: Partial<LedgerEntry> | 'none';
  readonly current?: Partial<LedgerEntry> | 'none';
  readonly ledger?: Partial<Ledger>;
  readonly labels?: Record<string, readonly string[]>;
  readonly more?: Partial<RollbackObserved>;
}

/** The new key has been current for a day, and the old one retires. */
function observed({ status = 'Active', old = {}, current = {}, ledger = {}, labels = {}, more = {} }: Situation = {}) {
  const since = ago(DAY);
  const entries = new Map<string, LedgerEntry>();
  if (old !== 'none')
    entries.set(OLD, {
      keyId: OLD,
      version: 'v1',
      promoted: ago(31 * DAY),
      superseded: { at: since, by: NEW },
      ...old,
    });
  if (current !== 'none') entries.set(NEW, { keyId: NEW, version: 'v2', promoted: since, ...current });
  const created = ago(31 * DAY);
  const facts: RollbackObserved = {
    secretName: 'iam/app',
    scheduledForDeletion: false,
    rotationEnabled: true,
    labels: new Map(Object.entries({ v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT'], ...labels })),
    ledger: { ...parseLedger({}), entries, userId: 'AIDA', ...ledger },
    keys: [
      ...(status === 'gone' ? [] : [{ id: OLD, status, created }]),
      { id: NEW, status: 'Active' as const, created: since },
    ],
    currentKeyId: NEW,
    pendingKeyId: undefined,
    stored: new Map(),
    held: new Map([
      ['v1', OLD],
      ['v2', NEW],
    ]),
    unreadable: new Map(),
    lastUse: new Map([[OLD, undefined]]),
    userId: undefined,
    leaked: new Set(),
    ...more,
  };
  return facts;
}

const plan = (situation: Situation = {}, wanted?: string, change: Partial<DeployedKey> = {}) =>
  planRollback(observed(situation), wanted, { ...policy, ...change }, TIMEOUT, NOW);
const code = (situation: Situation, wanted?: string, change: Partial<DeployedKey> = {}) => {
  const planned = plan(situation, wanted, change);
  return planned.do === 'refuse' ? planned.error.code : planned.do;
};
const ROUTE = { keyId: OLD, version: 'v1', from: 'v2', fromKeyId: NEW };
const next = (situation: Situation = {}, progress: Progress = {}, change: Partial<DeployedKey> = {}, now = NOW) =>
  nextStep(observed(situation), ROUTE, progress, { ...policy, ...change }, TIMEOUT, now);

describe('to which key a rollback returns', () => {
  it('is the one that was current last, from the version that it is in', () => {
    expect(plan()).toEqual({ do: 'roll-back', route: ROUTE, steps: ['verify', 'move'] });
  });

  it('is never a newer one, unless it is named: run again, a rollback undoes nothing', () => {
    const back: Situation = {
      labels: { v1: ['AWSCURRENT'], v2: ['AWSPREVIOUS'] },
      more: { currentKeyId: OLD },
    };
    expect(plan(back)).toEqual({ do: 'none', keyId: OLD, newer: NEW });
    expect(plan({ ...back, current: { promoted: undefined as never } })).toMatchObject({ do: 'none', newer: NEW });
    expect(plan(back, NEW)).toMatchObject({ do: 'roll-back', route: { keyId: NEW, version: 'v2', from: 'v1' } });
    expect(plan(back, OLD)).toEqual({ do: 'none', keyId: OLD, newer: undefined });
  });

  it('is none when it is run again and what was before is deleted: nobody wished to go back further', () => {
    const first: LedgerEntry = { keyId: 'AKIAFIRST', version: 'v0', promoted: ago(61 * DAY) };
    const [old, current] = [...observed().ledger.entries.values()];
    const entries = new Map([first, old, current].map((entry) => [entry?.keyId ?? '', entry as LedgerEntry]));
    const again = {
      labels: { v1: ['AWSCURRENT'], v2: ['AWSPREVIOUS'] },
      ledger: { entries },
      more: { currentKeyId: OLD },
    };
    expect(plan(again)).toEqual({ do: 'none', keyId: OLD, newer: NEW });
    expect(code(again, 'AKIAFIRST')).toBe('ROLLBACK_KEY_GONE');
    // While it is there, it is the one that was current last.
    const there = { id: 'AKIAFIRST', status: 'Active' as const, created: ago(61 * DAY) };
    const keys = [there, ...observed(again).keys];
    expect(code({ ...again, more: { ...again.more, keys } })).not.toBe('none');
  });

  it('is the older one if the current key is one that the ledger does not know yet: somebody has stored it by hand', () => {
    expect(plan({ current: 'none' })).toMatchObject({ do: 'roll-back', route: { keyId: OLD } });
  });

  it('is none that is unknown, and says which there are', () => {
    const found = (situation: Situation, wanted?: string) => {
      const planned = plan(situation, wanted);
      return planned.do === 'refuse' ? [planned.error.code, planned.error.details] : planned.do;
    };
    expect(found({}, 'AKIAOTHER')).toMatchObject(['ROLLBACK_NO_KEY', { expected: `one of ${OLD}` }]);
    const alone: Situation = { old: 'none', labels: { v1: [] }, more: { held: new Map([['v2', NEW]]) } };
    expect(found(alone, 'AKIAOTHER')).toMatchObject(['ROLLBACK_NO_KEY', { expected: 'a superseded key' }]);
    const damaged = { ...alone, current: 'none' as const, more: { currentKeyId: undefined, held: new Map() } };
    expect(found(damaged)).toMatchObject([
      'ROLLBACK_NO_KEY',
      { found: 'iam/app has no superseded key: no key of it is known' },
    ]);
  });

  it('is the first recorded of two of which nobody knows when they were current', () => {
    const adopted = ['AKIAFIRST', OLD].map((keyId): [string, LedgerEntry] => [keyId, { keyId }]);
    const entries = new Map([...adopted, ...[...observed().ledger.entries].filter(([keyId]) => keyId === NEW)]);
    const situation = { labels: { v1: [] }, ledger: { entries }, more: { held: new Map([['v2', NEW]]) } };
    expect(plan(situation)).toMatchObject({ do: 'refuse', error: { message: expect.stringContaining('AKIAFIRST') } });
  });

  it('is found though the current value is damaged', () => {
    const held = new Map([['v1', OLD]]);
    expect(plan({ more: { currentKeyId: undefined, held, userId: 'AIDA' } })).toMatchObject({
      do: 'roll-back',
      route: { keyId: OLD, fromKeyId: undefined },
    });
  });

  it('is in a version without a label where no other holds it', () => {
    const held = new Map([
      ['v0', OLD],
      ['v1', NEW],
      ['v2', NEW],
    ]);
    expect(plan({ old: { version: 'v0' }, more: { held } })).toMatchObject({ route: { version: 'v0' } });
  });
});

describe('a rollback is refused', () => {
  const malformed = new RotatorError('VALUE_OTHER_USER', { found: 'f', expected: 'e', remedy: 'r' });
  const run = { run: 'r', token: 'v3', before: [] };
  it.each<[string, string, Situation, (string | undefined)?, Partial<DeployedKey>?]>([
    ['without a superseded key', 'ROLLBACK_NO_KEY', { old: 'none', labels: { v1: [] } }],
    ['to a key that nobody knows', 'ROLLBACK_NO_KEY', {}, 'AKIAOTHER'],
    [
      'to a key that was minted and never current',
      'ROLLBACK_NO_KEY',
      { old: { version: 'v0', promoted: undefined as never }, labels: { v1: [] }, more: { held: new Map() } },
    ],
    ['to a key that is not of the ledger', 'ROLLBACK_NO_KEY', { old: 'none' }],
    ['to a key that is deleted, and forgotten', 'ROLLBACK_KEY_GONE', { status: 'gone', old: 'none' }],
    ['to a key that is deleted, and not forgotten yet', 'ROLLBACK_KEY_GONE', { status: 'gone' }],
    [
      'to an adopted key, whose secret only its applications know',
      'ROLLBACK_VALUE_GONE',
      { old: { version: undefined as never }, labels: { v1: [] }, more: { held: new Map([['v2', NEW]]) } },
    ],
    ['when the version with the key is gone', 'ROLLBACK_VALUE_GONE', { more: { held: new Map([['v2', NEW]]) } }],
    [
      'when the version names another user',
      'VALUE_OTHER_USER',
      { more: { held: new Map([['v2', NEW]]), unreadable: new Map([['v1', malformed]]) } },
    ],
    ['to a leaked key', 'KEY_LEAKED', { more: { leaked: new Set([OLD]) } }],
    ['when the user was made anew', 'USER_RECREATED', { more: { keys: [], userId: 'AIDAOTHER' } }],
    ['of a secret that is scheduled for deletion', 'SECRET_NOT_USABLE', { more: { scheduledForDeletion: true } }],
    ['of a secret without AWSCURRENT', 'CURRENT_MISSING', { labels: { v2: [] } }],
    ["in mode 'observe'", 'OBSERVE_MODE', {}, undefined, { mode: 'observe' }],
    ['while a rotation is under way', 'ROTATION_IN_PROGRESS', { labels: { v3: ['AWSPENDING'] } }],
    ['while a mint is announced', 'ROTATION_IN_PROGRESS', { ledger: { intents: [{ ...run, at: ago(60) }] } }],
  ])('%s', (_, expected, situation, wanted, change) => {
    expect(code(situation, wanted, change)).toBe(expected);
  });

  it('not by an announcement that is over, nor by AWSPENDING left on a version that was current', () => {
    expect(code({ ledger: { intents: [{ ...run, at: ago(HOUR) }] } })).toBe('roll-back');
    expect(code({ labels: { v1: ['AWSPREVIOUS', 'AWSPENDING'] } })).toBe('roll-back');
    expect(plan({ labels: { v2: ['AWSCURRENT', 'AWSPENDING'] } })).toMatchObject({
      steps: ['verify', 'take-off', 'move'],
    });
  });

  it('in the middle, too: whatever comes in between ends it', () => {
    const refusal = (situation: Situation) => {
      const step = next(situation, { heldSince: ago(HOUR), verifiedAt: NOW });
      return step.do === 'refuse' ? step.error.code : step.do;
    };
    expect(refusal({})).toBe('move');
    expect(refusal({ labels: { v3: ['AWSPENDING'] } })).toBe('ROTATION_IN_PROGRESS');
    expect(refusal({ labels: { v2: ['AWSPREVIOUS'], v1: [], v3: ['AWSCURRENT'] } })).toBe('OVERTAKEN');
    expect(refusal({ status: 'gone' })).toBe('ROLLBACK_KEY_GONE');
    expect(refusal({ more: { leaked: new Set([OLD]) } })).toBe('KEY_LEAKED');
    expect(refusal({ more: { scheduledForDeletion: true } })).toBe('SECRET_NOT_USABLE');
  });

  it('after the move, too: a leak that was reported in that moment is told with what to do', () => {
    const step = next({
      labels: { v1: ['AWSCURRENT'], v2: ['AWSPREVIOUS'] },
      more: { currentKeyId: OLD, leaked: new Set([OLD]) },
    });
    expect(step).toMatchObject({ do: 'refuse', error: { code: 'KEY_LEAKED' } });
    expect(step).toMatchObject({
      error: { details: { remedy: expect.stringContaining(`--access-key-id ${OLD}), and rotate`) } },
    });
  });
});

describe('the next step', () => {
  const disabled: Situation = { status: 'Inactive', old: { disabled: ago(HOUR) } };
  const due: Situation = { old: { superseded: { at: ago(4 * DAY), by: NEW } }, current: { promoted: ago(4 * DAY) } };

  it('is to activate a disabled key, then to wait until whoever looked before is over with it, counted from the first look that found it so', () => {
    expect(next(disabled)).toEqual({ do: 'activate' });
    const active: Situation = { ...disabled, status: 'Active' };
    expect(next(active)).toEqual({ do: 'wait', until: later(NOW, PASS_IS_OVER) });
    expect(next(active, { heldSince: ago(PASS_IS_OVER - 1) })).toEqual({ do: 'wait', until: later(NOW, 1) });
    expect(next(active, { heldSince: ago(PASS_IS_OVER) })).toEqual({ do: 'verify' });
  });

  it('is to reserve a key that a pass is about to end, before anything else', () => {
    const reserve = { do: 'reserve', until: later(NOW, RESERVED_FOR) };
    expect(next(due)).toMatchObject(reserve);
    expect(next(disabled, {}, { deactivateAfter: 0 })).toMatchObject(reserve);
    expect(next(disabled, {}, { deactivateAfter: GUARD - 1, ifInUse: 'disable' })).toMatchObject(reserve);
    expect(next(disabled, {}, { deactivateAfter: GUARD + 1, ifInUse: 'disable' })).toEqual({ do: 'activate' });
  });

  it('is to reserve by a date ahead, without the date of disabling, and to close what a dying finishSecret left open', () => {
    expect(next({ ...disabled, current: { promoted: undefined as never } }, {}, { deactivateAfter: 0 })).toMatchObject({
      entries: [
        { keyId: OLD, version: 'v1', promoted: ago(31 * DAY), superseded: { at: later(NOW, RESERVED_FOR), by: NEW } },
        { keyId: NEW, version: 'v2', promoted: NOW },
      ],
    });
    const step = next(disabled, {}, { deactivateAfter: 0 });
    expect(step.do === 'reserve' && step.entries.map(({ disabled: at }) => at)).toEqual([undefined]);
  });

  it('is to reserve with a date of promotion, if the version that is recorded was current at all', () => {
    const undated = { superseded: { at: ago(4 * DAY), by: NEW }, promoted: undefined as never };
    const entryOf = (old: Partial<LedgerEntry>) => {
      const step = next({ ...due, old });
      return step.do === 'reserve' ? step.entries[0] : step;
    };
    expect(entryOf(undated)).toMatchObject({ keyId: OLD, promoted: NOW });
    // Stored by hand in another version, which has been current since; the one that is recorded never was.
    const other = entryOf({ ...undated, version: 'v0' });
    expect(other).toMatchObject({ keyId: OLD, version: 'v0' });
    expect(other).not.toHaveProperty('promoted', NOW);
  });

  it('waits for the rotate function too where there is no overlap: finishSecret ends keys by what it read at its beginning', () => {
    const reserved: Situation = { old: { superseded: { at: later(NOW, RESERVED_FOR), by: NEW } } };
    expect(next(reserved, {}, { deactivateAfter: 0 })).toEqual({ do: 'wait', until: later(NOW, 60 + TIMEOUT) });
  });

  it('does not wait within an overlap that began with the promotion, or long ago', () => {
    expect(next()).toEqual({ do: 'verify' });
    const redated: Situation = { old: { superseded: { at: ago(PASS_IS_OVER + 61), by: NEW } } };
    expect(next(redated)).toEqual({ do: 'verify' });
    expect(next({ old: { superseded: { at: ago(PASS_IS_OVER + 60), by: NEW } } })).toMatchObject({ do: 'wait' });
  });

  it('says of AWSCURRENT that has moved, and can not be read, that it has', () => {
    const step = next({
      labels: { v1: [], v2: [], v3: ['AWSCURRENT'] },
      more: { currentKeyId: undefined, userId: 'AIDA' },
    });
    expect(step).toMatchObject({
      do: 'refuse',
      error: { code: 'OVERTAKEN', message: expect.stringContaining('no key that could be read') },
    });
  });

  it('is to verify again what was verified too long ago', () => {
    expect(next({}, { verifiedAt: ago(30) })).toEqual({ do: 'move' });
    expect(next({}, { verifiedAt: ago(31) })).toEqual({ do: 'verify' });
  });

  it('is none once the label has moved, unless somebody has disabled the key since', () => {
    const moved: Situation = { labels: { v1: ['AWSCURRENT'], v2: ['AWSPREVIOUS'] }, more: { currentKeyId: OLD } };
    expect(next(moved)).toEqual({ do: 'done' });
    expect(next({ ...moved, status: 'Inactive' })).toEqual({ do: 'activate' });
  });

  it('a key held for being used is out of reach of passes, and one in use no more is not', () => {
    const use = (seconds: number): Situation => ({
      ...due,
      more: { lastUse: new Map([[OLD, { at: ago(seconds), service: 's3', region: 'eu-west-1' }]]) },
    });
    expect(next(use(HOUR))).toMatchObject({ do: 'wait' });
    expect(next(use(HOUR), {}, { quietFor: HOUR })).toMatchObject({ do: 'reserve' });
    expect(next({ ...due, more: { lastUse: new Map() } })).toMatchObject({ do: 'reserve' });
  });
});

describe('what the looks have seen', () => {
  const note = (situation: Situation, progress: Progress) =>
    noteLook(progress, observed(situation), ROUTE, policy, TIMEOUT, NOW);

  it('counts from the first of those that found the key Active and out of reach', () => {
    expect(note({}, {})).toEqual({ heldSince: NOW });
    expect(note({}, { heldSince: ago(9), verifiedAt: ago(5) })).toEqual({ heldSince: ago(9), verifiedAt: ago(5) });
  });

  it('is void once one has found it otherwise', () => {
    expect(note({ status: 'Inactive' }, { heldSince: ago(9), verifiedAt: ago(5) })).toEqual({});
    expect(
      note(
        { old: { superseded: { at: ago(4 * DAY), by: NEW } }, current: { promoted: ago(4 * DAY) } },
        { heldSince: ago(9) },
      ),
    ).toEqual({});
  });
});
