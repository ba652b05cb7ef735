import { describe, expect, it } from 'vitest';
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import type { LedgerEntry } from '../../lambdas/domain/ledger.ts';
import { nominate } from '../../lambdas/domain/nominate.ts';
import { DAY, deployedKey } from '../policy.ts';
import { at, labels, ledger, NEW, NOW, OLD, TIMEOUT, TOLERANCE } from './world.ts';

const CURRENT: LedgerEntry = { keyId: NEW, version: 'v2', promoted: at(-30 * DAY) };
const QUIET = labels({ v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT'] });
type More = NonNullable<Parameters<typeof ledger>[1]>;
const nominated = (
  entries: readonly LedgerEntry[],
  seen = QUIET,
  more: More = { userId: 'AIDA1' },
  policy: Partial<DeployedKey> = {},
) => nominate(seen, ledger(entries, more), deployedKey({ userName: 'app', ...policy }), TIMEOUT, NOW) !== undefined;
const old = (more: Partial<LedgerEntry>): LedgerEntry[] => [CURRENT, { keyId: OLD, version: 'v1', ...more }];
const RECOVERY = 7 * DAY + TOLERANCE;
const superseded = (seconds: number) => ({ superseded: { at: at(-3 * DAY - seconds), by: NEW } });

describe('a listing nominates a secret', () => {
  it.each<[string, () => boolean]>([
    ['not while nothing is due', () => nominated([CURRENT])],
    ['not a second before an overlap is over', () => nominated(old(superseded(-1)))],
    ['not a second before a recovery time is over', () => nominated(old({ disabled: at(-RECOVERY + 1) }))],
    ['not before its first promotion', () => nominated([], labels({ v1: ['AWSCURRENT'] }), {})],
    ['not for a pending key', () => nominated(old({}), labels({ v1: ['AWSPENDING'], v2: ['AWSCURRENT'] }))],
    ['not for an entry that adopts what the configuration does not', () => nominated([CURRENT, { keyId: OLD }])],
    [
      'not for an adopted key whose life is over',
      () => nominated([CURRENT, { keyId: OLD, deleted: NOW }], QUIET, { userId: 'A' }, { adopt: OLD }),
    ],
    [
      'not while a run may still be at work',
      () => nominated([CURRENT], QUIET, { userId: 'A', intent: { token: 't', at: at(-TIMEOUT - 59), before: [] } }),
    ],
  ])('%s', (_, is) => expect(is()).toBe(false));

  it.each<[string, () => boolean]>([
    [
      'when the outcome of an announcement is known: it can go',
      () => nominated([CURRENT], QUIET, { userId: 'A', intent: { token: 't', at: NOW, before: [], minted: NEW } }),
    ],
    ['when an overlap is over', () => nominated(old(superseded(0)))],
    ['when a recovery time is over', () => nominated(old({ disabled: at(-RECOVERY) }))],
    ['when a superseded key has no date', () => nominated(old({}))],
    [
      'when an adopted key has no date',
      () => nominated([CURRENT, { keyId: OLD }], QUIET, { userId: 'A' }, { adopt: OLD }),
    ],
    ['when an adopted key has no entry', () => nominated([CURRENT], QUIET, { userId: 'A' }, { adopt: OLD })],
    ['when the entry of a deleted key is left over', () => nominated(old({ deleted: NOW }))],
    ['when the current key has no date', () => nominated([{ keyId: NEW, version: 'v2' }])],
    [
      'when the current key has a date of supersession',
      () => nominated([{ ...CURRENT, superseded: { at: NOW, by: OLD } }]),
    ],
    ['when the current key has a date of disabling', () => nominated([{ ...CURRENT, disabled: NOW }])],
    ['when no entry names the current version', () => nominated([{ ...CURRENT, version: 'v9', disabled: NOW }])],
    [
      'when AWSPENDING is still on the current version',
      () => nominated([CURRENT], labels({ v2: ['AWSCURRENT', 'AWSPENDING'] })),
    ],
    [
      'when AWSPENDING is on a version that AWSPREVIOUS says was left',
      () => nominated(old({}), labels({ v1: ['AWSPENDING', 'AWSPREVIOUS'], v2: ['AWSCURRENT'] })),
    ],
    [
      'when AWSPENDING is on a version that was rolled back',
      () => nominated(old({ promoted: NOW }), labels({ v1: ['AWSPENDING'], v2: ['AWSCURRENT'] })),
    ],
    [
      'when an unfinished run is surely over',
      () => nominated([CURRENT], QUIET, { intent: { token: 't', at: at(-TIMEOUT - 60), before: [] } }),
    ],
  ])('%s', (_, is) => expect(is()).toBe(true));
});

describe('a nomination', () => {
  const suspects = (entries: readonly LedgerEntry[], policy: Partial<DeployedKey> = {}, seen = QUIET) =>
    nominate(seen, ledger(entries, { userId: 'AIDA1' }), deployedKey({ userName: 'app', ...policy }), TIMEOUT, NOW)
      ?.suspects;

  it('names the keys that may be due, whose last use is read before the secret', () => {
    expect(suspects(old(superseded(0)))).toEqual([OLD]);
    expect(suspects(old({ disabled: at(-RECOVERY) }))).toEqual([OLD]);
  });

  it('names no key that stands in AWSCURRENT or AWSPENDING, whatever the ledger says', () => {
    const current = { ...CURRENT, disabled: at(-99 * DAY) };
    expect(suspects([current])).toEqual([]);
    const pending = labels({ v1: ['AWSPENDING'], v2: ['AWSCURRENT'] });
    expect(suspects([current, ...old(superseded(0)).slice(1)], {}, pending)).toEqual([]);
  });

  it('names no key that only lacks a date, is a stranger, or is gone', () => {
    expect(suspects(old({}))).toEqual([]);
    expect(
      suspects([
        { keyId: NEW, version: 'v2' },
        { keyId: OLD, ...superseded(0) },
      ]),
    ).toEqual([]);
    expect(
      suspects(
        [
          { keyId: NEW, version: 'v2' },
          { keyId: OLD, deleted: NOW, ...superseded(0) },
        ],
        { adopt: OLD },
      ),
    ).toEqual([]);
  });
});
