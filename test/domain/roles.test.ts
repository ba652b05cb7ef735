import { describe, expect, it } from 'vitest';
import { storedKeys } from '../../lambdas/domain/roles.ts';
import { NEW, NOW } from './world.ts';

describe('the keys that unfinished runs stored', () => {
  it('are those in the versions that their announcements name, as far as these have a value', () => {
    const intents = ['v1', 'v2'].map((token) => ({ run: token, token, at: NOW, before: [] }));
    expect(storedKeys(intents, (version) => (version === 'v1' ? NEW : undefined))).toEqual(new Map([['v1', NEW]]));
    expect(storedKeys([], () => NEW)).toEqual(new Map());
  });
});
