/** What a leak changes in every decision, and what it doesn't. */
import { describe, expect, it } from 'vitest';
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { endsBeforeSuccessor, settlesAt } from '../../lambdas/domain/leak.ts';
import { type Leak, type LedgerEntry, leakTag, parseLedger, tagsOf } from '../../lambdas/domain/ledger.ts';
import { decideMint, type MintObserved } from '../../lambdas/domain/mint.ts';
import { nominate } from '../../lambdas/domain/nominate.ts';
import { decidePromotion } from '../../lambdas/domain/promote.ts';
import { decideRetirement, type RetireObserved } from '../../lambdas/domain/retire.ts';
import { DAY, deployedKey } from '../policy.ts';
import { at, key, labels, ledger, NEW, NOW, OLD, OTHER, TIMEOUT } from './world.ts';

const leak = (keyId: string, seconds = -3600): Leak => ({ keyId, at: at(seconds), signal: 'health' });
const CURRENT: LedgerEntry = { keyId: NEW, version: 'v2', minted: at(-40 * DAY), promoted: at(-5 * DAY) };
const RETIRING: LedgerEntry = {
  keyId: OLD,
  version: 'v1',
  promoted: at(-30 * DAY),
  superseded: { at: at(-60), by: NEW },
};

describe('the mark of a leak', () => {
  it('is a tag with date and signal, which goes with the tag of its key', () => {
    const tags = leakTag(leak(OLD));
    expect(tags).toEqual({ [`iam-key-rotator:leak/${OLD}`]: 'at=2026-06-15T11:00:00Z signal=health' });
    const { leaks } = parseLedger(tags);
    expect([...leaks.values()]).toEqual([leak(OLD)]);
    expect(tagsOf(OLD, { leaks })).toEqual([`iam-key-rotator:key/${OLD}`, `iam-key-rotator:leak/${OLD}`]);
    expect(tagsOf(NEW, { leaks })).toEqual([`iam-key-rotator:key/${NEW}`]);
  });

  it.each(['', 'at=2026-06-15T11:00:00Z', 'signal=health', 'at=2026-06-15T11:00:00Z signal=rumour'])(
    "is refused as '%s', and not taken for none",
    (value) => {
      expect(() => parseLedger({ [`iam-key-rotator:leak/${OLD}`]: value })).toThrow('LEDGER_MALFORMED');
    },
  );

  it('nominates its secret in every pass, whatever else the listing says', () => {
    const nominated = (leaks: readonly Leak[]) =>
      nominate(
        labels({ v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT'] }),
        ledger([CURRENT, RETIRING], { userId: 'AIDA1', leaks }),
        deployedKey({ userName: 'app' }),
        TIMEOUT,
        NOW,
      );
    expect(nominated([])).toBeUndefined();
    expect(nominated([leak(OLD)])).toBeDefined();
    expect(nominated([leak(NEW)])).toBeDefined();
  });
});

describe('a leaked key', () => {
  it('settles a minute after its mark if the version that holds it may be promoted, recorded or not', () => {
    const version = { labels: labels({ v3: ['AWSPENDING'] }), keys: [], currentKeyId: NEW, pendingKeyId: undefined };
    const standing = { ...version, ledger: ledger([CURRENT], { leaks: [leak(OLD)] }), stored: new Map([['v3', OLD]]) };
    expect(settlesAt(OLD, standing)).toEqual(at(-3600 + 60));
    expect(settlesAt(OLD, { ...standing, stored: new Map() })).toBeUndefined();
    expect(settlesAt(OLD, { ...standing, stored: new Map([['v3', OTHER]]) })).toBeUndefined();
  });
});

describe('a pass, with a leak', () => {
  function decide(
    leaks: readonly Leak[],
    old: LedgerEntry = RETIRING,
    more: Partial<RetireObserved> = {},
    policy: Partial<DeployedKey> = {},
  ) {
    const observed: RetireObserved = {
      labels: labels({ v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT'] }),
      ledger: ledger([CURRENT, old], { userId: 'AIDA1', leaks }),
      currentKeyId: NEW,
      pendingKeyId: undefined,
      stored: new Map(),
      keys: [key(NEW), key(OLD)],
      lastUse: new Map(),
      ...more,
    };
    const decisions = decideRetirement(observed, deployedKey({ userName: 'app', ...policy }), TIMEOUT, NOW);
    return (about: string) =>
      decisions.find((decision) => (decision.about === 'key' ? decision.keyId : decision.about) === about);
  }

  it('disables a retiring key at once, without a look at its use, its overlap or its hold', () => {
    expect(decide([])(OLD)).toMatchObject({ do: 'none', reason: 'in-overlap' });
    expect(decide([leak(OLD)])(OLD)).toEqual({
      about: 'key',
      keyId: OLD,
      role: 'superseded',
      do: 'disable',
      reason: 'leaked',
      entry: RETIRING,
    });
    const inUse = { lastUse: new Map([[OLD, { at: NOW, service: 's3', region: 'r' }]]) };
    const overdue = { ...RETIRING, superseded: { at: at(-4 * DAY), by: NEW } };
    expect(decide([], overdue, inUse)(OLD)).toMatchObject({ do: 'none', reason: 'in-use' });
    expect(decide([leak(OLD)], overdue, inUse)(OLD)).toMatchObject({ do: 'disable', reason: 'leaked' });
  });

  it('dates the supersession that an interrupted promotion did not record', () => {
    const { superseded: _, ...entry } = RETIRING;
    const anew = { ...entry, superseded: { at: NOW, by: NEW } };
    expect(decide([leak(OLD)], entry)(OLD)).toMatchObject({ do: 'disable', entry: anew });
    const stale = { ...RETIRING, superseded: { at: at(-DAY), by: OTHER } };
    expect(decide([leak(OLD)], stale)(OLD)).toMatchObject({ do: 'disable', entry: anew });
  });

  it('disables nothing while no other key works: it may be the last one', () => {
    const alone = { keys: [key(NEW, 'Inactive'), key(OLD)] };
    expect(decide([leak(OLD)], RETIRING, alone)(OLD)).toMatchObject({ do: 'none', reason: 'current-not-usable' });
  });

  it('gives a leaked key that somebody activated again no new overlap', () => {
    const ended = { ...RETIRING, disabled: at(-30) };
    expect(decide([], ended)(OLD)).toMatchObject({ do: 'record', reason: 'reactivated-by-hand' });
    expect(decide([leak(OLD)], ended)(OLD)).toMatchObject({ do: 'disable', reason: 'leaked' });
  });

  it('deletes it after the whole recovery time, as any other', () => {
    const disabled = { keys: [key(NEW), key(OLD, 'Inactive')] };
    const ended = (seconds: number) => ({ ...RETIRING, disabled: at(seconds) });
    expect(decide([leak(OLD)], ended(-7 * DAY), disabled)(OLD)).toMatchObject({ reason: 'in-recovery' });
    const over = { ...disabled, lastUse: new Map([[OLD, undefined]]) };
    expect(decide([leak(OLD)], ended(-7 * DAY - 60), over)(OLD)).toMatchObject({
      do: 'delete',
      reason: 'recovery-over',
    });
  });

  it('tells of a current key that is leaked, and leaves it alone', () => {
    expect(decide([leak(NEW)])(NEW)).toMatchObject({ do: 'none', reason: 'current-leaked' });
    expect(decide([leak(NEW)])(OLD)).toMatchObject({ do: 'none', reason: 'in-overlap' });
    const disableFirst = { onLeak: 'disable-first' } as const;
    expect(decide([leak(NEW)], RETIRING, {}, disableFirst)(NEW)).toMatchObject({
      do: 'none',
      reason: 'current-leaked',
    });
  });

  it('takes the label off a pending key, which then waits until no promotion can be under way', () => {
    const stored: LedgerEntry = { keyId: OLD, version: 'v3', minted: at(-300) };
    const pending = { labels: labels({ v2: ['AWSCURRENT'], v3: ['AWSPENDING'] }), pendingKeyId: OLD };
    expect(decide([], stored, pending)('label')).toBeUndefined();
    const seen = decide([leak(OLD)], stored, pending);
    expect(seen(OLD)).toMatchObject({ role: 'pending', do: 'none', reason: 'pending-leaked' });
    expect(seen('label')).toEqual({ about: 'label', do: 'take-off', version: 'v3', reason: 'pending-leaked' });
    const bare = { labels: labels({ v2: ['AWSCURRENT'] }) };
    const waiting = { do: 'none', reason: 'leak-settles', due: at(1) };
    expect(decide([leak(OLD, -59)], stored, bare)(OLD)).toMatchObject(waiting);
    expect(decide([leak(OLD, -60)], stored, bare)(OLD)).toMatchObject({ do: 'disable', reason: 'leaked' });
  });

  it('leaves a stranger alone, marked or not', () => {
    const stranger = { keys: [key(NEW), key(OLD), key(OTHER)] };
    expect(decide([leak(OTHER)], RETIRING, stranger)(OTHER)).toMatchObject({ do: 'none', reason: 'is-stranger' });
  });

  it('removes a mark whose key is gone, once IAM would list it', () => {
    expect(decide([leak(OTHER, -959)])('leak')).toBeUndefined();
    expect(decide([leak(OTHER, -960)])('leak')).toEqual({
      about: 'leak',
      keyId: OTHER,
      do: 'clear',
      reason: 'leak-over',
    });
    expect(decide([leak(OLD)])('leak')).toBeUndefined();
    // The entry takes it with it.
    expect(decide([leak(OLD)], RETIRING, { keys: [key(NEW)] })('leak')).toBeUndefined();
  });
});

describe('createSecret, with a leak', () => {
  const value = (keyId: string) => ({ kind: 'key', keyId, secret: 's', others: {} }) as const;
  const CURRENT_OLD: LedgerEntry = { keyId: OLD, version: 'v1', promoted: at(-DAY) };
  const SUPERSEDED: LedgerEntry = {
    keyId: OTHER,
    version: 'v0',
    promoted: at(-9 * DAY),
    superseded: { at: at(-DAY), by: OLD },
  };
  function decide(
    leaks: readonly Leak[],
    statuses: readonly ('Active' | 'Inactive')[],
    policy: Partial<DeployedKey> = {},
    entries: readonly LedgerEntry[] = [CURRENT_OLD, SUPERSEDED],
    more: Partial<MintObserved> = {},
  ) {
    const [current = 'Active', other = 'Active'] = statuses;
    const observed: MintObserved = {
      token: 'v2',
      labels: labels({ v0: ['AWSPREVIOUS'], v1: ['AWSCURRENT'], v2: ['AWSPENDING'] }),
      ledger: ledger(entries, { userId: 'AIDA1', leaks }),
      currentVersion: 'v1',
      current: value(OLD),
      currentKeyId: OLD,
      pendingKeyId: undefined,
      stored: new Map(),
      keys: [key(OLD, current), key(OTHER, other)],
      userId: undefined,
      abandoned: new Map(),
      lastUse: new Map([OLD, OTHER].map((id) => [id, undefined])),
      ...more,
    };
    return decideMint(observed, deployedKey({ userName: 'app', ...policy }), TIMEOUT, NOW);
  }

  it('takes the slot of a superseded key before its recovery is over, and of one that works too', () => {
    expect(decide([], ['Active', 'Inactive'])).toMatchObject({ do: 'refuse', error: { code: 'SLOT_NOT_FREE_YET' } });
    expect(decide([leak(OLD)], ['Active', 'Inactive'])).toMatchObject({
      do: 'mint',
      free: [],
      yielding: [{ keyId: OTHER, active: false }],
    });
    expect(decide([leak(OLD)], ['Active', 'Active'])).toMatchObject({ yielding: [{ keyId: OTHER, active: true }] });
  });

  it('takes two where there are three keys, and none twice: one whose recovery is over goes anyway', () => {
    const ended: LedgerEntry = { ...SUPERSEDED, keyId: NEW, version: 'v9', disabled: at(-8 * DAY) };
    const more = {
      keys: [key(OLD), key(NEW, 'Inactive'), key(OTHER)],
      lastUse: new Map([OLD, NEW, OTHER].map((id) => [id, undefined])),
    };
    expect(decide([leak(OLD)], [], {}, [CURRENT_OLD, SUPERSEDED, ended], more)).toMatchObject({
      do: 'mint',
      free: [NEW],
      yielding: [{ keyId: OTHER, active: true }],
    });
  });

  it('takes none while it is the superseded key that is leaked', () => {
    expect(decide([leak(OTHER)], ['Active', 'Active'])).toMatchObject({ do: 'refuse' });
  });

  it('takes none of a key that may be the last one that works, unless the policy takes those too', () => {
    expect(decide([leak(OLD)], ['Inactive', 'Active'])).toMatchObject({
      do: 'refuse',
      error: {
        details: { remedy: expect.stringMatching(`delete-access-key .*--access-key-id ${OLD}.*: ${OTHER} may be`) },
      },
    });
    expect(decide([leak(OLD)], ['Inactive', 'Inactive'])).toMatchObject({ yielding: [{ keyId: OTHER }] });
    const first = { onLeak: 'disable-first' } as const;
    expect(decide([leak(OLD)], ['Inactive', 'Active'], first)).toMatchObject({ yielding: [{ keyId: OTHER }] });
  });

  it('takes none of a stranger', () => {
    const plan = decide([leak(OLD), leak(OTHER)], ['Active', 'Active'], {}, [CURRENT_OLD]);
    expect(plan).toMatchObject({ do: 'refuse', error: { code: 'STRANGERS_HOLD_SLOTS' } });
  });

  it.each(['Active', 'Inactive'] as const)(
    'takes none that a finishSecret under way may just be making current (%s)',
    (status) => {
      const unpromoted: LedgerEntry = { keyId: OTHER, version: 'v0', minted: at(-60) };
      const more = { labels: labels({ v1: ['AWSCURRENT'], v2: ['AWSPENDING'] }) };
      const take = (seconds: number) =>
        decide([leak(OLD), leak(OTHER, seconds)], ['Active', status], {}, [CURRENT_OLD, unpromoted], more);
      const nothing = { remedy: expect.stringMatching(/^nothing/) };
      expect(take(-59)).toMatchObject({ do: 'refuse', error: { code: 'SLOT_NOT_FREE_YET', details: nothing } });
      expect(take(-60)).toMatchObject({ yielding: [{ keyId: OTHER }] });
      expect(decide([leak(OLD), leak(OTHER, 0)], ['Active', status])).toMatchObject({ yielding: [{ keyId: OTHER }] });
    },
  );

  it('prefers a disabled key to one that works, and of those a leaked one', () => {
    const THIRD = 'AKIATHIRDTHIRDTHIRD5';
    const third: LedgerEntry = { ...SUPERSEDED, keyId: THIRD, version: 'v9' };
    const yields = (leaks: readonly Leak[], status: 'Active' | 'Inactive') => {
      const keys = [key(OLD), key(OTHER), key(THIRD, status)];
      const plan = decide(leaks, [], {}, [CURRENT_OLD, SUPERSEDED, third], {
        keys,
        lastUse: new Map(keys.map(({ id }) => [id, undefined])),
      });
      return plan.do === 'mint' ? plan.yielding?.map(({ keyId }) => keyId) : plan.do;
    };
    expect(yields([leak(OLD)], 'Inactive')).toEqual([THIRD, OTHER]);
    expect(yields([leak(OLD), leak(THIRD)], 'Active')).toEqual([THIRD, OTHER]);
    expect(yields([leak(OLD), leak(OTHER)], 'Active')).toEqual([OTHER, THIRD]);
  });

  it('takes up no key that is leaked', () => {
    const abandoned: LedgerEntry = { keyId: OTHER, version: 'v0', minted: at(-600) };
    const more = {
      abandoned: new Map([['v0', value(OTHER)]]),
      labels: labels({ v1: ['AWSCURRENT'], v2: ['AWSPENDING'] }),
    };
    expect(decide([], ['Active'], {}, [CURRENT_OLD, abandoned], more)).toMatchObject({ do: 'reuse' });
    expect(decide([leak(OTHER)], ['Active'], {}, [CURRENT_OLD, abandoned], more)).toMatchObject({ do: 'refuse' });
  });
});

describe('finishSecret, with a leak', () => {
  const rotating = labels({ v1: ['AWSCURRENT'], v2: ['AWSPENDING'] });
  const evidence = { token: 'v2', keyId: NEW, account: '1', userId: 'AIDA1', at: at(-5) };
  const entries = [
    { keyId: OLD, version: 'v1', promoted: at(-DAY) },
    { keyId: NEW, version: 'v2', minted: at(-60) },
  ];
  const decide = (leaks: readonly Leak[], deactivateAfter = DAY) => {
    const policy = deployedKey({ userName: 'app', deactivateAfter });
    return decidePromotion(
      { token: 'v2', labels: rotating, ledger: ledger(entries, { evidence, leaks }) },
      policy,
      NOW,
    );
  };

  it('promotes no leaked key', () => {
    expect(decide([leak(NEW)])).toMatchObject({ do: 'refuse', error: { code: 'PENDING_KEY_LEAKED' } });
  });

  it('ends the leaked key that it supersedes at once, and no other', () => {
    expect(decide([leak(OLD)])).toMatchObject({ do: 'promote', ends: new Map([[OLD, 'leaked']]) });
    expect(decide([])).toMatchObject({ ends: new Map() });
    expect(decide([leak(OTHER)], 0)).toMatchObject({ ends: new Map([[OLD, 'use-ignored']]) });
  });
});

describe("onLeak 'disable-first' ends the current key", () => {
  const ends = (leaks: readonly Leak[], policy: Partial<DeployedKey>, status: 'Active' | 'Inactive' = 'Active') =>
    endsBeforeSuccessor(
      {
        labels: labels({ v2: ['AWSCURRENT'] }),
        ledger: ledger([CURRENT], { leaks }),
        keys: [key(NEW, status)],
        currentKeyId: NEW,
        pendingKeyId: undefined,
        stored: new Map(),
      },
      deployedKey({ userName: 'app', ...policy }),
    );

  it('if it is marked and works, and the policy says so, and not in observe mode', () => {
    const onLeak = 'disable-first';
    expect(ends([leak(NEW)], { onLeak })).toBe(true);
    expect(ends([leak(OLD)], { onLeak })).toBe(false);
    expect(ends([leak(NEW)], {})).toBe(false);
    expect(ends([leak(NEW)], { onLeak, mode: 'observe' })).toBe(false);
    expect(ends([leak(NEW)], { onLeak }, 'Inactive')).toBe(false);
  });
});
