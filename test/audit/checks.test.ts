/** The checks, each at its boundary: facts in, findings out. */
import { describe, expect, it } from 'vitest';
import { CHECKS } from '../../lambdas/audit/checks/catalogue.ts';
import { finding } from '../../lambdas/audit/checks/finding.ts';
import { checkKeys, type FreshKey, RETIRE_MARGIN } from '../../lambdas/audit/checks/keys.ts';
import { checkRoot, checkUnmanaged } from '../../lambdas/audit/checks/reported.ts';
import { checkSecret, OVERDUE_MARGIN, UNFINISHED_AFTER } from '../../lambdas/audit/checks/secrets.ts';
import type { KeySlot } from '../../lambdas/audit/credential-report.ts';
import { describeManaged, type Managed, managedSecrets } from '../../lambdas/audit/managed.ts';
import { isNominated, keysToRead } from '../../lambdas/audit/nominate.ts';
import { AUDIT_DEFAULTS, type DeployedKey } from '../../lambdas/contract/deployment.ts';
import type { ListedSecret } from '../../lambdas/domain/audit.ts';
import { entryTags, intentTag, type LedgerEntry } from '../../lambdas/domain/ledger.ts';
import { at, labels, NEW, NOW, OLD, OTHER } from '../domain/world.ts';
import { DAY, deployedKey } from '../policy.ts';

const POLICY = AUDIT_DEFAULTS;
const ARN = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:iam/app-a1b2c3';

const key = (id: string, more: Partial<FreshKey> = {}): FreshKey => ({
  id,
  status: 'Active',
  created: at(-10 * DAY),
  lastUse: 'unread',
  ...more,
});

function managed(
  more: Partial<ListedSecret> = {},
  entries: readonly LedgerEntry[] = [],
  policy: Partial<DeployedKey> = {},
): Managed {
  const bound = deployedKey({ userName: 'app', ...policy });
  const secret: ListedSecret = {
    arn: ARN,
    name: bound.secretName,
    labels: labels({ v2: ['AWSCURRENT'], v1: ['AWSPREVIOUS'] }),
    rotationEnabled: true,
    scheduledForDeletion: false,
    created: at(-400 * DAY),
    ...more,
    tags: { 'iam-key-rotator:deployment': 'ours', ...entryTags(entries), ...more.tags },
  };
  const [one] = managedSecrets([secret], {
    formatVersion: 1,
    name: 'ours',
    maxChangesPerRun: 1,
    rotateTimeout: 120,
    keys: [bound],
  });
  if (one === undefined) throw new Error('no secret');
  return one;
}

const CURRENT: LedgerEntry = { keyId: NEW, version: 'v2', minted: at(-5 * DAY), promoted: at(-5 * DAY) };
const RETIRING: LedgerEntry = {
  keyId: OLD,
  version: 'v1',
  minted: at(-30 * DAY),
  superseded: { at: at(-5 * DAY), by: NEW },
};

const found = (keys: readonly FreshKey[], secret?: Managed, now = NOW) =>
  checkKeys({ user: 'app', keys, managed: secret }, POLICY, now).map(({ check, keyId, severity }) =>
    [check, keyId, severity].join(' '),
  );
/** Replaced so many days after it was made, five days ago. */
const replacedAfter = (age: number, policy: Partial<DeployedKey> = {}) => {
  const created = at(-(age + 5) * DAY);
  const secret = managed({}, [CURRENT, { ...RETIRING, minted: created }], policy);
  return found([key(NEW, { created: at(-5 * DAY) }), key(OLD, { created })], secret);
};
const foundIn = (secret: Managed, now = NOW) => checkSecret(secret, now).map(({ check }) => check);

