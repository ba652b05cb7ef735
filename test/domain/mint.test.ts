import { describe, expect, it } from 'vitest';
import type { LedgerEntry } from '../../lambdas/domain/ledger.ts';
import { abandonedVersions, decideMint, type MintObserved } from '../../lambdas/domain/mint.ts';
import type { AccessKey, LastUse } from '../../lambdas/domain/model.ts';
import { provesSameUser } from '../../lambdas/domain/roles.ts';
import { type KeyValue, MAX_VALUE_BYTES, renderValue } from '../../lambdas/domain/secret-value.ts';
import { DAY, deployedKey } from '../policy.ts';
import { at, key, labels, ledger, NEW, NOW, OLD, OTHER, refusalOf, TIMEOUT, TOLERANCE } from './world.ts';

const policy = deployedKey({ userName: 'app' });
const use: LastUse = { at: at(-DAY), service: 's3', region: 'eu-central-1' };
const value = (keyId: string): KeyValue => ({ kind: 'key', keyId, secret: 's', others: {} });
const RECOVERY = 7 * DAY + TOLERANCE;
const currentEntry: LedgerEntry = { keyId: OLD, version: 'v1', promoted: at(-30 * DAY) };

/** A user with one current key and a rotation just begun. */
function observed(more: Partial<MintObserved> = {}): MintObserved {
  return {
    token: 'v2',
    labels: labels({ v1: ['AWSCURRENT'], v2: ['AWSPENDING'] }),
    ledger: ledger([currentEntry], { userId: 'AIDA1' }),
    currentVersion: 'v1',
    current: value(OLD),
    currentKeyId: OLD,
    pendingKeyId: undefined,
    stored: new Map(),
    keys: [key(OLD)],
    userId: undefined,
    abandoned: new Map(),
    lastUse: new Map(),
    ...more,
  };
}
const decide = (more: Partial<MintObserved> = {}, by = policy, now = NOW) =>
  decideMint(observed(more), by, TIMEOUT, now);
const bootstrap: Partial<MintObserved> = {
  current: { kind: 'bootstrap', others: {} },
  currentKeyId: undefined,
  ledger: ledger(),
  keys: [],
};

