import { describe, expect, it } from 'vitest';
import { ONLY_KEY } from '../../lambdas/contract/deployment.ts';
import { adoptedKey, discoverOnlyKey, isAdopted } from '../../lambdas/domain/adoption.ts';
import type { LedgerEntry } from '../../lambdas/domain/ledger.ts';
import { nominate } from '../../lambdas/domain/nominate.ts';
import { deployedKey } from '../policy.ts';
import { at, key, labels, ledger, NEW, NOW, OLD, OTHER, TIMEOUT } from './world.ts';

const onlyKey = deployedKey({ userName: 'app', adopt: ONLY_KEY });
const named = deployedKey({ userName: 'app', adopt: OTHER });
const none = deployedKey({ userName: 'app' });
const current: LedgerEntry = { keyId: NEW, version: 'v2', promoted: NOW };
const adoption: LedgerEntry = { keyId: OLD, minted: NOW };

describe('the adopted key', () => {
  it('is the one that the configuration names, whatever the ledger says', () => {
    expect(adoptedKey(named, ledger([adoption]))).toBe(OTHER);
    expect(adoptedKey(none, ledger([adoption]))).toBeUndefined();
  });

  it("is with 'only-key' the one whose entry has no version", () => {
    expect(adoptedKey(onlyKey, ledger([current, adoption]))).toBe(OLD);
    expect(adoptedKey(onlyKey, ledger([current, { keyId: OLD, deleted: NOW }]))).toBe(OLD);
    expect(adoptedKey(onlyKey, ledger([current]))).toBeUndefined();
  });

  it("is none with 'only-key' where two entries have no version: one of them was not written by a first rotation", () => {
    expect(adoptedKey(onlyKey, ledger([adoption, { keyId: OTHER }]))).toBeUndefined();
    expect(adoptedKey(onlyKey, ledger([{ keyId: OTHER, deleted: NOW }, adoption]))).toBeUndefined();
  });

  it("with 'only-key' is no younger than any other key of the user, by a second", () => {
    const adopted = (created: Date, policy = onlyKey) => {
      const old = key(OLD, 'Active', NOW);
      return isAdopted(old, { ledger: ledger([adoption]), keys: [old, key(NEW, 'Active', created)] }, policy);
    };
    expect(adopted(at(1))).toBe(true);
    expect(adopted(NOW)).toBe(true);
    expect(adopted(at(-1))).toBe(false);
    expect(adopted(at(-1), deployedKey({ userName: 'app', adopt: OLD }))).toBe(true);
    expect(adopted(at(1), none)).toBe(false);
  });

  it('makes a listing nominate its secret once it lacks a date, as one that is named does', () => {
    const nominated = (adopt: string | undefined, entries: readonly LedgerEntry[]) =>
      nominate(
        labels({ v2: ['AWSCURRENT'] }),
        ledger([current, ...entries], { userId: 'AIDA1' }),
        deployedKey({ userName: 'app', ...(adopt !== undefined && { adopt }) }),
        TIMEOUT,
        NOW,
      ) !== undefined;
    expect(nominated(ONLY_KEY, [adoption])).toBe(true);
    expect(nominated(undefined, [adoption])).toBe(false);
    expect(nominated(ONLY_KEY, [])).toBe(false);
    expect(nominated(ONLY_KEY, [{ keyId: OLD, deleted: NOW }])).toBe(false);
    expect(nominated(ONLY_KEY, [adoption, { keyId: OTHER }])).toBe(false);
  });
});

describe('the only key', () => {
  const discovered = (more: Partial<Parameters<typeof discoverOnlyKey>[1]> = {}, policy = onlyKey, strangers = [OLD]) =>
    discoverOnlyKey(
      strangers.map((id) => key(id)),
      {
        ledger: ledger(),
        labels: labels({ v1: ['AWSCURRENT'] }),
        keys: [key(OLD)],
        current: { kind: 'bootstrap' },
        ...more,
      },
      policy,
    )?.id;

  it('is discovered while nothing was stored in the secret', () => {
    expect(discovered()).toBe(OLD);
  });

  it('is not discovered unless the configuration asks for it', () => {
    expect(discovered({}, none)).toBeUndefined();
    expect(discovered({}, named)).toBeUndefined();
  });

  it('is none where the user has no key or two', () => {
    expect(discovered({}, onlyKey, [])).toBeUndefined();
    expect(discovered({}, onlyKey, [OLD, OTHER])).toBeUndefined();
  });

  it('is none once the secret holds a key, or held one', () => {
    expect(discovered({ current: { kind: 'key' } })).toBeUndefined();
    expect(discovered({ ledger: ledger([current]) })).toBeUndefined();
    expect(discovered({ ledger: ledger([{ keyId: OTHER, deleted: NOW }]) })).toBeUndefined();
    expect(discovered({ ledger: ledger([], { userId: 'AIDA1' }) })).toBeUndefined();
  });

  it('is none that was made after a key of the rotator, which an unfinished run left behind', () => {
    const beside = (seconds: number) => ({ keys: [key(OLD), key(NEW, 'Active', at(seconds - 100 * 86_400))] });
    expect(discovered(beside(0))).toBe(OLD);
    expect(discovered(beside(-1))).toBeUndefined();
  });
});