describe('a key', () => {
  it('that is too old, of a user under rotation, is to be adopted: the user is in the configuration already', () => {
    const old = key(OTHER, { created: at(-100 * DAY) });
    const remedyOf = (secret?: Managed) =>
      checkKeys({ user: 'app', keys: [old], managed: secret }, POLICY, NOW).map(({ remedy }) => remedy.slice(0, 32));
    expect(remedyOf(managed({}, [CURRENT]))).toEqual(['the user is under rotation, and ']);
    expect(remedyOf()).toEqual(['put the user into rotator.config']);
    expect(remedyOf(managed({}, [{ keyId: OTHER, version: 'v2' }]))).toEqual(['put the user into rotator.config']);
  });

  it('that was replaced when it was due is known to be on its way out, until its time is over', () => {
    const held = { deactivateAfter: 3 * DAY, ifInUse: 'hold', holdAtMost: 14 * DAY } as const;
    expect(replacedAfter(84, held)).toEqual([]);
    for (const age of [90, 91]) expect(replacedAfter(age, held)).toEqual([`key-older-than ${OLD} info`]);
    // One that was too old when it was adopted is as great a risk as before.
    expect(replacedAfter(92, held)).toEqual([`key-older-than ${OLD} medium`]);
    expect(replacedAfter(90, { ...held, mode: 'observe' })).toEqual([`key-older-than ${OLD} medium`]);
    expect(replacedAfter(90, { deactivateAfter: 1 * DAY, ifInUse: 'hold', holdAtMost: 1 * DAY })).toEqual([
      `key-older-than ${OLD} medium`,
      `retirement-overdue ${OLD} medium`,
    ]);
  });

  it.each<[string, FreshKey, string[]]>([
    ['of 90 days to the second', key(OLD, { created: at(-90 * DAY) }), []],
    ['of 90 days and a second', key(OLD, { created: at(-90 * DAY - 1) }), [`key-older-than ${OLD} medium`]],
    ['of 180 days and a second', key(OLD, { created: at(-180 * DAY - 1) }), [`key-older-than ${OLD} high`]],
    ['never used, of 45 days', key(OLD, { created: at(-45 * DAY), lastUse: 'never' }), []],
    [
      'never used, of 45 days and a second',
      key(OLD, { created: at(-45 * DAY - 1), lastUse: 'never' }),
      [`key-never-used ${OLD} medium`],
    ],
    ['last used 45 days ago', key(OLD, { lastUse: { at: at(-45 * DAY), service: 's3', region: 'x' } }), []],
    [
      'last used 45 days and a second ago',
      key(OLD, { lastUse: { at: at(-45 * DAY - 1), service: 's3', region: 'x' } }),
      [`key-unused ${OLD} medium`],
    ],
    [
      'that is Inactive, however old and unused',
      key(OLD, { status: 'Inactive', created: at(-900 * DAY), lastUse: 'never' }),
      [`key-inactive ${OLD} low`],
    ],
  ])('%s', (_, one, expected) => {
    expect(found([one])).toEqual(expected);
  });

  it('beside another Active one is a finding of the user, not of a key', () => {
    expect(found([key(OLD), key(NEW)])).toEqual(['two-active-keys  medium']);
    expect(found([key(OLD), key(NEW, { status: 'Inactive' })])).toEqual([`key-inactive ${NEW} low`]);
  });

  it('of a rotation is neither one too many nor left over, but a stranger beside it is', () => {
    const disabled = { ...RETIRING, disabled: at(-DAY) };
    expect(found([key(OLD), key(NEW)], managed({}, [CURRENT, RETIRING]))).toEqual([]);
    expect(found([key(OLD, { status: 'Inactive' }), key(NEW)], managed({}, [CURRENT, disabled]))).toEqual([]);
    expect(found([key(OTHER), key(NEW)], managed({}, [CURRENT]))).toEqual(['two-active-keys  medium']);
    expect(found([key(OTHER, { status: 'Inactive' }), key(NEW)], managed({}, [CURRENT]))).toEqual([
      `key-inactive ${OTHER} low`,
    ]);
  });

  it.each<[string, LedgerEntry, Partial<DeployedKey>, number]>([
    ['retiring, held', RETIRING, {}, -5 * DAY + (3 + 14) * DAY + RETIRE_MARGIN],
    ['retiring, not held', RETIRING, { ifInUse: 'disable' }, -5 * DAY + 3 * DAY + RETIRE_MARGIN],
    ['disabled', { ...RETIRING, disabled: at(-DAY) }, {}, -DAY + 7 * DAY + RETIRE_MARGIN],
  ])('that is %s should be gone after its time and the margin of the passes', (_, entry, policy, due) => {
    const secret = managed({}, [CURRENT, entry], policy);
    const keys = [key(OLD, { status: entry.disabled ? 'Inactive' : 'Active' }), key(NEW)];
    expect(found(keys, secret, at(due))).toEqual([]);
    expect(found(keys, secret, at(due + 1))).toEqual([`retirement-overdue ${OLD} medium`]);
    expect(found([key(NEW)], secret, at(due + 1))).toEqual([]);
  });
});

