import { describe, expect, it } from 'vitest';
import { announcedKeys, roleOf, type Standing, storedKeys } from '../../lambdas/domain/roles.ts';
import { deployedKey } from '../policy.ts';
import { at, key, labels, ledger, NEW, NOW, OLD, OTHER } from './world.ts';

describe('the keys that unfinished runs stored', () => {
  it('are those in the versions that their announcements name, as far as these have a value', () => {
    const intents = ['v1', 'v2'].map((token) => ({ run: token, token, at: NOW, before: [] }));
    expect(storedKeys(intents, (version) => (version === 'v1' ? NEW : undefined))).toEqual(new Map([['v1', NEW]]));
    expect(storedKeys([], () => NEW)).toEqual(new Map());
  });
});

describe('the keys that may have come of the announcement of a version', () => {
  it('are those of its time that were not there before', () => {
    const intents = [
      { run: 'a', token: 'v1', at: NOW, before: [OLD] },
      { run: 'b', token: 'v2', at: at(-3600), before: [] },
    ];
    const keys = [key(OLD, 'Active', NOW), key(NEW, 'Active', NOW), key(OTHER, 'Active', at(-3600))];
    const ids = (version: string) => announcedKeys(version, intents, keys).map(({ id }) => id);
    expect([ids('v1'), ids('v2'), ids('v3')]).toEqual([[NEW], [OTHER], []]);
  });
});

describe('an orphan', () => {
  const intent = (run: string, date: Date, minted?: string) => ({
    run,
    token: 'v0',
    at: date,
    before: [OLD],
    ...(minted !== undefined && { minted }),
  });
  const standing = (more: Partial<Standing>): Standing => ({
    labels: labels({ v1: ['AWSCURRENT'] }),
    ledger: ledger(),
    keys: [key(OLD), key(OTHER, 'Active', NOW)],
    currentKeyId: OLD,
    pendingKeyId: undefined,
    stored: new Map(),
    ...more,
  });
  const role = (more: Partial<Standing>) =>
    roleOf(key(OTHER, 'Active', NOW), standing(more), deployedKey({ userName: 'app' }));

  it('is explained by one of several announcements', () => {
    const intents = [intent('run1', at(-3600)), intent('run2', NOW)];
    expect(role({ ledger: ledger([], { intents }) })).toBe('orphan');
  });

  it('is told from a key that another run minted at the same time and stored', () => {
    const intents = [intent('run1', NOW), intent('run2', NOW, NEW)];
    const minted = { labels: labels({ v2: ['AWSCURRENT'] }), currentKeyId: NEW };
    const keys = [key(NEW, 'Active', NOW), key(OTHER, 'Active', NOW)];
    expect(role({ ...minted, keys, ledger: ledger([{ keyId: NEW, version: 'v2' }], { intents }) })).toBe('orphan');
  });
});
