import { describe, expect, it } from 'vitest';
import { RotatorError } from '../../lambdas/domain/errors.ts';
import {
  entryOf,
  entryTag,
  entryTags,
  evidenceTag,
  intentTag,
  isOpen,
  keyTag,
  leakTag,
  mayComeOf,
  parseLedger,
  pinnedUserId,
  settledAt,
  surelyAfter,
  unresolved,
  usedWhileDisabled,
} from '../../lambdas/domain/ledger.ts';
import { at, labels, ledger, NEW, NOW, OLD, OTHER, TIMEOUT } from './world.ts';

const TOKEN = 'f'.repeat(64);

describe('the ledger', () => {
  it('writes one tag an entry', () => {
    const [first, second] = [{ keyId: OLD, minted: NOW }, { keyId: NEW }];
    expect(entryTags([first, second])).toEqual({ ...entryTag(first), [keyTag(NEW)]: '' });
    expect(entryTags([])).toEqual({});
  });

  it('comes back from its tags as it was written', () => {
    const entry = { keyId: OLD, version: TOKEN, minted: at(-10), superseded: { at: NOW, by: NEW }, disabled: at(5) };
    const current = { keyId: NEW, version: 'v2', minted: at(-10), promoted: at(-5) };
    const adopted = { keyId: OTHER, deleted: NOW };
    const leak = { keyId: OLD, at: at(-20), signal: 'health' } as const;
    const intent = { run: 'run1', token: TOKEN, at: NOW, before: [OLD, OTHER], minted: NEW };
    const evidence = { token: TOKEN, keyId: NEW, account: '111122223333', userId: 'AIDA1', at: NOW };
    const tags = {
      ...entryTag(entry),
      ...entryTag(current),
      ...entryTag(adopted),
      ...intentTag(intent),
      ...evidenceTag(evidence),
      ...leakTag(leak),
    };
    const ledger = parseLedger({ ...tags, 'iam-key-rotator:user-id': 'AIDA1', team: 'payments' });
    expect(ledger).toStrictEqual({
      entries: new Map<string, unknown>([
        [OLD, entry],
        [NEW, current],
        [OTHER, adopted],
      ]),
      leaks: new Map([[OLD, leak]]),
      intents: [intent],
      evidence,
      userId: 'AIDA1',
    });
  });

  it('knows nothing of a key but its id when the tag says nothing else', () => {
    expect(entryTag({ keyId: OLD })).toEqual({ [keyTag(OLD)]: '' });
    expect(parseLedger({ [keyTag(OLD)]: '' }).entries.get(OLD)).toStrictEqual({ keyId: OLD });
  });

  it('passes over words that it does not know, however short', () => {
    expect(parseLedger({ [keyTag(OLD)]: 'x=1 version=v1' }).entries.get(OLD)).toStrictEqual({
      keyId: OLD,
      version: 'v1',
    });
  });

  it('is empty for a secret with tags of others only', () => {
    expect(parseLedger({ team: 'payments', 'iam-key-rotator:deployment': 'x' })).toStrictEqual({
      entries: new Map(),
      leaks: new Map(),
      intents: [],
    });
  });

  it('reads an intent before which the user had no key', () => {
    const intent = { run: 'run1', token: 't', at: NOW, before: [] };
    expect(parseLedger(intentTag(intent)).intents).toStrictEqual([intent]);
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

  const DATED = '2026-01-01T00:00:00Z';
  const KEY = `iam-key-rotator:key/${OLD}`;
  const INTENT = 'iam-key-rotator:intent/run1';
  const VERIFIED = 'iam-key-rotator:verified';
  const A_DATE = "'minted' as a UTC date to the second";
  it.each([
    ['a word without a value', KEY, 'version', 'words of the form name=value'],
    ['a word without a name', KEY, '=v1', 'words of the form name=value'],
    ['a date that is none', KEY, 'version=v1 minted=yesterday', A_DATE],
    ['a day that does not exist', KEY, 'version=v1 minted=2026-13-45T00:00:00Z', A_DATE],
    ['a day that its month does not have', KEY, 'version=v1 minted=2026-02-30T00:00:00Z', A_DATE],
    ['a version without a name', KEY, 'version=', "'version' not to be empty"],
    ['a date to the millisecond', KEY, 'version=v1 minted=2026-01-01T00:00:00.000Z', A_DATE],
    ['a year of six digits', KEY, `version=v1 minted=+00${DATED}`, A_DATE],
    ['a date that goes on', KEY, `version=v1 minted=${DATED}/2`, A_DATE],
    ['a supersession without the key that did it', KEY, `superseded=${DATED}`, "'superseded' and 'by' together"],
    ['a superseding key without the date', KEY, 'version=v1 by=AKIA1', "'superseded' and 'by' together"],
    ['an intent without its token', INTENT, `at=${DATED}`, "'token' to be there"],
    ['an intent without its date', INTENT, 'token=t', "'at' to be there"],
    ['evidence without a token', VERIFIED, `key=K account=1 user=A at=${DATED}`, "'token' to be there"],
    ['evidence without a key', VERIFIED, `token=t account=1 user=A at=${DATED}`, "'key' to be there"],
    ['evidence without an account', VERIFIED, `token=t key=K user=A at=${DATED}`, "'account' to be there"],
    ['evidence without a user', VERIFIED, `token=t key=K account=1 at=${DATED}`, "'user' to be there"],
    ['evidence without a date', VERIFIED, 'token=t key=K account=1 user=A', "'at' to be there"],
  ])('is never guessed from %s', (_, tag, value, expected) => {
    const parse = () => parseLedger({ [tag]: value });
    expect(parse).toThrow(RotatorError);
    expect(parse).toThrow(
      `LEDGER_MALFORMED: the tag ${tag} is '${value}'. Expected: ${expected}. ` +
        'To do: put the tag right by hand, or remove it (with a role of ledgerOperators in rotator.config.ts): a key without ' +
        'its entry counts as a stranger and is never changed, and missing dates are written anew as of now.',
    );
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

  it.each([
    ['from its announcement', NOW, true],
    ['also if it was announced by a clock that is a minute ahead', at(60), true],
    ['not if it was announced later than clocks can differ: no run wrote that', at(61), false],
    ['until a second before its run is over', at(-TIMEOUT - 59), true],
    ['no longer once its run is over', at(-TIMEOUT - 60), false],
  ])('is open %s', (_, date, open) => {
    expect(isOpen({ ...intent, at: date }, TIMEOUT, NOW)).toBe(open);
  });

  it('is unresolved while nobody knows what came of it', () => {
    const resolved = { ...intent, run: 'run2', minted: NEW };
    expect(unresolved(parseLedger({ ...intentTag(intent), ...intentTag(resolved) }))).toEqual([intent]);
  });
});

describe('a wait for what cannot be undone', () => {
  it('is over a minute later than the policy says, since clocks differ', () => {
    expect(surelyAfter(NOW, 5)).toEqual(at(65));
  });
});

describe('a disabled key', () => {
  const use = { at: NOW, service: 's3', region: 'eu-central-1' };

  it('was used meanwhile if its last use is younger than its disabling, and both are known', () => {
    expect(usedWhileDisabled({ keyId: OLD, disabled: at(-1) }, use)).toBe(true);
    expect(usedWhileDisabled({ keyId: OLD, disabled: NOW }, use)).toBe(false);
    expect(usedWhileDisabled({ keyId: OLD, disabled: at(-1) }, undefined)).toBe(false);
    expect(usedWhileDisabled({ keyId: OLD }, use)).toBe(false);
    expect(usedWhileDisabled(undefined, use)).toBe(false);
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
