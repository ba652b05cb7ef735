import { describe, expect, it } from 'vitest';
import {
  judgeSwitch,
  overlapEnd,
  type RetiringKey,
  retiringKeys,
  tellSwitch,
  type VersionUse,
} from '../../lambdas/domain/follow.ts';
import type { LedgerEntry } from '../../lambdas/domain/ledger.ts';
import { DAY, deployedKey, HOUR } from '../policy.ts';
import { at, labels, ledger, NEW, NOW, OLD, OTHER } from './world.ts';

const policy = deployedKey({ userName: 'app' });
const superseded = { at: at(-DAY), by: NEW };
const old: LedgerEntry = { keyId: OLD, version: 'v1', promoted: at(-30 * DAY), superseded };
const current: LedgerEntry = { keyId: NEW, version: 'v2', promoted: at(-DAY) };
const followed: RetiringKey = { keyId: OLD, version: 'v1', since: superseded.at, readByPasses: false };
const quiet = labels({ v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT'] });

describe('a retiring key', () => {
  const found = (entries: readonly LedgerEntry[], seen = quiet, by = policy, more = {}) =>
    retiringKeys(seen, ledger([current, ...entries], more), by);

  it('is one that was in use and is superseded', () => {
    expect(found([old])).toStrictEqual([followed]);
    expect(overlapEnd(followed, policy)).toEqual(at(2 * DAY));
  });

  it.each<[string, LedgerEntry]>([
    ['disabled', { ...old, disabled: NOW }],
    ['deleted', { ...old, deleted: NOW }],
    ['not dated yet', { keyId: OLD, version: 'v1', promoted: at(-DAY) }],
    ['never promoted: no application has it', { keyId: OLD, version: 'v0', superseded }],
  ])('is none that is %s', (_, entry) => {
    expect(found([entry])).toEqual([]);
  });

  it('is none whose version somebody has labelled again', () => {
    for (const label of ['AWSCURRENT', 'AWSPENDING']) expect(found([old], labels({ v1: [label] }))).toEqual([]);
  });

  it('is known to have been in use by AWSPREVIOUS too, should its date be lost', () => {
    expect(found([{ keyId: OLD, version: 'v1', superseded }])).toHaveLength(1);
    expect(found([{ keyId: OLD, version: 'v1', superseded }], labels({ v2: ['AWSCURRENT'] }))).toEqual([]);
  });

  it('may be an adopted one, which no version holds', () => {
    const adopted: LedgerEntry = { keyId: OTHER, superseded };
    const told = [{ keyId: OTHER, since: superseded.at, readByPasses: false }];
    expect(found([adopted])).toEqual([]);
    expect(found([adopted], quiet, deployedKey({ userName: 'app', adopt: OTHER }))).toStrictEqual(told);
    expect(found([adopted], quiet, deployedKey({ userName: 'app', adopt: 'only-key' }))).toStrictEqual(told);
  });

  it('is told from one whose version passes go on reading, since an announcement names it', () => {
    const intent = (token: string, minted?: string) => ({
      intent: { token, at: at(-2 * DAY), before: [], ...(minted && { minted }) },
    });
    expect(found([old], quiet, policy, intent('v1'))).toMatchObject([{ readByPasses: true }]);
    expect(found([old], quiet, policy, intent('v1', OLD))).toMatchObject([{ readByPasses: false }]);
    expect(found([old], quiet, policy, intent('v9'))).toMatchObject([{ readByPasses: false }]);
  });
});

describe('the switch', () => {
  const use = (date: Date) => ({ at: date, service: 's3', region: 'eu-west-1' });
  const switched = (lastUse: ReturnType<typeof use> | undefined, now = NOW) =>
    judgeSwitch(followed, lastUse, [], policy, now).switched;
  const settled = -DAY + policy.settle;

  it('is incomplete if the key was used after applications have had the time to switch', () => {
    expect(switched(use(at(settled + 1)))).toBe('no');
    expect(switched(use(at(settled)))).toBe('yes');
    expect(switched(use(at(-DAY - 1)))).toBe('yes');
    expect(switched(undefined)).toBe('yes');
  });

  it('can not be judged before applications have had that time', () => {
    expect(switched(undefined, at(settled))).toBe('unknown');
    expect(switched(use(at(-DAY + 60)), at(settled))).toBe('unknown');
    expect(switched(undefined, at(settled + 1))).toBe('yes');
  });
});

describe('a read of AWSPREVIOUS', () => {
  const day = (text: string) => new Date(`${text}T00:00:00Z`);
  const previous = (readOn?: Date): VersionUse[] => [
    { version: 'v2', labels: ['AWSCURRENT'], readOn: day('2026-06-15') },
    { version: 'v1', labels: ['AWSPREVIOUS'], ...(readOn && { readOn }) },
  ];
  /** Superseded on 14 June at noon, by day. */
  const reads = (versions: readonly VersionUse[], now = NOW, key = followed) => {
    const { previousRead, previousReadOn } = judgeSwitch(key, undefined, versions, policy, now);
    return [previousRead, previousReadOn?.toISOString().slice(0, 10)];
  };

  it("is somebody else's on a day after that of the promotion, and can be the rotator's own on that day", () => {
    expect(reads(previous(day('2026-06-15')))).toEqual(['yes', '2026-06-15']);
    expect(reads(previous(day('2026-06-14')))).toEqual(['no', undefined]);
    expect(reads(previous(day('2026-06-13')))).toEqual(['no', undefined]);
  });

  it('can not be told while the day of the promotion lasts', () => {
    const last = new Date('2026-06-14T23:59:59Z');
    expect(reads(previous(day('2026-06-14')), last)).toEqual(['unknown', undefined]);
    expect(reads(previous(day('2026-06-13')), last)).toEqual(['unknown', undefined]);
    expect(reads(previous(day('2026-06-14')), day('2026-06-15'))).toEqual(['no', undefined]);
  });

  it('counts for the next day if the clock of the function that dated the promotion was behind midnight', () => {
    const superseded = (text: string) => ({ ...followed, since: new Date(text) });
    expect(reads(previous(day('2026-06-14')), NOW, superseded('2026-06-13T23:59:00Z'))).toEqual(['no', undefined]);
    expect(reads(previous(day('2026-06-14')), NOW, superseded('2026-06-13T23:58:59Z'))[0]).toBe('yes');
  });

  it('can not be told where Secrets Manager tells no day, or another version has the label', () => {
    const unknown = ['unknown', undefined];
    expect(reads(previous())).toEqual(unknown);
    expect(reads([])).toEqual(unknown);
    expect(reads([{ version: 'v1', labels: ['theirs'], readOn: day('2026-06-15') }])).toEqual(unknown);
    expect(reads([{ version: 'v0', labels: ['AWSPREVIOUS'], readOn: day('2026-06-15') }])).toEqual(unknown);
    const { version: _, ...adopted } = followed;
    expect(reads(previous(day('2026-06-15')), NOW, adopted)).toEqual(unknown);
  });

  it('can not be told of a version that passes read themselves', () => {
    expect(reads(previous(day('2026-06-15')), NOW, { ...followed, readByPasses: true })).toEqual([
      'unknown',
      undefined,
    ]);
  });
});

describe('what is told of the switch', () => {
  const lastUse = { at: at(-HOUR), service: 's3', region: 'eu-west-1' };
  const told = { keyId: OLD, due: at(2 * DAY), lastUse };

  it('is a sentence that says who has not switched', () => {
    expect(tellSwitch({ ...told, switched: 'no', previousRead: 'yes', previousReadOn: at(-12 * HOUR) })).toBe(
      `${OLD} retiring until 2026-06-17T12:00:00Z: last used 2026-06-15T11:00:00Z by s3 in eu-west-1, after the switch: somebody has not ` +
        'switched; AWSPREVIOUS last read on 2026-06-15, after the switch',
    );
  });

  it('says what is not known, and what did not happen', () => {
    const { lastUse: __, ...unused } = told;
    expect(tellSwitch({ ...unused, switched: 'unknown', previousRead: 'unknown' })).toBe(
      `${OLD} retiring until 2026-06-17T12:00:00Z: never used, too early to tell who has switched; AWSPREVIOUS read or not, that can not be told`,
    );
    const quiet = { switched: 'yes', previousRead: 'no' } as const;
    expect(tellSwitch({ ...unused, ...quiet })).toContain(
      ': never used; AWSPREVIOUS not read since the day of the switch',
    );
    expect(tellSwitch({ ...told, ...quiet })).toContain(
      'by s3 in eu-west-1, not since applications had the time to switch; AWSPREVIOUS not read since',
    );
  });
});
