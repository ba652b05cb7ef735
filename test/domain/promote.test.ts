import { describe, expect, it } from 'vitest';
import {
  decidePromotion,
  EVIDENCE_LASTS,
  promotedEntry,
  supersededEntry,
  verifiedTooSlowly,
} from '../../lambdas/domain/promote.ts';
import { deployedKey } from '../policy.ts';
import { at, labels, ledger, NEW, NOW, OLD, OTHER, refusalOf } from './world.ts';

const policy = deployedKey({ userName: 'app' });
const rotating = labels({ v1: ['AWSCURRENT'], v2: ['AWSPENDING'] });
const promoted = labels({ v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT', 'AWSPENDING'] });
const evidence = { token: 'v2', keyId: NEW, account: '111122223333', userId: 'AIDA1', at: at(-20) };
const oldEntry = { keyId: OLD, version: 'v1', promoted: at(-1000) };
const newEntry = { keyId: NEW, version: 'v2', minted: at(-60) };
const decide = (facts: Parameters<typeof ledger>, seen = rotating, token = 'v2', now = NOW, by = policy) =>
  decidePromotion({ token, labels: seen, ledger: ledger(...facts) }, by, now);

describe('finishSecret decides', () => {
  it('to promote a verified key, naming the version that AWSCURRENT leaves', () => {
    expect(decide([[oldEntry, newEntry], { evidence, userId: 'AIDA1' }])).toStrictEqual({
      do: 'promote',
      keyId: NEW,
      from: 'v1',
      entry: newEntry,
      supersedes: [oldEntry],
      ends: new Map(),
    });
  });

  it("to pin the user's unique id with the first promotion", () => {
    expect(decide([[newEntry], { evidence }])).toMatchObject({ do: 'promote', pin: 'AIDA1', supersedes: [] });
  });

  it('to go by the evidence when the run died before it recorded the key', () => {
    expect(decide([[oldEntry], { evidence }])).toMatchObject({
      do: 'promote',
      keyId: NEW,
      entry: { keyId: NEW, version: 'v2' },
    });
  });

  it('that an adopted key is superseded by the first promotion, and by no later one', () => {
    const adopting = deployedKey({ userName: 'app', adopt: OTHER });
    const plan = (entry: object) =>
      decide([[newEntry, { keyId: OTHER, ...entry }], { evidence }], rotating, 'v2', NOW, adopting);
    expect(plan({ minted: at(-9) })).toMatchObject({ supersedes: [{ keyId: OTHER }] });
    expect(plan({ superseded: { at: at(-9), by: OLD } })).toMatchObject({ supersedes: [] });
    expect(plan({ deleted: at(-9) })).toMatchObject({ supersedes: [] });
    expect(plan({ version: 'v0' })).toMatchObject({ supersedes: [] });
    expect(decide([[newEntry, { keyId: OTHER, minted: at(-9) }], { evidence }])).toMatchObject({ supersedes: [] });
  });

  it('that the only key is superseded by the first promotion, and neither of two that the ledger calls so', () => {
    const adopting = deployedKey({ userName: 'app', adopt: 'only-key' });
    const plan = (...entries: { keyId: string }[]) =>
      decide([[newEntry, ...entries], { evidence }], rotating, 'v2', NOW, adopting);
    expect(plan({ keyId: OTHER })).toMatchObject({ supersedes: [{ keyId: OTHER }] });
    expect(plan({ keyId: OTHER }, { keyId: OLD })).toMatchObject({ supersedes: [] });
  });

  it('that a key whose entry names neither version is left as it is', () => {
    expect(decide([[oldEntry, newEntry, { keyId: OTHER, version: 'v0' }], { evidence }])).toMatchObject({
      supersedes: [{ keyId: OLD }],
    });
  });

  it('that a key taken up from its own current version does not supersede itself', () => {
    const again = { ...newEntry, version: 'v1' };
    expect(decide([[again], { evidence }])).toMatchObject({ do: 'promote', keyId: NEW, supersedes: [] });
  });

  it.each([
    ['without evidence', {}, 'no verification of this version'],
    [
      'with the evidence of another token',
      { evidence: { ...evidence, token: 'v9' } },
      'no verification of this version',
    ],
    [
      'with the evidence of another key',
      { evidence: { ...evidence, keyId: OTHER } },
      `a verification of ${OTHER} at 2026-06-15T11:59:40Z`,
    ],
  ])('to refuse %s', (_, more, found) => {
    const plan = decide([[newEntry], more]);
    expect(plan).toMatchObject({ do: 'refuse', error: { code: 'NOT_VERIFIED' } });
    expect(refusalOf(plan)).toBe(
      `NOT_VERIFIED: ${found}. Expected: one of ${NEW}, at most 30 seconds old. ` +
        'To do: start the rotation again: testSecret verifies the key anew.',
    );
  });

  it('to refuse without evidence and without an entry', () => {
    expect(decide([[]])).toMatchObject({
      do: 'refuse',
      error: { code: 'NOT_VERIFIED', details: { expected: 'one of its key, at most 30 seconds old' } },
    });
  });

  it('to verify once more with evidence a second too old, which need not hold any more', () => {
    expect(decide([[newEntry], { evidence: { ...evidence, at: at(-EVIDENCE_LASTS - 1) } }])).toEqual({ do: 'verify' });
  });

  it('to refuse what is verified too slowly twice', () => {
    expect(refusalOf(verifiedTooSlowly())).toBe(
      'NOT_VERIFIED: a verification that was more than 30 seconds old when it could be read, twice. Expected: one that was made just now: ' +
        'the key may have been disabled since. To do: nothing: the next rotation verifies anew; if this lasts, see why AWS answers late.',
    );
  });

  it('to accept evidence as old as is allowed', () => {
    expect(decide([[newEntry], { evidence: { ...evidence, at: at(-EVIDENCE_LASTS) } }])).toMatchObject({
      do: 'promote',
    });
  });

  it('to refuse a user that was made again under the same name', () => {
    const plan = decide([[newEntry], { evidence, userId: 'AIDA0' }]);
    expect(plan).toMatchObject({ do: 'refuse', error: { code: 'USER_RECREATED' } });
    expect(refusalOf(plan)).toBe(
      'USER_RECREATED: the pending key belongs to a user app with the unique id AIDA1. ' +
        "Expected: AIDA0, the id pinned when the secret's first key was promoted. " +
        'To do: make sure that the readers of the secret may have a key of the new user, then set the tag ' +
        'iam-key-rotator:user-id of the secret to AIDA1 (aws secretsmanager tag-resource, with a role of ledgerOperators in ' +
        'rotator.config.ts) and rotate again.',
    );
  });

  it('to refuse a version that was promoted before and left since: somebody rolled back', () => {
    const refusal = { do: 'refuse', error: { code: 'ROLLED_BACK' } };
    expect(decide([[{ ...newEntry, promoted: at(-99) }], { evidence }])).toMatchObject(refusal);
    const left = labels({ v1: ['AWSCURRENT'], v2: ['AWSPENDING', 'AWSPREVIOUS'] });
    expect(decide([[newEntry], { evidence }], left)).toMatchObject(refusal);
    expect(refusalOf(decide([[newEntry], { evidence }], left))).toBe(
      'ROLLED_BACK: the version v2 was promoted before, and AWSCURRENT was moved away from it since. ' +
        'Expected: a version that was never promoted. ' +
        'To do: nothing if that is to last: AWSPENDING is taken off the version, and the next rotation mints a new key. ' +
        'To return to the newer key, move AWSCURRENT to that version by hand (aws secretsmanager update-secret-version-stage).',
    );
  });

  it('to refuse a token that is not pending', () => {
    const plan = decide([[], {}], labels({ v1: ['AWSCURRENT'], v2: ['AWSPREVIOUS', 'AUDITED'] }));
    expect(plan).toMatchObject({ do: 'refuse', error: { code: 'TOKEN_NOT_PENDING' } });
    expect(refusalOf(plan)).toBe(
      'TOKEN_NOT_PENDING: the version v2 has AWSPREVIOUS, AUDITED. Expected: AWSPENDING. To do: start another rotation.',
    );
    expect(decide([[], {}], rotating, 'v7')).toMatchObject({
      error: { details: { found: 'the version v7 has no label' } },
    });
  });

  it('to refuse when no version is current', () => {
    const plan = decide([[newEntry], { evidence }], labels({ v2: ['AWSPENDING'] }));
    expect(plan).toMatchObject({ do: 'refuse', error: { code: 'CURRENT_MISSING' } });
    expect(refusalOf(plan)).toBe(
      'CURRENT_MISSING: no version labelled AWSCURRENT. Expected: one, as Secrets Manager guarantees. ' +
        'To do: put the label on the version that applications are to read (aws secretsmanager update-secret-version-stage).',
    );
  });

  describe('when the label has moved already', () => {
    const complete = (superseded: readonly object[]) => ({ do: 'complete', superseded, ends: new Map() });

    it('that all is done if nothing is missing', () => {
      expect(decide([[{ ...newEntry, promoted: NOW }], { evidence }], promoted)).toEqual(complete([]));
    });

    it('that nothing can be done if it cannot tell the key', () => {
      expect(decide([[]], promoted)).toEqual(complete([]));
      expect(decide([[oldEntry]], promoted)).toEqual(complete([]));
    });

    it('to record what an earlier run did not get to: the promotion, the keys it supersedes, and the id of the user', () => {
      const adopting = deployedKey({ userName: 'app', adopt: OTHER });
      const adopted = { keyId: OTHER, minted: at(-9) };
      expect(decide([[oldEntry, newEntry, adopted], { evidence }], promoted, 'v2', NOW, adopting)).toStrictEqual({
        do: 'promote',
        keyId: NEW,
        entry: newEntry,
        supersedes: [oldEntry, adopted],
        ends: new Map(),
        pin: 'AIDA1',
      });
    });

    it('to record it without an entry, by the evidence, and without evidence, by the entry', () => {
      const entry = { keyId: NEW, version: 'v2' };
      expect(decide([[], { evidence }], promoted)).toStrictEqual({
        do: 'promote',
        keyId: NEW,
        entry,
        supersedes: [],
        ends: new Map(),
        pin: 'AIDA1',
      });
      const first = labels({ v2: ['AWSCURRENT', 'AWSPENDING'] });
      expect(decide([[oldEntry, newEntry]], first)).toStrictEqual({
        do: 'promote',
        keyId: NEW,
        entry: newEntry,
        supersedes: [],
        ends: new Map(),
      });
    });

    it('that an entry without a version is superseded by no promotion unless the configuration adopts its key', () => {
      const first = labels({ v2: ['AWSCURRENT'] });
      expect(decide([[newEntry, { keyId: OTHER, minted: at(-9) }]], first)).toMatchObject({ supersedes: [] });
    });

    it('to name the superseded keys that are not known to be disabled', () => {
      const retiring = { keyId: OLD, version: 'v1', superseded: { at: at(-5), by: NEW } };
      const done = { ...newEntry, promoted: NOW };
      expect(decide([[done, retiring]], promoted)).toEqual(complete([retiring]));
      expect(decide([[done, { ...retiring, disabled: NOW }]], promoted)).toEqual(complete([]));
      expect(decide([[done, { ...retiring, superseded: { at: NOW, by: OTHER } }]], promoted)).toEqual(complete([]));
    });

    it('to leave a key that is dated further ahead than clocks differ: a rollback has reserved it', () => {
      const done = { ...newEntry, promoted: NOW };
      const dated = (seconds: number) => ({ ...oldEntry, superseded: { at: at(seconds), by: NEW } });
      expect(decide([[done, dated(60)]], promoted)).toEqual(complete([dated(60)]));
      expect(decide([[done, dated(61)]], promoted)).toEqual(complete([]));
    });
  });
});

describe('an entry', () => {
  const full = {
    keyId: OLD,
    version: 'v',
    minted: at(-9),
    promoted: at(-8),
    superseded: { at: at(-7), by: OTHER },
    disabled: at(-6),
  };

  it('starts a new life at promotion', () => {
    expect(promotedEntry(full, NOW)).toStrictEqual({ keyId: OLD, version: 'v', minted: at(-9), promoted: NOW });
    expect(promotedEntry({ keyId: OLD }, NOW)).toStrictEqual({ keyId: OLD, promoted: NOW });
  });

  it('keeps that it was promoted once when it is superseded, and drops the dates of an earlier retirement', () => {
    expect(supersededEntry(full, NOW, NEW)).toStrictEqual({
      keyId: OLD,
      version: 'v',
      minted: at(-9),
      promoted: at(-8),
      superseded: { at: NOW, by: NEW },
    });
    expect(supersededEntry({ keyId: OLD }, NOW, NEW)).toStrictEqual({ keyId: OLD, superseded: { at: NOW, by: NEW } });
  });
});