describe('a secret', () => {
  it('in order has no finding', () => {
    expect(foundIn(managed({ nextRotation: at(DAY) }, [CURRENT, RETIRING]))).toEqual([]);
  });

  it.each<[string, Partial<ListedSecret>, string[]]>([
    ['whose rotation is off', { rotationEnabled: false }, ['rotation-off']],
    [
      'that is to be deleted',
      { scheduledForDeletion: true, deleted: NOW, rotationEnabled: false },
      ['secret-scheduled-for-deletion'],
    ],
    [
      'with a damaged tag',
      { tags: { 'iam-key-rotator:user-id': 'x', [`iam-key-rotator:key/${OTHER}`]: 'minted=once' } },
      ['ledger-unreadable'],
    ],
    [
      'that is pending for two hours',
      { labels: labels({ v2: ['AWSCURRENT'], v3: ['AWSPENDING'] }), lastChanged: at(-UNFINISHED_AFTER) },
      [],
    ],
    [
      'that is pending for longer',
      { labels: labels({ v2: ['AWSCURRENT'], v3: ['AWSPENDING'] }), lastChanged: at(-UNFINISHED_AFTER - 1) },
      ['rotation-failed'],
    ],
    [
      'whose label was left on the current version',
      { labels: labels({ v2: ['AWSCURRENT', 'AWSPENDING'] }), lastChanged: at(-DAY) },
      [],
    ],
    ['whose rotation is a day late', { nextRotation: at(-OVERDUE_MARGIN) }, []],
    ['whose rotation is later', { nextRotation: at(-OVERDUE_MARGIN - 1) }, ['rotation-overdue']],
  ])('%s', (_, more, expected) => {
    const [one] = [managed(more, [CURRENT])];
    expect(foundIn(one)).toEqual(expected);
  });

  it('is pending since its key was minted, or was announced', () => {
    const pending = { labels: labels({ v2: ['AWSCURRENT'], v3: ['AWSPENDING'] }), lastChanged: NOW };
    const minted = { keyId: OTHER, version: 'v3', minted: at(-UNFINISHED_AFTER - 1) };
    expect(foundIn(managed(pending, [CURRENT, minted]))).toEqual(['rotation-failed']);
    const tags = intentTag({ run: 'r', token: 'v3', at: at(-UNFINISHED_AFTER - 1), before: [] });
    expect(foundIn(managed({ ...pending, tags }, [CURRENT]))).toEqual(['rotation-failed']);
  });

  it('whose current key is older than the schedule allows is overdue, whatever the next date says', () => {
    const secret = managed({ nextRotation: at(DAY) }, [CURRENT], { rotateEvery: 30 * DAY });
    const last = -5 * DAY + 30 * DAY + OVERDUE_MARGIN;
    expect(
      foundIn({ ...secret, listed: secret.listed && { ...secret.listed, nextRotation: at(900 * DAY) } }, at(last)),
    ).toEqual([]);
    expect(
      checkSecret(
        { ...secret, listed: secret.listed && { ...secret.listed, nextRotation: at(900 * DAY) } },
        at(last + 1),
      ),
    ).toMatchObject([{ check: 'rotation-overdue', keyId: NEW, secret: 'iam/app' }]);
  });

  it('stands in the report with its keys, and when the next thing happens to each', () => {
    const disabled = { keyId: OTHER, version: 'v0', minted: at(-60 * DAY), disabled: at(-DAY) };
    expect(
      describeManaged(managed({ nextRotation: at(DAY), lastRotated: at(-5 * DAY) }, [CURRENT, RETIRING, disabled])),
    ).toEqual({
      secret: 'iam/app',
      user: 'app',
      mode: 'enforce',
      rotationEnabled: true,
      lastRotated: '2026-06-10T12:00:00Z',
      nextRotation: '2026-06-16T12:00:00Z',
      keys: [
        { keyId: NEW, state: 'current', minted: '2026-06-10T12:00:00Z', promoted: '2026-06-10T12:00:00Z' },
        {
          keyId: OLD,
          state: 'retiring',
          minted: '2026-05-16T12:00:00Z',
          superseded: '2026-06-10T12:00:00Z',
          due: '2026-06-13T12:00:00Z',
        },
        {
          keyId: OTHER,
          state: 'disabled',
          minted: '2026-04-16T12:00:00Z',
          disabled: '2026-06-14T12:00:00Z',
          due: '2026-06-21T12:00:00Z',
        },
      ],
    });
  });

  it('in observe mode is not blamed for not rotating', () => {
    expect(foundIn(managed({ rotationEnabled: false, nextRotation: at(-90 * DAY) }, [], { mode: 'observe' }))).toEqual(
      [],
    );
  });

  it('that left the configuration and was kept is no longer rotated, and says whose it was', () => {
    const one: Managed = { ...managed({ rotationEnabled: false }, [CURRENT]), policy: undefined, user: undefined };
    expect(checkSecret(one, NOW)).toMatchObject([
      { check: 'rotation-off', user: 'unknown', evidence: expect.stringContaining('the deployment ours') },
    ]);
  });
});

