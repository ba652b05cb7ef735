import { describe, expect, it } from 'vitest';
import { RotatorError } from '../../lambdas/domain/errors.ts';
import {
  entryOf,
  entryTag,
  evidenceTag,
  intentTag,
  keyTag,
  mayComeOf,
  parseLedger,
  pinnedUserId,
  settledAt,
  unresolved,
} from '../../lambdas/domain/ledger.ts';
import { at, labels, ledger, NEW, NOW, OLD, OTHER, TIMEOUT } from './world.ts';

const TOKEN = 'f'.repeat(64);

describe('the ledger', () => {
  it('comes back from its tags as it was written', () => {
    const entry = { keyId: OLD, version: TOKEN, minted: at(-10), superseded: { at: NOW, by: NEW }, disabled: at(5) };
    const current = { keyId: NEW, version: 'v2', minted: at(-10), promoted: at(-5) };
    const adopted = { keyId: OTHER, deleted: NOW };
    const intent = { run: 'run1', token: TOKEN, at: NOW, before: [OLD, OTHER], minted: NEW };
    const evidence = { token: TOKEN, keyId: NEW, account: '111122223333', userId: 'AIDA1', at: NOW };
    const tags = {
      ...entryTag(entry),
      ...entryTag(current),
      ...entryTag(adopted),
      ...intentTag(intent),
      ...evidenceTag(evidence),
    };
    const ledger = parseLedger({ ...tags, 'iam-key-rotator:user-id': 'AIDA1', team: 'payments' });
    expect(ledger).toEqual({
      entries: new Map<string, unknown>([
        [OLD, entry],
        [NEW, current],
        [OTHER, adopted],
      ]),
      intents: [intent],
      evidence,
      userId: 'AIDA1',
    });
  });

  it('is empty for a secret with tags of others only', () => {
    expect(parseLedger({ team: 'payments', 'iam-key-rotator:deployment': 'x' })).toEqual({
      entries: new Map(),
      intents: [],
    });
  });

  it('reads an intent before which the user had no key', () => {
    const intent = { run: 'run1', token: 't', at: NOW, before: [] };
    expect(parseLedger(intentTag(intent)).intents).toEqual([intent]);
  });

  it('fits into the 256 characters of a tag value with everything that one entry ever holds at once', () => {
    const entry = {
      keyId: OLD,
      version: TOKEN,
      minted: NOW,
      promoted: NOW,
      superseded: { at: NOW, by: 'A'.repeat(32) },
      disabled: NOW,
    };
    expect(entryTag(entry)[keyTag(OLD)]?.length).toBeLessThanOrEqual(256);
    expect(
      Object.values(intentTag({ run: 'run1', token: TOKEN, at: NOW, before: [OLD, NEW, OTHER], minted: NEW }))[0]
        ?.length,
    ).toBeLessThanOrEqual(256);
    const evidence = { token: TOKEN, keyId: 'A'.repeat(64), account: '1'.repeat(12), userId: 'A'.repeat(32), at: NOW };
    expect(Object.values(evidenceTag(evidence))[0]?.length).toBeLessThanOrEqual(256);
  });

  it('uses only characters that Secrets Manager allows in tags', () => {
    const entry = { keyId: OLD, version: TOKEN, minted: NOW, superseded: { at: NOW, by: NEW }, disabled: NOW };
    const tags = { ...entryTag(entry), ...intentTag({ run: 'run1', token: TOKEN, at: NOW, before: [OLD, NEW] }) };
    for (const text of Object.entries(tags).flat()) expect(text).toMatch(/^[\w\s+\-=.:/@]*$/);
  });

  it('rounds dates up to the second, so that no wait starts too early', () => {
    const entry = { keyId: OLD, version: 'v', disabled: new Date('2026-06-15T12:00:00.001Z') };
    expect(entryTag(entry)[keyTag(OLD)]).toBe('version=v disabled=2026-06-15T12:00:01Z');
  });

  it.each([
    ['a word without a value', keyTag(OLD), 'version'],
    ['a word without a name', keyTag(OLD), '=v1'],
    ['a date that is none', keyTag(OLD), 'version=v1 minted=yesterday'],
    ['a day that does not exist', keyTag(OLD), 'version=v1 minted=2026-13-45T00:00:00Z'],
    ['a supersession without the key that did it', keyTag(OLD), 'version=v1 superseded=2026-01-01T00:00:00Z'],
    ['a superseding key without the date', keyTag(OLD), 'version=v1 by=AKIA1'],
    ['an intent without its token', 'iam-key-rotator:intent/run1', 'at=2026-01-01T00:00:00Z'],
    ['an intent without its date', 'iam-key-rotator:intent/run1', 'token=t'],
    ['evidence without a key', 'iam-key-rotator:verified', 'token=t account=1 user=A at=2026-01-01T00:00:00Z'],
  ])('is never guessed from %s', (_, tag, value) => {
    const parse = () => parseLedger({ [tag]: value });
    expect(parse).toThrow(RotatorError);
    expect(parse).toThrow(/^LEDGER_MALFORMED: found|^LEDGER_MALFORMED/);
    expect(parse).toThrow(tag);
  });
});

describe('an intent to mint', () => {
  const intent = { run: 'run1', token: 't', at: NOW, before: [OLD] };

  it('is settled once the run that wrote it has been stopped by Lambda, and its last request has landed', () => {
    expect(settledAt(intent, TIMEOUT)).toEqual(at(TIMEOUT + 60));
  });

  it.each([
    ['a key that was there before does not', OLD, 10, false],
    ['a key made just after does', NEW, 1, true],
    ['a key dated up to a minute before does: IAM dates to the second, and clocks differ', NEW, -60, true],
    ['a key from more than a minute before does not', NEW, -61, false],
    ['a key made when the announced call may last have taken effect does', NEW, 60, true],
    ['a key made later does not: that call had been given up', NEW, 61, false],
  ])('explains a key: %s', (_, id, created, explained) => {
    expect(mayComeOf(intent, { id, created: at(created) })).toBe(explained);
  });

  it('is unresolved while nobody knows what came of it', () => {
    const resolved = { ...intent, run: 'run2', minted: NEW };
    expect(unresolved(parseLedger({ ...intentTag(intent), ...intentTag(resolved) }))).toEqual([intent]);
  });
});

describe('the entry of a version', () => {
  it('is that of the key which the version holds, and never an adopted one, which no version holds', () => {
    const entries = ledger([
      { keyId: OTHER, minted: NOW },
      { keyId: OLD, version: 'v1' },
    ]);
    expect(entryOf(entries, 'v1')).toEqual({ keyId: OLD, version: 'v1' });
    expect(entryOf(entries, 'v2')).toBeUndefined();
    expect(entryOf(entries, undefined)).toBeUndefined();
  });
});

describe("the user's unique id", () => {
  const evidence = { token: 'v2', keyId: NEW, account: '111122223333', userId: 'AIDA1', at: NOW };
  const promoted = labels({ v2: ['AWSCURRENT'] });

  it('is the one that the first promotion pinned', () => {
    expect(pinnedUserId(ledger([], { userId: 'AIDA0', evidence }), promoted)).toBe('AIDA0');
  });

  it('is known by the evidence if the run died between moving the label and pinning', () => {
    expect(pinnedUserId(ledger([], { evidence }), promoted)).toBe('AIDA1');
  });

  it('is not known before the first promotion', () => {
    expect(pinnedUserId(ledger([], { evidence }), labels({ v1: ['AWSCURRENT'], v2: ['AWSPENDING'] }))).toBeUndefined();
    expect(pinnedUserId(ledger(), promoted)).toBeUndefined();
  });
});
