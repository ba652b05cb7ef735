import { describe, expect, it } from 'vitest';
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { type Evidence, type LedgerEntry, settledAt } from '../../lambdas/domain/ledger.ts';
import type { AccessKey, LastUse } from '../../lambdas/domain/model.ts';
import { REASONS } from '../../lambdas/domain/reasons.ts';
import { decideRetirement, type RetireObserved } from '../../lambdas/domain/retire.ts';
import { DAY, deployedKey, HOUR } from '../policy.ts';
import { at, key, labels, ledger, NEW, NOW, OLD, OTHER, TIMEOUT, TOLERANCE } from './world.ts';

const CURRENT: LedgerEntry = { keyId: NEW, version: 'v2', minted: at(-40 * DAY), promoted: at(-30 * DAY) };
const overlap = (secondsAgo: number): LedgerEntry => ({
  keyId: OLD,
  version: 'v1',
  minted: at(-60 * DAY),
  superseded: { at: at(-3 * DAY - secondsAgo), by: NEW },
});
const RECOVERY = 7 * DAY + TOLERANCE;
const recovery = (secondsAgo: number): LedgerEntry => ({ ...overlap(9 * DAY), disabled: at(-RECOVERY - secondsAgo) });
const used = (date: Date): LastUse => ({ at: date, service: 's3', region: 'eu-central-1' });
const INTENT = { token: 'v0', at: at(-DAY), before: [NEW] };
const ORPHAN = key(OTHER, 'Active', at(-DAY + 1));

interface Row {
  readonly name: string;
  readonly entries?: readonly LedgerEntry[];
  readonly keys?: readonly AccessKey[];
  readonly lastUse?: readonly [string, LastUse | undefined][];
  readonly policy?: Partial<DeployedKey>;
  readonly more?: Partial<RetireObserved>;
  readonly intent?: typeof INTENT & { minted?: string };
  readonly evidence?: Evidence;
  readonly userId?: string | undefined;
  /** What is decided about this key, 'intent' or 'label'. */
  readonly about: string;
  readonly expect: object;
}

