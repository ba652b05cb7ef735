import { describe, expect, it } from 'vitest';
import { type Gauges, gaugesOf, standingOf } from '../../lambdas/domain/gauges.ts';
import { entryTags, type LedgerEntry, leakTag } from '../../lambdas/domain/ledger.ts';
import type { SecretFacts } from '../../lambdas/domain/model.ts';
import { rolledBackTo } from '../../lambdas/domain/retire.ts';
import { DAY, deployedKey, HOUR } from '../policy.ts';
import { at, labels, ledger, NEW, NOW, OLD, OTHER } from './world.ts';

const [V1, V2, V3] = ['v1', 'v2', 'v3'];
const NOTHING: Gauges = {
  ...{ currentKeys: 0, retiringKeys: 0, awaitingDeletion: 0 },
  ...{ oldestCurrentKey: 0, longestHold: 0, keysOverdue: 0, leakedKeys: 0 },
};
const facts = (entries: readonly LedgerEntry[], more: Partial<SecretFacts> = {}): SecretFacts => ({
  arn: 'arn',
  name: 'iam/app',
  labels: labels({ [V1]: ['AWSPREVIOUS'], [V2]: ['AWSCURRENT'] }),
  tags: entryTags(entries),
  rotationEnabled: true,
  scheduledForDeletion: false,
  ...more,
});
const POLICY = deployedKey({ userName: 'app' });
const MARGIN = 2 * DAY;
const standing = (entries: readonly LedgerEntry[], more: Partial<SecretFacts> = {}, policy = POLICY) =>
  standingOf(facts(entries, more), policy, MARGIN, NOW);
const current = (promoted: number, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  keyId: NEW,
  version: V2,
  minted: at(promoted - 60),
  promoted: at(promoted),
  ...more,
});
const old = (more: Partial<LedgerEntry>): LedgerEntry => ({
  keyId: OLD,
  version: V1,
  promoted: at(-40 * DAY),
  ...more,
});
const by = (seconds: number) => ({ superseded: { at: at(seconds), by: NEW } });

describe('how the keys of a secret stand', () => {
  it('is nothing at all before its first key', () => {
    expect(standing([], { labels: labels({ [V1]: ['AWSCURRENT'] }) })).toEqual(NOTHING);
  });

  it('counts the current key, with its age since it was minted', () => {
    expect(standing([current(-DAY)])).toEqual({ ...NOTHING, currentKeys: 1, oldestCurrentKey: DAY + 60 });
  });

  it('takes the promotion for the age of a key whose minting nobody remembers, and no age for one without both', () => {
    const { minted: _, ...unminted } = current(-DAY);
    const { promoted: __, ...bare } = unminted;
    expect(standing([unminted]).oldestCurrentKey).toBe(DAY);
    expect(standing([bare])).toEqual({ ...NOTHING, currentKeys: 1 });
  });

  it('has no negative age where clocks differ', () => {
    expect(standing([current(120)]).oldestCurrentKey).toBe(0);
  });

  it('counts a key as retiring within its overlap, and measures its hold from the end of that', () => {
    const within = standing([current(-DAY), old(by(-DAY))]);
    expect(within).toMatchObject({ retiringKeys: 1, longestHold: 0, awaitingDeletion: 0 });
    expect(standing([current(-DAY), old(by(-3 * DAY))]).longestHold).toBe(0);
    expect(standing([current(-DAY), old(by(-3 * DAY - 1))]).longestHold).toBe(1);
    expect(standing([current(-DAY), old(by(-5 * DAY)), { ...old(by(-4 * DAY)), keyId: OTHER }])).toMatchObject({
      retiringKeys: 2,
      longestHold: 2 * DAY,
    });
  });

  it('counts a disabled key until it is deleted', () => {
    const disabled = old({ ...by(-5 * DAY), disabled: at(-DAY) });
    expect(standing([current(-DAY), disabled])).toMatchObject({ retiringKeys: 0, awaitingDeletion: 1, longestHold: 0 });
    expect(standing([current(-DAY), { ...disabled, deleted: at(-HOUR) }]).awaitingDeletion).toBe(0);
  });

  it('counts no key as disabled that is current or pending again', () => {
    const again = labels({ [V1]: ['AWSCURRENT'], [V2]: ['AWSPREVIOUS'], [V3]: ['AWSPENDING'] });
    const entries = [old({ disabled: at(-DAY) }), { keyId: OTHER, version: V3, disabled: at(-DAY) }];
    expect(standing(entries, { labels: again }).awaitingDeletion).toBe(0);
  });

  it.each([
    [31 * DAY + MARGIN - 1, 0],
    [31 * DAY + MARGIN, 1],
    [31 * DAY + MARGIN + 1, 1],
  ])('counts a key as overdue by its period and the margin: %i seconds after its promotion, %i', (seconds, overdue) => {
    expect(standing([current(-seconds)]).keysOverdue).toBe(overdue);
    const { promoted: _, ...unpromoted } = current(0, { minted: at(-seconds) });
    expect(standing([unpromoted]).keysOverdue).toBe(overdue);
    expect(standing([current(-seconds)], {}, { ...POLICY, mode: 'observe' }).keysOverdue).toBe(0);
  });

  it('counts a secret as overdue that has had no key since it was created, so long ago', () => {
    const since = (seconds: number) => standing([], { created: at(-seconds) }).keysOverdue;
    expect([since(31 * DAY + MARGIN - 1), since(31 * DAY + MARGIN)]).toEqual([0, 1]);
    expect(standing([], {}).keysOverdue).toBe(0);
  });

  it("counts no hold in mode 'observe', in which nobody would retire the key", () => {
    const entries = [current(-30 * DAY), old(by(-30 * DAY))];
    expect(standing(entries).longestHold).toBeGreaterThan(0);
    expect(standing(entries, {}, { ...POLICY, mode: 'observe' })).toMatchObject({ retiringKeys: 1, longestHold: 0 });
  });

  it.each<[string, readonly LedgerEntry[], number, number]>([
    ['that is current', [current(-DAY)], -1_200, 1],
    ['that is current, as long as somebody may be at work on it', [current(-DAY)], -1_199, 0],
    ['that is current, though it is disabled', [current(-DAY, { disabled: at(-60) })], -1_200, 1],
    ['that is retiring', [old({ keyId: NEW, ...by(-DAY) })], -1_200, 1],
    ['that was disabled', [old({ keyId: NEW, ...by(-DAY), disabled: at(-60) })], -1_200, 0],
    ['that nobody knows yet', [], -1_200, 1],
  ])('counts a leaked key %s', (_, entries, since, count) => {
    const tags = { ...entryTags(entries), ...leakTag({ keyId: NEW, at: at(since), signal: 'health' }) };
    expect(standing(entries, { tags }).leakedKeys).toBe(count);
  });

  it('is not told of a ledger that can not be read', () => {
    expect(() => standing([], { tags: { [`iam-key-rotator:key/${OLD}`]: 'damaged' } })).toThrow('LEDGER_MALFORMED');
  });
});