describe('by the credential report alone', () => {
  const slot = (more: Partial<KeySlot> = {}): KeySlot => ({
    active: true,
    changed: at(-DAY),
    lastUsed: at(-DAY),
    service: 's3',
    region: 'eu-west-1',
    ...more,
  });
  const user = (...slots: KeySlot[]) => ({ user: 'app', created: undefined, slots });
  const unmanaged = (...slots: KeySlot[]) => checkUnmanaged(user(...slots), POLICY, NOW, NOW).map(({ check }) => check);

  it('a key of the root user is critical, and an Inactive one is still there', () => {
    expect(checkRoot({ ...user(slot()), user: '<root_account>' }, NOW)).toMatchObject([
      { severity: 'critical', id: 'root-key:<root_account>' },
    ]);
    expect(checkRoot({ ...user(slot({ active: false })), user: '<root_account>' }, NOW)).toMatchObject([
      { severity: 'high' },
    ]);
    expect(checkRoot({ ...user(), user: '<root_account>' }, NOW)).toEqual([]);
  });

  it('a user with an Active key and no secret is not under rotation', () => {
    expect(unmanaged(slot())).toEqual(['user-not-rotated']);
    expect(unmanaged(slot({ active: false }))).toEqual([]);
  });

  it('a role may do where each Active key last called a service that agents call, and it is said what is not known', () => {
    expect(unmanaged(slot({ service: 'ssmmessages' }))).toEqual(['user-not-rotated', 'role-would-do']);
    expect(unmanaged(slot({ service: 'sts' }), slot())).toEqual(['user-not-rotated']);
    expect(unmanaged(slot({ service: 'sts', lastUsed: at(-POLICY.unusedFor - 1) }))).toEqual(['user-not-rotated']);
    expect(unmanaged(slot({ service: 'toString' }))).toEqual(['user-not-rotated']);
    const [, advice] = checkUnmanaged(user(slot({ service: 'sts' })), POLICY, NOW, NOW);
    expect(advice?.evidence).toContain('not who called it');
    expect(advice?.severity).toBe('info');
  });

  it.each<[string, KeySlot[], Managed | undefined, boolean]>([
    ['nobody who is young and at work', [slot()], undefined, false],
    ['who has an old key', [slot({ changed: at(-90 * DAY - 1) })], undefined, true],
    ['who has a key without a date', [slot({ changed: undefined })], undefined, true],
    ['whose key is unused', [slot({ lastUsed: at(-45 * DAY - 1) })], undefined, true],
    ['whose key was never used and is young', [slot({ lastUsed: 'never' })], undefined, false],
    ['whose key was never used', [slot({ lastUsed: 'never', changed: at(-45 * DAY - 1) })], undefined, true],
    ['whose last use nobody knows', [slot({ lastUsed: 'unknown' })], undefined, true],
    ['who has two Active keys', [slot(), slot()], undefined, true],
    ['not who is in a rotation', [slot(), slot()], managed({}, [CURRENT, RETIRING]), false],
    ['who has an Inactive key', [slot({ active: false })], undefined, true],
    [
      'not whose Inactive key is in its recovery time',
      [slot(), slot({ active: false })],
      managed({}, [CURRENT, { ...RETIRING, disabled: at(-DAY) }]),
      false,
    ],
    [
      'whose key should be retired',
      [slot(), slot()],
      managed({}, [CURRENT, { ...RETIRING, superseded: { at: at(-60 * DAY), by: NEW } }]),
      true,
    ],
  ])('%s is read afresh', (_, slots, secret, expected) => {
    expect(isNominated(user(...slots), secret, POLICY, NOW)).toBe(expected);
  });

  it('the last use is asked for of those keys alone that may be unused', () => {
    const old = key(OLD, { created: at(-100 * DAY) });
    const used = key(NEW, { created: at(-80 * DAY) });
    const slots = [slot({ changed: at(-100 * DAY), lastUsed: 'never' }), slot({ changed: at(-80 * DAY) })];
    expect(keysToRead([old, used], { slots }, POLICY, NOW)).toEqual([old]);
    // Changed since: nobody knows which is which.
    const moved = [slots[0], slot({ changed: at(-3 * DAY) })].flatMap((one) => one ?? []);
    expect(keysToRead([old, used], { slots: moved }, POLICY, NOW)).toEqual([old, used]);
    expect(keysToRead([old, used], { slots: [slot(), slot()] }, POLICY, NOW)).toEqual([]);
    expect(keysToRead([key(OLD), { ...old, status: 'Inactive' }], { slots }, POLICY, NOW)).toEqual([]);
  });
});

describe('a finding', () => {
  it('has an id that holds no date, and the names that other tools have for it', () => {
    const one = finding('key-older-than', { user: 'app', keyId: OLD }, 'evidence');
    expect(one.id).toBe(`key-older-than:app:${OLD}`);
    expect(
      one.compliance.map(({ framework, version, id }) => [framework, version, id].filter(Boolean).join(' ')),
    ).toEqual([
      'CIS AWS Foundations 1.x-4.x 1.14',
      'CIS AWS Foundations 7.0.0 2.12',
      'Security Hub IAM.3',
      'AWS Config ACCESS_KEYS_ROTATED',
      'Prowler iam_rotate_access_key_90_days',
    ]);
  });

  it('of every check says what is the matter and what to do', () => {
    for (const check of Object.values(CHECKS)) {
      for (const text of [check.title, check.when, check.remedy]) expect(text).toMatch(/^\S.*[^.]$/);
    }
  });
});