/** NEW is current; OLD was superseded by it. */
function decide(row: Row) {
  const observed: RetireObserved = {
    labels: labels({ v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT'] }),
    ledger: ledger([CURRENT, ...(row.entries ?? [])], {
      intent: row.intent,
      evidence: row.evidence,
      userId: 'userId' in row ? row.userId : 'AIDA1',
    }),
    currentKeyId: NEW,
    pendingKeyId: undefined,
    stored: new Map(),
    keys: row.keys ?? [key(NEW), key(OLD)],
    lastUse: new Map(row.lastUse),
    ...row.more,
  };
  return decideRetirement(observed, deployedKey({ userName: 'app', ...row.policy }), TIMEOUT, NOW);
}
const ROWS: readonly Row[] = [
  // The current and the pending key.
  { name: 'the current key is left alone', about: NEW, expect: { role: 'current', do: 'none', reason: 'is-current' } },
  {
    name: 'a key in the current value is current even if the ledger says superseded and long due',
    entries: [recovery(99 * DAY)],
    keys: [key(NEW), key(OLD, 'Inactive')],
    more: { currentKeyId: OLD },
    about: OLD,
    expect: {
      role: 'current',
      do: 'record',
      reason: 'entry-missing',
      entry: { keyId: OLD, version: 'v2', promoted: NOW },
    },
  },
  {
    name: 'a key whose version is current is current even if the value says otherwise',
    entries: [{ ...overlap(99 * DAY), version: 'v2' }],
    about: OLD,
    expect: { role: 'current', do: 'none', reason: 'is-current' },
  },
  {
    name: 'before the first promotion nothing is recorded of the current key',
    userId: undefined,
    more: { ledger: ledger([]) },
    about: NEW,
    expect: { role: 'current', do: 'none', reason: 'is-current' },
  },
  {
    name: 'a current key without a label on any version is left alone',
    more: { labels: labels({ v1: ['AWSPREVIOUS'] }) },
    about: NEW,
    expect: { do: 'none', reason: 'is-current' },
  },
  {
    name: 'a current key without an entry gets one',
    more: { ledger: ledger([], { userId: 'AIDA1' }) },
    about: NEW,
    expect: {
      do: 'record',
      reason: 'entry-missing',
      entry: { keyId: NEW, version: 'v2', minted: key(NEW).created, promoted: NOW },
    },
  },
  {
    name: 'a current key that was stored anew in another version keeps its dates',
    more: { ledger: ledger([{ ...CURRENT, version: 'v7' }], { userId: 'AIDA1' }) },
    about: NEW,
    expect: {
      do: 'record',
      reason: 'entry-missing',
      entry: { version: 'v2', minted: CURRENT.minted, promoted: CURRENT.promoted },
    },
  },
  ...(
    [
      ['without a date of promotion gets one', { promoted: undefined }],
      ['loses the date at which it was superseded before a rollback', { superseded: { at: at(-9 * DAY), by: OLD } }],
      ['loses the date at which it was disabled before a rollback', { disabled: at(-9 * DAY) }],
    ] as const
  ).map(([name, change]): Row => {
    const { promoted: _promoted, ...undated } = CURRENT;
    const entry = 'promoted' in change ? undated : { ...CURRENT, ...change };
    return {
      name: `a current key ${name}`,
      more: { ledger: ledger([entry], { userId: 'AIDA1' }) },
      about: NEW,
      expect: {
        do: 'record',
        reason: 'date-missing',
        entry: {
          keyId: NEW,
          version: 'v2',
          minted: CURRENT.minted,
          promoted: 'promoted' in change ? NOW : CURRENT.promoted,
        },
      },
    };
  }),
  {
    name: 'a key in the pending value is left alone, whatever the ledger says',
    entries: [overlap(99 * DAY)],
    more: { pendingKeyId: OLD },
    about: OLD,
    expect: { role: 'pending', do: 'none', reason: 'is-pending' },
  },
  {
    name: 'a key whose version is pending is left alone',
    entries: [overlap(99 * DAY)],
    more: { labels: labels({ v1: ['AWSPENDING'], v2: ['AWSCURRENT'] }) },
    about: OLD,
    expect: { role: 'pending', do: 'none', reason: 'is-pending' },
  },
  {
    name: 'a pending key that its run could not record is recorded',
    intent: INTENT,
    keys: [key(NEW), ORPHAN],
    more: { pendingKeyId: OTHER, stored: new Map([['v0', OTHER]]) },
    about: OTHER,
    expect: {
      role: 'pending',
      do: 'record',
      reason: 'intent-stored',
      entry: { keyId: OTHER, version: 'v0', minted: ORPHAN.created },
    },
  },
  {
    name: 'a pending key that is neither recorded nor announced is left alone',
    keys: [key(NEW), ORPHAN],
    more: { pendingKeyId: OTHER },
    about: OTHER,
    expect: { role: 'pending', do: 'none', reason: 'is-pending' },
  },

  {
    name: 'a key without an entry whose version is that of an older key is not taken for stored',
    keys: [key(NEW), ORPHAN],
    more: { pendingKeyId: OTHER, stored: new Map([['v0', OLD]]) },
    about: OTHER,
    expect: { role: 'pending', do: 'none', reason: 'is-pending' },
  },

  // Strangers.
  {
    name: 'a key that nobody knows is a stranger',
    about: OLD,
    expect: { role: 'stranger', do: 'none', reason: 'is-stranger' },
  },
  {
    name: 'a key that the ledger calls adopted and the configuration does not is a stranger, however due',
    entries: [{ keyId: OLD, superseded: { at: at(-99 * DAY), by: NEW }, disabled: at(-98 * DAY) }],
    about: OLD,
    expect: { role: 'stranger', do: 'none', reason: 'is-stranger' },
  },
  {
    name: 'a key made by hand after a run had died is a stranger, not an orphan',
    intent: INTENT,
    keys: [key(NEW), key(OTHER, 'Active', at(-HOUR))],
    about: OTHER,
    expect: { role: 'stranger', do: 'none', reason: 'is-stranger' },
  },

  // Adoption.
  {
    name: 'an adopted key waits for the first promotion',
    userId: undefined,
    policy: { adopt: OLD },
    about: OLD,
    expect: { role: 'adoptable', do: 'none', reason: 'adoption-waits' },
  },
  {
    name: 'an adopted key with an entry waits for the first promotion too',
    userId: undefined,
    entries: [{ keyId: OLD, minted: at(-DAY) }],
    policy: { adopt: OLD },
    about: OLD,
    expect: { role: 'superseded', do: 'none', reason: 'adoption-waits' },
  },
  {
    name: 'an adopted key that was superseded waits no longer, though nothing pins the user any more',
    userId: undefined,
    entries: [{ keyId: OLD, minted: at(-DAY), superseded: { at: at(-DAY), by: NEW } }],
    policy: { adopt: OLD },
    about: OLD,
    expect: { role: 'superseded', do: 'none', reason: 'in-overlap', due: at(2 * DAY) },
  },
  {
    name: 'an adopted key waits no longer once somebody has made a minted key current by hand',
    userId: undefined,
    entries: [
      { keyId: OLD, minted: at(-DAY) },
      { keyId: NEW, version: 'v2', minted: at(-DAY) },
    ],
    policy: { adopt: OLD },
    about: OLD,
    expect: {
      role: 'superseded',
      do: 'record',
      reason: 'date-missing',
      entry: { keyId: OLD, minted: at(-DAY), superseded: { at: NOW, by: NEW } },
    },
  },
  {
    name: 'an adopted key waits while the current key is the one that was there before any rotation',
    userId: undefined,
    entries: [
      { keyId: OLD, minted: at(-DAY) },
      { keyId: NEW, version: 'v2', promoted: at(-DAY) },
    ],
    policy: { adopt: OLD },
    about: OLD,
    expect: { role: 'superseded', do: 'none', reason: 'adoption-waits' },
  },
  {
    name: 'an adopted key waits while no key is current',
    policy: { adopt: OLD },
    more: { currentKeyId: undefined },
    about: OLD,
    expect: { role: 'adoptable', do: 'none', reason: 'adoption-waits' },
  },
  {
    name: 'an adopted key counts as superseded from first sight on',
    policy: { adopt: OLD },
    about: OLD,
    expect: {
      role: 'adoptable',
      do: 'record',
      reason: 'entry-missing',
      entry: { keyId: OLD, superseded: { at: NOW, by: NEW } },
    },
  },
  {
    name: 'an adopted key without a date gets one as of now, and no longer wait: it was in use, not lost',
    policy: { adopt: OLD, deactivateAfter: 0 },
    entries: [{ keyId: OLD, minted: at(-60 * DAY) }],
    about: OLD,
    expect: {
      do: 'record',
      reason: 'date-missing',
      entry: { keyId: OLD, minted: at(-60 * DAY), superseded: { at: NOW, by: NEW } },
    },
  },
  {
    name: 'an adopted key that another one superseded does not wait for a promotion any more',
    userId: undefined,
    policy: { adopt: OLD },
    entries: [{ keyId: OLD, superseded: { at: at(-3 * DAY), by: NEW } }],
    about: OLD,
    expect: { role: 'superseded', do: 'look', reason: 'last-use-unread' },
  },
  {
    name: 'the only key is superseded from first sight on once a key is promoted, as one that is named is',
    entries: [{ keyId: OLD, minted: at(-60 * DAY) }],
    policy: { adopt: 'only-key' },
    about: OLD,
    expect: {
      role: 'superseded',
      do: 'record',
      reason: 'date-missing',
      entry: { keyId: OLD, minted: at(-60 * DAY), superseded: { at: NOW, by: NEW } },
    },
  },
  {
    name: 'the only key waits for the first promotion',
    entries: [{ keyId: OLD, minted: at(-60 * DAY) }],
    policy: { adopt: 'only-key' },
    more: { ledger: ledger([{ keyId: OLD, minted: at(-60 * DAY) }]), currentKeyId: undefined },
    about: OLD,
    expect: { role: 'superseded', do: 'none', reason: 'adoption-waits' },
  },
  {
    name: 'the only key is held while it is in use',
    entries: [{ keyId: OLD, superseded: { at: at(-3 * DAY), by: NEW } }],
    policy: { adopt: 'only-key' },
    lastUse: [[OLD, used(at(-HOUR))]],
    about: OLD,
    expect: { do: 'none', reason: 'in-use' },
  },
  {
    name: 'a key that the ledger calls the only one is a stranger where an older key is beside it, however due',
    entries: [{ keyId: OLD, superseded: { at: at(-99 * DAY), by: NEW } }],
    policy: { adopt: 'only-key' },
    keys: [key(NEW), key(OLD, 'Active', at(-99 * DAY))],
    lastUse: [[OLD, undefined]],
    about: OLD,
    expect: { role: 'stranger', do: 'none', reason: 'is-stranger' },
  },
  {
    name: 'of two keys that the ledger calls the only one each is a stranger',
    entries: [{ keyId: OLD, superseded: { at: at(-99 * DAY), by: NEW } }, { keyId: OTHER }],
    policy: { adopt: 'only-key' },
    lastUse: [[OLD, undefined]],
    about: OLD,
    expect: { role: 'stranger', do: 'none', reason: 'is-stranger' },
  },
  {
    name: 'the only key leaves an entry behind when it is deleted',
    entries: [{ keyId: OLD, superseded: { at: at(-99 * DAY), by: NEW }, disabled: at(-RECOVERY) }],
    policy: { adopt: 'only-key' },
    keys: [key(NEW), key(OLD, 'Inactive')],
    lastUse: [[OLD, undefined]],
    about: OLD,
    expect: { do: 'delete', reason: 'recovery-over', entry: { keyId: OLD, deleted: NOW } },
  },
  {
    name: 'an adopted key is disabled in its turn',
    policy: { adopt: OLD },
    entries: [{ keyId: OLD, superseded: { at: at(-3 * DAY), by: NEW } }],
    lastUse: [[OLD, undefined]],
    about: OLD,
    expect: { role: 'superseded', do: 'disable', reason: 'overlap-over' },
  },
  {
    name: 'an adopted key is deleted in its turn, and leaves an entry that says so',
    lastUse: [[OLD, undefined]],
    policy: { adopt: OLD },
    entries: [{ keyId: OLD, superseded: { at: at(-20 * DAY), by: NEW }, disabled: at(-RECOVERY) }],
    keys: [key(NEW), key(OLD, 'Inactive')],
    about: OLD,
    expect: { do: 'delete', reason: 'recovery-over', entry: { keyId: OLD, deleted: NOW } },
  },
  {
    name: 'an adopted key that was deleted by hand is recorded as such',
    policy: { adopt: OLD },
    entries: [{ keyId: OLD, superseded: { at: at(-20 * DAY), by: NEW } }],
    keys: [key(NEW)],
    about: OLD,
    expect: { do: 'record', reason: 'key-gone', entry: { keyId: OLD, deleted: NOW } },
  },
  {
    name: 'an adopted key that was deleted by hand before it was ever seen is recorded as such',
    policy: { adopt: OLD },
    keys: [key(NEW)],
    about: OLD,
    expect: { role: 'adoptable', do: 'record', reason: 'key-gone', entry: { keyId: OLD, deleted: NOW } },
  },
  {
    name: 'an adopted key whose life is over is not looked for again',
    policy: { adopt: OLD },
    entries: [{ keyId: OLD, deleted: at(-DAY) }],
    keys: [key(NEW)],
    about: OLD,
    expect: { do: 'none', reason: 'is-deleted' },
  },

  // The overlap.
  {
    name: 'a superseded key stays Active a second before its overlap is over',
    entries: [overlap(-1)],
    about: OLD,
    expect: { role: 'superseded', do: 'none', reason: 'in-overlap', due: at(1) },
  },
  {
    name: 'at the end of the overlap the last use is asked for',
    entries: [overlap(0)],
    about: OLD,
    expect: { do: 'look', reason: 'last-use-unread' },
  },
  {
    name: 'a key that was never used is disabled at the end of its overlap',
    entries: [overlap(0)],
    lastUse: [[OLD, undefined]],
    about: OLD,
    expect: { do: 'disable', reason: 'overlap-over' },
  },
  {
    name: "with ifInUse 'disable' nobody asks for the last use",
    entries: [overlap(0)],
    policy: { ifInUse: 'disable' },
    about: OLD,
    expect: { do: 'disable', reason: 'use-ignored' },
  },
  {
    name: 'a use within the settling time is no use: applications were switching',
    entries: [overlap(0)],
    lastUse: [[OLD, used(at(-3 * DAY + 4 * HOUR))]],
    about: OLD,
    expect: { do: 'disable', reason: 'overlap-over' },
  },
  {
    name: 'a use a second after the settling time holds the key',
    entries: [overlap(0)],
    lastUse: [[OLD, used(at(-3 * DAY + 4 * HOUR + 1))]],
    about: OLD,
    expect: { do: 'none', reason: 'in-use', due: at(14 * DAY), lastUse: used(at(-3 * DAY + 4 * HOUR + 1)) },
  },
  {
    name: 'a use a second before it is too old to count holds the key',
    entries: [overlap(9 * DAY)],
    lastUse: [[OLD, used(at(-8 * DAY + 1))]],
    about: OLD,
    expect: { do: 'none', reason: 'in-use' },
  },
  {
    name: 'a key that has been quiet for long enough is disabled',
    entries: [overlap(9 * DAY)],
    lastUse: [[OLD, used(at(-8 * DAY))]],
    about: OLD,
    expect: { do: 'disable', reason: 'overlap-over' },
  },
  {
    name: 'a key in use is held a second before the longest hold is over',
    entries: [overlap(14 * DAY - 1)],
    lastUse: [[OLD, used(NOW)]],
    about: OLD,
    expect: { do: 'none', reason: 'in-use', due: at(1) },
  },
  {
    name: 'a key in use is disabled when the longest hold is over: the policy says so',
    entries: [overlap(14 * DAY)],
    lastUse: [[OLD, used(NOW)]],
    about: OLD,
    expect: { do: 'disable', reason: 'hold-over', lastUse: used(NOW) },
  },

  // Recovery.
  {
    name: 'a disabled key is kept a second before its recovery time is over',
    entries: [recovery(-1)],
    keys: [key(NEW), key(OLD, 'Inactive')],
    about: OLD,
    expect: { do: 'none', reason: 'in-recovery', due: at(1) },
  },
  {
    name: 'the last use of a disabled key is asked for when its recovery time is over',
    entries: [recovery(0)],
    keys: [key(NEW), key(OLD, 'Inactive')],
    about: OLD,
    expect: { do: 'look', reason: 'last-use-unread' },
  },
  {
    name: 'a disabled key that was used after it had been disabled begins its recovery time anew',
    entries: [recovery(0)],
    keys: [key(NEW), key(OLD, 'Inactive')],
    lastUse: [[OLD, used(at(-RECOVERY + 1))]],
    about: OLD,
    expect: {
      do: 'record',
      reason: 'used-while-disabled',
      entry: { keyId: OLD, version: 'v1', superseded: recovery(0).superseded, disabled: NOW },
    },
  },
  {
    name: 'a disabled key that was used until it was disabled is deleted when its recovery time is over',
    entries: [recovery(0)],
    keys: [key(NEW), key(OLD, 'Inactive')],
    lastUse: [[OLD, used(at(-RECOVERY))]],
    about: OLD,
    expect: { do: 'delete', reason: 'recovery-over' },
  },
  {
    name: 'a disabled key is deleted when its recovery time is over',
    lastUse: [[OLD, undefined]],
    entries: [recovery(0)],
    keys: [key(NEW), key(OLD, 'Inactive')],
    about: OLD,
    expect: { do: 'delete', reason: 'recovery-over' },
  },
  {
    name: 'a key that somebody has activated again starts its overlap anew',
    entries: [recovery(99 * DAY)],
    about: OLD,
    expect: {
      do: 'record',
      reason: 'reactivated-by-hand',
      entry: { keyId: OLD, version: 'v1', minted: at(-60 * DAY), superseded: { at: NOW, by: NEW } },
    },
  },
  {
    name: 'a key that the ledger calls deleted and IAM lists as Active starts anew too',
    policy: { adopt: OLD },
    entries: [{ keyId: OLD, deleted: at(-DAY) }],
    about: OLD,
    expect: { do: 'record', reason: 'reactivated-by-hand' },
  },

  // The pin.
  {
    name: 'the first promotion is known by its evidence if its run died before it could pin the user',
    userId: undefined,
    evidence: { token: 'v2', keyId: NEW, account: '111122223333', userId: 'AIDA1', at: at(-DAY) },
    policy: { adopt: OLD },
    about: OLD,
    expect: { role: 'adoptable', do: 'record', reason: 'entry-missing' },
  },

  // Missing and stale dates.
  {
    name: 'a superseded key without a date gets one as of now',
    entries: [{ keyId: OLD, version: 'v1', promoted: at(-60 * DAY) }],
    about: OLD,
    expect: {
      do: 'record',
      reason: 'date-missing',
      entry: { keyId: OLD, version: 'v1', superseded: { at: NOW, by: NEW } },
    },
  },
  {
    name: 'a date that another superseding key left is written anew: a rollback lies between',
    entries: [{ ...overlap(99 * DAY), superseded: { at: at(-99 * DAY), by: OTHER } }],
    about: OLD,
    expect: { do: 'record', reason: 'date-missing', entry: { superseded: { at: NOW, by: NEW } } },
  },
  {
    name: 'a date that another superseding key left is written anew even if it is younger than the promotion of today',
    entries: [{ ...overlap(0), superseded: { at: at(-3 * DAY), by: OTHER } }],
    about: OLD,
    expect: { do: 'record', reason: 'date-missing', entry: { superseded: { at: NOW, by: NEW } } },
  },
  {
    name: 'a date from before the promotion of the superseding key is written anew: the key was current again between',
    entries: [{ ...overlap(0), superseded: { at: at(-30 * DAY - 1), by: NEW } }],
    about: OLD,
    expect: { do: 'record', reason: 'date-missing', entry: { superseded: { at: NOW, by: NEW } } },
  },
  {
    name: 'a date written with the promotion of the superseding key stands',
    entries: [{ ...overlap(0), superseded: { at: at(-30 * DAY), by: NEW } }],
    about: OLD,
    expect: { do: 'look', reason: 'last-use-unread' },
  },
  {
    name: 'a date stands while the ledger does not say when the superseding key was promoted',
    more: { ledger: ledger([overlap(0), { keyId: NEW, version: 'v2' }], { userId: 'AIDA1' }) },
    about: OLD,
    expect: { do: 'look', reason: 'last-use-unread' },
  },
  {
    name: 'a date stands while the ledger does not have the superseding key',
    more: { ledger: ledger([overlap(0)], { userId: 'AIDA1' }) },
    about: OLD,
    expect: { do: 'look', reason: 'last-use-unread' },
  },
  {
    name: 'a key that was never promoted waits a day at least, so that a retry can take it up',
    policy: { deactivateAfter: 0 },
    entries: [{ keyId: OLD, version: 'v0' }],
    about: OLD,
    expect: { do: 'record', reason: 'date-missing', entry: { superseded: { at: at(DAY), by: NEW } } },
  },
  {
    name: 'a key that was never promoted waits before the first promotion too',
    userId: undefined,
    policy: { deactivateAfter: 0 },
    entries: [{ keyId: OLD, version: 'v0' }],
    about: OLD,
    expect: { do: 'record', reason: 'date-missing', entry: { superseded: { at: at(DAY), by: NEW } } },
  },
  {
    name: 'a key that was never promoted is disabled when its wait is over',
    entries: [{ ...overlap(0), version: 'v0' }],
    lastUse: [[OLD, undefined]],
    about: OLD,
    expect: { do: 'disable', reason: 'overlap-over', entry: { superseded: overlap(0).superseded } },
  },
  {
    name: 'a key that was never promoted waits no longer than its overlap if that is more than a day',
    entries: [{ keyId: OLD, version: 'v0' }],
    about: OLD,
    expect: { do: 'record', entry: { superseded: { at: NOW, by: NEW } } },
  },
  {
    name: 'a key whose promotion was not recorded counts as promoted if its version carries AWSPREVIOUS',
    policy: { deactivateAfter: 0 },
    entries: [{ keyId: OLD, version: 'v1' }],
    about: OLD,
    expect: { do: 'record', reason: 'date-missing', entry: { promoted: NOW, superseded: { at: NOW, by: NEW } } },
  },
  {
    name: 'an Inactive key without a date of disabling gets one as of now',
    entries: [overlap(9 * DAY)],
    keys: [key(NEW), key(OLD, 'Inactive')],
    about: OLD,
    expect: { do: 'record', reason: 'date-missing', entry: { superseded: overlap(9 * DAY).superseded, disabled: NOW } },
  },
  {
    name: 'an Inactive key without any date gets both as of now',
    entries: [{ keyId: OLD, version: 'v1', promoted: at(-9 * DAY) }],
    keys: [key(NEW), key(OLD, 'Inactive')],
    about: OLD,
    expect: {
      do: 'record',
      reason: 'date-missing',
      entry: { keyId: OLD, version: 'v1', superseded: { at: NOW, by: NEW }, disabled: NOW },
    },
  },

  // The last key that works is never taken away.
  ...(
    [
      ['is Inactive', { keys: [key(NEW, 'Inactive'), key(OLD)] }],
      ['was deleted', { keys: [key(OLD)] }],
      ['is none, the value being the bootstrap one', { currentKeyId: undefined }],
    ] as const
  ).map(
    ([name, more]): Row => ({
      name: `nothing is retired while the current key ${name}`,
      entries: [overlap(99 * DAY)],
      lastUse: [[OLD, undefined]],
      more,
      about: OLD,
      expect: { role: 'superseded', do: 'none', reason: 'current-not-usable' },
    }),
  ),
  {
    name: 'a current key that is gone is told of',
    keys: [key(OLD)],
    about: NEW,
    expect: { role: 'current', do: 'none', reason: 'current-not-usable' },
  },
  {
    name: 'a current key that is gone is told of even if only its value names it',
    entries: [{ keyId: OTHER, version: 'v7' }],
    keys: [key(OLD)],
    more: { currentKeyId: OTHER },
    about: OTHER,
    expect: { role: 'current', do: 'none', reason: 'current-not-usable' },
  },

  // Keys that are gone.
  {
    name: 'the entry of a superseded key that is gone is removed',
    entries: [overlap(0)],
    keys: [key(NEW)],
    about: OLD,
    expect: { role: 'superseded', do: 'forget', reason: 'key-gone' },
  },
  {
    name: 'the entry of a deleted key is removed once the configuration no longer adopts it',
    entries: [{ keyId: OLD, deleted: NOW }],
    keys: [key(NEW)],
    about: OLD,
    expect: { do: 'forget', reason: 'key-gone' },
  },
  {
    name: 'a key that is too young to be listed for sure is not forgotten',
    entries: [{ keyId: OLD, version: 'v1', minted: at(-899) }],
    keys: [key(NEW)],
    about: OLD,
    expect: { do: 'none', reason: 'listing-lags', due: at(1) },
  },
  {
    name: 'a key that should be listed by now is forgotten',
    entries: [{ keyId: OLD, version: 'v1', minted: at(-900) }],
    keys: [key(NEW)],
    about: OLD,
    expect: { do: 'forget', reason: 'key-gone' },
  },
  ...(
    [
      ['its version', { labels: labels({ v1: ['AWSPENDING'], v2: ['AWSCURRENT'] }) }],
      ['the pending value', { pendingKeyId: OLD }],
    ] as const
  ).map(
    ([name, more]): Row => ({
      name: `a pending key that is gone is left to the rotation, seen by ${name}`,
      entries: [overlap(0)],
      keys: [key(NEW)],
      more,
      about: OLD,
      expect: { role: 'pending', do: 'none', reason: 'is-pending' },
    }),
  ),

  // Orphans.
  {
    name: 'the last use of an orphan is asked for',
    intent: INTENT,
    keys: [key(NEW), ORPHAN],
    about: OTHER,
    expect: { role: 'orphan', do: 'look', reason: 'last-use-unread' },
  },
  {
    name: 'an orphan that was never used is deleted',
    intent: INTENT,
    keys: [key(NEW), ORPHAN],
    lastUse: [[OTHER, undefined]],
    about: OTHER,
    expect: { role: 'orphan', do: 'delete', reason: 'orphan-never-used' },
  },
  {
    name: 'what looks like an orphan and was used is not touched',
    intent: INTENT,
    keys: [key(NEW), ORPHAN],
    lastUse: [[OTHER, used(NOW)]],
    about: OTHER,
    expect: { role: 'orphan', do: 'none', reason: 'orphan-used', lastUse: used(NOW) },
  },
  {
    name: 'what looks like an orphan is left alone while no key shows that the user is the one that is pinned',
    intent: INTENT,
    keys: [ORPHAN],
    lastUse: [[OTHER, undefined]],
    about: OTHER,
    expect: { role: 'orphan', do: 'none', reason: 'user-unproven' },
  },
  {
    name: 'an orphan is cleared though no key is current, while nothing pins the user',
    userId: undefined,
    intent: INTENT,
    keys: [ORPHAN],
    lastUse: [[OTHER, undefined]],
    about: OTHER,
    expect: { role: 'orphan', do: 'delete', reason: 'orphan-never-used' },
  },
  {
    name: 'an orphan is not touched while its run may still be at work',
    intent: { ...INTENT, at: at(-TIMEOUT - 59) },
    keys: [key(NEW), key(OTHER, 'Active', at(-TIMEOUT))],
    about: OTHER,
    expect: { role: 'orphan', do: 'none', reason: 'mint-unsettled', due: at(1) },
  },
  {
    name: 'a key that stands in the version of an unfinished run is recorded, not deleted',
    intent: INTENT,
    keys: [key(NEW), ORPHAN],
    more: { stored: new Map([['v0', OTHER]]) },
    about: OTHER,
    expect: {
      role: 'superseded',
      do: 'record',
      reason: 'intent-stored',
      entry: { keyId: OTHER, version: 'v0', minted: ORPHAN.created },
    },
  },

  {
    name: 'of two keys that one announcement may explain neither is touched',
    intent: INTENT,
    keys: [key(NEW), ORPHAN, { ...ORPHAN, id: OLD }],
    lastUse: [[OTHER, undefined]],
    about: OTHER,
    expect: { role: 'stranger', do: 'none', reason: 'is-stranger' },
  },

  // The announcement.
  {
    name: 'an announcement is kept while its run may still be at work',
    intent: { ...INTENT, at: at(-TIMEOUT - 59) },
    about: 'intent',
    expect: { do: 'none', reason: 'mint-unsettled', due: at(1) },
  },
  {
    name: 'an announcement of which nothing came is removed',
    intent: INTENT,
    about: 'intent',
    expect: { do: 'resolve', reason: 'intent-settled' },
  },
  {
    name: 'an announcement whose outcome is known is removed',
    intent: { ...INTENT, minted: NEW },
    about: 'intent',
    expect: { do: 'resolve', reason: 'intent-stored', intent: { run: 'run1', minted: NEW } },
  },
  {
    name: 'an announcement whose key is stored is removed',
    intent: INTENT,
    keys: [key(NEW), ORPHAN],
    more: { stored: new Map([['v0', OTHER]]) },
    about: 'intent',
    expect: { do: 'resolve', reason: 'intent-stored' },
  },

  // The label.
  {
    name: 'AWSPENDING is taken off the version that has become current',
    more: { labels: labels({ v2: ['AWSCURRENT', 'AWSPENDING'] }) },
    about: 'label',
    expect: { do: 'take-off', version: 'v2', reason: 'pending-label-left-over' },
  },
  {
    name: 'AWSPENDING is taken off a version that carries AWSPREVIOUS: it was current once',
    more: { labels: labels({ v1: ['AWSPENDING', 'AWSPREVIOUS'], v2: ['AWSCURRENT'] }) },
    about: 'label',
    expect: { do: 'take-off', version: 'v1', reason: 'pending-label-left-over' },
  },
  {
    name: 'AWSPENDING is taken off a version from which somebody rolled back',
    entries: [{ keyId: OLD, version: 'v1', promoted: at(-DAY) }],
    more: { labels: labels({ v1: ['AWSPENDING'], v2: ['AWSCURRENT'] }) },
    about: 'label',
    expect: { do: 'take-off', version: 'v1', reason: 'pending-label-left-over' },
  },
];

function decisionAbout(row: Row) {
  return decide(row).find((decision) =>
    decision.about === 'key' ? decision.keyId === row.about : decision.about === row.about,
  );
}

describe('the retire pass decides', () => {
  it.each(ROWS)('$name', (row) => {
    expect(decisionAbout(row)).toMatchObject(row.expect);
  });

  const reasons = (row: Partial<Row>) =>
    decide({ name: '', about: '', expect: {}, ...row }).map((decision) => decision.reason);

  it('nothing about an announcement that an unread orphan may explain, or when there is none', () => {
    expect(reasons({ intent: INTENT, keys: [key(NEW), ORPHAN] })).toEqual(['is-current', 'last-use-unread']);
    expect(reasons({ keys: [key(NEW)] })).toEqual(['is-current']);
  });

  it('nothing about an announcement that the next rotation needs to recognise an orphan', () => {
    expect(reasons({ intent: INTENT, keys: [ORPHAN] })).toEqual(['user-unproven', 'current-not-usable']);
  });

  it('about an announcement while another key, which it does not explain, is still to be looked at', () => {
    expect(reasons({ intent: INTENT, entries: [overlap(0)] })).toEqual([
      'is-current',
      'last-use-unread',
      'intent-settled',
    ]);
  });

  it('once about each key, also about an adopted one that has no entry yet', () => {
    expect(reasons({ policy: { adopt: OLD } })).toEqual(['is-current', 'entry-missing']);
  });

  it('to remove the entry of a key that it deletes, unless the configuration adopts the key', () => {
    const keys = [key(NEW), key(OLD, 'Inactive')];
    const row: Row = { name: '', entries: [recovery(0)], keys, lastUse: [[OLD, undefined]], about: OLD, expect: {} };
    const deletion = { about: 'key', keyId: OLD, role: 'superseded', do: 'delete', reason: 'recovery-over' };
    expect(decisionAbout(row)).toStrictEqual(deletion);
  });

  it('nothing about AWSPENDING on a version that was not promoted, or when there is none', () => {
    const row = { name: '', about: 'label', expect: {} };
    expect(
      decisionAbout({ ...row, more: { labels: labels({ v2: ['AWSCURRENT'], v3: ['AWSPENDING'] }) } }),
    ).toBeUndefined();
    expect(decisionAbout(row)).toBeUndefined();
  });

  it('to clear an orphan before its announcement is removed', () => {
    const order = decide({
      name: '',
      intent: INTENT,
      keys: [key(NEW), ORPHAN],
      lastUse: [[OTHER, undefined]],
      about: '',
      expect: {},
    });
    expect(order.map((decision) => decision.reason)).toEqual(['is-current', 'orphan-never-used', 'intent-settled']);
  });

  it('for each documented reason in a row of this table', () => {
    const shown = new Set(ROWS.map((row) => decisionAbout(row)?.reason));
    // Those of leaks are in leak.test.ts.
    const mine = Object.keys(REASONS).filter((reason) => !reason.includes('leak'));
    expect(mine.filter((reason) => !shown.has(reason as keyof typeof REASONS))).toEqual([]);
  });

  it('by when an announcement settles, which is one place for all', () => {
    expect(settledAt({ run: 'run1', ...INTENT }, TIMEOUT)).toEqual(at(-DAY + TIMEOUT + 60));
  });
});