describe('how the keys of all secrets stand', () => {
  it('is the sum of the counts, and the greatest age', () => {
    const one = {
      currentKeys: 1,
      retiringKeys: 2,
      awaitingDeletion: 3,
      oldestCurrentKey: 40,
      longestHold: 5,
      keysOverdue: 1,
      leakedKeys: 1,
    };
    const other = {
      currentKeys: 1,
      retiringKeys: 0,
      awaitingDeletion: 1,
      oldestCurrentKey: 30,
      longestHold: 6,
      keysOverdue: 1,
      leakedKeys: 1,
    };
    expect(gaugesOf([one, other])).toEqual({
      ...{ currentKeys: 2, retiringKeys: 2, awaitingDeletion: 4 },
      ...{ oldestCurrentKey: 40, longestHold: 6, keysOverdue: 2, leakedKeys: 2 },
    });
    expect(gaugesOf([])).toEqual(NOTHING);
  });
});

describe('a rollback', () => {
  const standingWith = (entry: LedgerEntry | undefined, currentKeyId = NEW) => ({
    labels: labels({ [V2]: ['AWSCURRENT'] }),
    ledger: ledger(entry === undefined ? [] : [entry]),
    keys: [],
    currentKeyId,
    pendingKeyId: undefined,
    stored: new Map(),
  });
  const back = current(-40 * DAY, { superseded: { at: at(-DAY), by: OLD } });

  it('is a current key that another one has superseded', () => {
    expect(rolledBackTo(standingWith(back))).toBe(NEW);
  });

  it.each<[string, LedgerEntry | undefined]>([
    ['no entry', undefined],
    ['none that was superseded', current(-DAY)],
    ['one that was never promoted: its rotation has lost its last record', (({ promoted: _, ...rest }) => rest)(back)],
  ])('is not seen where the current version has %s', (_, entry) => {
    expect(rolledBackTo(standingWith(entry))).toBeUndefined();
  });

  it('is not told of where the version holds another key than the ledger says', () => {
    expect(rolledBackTo(standingWith(back, OTHER))).toBeUndefined();
  });
});