describe('createSecret decides', () => {
  it('to mint while a slot is free', () => {
    expect(decide()).toEqual({ do: 'mint', clear: [], free: [], register: [], roomForTwo: false });
  });

  it('to mint the first key of a user without one', () => {
    expect(decide(bootstrap)).toEqual({ do: 'mint', clear: [], free: [], register: [], roomForTwo: true });
  });

  it('to record the current key if a team stored it by hand, or stored it anew in another version', () => {
    expect(decide({ ledger: ledger() })).toMatchObject({
      register: [{ keyId: OLD, version: 'v1', minted: key(OLD).created, promoted: NOW }],
    });
    const moved = ledger([{ ...currentEntry, version: 'v0' }], { userId: 'AIDA1' });
    expect(decide({ ledger: moved })).toMatchObject({
      register: [{ keyId: OLD, version: 'v1', promoted: at(-30 * DAY) }],
    });
  });

  it('to refuse a value that would be too large before anything is minted, were the ids as long as the API allows', () => {
    const longest = renderValue(
      { id: 'A'.repeat(128), secret: 's'.repeat(128), created: NOW },
      deployedKey({ userName: 'app' }),
      { fill: '' },
      () => '',
    );
    const filled = (bytes: number): KeyValue => ({
      ...value(OLD),
      others: { fill: 'x'.repeat(bytes - longest.length) },
    });
    expect(decide({ current: filled(MAX_VALUE_BYTES) })).toMatchObject({ do: 'mint' });
    expect(() => decide({ current: filled(MAX_VALUE_BYTES + 1) })).toThrow('VALUE_TOO_LARGE');
  });

  describe('about the user', () => {
    it('that it is the one whose id is pinned while the current key is listed: a user made again cannot have it', () => {
      expect(provesSameUser(observed())).toBe(true);
      expect(provesSameUser(observed({ keys: [key(OTHER)] }))).toBe(false);
      expect(provesSameUser(observed({ keys: [], ledger: ledger() }))).toBe(true);
    });

    it('to go on when the current key is gone and the id is still the pinned one', () => {
      expect(decide({ keys: [], userId: 'AIDA1' })).toMatchObject({ do: 'mint' });
    });

    it('to refuse when the id is another one', () => {
      const plan = decide({ keys: [], userId: 'AIDA2' });
      expect(plan).toMatchObject({
        do: 'refuse',
        error: { code: 'USER_RECREATED', details: { found: 'the user app has the unique id AIDA2' } },
      });
    });
  });

  describe('about adoption', () => {
    const adopting = deployedKey({ userName: 'app', adopt: OTHER });

    it('to record the adopted key before the first promotion', () => {
      expect(decide({ ...bootstrap, keys: [key(OTHER)] }, adopting)).toMatchObject({
        do: 'mint',
        register: [{ keyId: OTHER, minted: key(OTHER).created }],
      });
    });

    it('to refuse when the user does not have the key, naming those it has', () => {
      const plan = (keys: MintObserved['keys']) => decide({ ...bootstrap, keys }, adopting);
      expect(plan([])).toMatchObject({ do: 'refuse', error: { code: 'ADOPT_KEY_NOT_FOUND' } });
      expect(refusalOf(plan([]))).toBe(
        `ADOPT_KEY_NOT_FOUND: user app has no key. Expected: the key ${OTHER}, which rotator.config.ts adopts. ` +
          "To do: correct or remove 'adopt' for this user in rotator.config.ts and deploy.",
      );
      expect(plan([key(NEW), key(OLD)])).toMatchObject({
        error: { details: { found: `user app has the keys ${NEW} and ${OLD}` } },
      });
    });

    it('not to look for the adopted key again once its entry or the first promotion says that it was there', () => {
      expect(decide({}, adopting)).toMatchObject({ do: 'mint' });
      expect(decide({ ...bootstrap, ledger: ledger([{ keyId: OTHER, deleted: NOW }]) }, adopting)).toMatchObject({
        do: 'mint',
      });
    });

    it('to record an adopted key once', () => {
      const known = ledger([{ keyId: OTHER, minted: key(OTHER).created }]);
      expect(decide({ ...bootstrap, ledger: known, keys: [key(OTHER)] }, adopting)).toMatchObject({
        do: 'mint',
        register: [],
      });
    });

    it('that an adopted key which no retire pass has seen yet is freed by hand or in its turn', () => {
      const lastUse = new Map([
        [OLD, use],
        [OTHER, undefined],
      ]);
      expect(decide({ keys: [key(OLD), key(OTHER)], lastUse }, adopting)).toMatchObject({
        do: 'refuse',
        error: { code: 'STRANGERS_HOLD_SLOTS' },
      });
    });

    it('to leave an adopted key alone that is recorded already', () => {
      const known = ledger([currentEntry, { keyId: OTHER, superseded: { at: NOW, by: OLD } }], { userId: 'AIDA1' });
      expect(
        decide(
          {
            ledger: known,
            keys: [key(OLD), key(OTHER)],
            lastUse: new Map([
              [OLD, use],
              [OTHER, use],
            ]),
          },
          adopting,
        ),
      ).toMatchObject({
        do: 'refuse',
        error: { code: 'SLOT_NOT_FREE_YET' },
      });
    });
  });

  describe('about the only key', () => {
    const adopting = deployedKey({ userName: 'app', adopt: 'only-key' });
    const register = [{ keyId: OTHER, minted: key(OTHER).created }];

    it('to record it with the announcement of the first mint', () => {
      expect(decide({ ...bootstrap, keys: [key(OTHER)] }, adopting)).toMatchObject({ do: 'mint', register });
      expect(decide({ ...bootstrap, keys: [key(OTHER, 'Inactive')] }, adopting)).toMatchObject({ register });
    });

    it('to mint for a user who has none, with nothing to adopt', () => {
      expect(decide(bootstrap, adopting)).toMatchObject({ do: 'mint', register: [] });
    });

    it('to record it once, and nothing more when it was deleted since', () => {
      const known = { ...bootstrap, ledger: ledger([{ keyId: OTHER, minted: key(OTHER).created }]) };
      expect(decide({ ...known, keys: [key(OTHER)] }, adopting)).toMatchObject({ do: 'mint', register: [] });
      expect(decide(known, adopting)).toMatchObject({ do: 'mint', register: [] });
      expect(decide({ ...known, keys: [key(NEW, 'Active', NOW)] }, adopting)).toMatchObject({ register: [] });
    });

    it('that the key which the secret holds already is current, and not adopted as well', () => {
      expect(decide({ ledger: ledger() }, adopting)).toMatchObject({
        register: [{ keyId: OLD, version: 'v1', promoted: NOW }],
      });
      expect(decide({ ledger: ledger(), keys: [key(OTHER)] }, adopting)).toMatchObject({ register: [] });
    });

    it('to clear the orphan of an earlier run that adopted nothing, and to adopt beside it what is no orphan', () => {
      const intent = { token: 'v0', at: at(-TIMEOUT - 60), before: [OTHER] };
      const orphan = key(NEW, 'Active', at(-TIMEOUT - 58));
      const before = { ...bootstrap, ledger: ledger([], { intent }), lastUse: new Map([[NEW, undefined]]) };
      expect(decide({ ...before, keys: [orphan, key(OTHER)] }, adopting)).toMatchObject({ clear: [NEW], register });
      const since = key(OTHER, 'Active', at(-10));
      expect(decide({ ...before, keys: [orphan, since] }, adopting)).toMatchObject({ clear: [NEW], register: [] });
    });

    it('to record it when the key of an earlier run is taken up, and none that was made after that', () => {
      const intent = { token: 'v0', at: at(-TIMEOUT - 60), before: [OTHER] };
      const stored = {
        ...bootstrap,
        ledger: ledger([], { intent }),
        abandoned: new Map([['v0', value(NEW)]]),
        stored: new Map([['v0', NEW]]),
      };
      const taken = key(NEW, 'Active', at(-TIMEOUT - 58));
      expect(decide({ ...stored, keys: [taken, key(OTHER)] }, adopting)).toMatchObject({ do: 'reuse', register });
      const since = key(OTHER, 'Active', at(-10));
      expect(decide({ ...stored, keys: [taken, since] }, adopting)).toMatchObject({ do: 'reuse', register: [] });
    });

    it('to refuse when the user has two keys, naming both', () => {
      const two = { ...bootstrap, keys: [key(OTHER), key(NEW)] };
      const lastUse = new Map([
        [OTHER, use],
        [NEW, undefined],
      ]);
      const plan = decide({ ...two, lastUse }, adopting);
      expect(plan).toMatchObject({ do: 'refuse', error: { code: 'STRANGERS_HOLD_SLOTS' } });
      expect(refusalOf(plan)).toContain(`${OTHER} is then the only key, which 'only-key' adopts without more ado`);
    });
  });

  describe('about an earlier run that announced a key and was not heard of again', () => {
    const intent = { token: 'v0', at: at(-TIMEOUT - 60), before: [OLD] };
    const orphan = key(NEW, 'Active', at(-TIMEOUT - 58));
    const announced = { ledger: ledger([currentEntry], { intent, userId: 'AIDA1' }), keys: [key(OLD), orphan] };

    it('to wait until it is surely over', () => {
      const plan = decide(announced, policy, at(-1));
      expect(plan).toMatchObject({ do: 'refuse', error: { code: 'MINT_UNSETTLED' } });
      expect(refusalOf(plan)).toBe(
        'MINT_UNSETTLED: a run announced a new key at 2026-06-15T11:57:00Z and did not say how it went. ' +
          'Expected: no other run at work; this one is over by 2026-06-15T12:00:00Z. ' +
          'To do: nothing: a rotation started after that time puts it right.',
      );
    });

    it('to look at the last use of what may be its orphan, then to clear it', () => {
      expect(decide(announced)).toEqual({ do: 'look', keyIds: [NEW] });
      expect(decide({ ...announced, lastUse: new Map([[NEW, undefined]]) })).toEqual({
        do: 'mint',
        clear: [NEW],
        free: [],
        register: [],
        roomForTwo: false,
      });
    });

    it('that a key which somebody has used is no orphan but a stranger', () => {
      const lastUse = new Map([[NEW, use]]);
      expect(decide({ ...announced, lastUse })).toEqual({ do: 'look', keyIds: [OLD] });
      expect(decide({ ...announced, lastUse: new Map([...lastUse, [OLD, use]]) })).toMatchObject({
        error: { code: 'STRANGERS_HOLD_SLOTS' },
      });
    });

    it('to take up its key if it did store it', () => {
      const abandoned = new Map([['v0', value(NEW)]]);
      expect(decide({ ...announced, abandoned, stored: new Map([['v0', NEW]]) })).toEqual({
        do: 'reuse',
        value: value(NEW),
        created: orphan.created,
        register: [],
      });
    });

    it('to record the key that it did store and that can not be taken up, before its announcement goes', () => {
      const inactive: AccessKey = { ...orphan, status: 'Inactive' };
      const beside = (facts: Partial<MintObserved>) =>
        decide({
          ...bootstrap,
          keys: [inactive],
          ledger: ledger([], { intent }),
          stored: new Map([['v0', NEW]]),
          ...facts,
        });
      expect(beside({})).toMatchObject({
        do: 'mint',
        register: [{ keyId: NEW, version: 'v0', minted: orphan.created }],
      });
      const later = { ...inactive, created: at(-TIMEOUT + 1) };
      expect(beside({ keys: [later] })).toMatchObject({ do: 'mint', register: [] });
      const stored = new Map([['v7', NEW]]);
      const lastUse = new Map([[NEW, use]]);
      expect(beside({ stored, lastUse })).toMatchObject({ do: 'mint', register: [] });
      const entry = { keyId: NEW, version: 'v0', disabled: NOW };
      expect(beside({ ledger: ledger([entry], { intent }) })).toMatchObject({ do: 'mint', register: [] });
    });

    it('that a key made later is a stranger: the announced call had been given up', () => {
      const plan = decide({ ...announced, keys: [key(OLD), key(NEW, 'Active', at(1 - TIMEOUT))] });
      expect(plan).toEqual({ do: 'look', keyIds: [OLD, NEW] });
    });

    it('that of two keys which it may explain neither is touched: one is a stranger, and nobody can tell which', () => {
      const keys = [orphan, { ...orphan, id: OTHER }];
      const lastUse = new Map([
        [NEW, undefined],
        [OTHER, undefined],
      ]);
      const plan = decide({ ...announced, keys, lastUse, userId: 'AIDA1' });
      expect(plan).toMatchObject({ do: 'refuse', error: { code: 'STRANGERS_HOLD_SLOTS' } });
    });

    it('that two announcements explain two keys', () => {
      const intents = [
        { run: 'run1', ...intent },
        { run: 'run2', ...intent },
      ];
      const lastUse = new Map([
        [NEW, undefined],
        [OTHER, undefined],
      ]);
      const two = {
        ledger: ledger([currentEntry], { intents, userId: 'AIDA1' }),
        keys: [orphan, { ...orphan, id: OTHER }],
        lastUse,
      };
      expect(decide({ ...two, userId: 'AIDA1' })).toMatchObject({
        do: 'mint',
        clear: [NEW, OTHER],
        roomForTwo: true,
      });
    });

    it('that a key is explained by it even if another run with the same token stored its own', () => {
      const intents = [
        { run: 'run1', ...intent },
        { run: 'run2', ...intent, minted: OLD },
      ];
      const facts = { ledger: ledger([currentEntry], { intents, userId: 'AIDA1' }), stored: new Map([['v0', OLD]]) };
      expect(decide({ ...announced, ...facts, lastUse: new Map([[NEW, undefined]]) })).toMatchObject({ clear: [NEW] });
    });

    it('that a stored key explains it, so another one is a stranger', () => {
      const stored = new Map([['v0', OLD]]);
      expect(decide({ ...announced, stored })).toEqual({ do: 'look', keyIds: [OLD, NEW] });
    });

    it('that a key which it did store, and which cannot be taken up, is waited for', () => {
      const lastUse = new Map([
        [OLD, use],
        [NEW, undefined],
      ]);
      const plan = decide({ ...announced, lastUse, stored: new Map([['v0', NEW]]) });
      expect(plan).toMatchObject({ do: 'refuse', error: { code: 'SLOT_NOT_FREE_YET' } });
      expect(refusalOf(plan)).toContain('The superseded one: not looked at by a retire pass yet. Expected: ');
    });

    it('to mint when no key came of it', () => {
      expect(decide({ ...announced, keys: [key(OLD)] })).toMatchObject({ do: 'mint', clear: [] });
    });

    it('to mint when it is known what came of it', () => {
      const resolved = ledger([currentEntry], { intent: { ...intent, at: NOW, minted: NEW }, userId: 'AIDA1' });
      expect(decide({ ledger: resolved })).toMatchObject({ do: 'mint' });
    });
  });

  describe('about a key that was stored and never promoted', () => {
    const entry: LedgerEntry = { keyId: NEW, version: 'v0', minted: at(-600) };
    const left = (
      more: Partial<LedgerEntry> = {},
      status: 'Active' | 'Inactive' = 'Active',
    ): Partial<MintObserved> => ({
      ledger: ledger([currentEntry, { ...entry, ...more }], { userId: 'AIDA1' }),
      keys: [key(OLD), key(NEW, status)],
      abandoned: new Map([['v0', value(NEW)]]),
      lastUse: new Map([
        [OLD, use],
        [NEW, undefined],
      ]),
    });

    it('to take it up under the new token', () => {
      expect(decide(left())).toMatchObject({ do: 'reuse', value: { keyId: NEW } });
    });

    it('to take it up until an hour before it is due to be disabled, and no longer', () => {
      const due = (seconds: number) => left({ superseded: { at: at(seconds - 3 * DAY), by: OLD } });
      expect(decide(due(3601))).toMatchObject({ do: 'reuse' });
      expect(decide(due(3600))).toMatchObject({ do: 'refuse', error: { code: 'SLOT_NOT_FREE_YET' } });
    });

    it('not to take it up when it is Inactive, gone, current, promoted since, or recorded for another version', () => {
      expect(decide(left({}, 'Inactive'))).toMatchObject({ do: 'refuse' });
      expect(decide({ ...left(), keys: [key(OLD)] })).toMatchObject({ do: 'mint' });
      expect(decide({ ...left(), currentKeyId: NEW })).toMatchObject({ do: 'refuse' });
      expect(decide(left({ promoted: NOW }))).toMatchObject({ do: 'refuse' });
      expect(decide(left({ version: 'v00' }))).toMatchObject({ do: 'refuse' });
    });
  });

  it('to record that the current key was promoted if a run died before it could', () => {
    const unrecorded = ledger([{ keyId: OLD, version: 'v1' }], { userId: 'AIDA1' });
    expect(decide({ ledger: unrecorded })).toMatchObject({ register: [{ keyId: OLD, version: 'v1', promoted: NOW }] });
  });

  it('which versions may hold such a key: unlabelled ones of entries never promoted, and that of an unresolved intent', () => {
    const entries = [
      currentEntry,
      { keyId: NEW, version: 'v0' },
      { keyId: OTHER, version: 'v-promoted', promoted: NOW },
      { keyId: 'AKIADISABLED', version: 'v-disabled', disabled: NOW },
      { keyId: 'AKIAADOPTED' },
      { keyId: 'AKIATHISTOKEN', version: 'v2' },
      { keyId: 'AKIALABELLED', version: 'v1' },
    ];
    const of = (intent?: { token: string; at: Date; before: string[]; minted?: string }) =>
      abandonedVersions(observed({ ledger: ledger(entries, { intent }), labels: labels({ v1: ['AWSCURRENT'] }) }));
    expect(of()).toEqual(['v0']);
    expect(of({ token: 'v9', at: NOW, before: [] })).toEqual(['v0', 'v9']);
    expect(of({ token: 'v9', at: NOW, before: [], minted: NEW })).toEqual(['v0']);
  });

  describe('about the slots', () => {
    const disabledFor = (
      seconds: number,
      status: 'Active' | 'Inactive' = 'Inactive',
      id = OTHER,
    ): Partial<MintObserved> => ({
      ledger: ledger(
        [
          currentEntry,
          { keyId: id, version: 'v0', superseded: { at: at(-20 * DAY), by: OLD }, disabled: at(-seconds) },
        ],
        {
          userId: 'AIDA1',
        },
      ),
      keys: [key(OLD), key(id, status)],
      lastUse: new Map([
        [OLD, use],
        [id, undefined],
      ]),
    });

    it('to delete a key of ours once it was Inactive for the whole recovery time, and not a second before', () => {
      expect(decide(disabledFor(RECOVERY))).toMatchObject({ do: 'mint', free: [OTHER], roomForTwo: false });
      const early = decide(disabledFor(RECOVERY - 1));
      expect(early).toMatchObject({ do: 'refuse', error: { code: 'SLOT_NOT_FREE_YET' } });
      expect(refusalOf(early)).toBe(
        `SLOT_NOT_FREE_YET: user app has 2 access keys: ${OLD} (current, Active, 100 days old, last used ` +
          `2026-06-14T12:00:00Z with s3 in eu-central-1) and ${OTHER} (superseded, Inactive, 100 days old, never used). ` +
          'The superseded one: deletable from 2026-06-15T12:00:01Z. ' +
          'Expected: a slot that is free, or held by a key whose recovery time is over. ' +
          'To do: nothing if the rotation was started early: the retire pass frees the slot in time; otherwise shorten ' +
          'deactivateAfter, holdAtMost or deleteAfter in rotator.config.ts, or make the rotation period longer. ' +
          'If the current key is Inactive or gone, activate one that works: nothing is deleted until then.',
      );
    });

    it('to tell of each superseded key when its slot comes free, if the current one is gone', () => {
      const superseded = { at: NOW, by: 'AKIAGONE' };
      const both = ledger(
        [
          { keyId: OLD, version: 'v1', superseded },
          { keyId: OTHER, version: 'v0', superseded, disabled: NOW },
        ],
        { userId: 'AIDA1' },
      );
      const gone = { labels: labels({ v3: ['AWSCURRENT'] }), currentKeyId: 'AKIAGONE', userId: 'AIDA1' };
      const plan = decide({ ...disabledFor(0), ...gone, ledger: both });
      expect(refusalOf(plan)).toContain(
        'The superseded one: to be disabled from 2026-06-18T12:00:00Z, or later while in use, and deleted 604800 s after that; ' +
          'deletable from 2026-06-22T12:01:00Z. Expected: ',
      );
    });

    it('never to delete a key that only the ledger calls adopted: whoever may write tags could call it so', () => {
      const facts = disabledFor(70 * DAY);
      const tagged = { keyId: OTHER, superseded: { at: at(-80 * DAY), by: OLD }, disabled: at(-70 * DAY) };
      const plan = decide({ ...facts, ledger: ledger([currentEntry, tagged], { userId: 'AIDA1' }) });
      expect(plan).toMatchObject({ do: 'refuse', error: { code: 'STRANGERS_HOLD_SLOTS' } });
    });

    it('not to delete more keys than it needs slots', () => {
      expect(
        decide({ ...disabledFor(8 * DAY), keys: [key(OTHER, 'Inactive')], currentKeyId: undefined, userId: 'AIDA1' }),
      ).toMatchObject({
        do: 'mint',
        free: [],
      });
    });

    it('to look at the last use before it deletes a key', () => {
      expect(decide({ ...disabledFor(RECOVERY), lastUse: new Map() })).toEqual({ do: 'look', keyIds: [OTHER] });
    });

    it('not to delete a key that was used after it had been disabled: its recovery time began later than the ledger says', () => {
      const usedAt = (seconds: number) =>
        decide({
          ...disabledFor(8 * DAY),
          lastUse: new Map([
            [OLD, use],
            [OTHER, { ...use, at: at(seconds) }],
          ]),
        });
      expect(usedAt(-8 * DAY)).toMatchObject({ do: 'mint', free: [OTHER] });
      expect(usedAt(-8 * DAY + 1)).toMatchObject({ do: 'refuse', error: { code: 'SLOT_NOT_FREE_YET' } });
    });

    it('to delete nothing while the current key is not Active: the disabled one may be the last that can be activated', () => {
      const facts = disabledFor(8 * DAY);
      const plan = decide({ ...facts, keys: [key(OLD, 'Inactive'), key(OTHER, 'Inactive')] });
      expect(plan).toMatchObject({ do: 'refuse', error: { code: 'SLOT_NOT_FREE_YET' } });
      expect(refusalOf(plan)).toContain('activate one that works');
    });

    it('never to delete a key that is Active, whatever the ledger says', () => {
      expect(decide(disabledFor(70 * DAY, 'Active'))).toMatchObject({
        do: 'refuse',
        error: { code: 'SLOT_NOT_FREE_YET' },
      });
    });

    it('never to delete a superseded key that is Inactive without anybody knowing since when', () => {
      const undated = ledger([currentEntry, { keyId: OTHER, version: 'v0' }], { userId: 'AIDA1' });
      const plan = decide({ ...disabledFor(0), ledger: undated });
      expect(plan).toMatchObject({ do: 'refuse', error: { code: 'SLOT_NOT_FREE_YET' } });
      expect(refusalOf(plan)).toContain('not looked at by a retire pass yet');
    });

    it('to say when a retiring key will be disabled', () => {
      const retiring = ledger(
        [currentEntry, { keyId: OTHER, version: 'v0', promoted: NOW, superseded: { at: NOW, by: OLD } }],
        { userId: 'AIDA1' },
      );
      const plan = decide({ ...disabledFor(0, 'Active'), ledger: retiring });
      expect(refusalOf(plan)).toContain('to be disabled from 2026-06-18T12:00:00Z, or later while in use');
    });

    it('to refuse when strangers hold them, naming each with its age and last use, and the way out', () => {
      const strangers: Partial<MintObserved> = { ...bootstrap, keys: [key(NEW), key(OTHER, 'Inactive', at(-DAY))] };
      expect(decide(strangers)).toEqual({ do: 'look', keyIds: [NEW, OTHER] });
      const plan = decide({
        ...strangers,
        lastUse: new Map([
          [NEW, use],
          [OTHER, undefined],
        ]),
      });
      expect(plan).toMatchObject({ do: 'refuse', error: { code: 'STRANGERS_HOLD_SLOTS' } });
      expect(refusalOf(plan)).toBe(
        `STRANGERS_HOLD_SLOTS: user app has 2 access keys: ${NEW} (stranger, Active, 100 days old, last used ` +
          `2026-06-14T12:00:00Z with s3 in eu-central-1) and ${OTHER} (stranger, Inactive, 1 day old, never used). ` +
          'Expected: a free slot: IAM allows 2 keys a user, and the rotator never changes a key that is not its own. ' +
          `To do: (1) the key that nobody uses is disabled and deleted by hand. Look at ${OTHER} first, of which no use is known; that ` +
          `alone does not make it safe. aws iam update-access-key --user-name app --access-key-id ${OTHER} --status Inactive (undone by ` +
          '--status Active); when for as long as the rarest job takes nothing has missed it, aws iam delete-access-key --user-name app ' +
          `--access-key-id ${OTHER}; (2) the key in use is adopted, to be retired when nobody uses it any more: put adopt: '${NEW}' for ` +
          'this user in rotator.config.ts and deploy, or it will hold its slot for ever; then aws secretsmanager rotate-secret ' +
          `--secret-id iam/app. Should ${OTHER} be the one in use, the same with the two ids changed over.`,
      );
    });

    it("to say that 'only-key' adopts the one that is left while nothing was stored, and to name it afterwards", () => {
      const lastUse = new Map([
        [NEW, use],
        [OTHER, undefined],
      ]);
      const told = (more: Partial<MintObserved>) =>
        refusalOf(
          decide(
            { ...bootstrap, keys: [key(NEW), key(OTHER)], lastUse, ...more },
            deployedKey({ userName: 'app', adopt: 'only-key' }),
          ),
        );
      expect(told({})).toContain(`${NEW} is then the only key, which 'only-key' adopts without more ado`);
      const gone = { keyId: OLD, version: 'v0', minted: at(-DAY), promoted: at(-DAY) };
      for (const more of [
        { ledger: ledger([gone]) },
        { ledger: ledger([], { userId: 'AIDA1' }), userId: 'AIDA1' },
        { current: { kind: 'key', keyId: OLD, secret: 's', others: {} } as const, currentKeyId: OLD },
      ])
        expect(told(more)).toContain(
          `adopted, to be retired when nobody uses it any more: put adopt: '${NEW}' for this user`,
        );
    });

    it('to refuse when one of the two is a stranger', () => {
      const lastUse = new Map([
        [OLD, use],
        [OTHER, undefined],
      ]);
      const plan = decide({ keys: [key(OLD), key(OTHER)], lastUse });
      expect(plan).toMatchObject({ do: 'refuse', error: { code: 'STRANGERS_HOLD_SLOTS' } });
      expect(refusalOf(plan)).toContain(`or (2) it is in use, and adopted: put adopt: '${OTHER}'`);
    });

    it('not to promise that adoption frees a slot while no key of the rotator is current', () => {
      const lastUse = new Map([
        [OLD, use],
        [OTHER, undefined],
      ]);
      for (const more of [{ ledger: ledger() }, { keys: [key(OLD, 'Inactive'), key(OTHER)] }])
        expect(refusalOf(decide({ keys: [key(OLD), key(OTHER)], lastUse, ...more }))).toMatch(
          /To do: the key that nobody uses .* first, of which no use is known; .*, then aws secretsmanager rotate-secret --secret-id iam\/app\.$/,
        );
    });

    it('to meet more keys than the quota allows without falling over', () => {
      const ids = ['AKIA1111111111111111', 'AKIA2222222222222222', 'AKIA3333333333333333'];
      const entries = ids.map((keyId): LedgerEntry => ({ keyId, version: `v-${keyId}`, disabled: at(-9 * DAY) }));
      const many = {
        lastUse: new Map(ids.map((id) => [id, undefined])),
        ledger: ledger([currentEntry, ...entries], { userId: 'AIDA1' }),
        keys: [key(OLD), ...ids.map((id) => key(id, 'Inactive'))],
      };
      expect(decide(many)).toMatchObject({ do: 'mint', free: ids });
    });
  });
});
