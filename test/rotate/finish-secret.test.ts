import { describe, expect, it } from 'vitest';
import { finishSecret } from '../../lambdas/rotate/finish-secret.ts';
import { key, NEW, OLD, OTHER } from '../domain/world.ts';
import {
  ACCOUNT,
  ARN,
  awsError,
  BOOTSTRAP,
  CURRENT,
  failureOf,
  type Given,
  Ports,
  rotationOf,
  TOKEN,
  told,
  USER_ID,
  valueWith,
  WHO,
} from './ports.ts';

const tagOf = (keyId: string) => `iam-key-rotator:key/${keyId}`;
const USER_TAG = { 'iam-key-rotator:user-id': USER_ID };
const NEW_TAG = { [tagOf(NEW)]: `version=${TOKEN} minted=2026-06-15T11:59:00Z` };
const OLD_TAG = { [tagOf(OLD)]: `version=${CURRENT} minted=2026-03-07T12:00:00Z promoted=2026-03-07T12:05:00Z` };
const evidence = (date = '2026-06-15T12:00:00Z', keyId = NEW) => ({
  'iam-key-rotator:verified': `token=${TOKEN} key=${keyId} account=${ACCOUNT} user=${USER_ID} at=${date}`,
});
const PROMOTED = { [tagOf(NEW)]: `version=${TOKEN} minted=2026-06-15T11:59:00Z promoted=2026-06-15T12:00:00Z` };
const SUPERSEDED = `superseded=2026-06-15T12:00:00Z by=${NEW}`;
const LEFT = { [tagOf(OLD)]: `${OLD_TAG[tagOf(OLD)]} ${SUPERSEDED}` };
const DISABLED = { [tagOf(OLD)]: `${LEFT[tagOf(OLD)]} disabled=2026-06-15T12:00:00Z` };
const DESCRIBE = ['describe', ARN];
const MOVE = ['moveLabel', ARN, 'AWSCURRENT', CURRENT, TOKEN];
const DONE = [{ what: 'nothing-to-do', ...WHO, step: 'finishSecret', why: 'the version is current already' }];
const PROMOTION = { what: 'promoted', ...WHO, keyId: NEW };
const DISABLING = { what: 'disabled', ...WHO, keyId: OLD, reason: 'use-ignored', observed: false };

const verified = ({ tags = { ...USER_TAG, ...OLD_TAG, ...NEW_TAG, ...evidence() }, ...more }: Given = {}) =>
  new Ports({
    labels: { [CURRENT]: ['AWSCURRENT'], [TOKEN]: ['AWSPENDING'] },
    values: { [CURRENT]: valueWith(OLD), [TOKEN]: valueWith(NEW) },
    keys: [key(OLD), key(NEW)],
    tags,
    ...more,
  });
/** The label is moved and all is recorded. */
const finished = (more: Given = {}) =>
  verified({ labels: { [TOKEN]: ['AWSCURRENT'] }, tags: { ...USER_TAG, ...LEFT, ...PROMOTED }, ...more });
const run = (ports: Ports, policy: Parameters<typeof rotationOf>[1] = {}) =>
  finishSecret(rotationOf('finishSecret', policy), ports.world);
const refusal = async (ports: Ports, policy: Parameters<typeof rotationOf>[1] = {}) =>
  told(await failureOf(run(ports, policy)));

describe('finishSecret', () => {
  it('moves AWSCURRENT, and dates the promotion and the supersession with the time after that', async () => {
    const ports = verified().slow('moveLabel', 7000);
    await run(ports);
    const late = (text = '') => text.replaceAll('12:00:00Z by', '12:00:07Z by').replace(/(ed=\S+12:00):00Z$/, '$1:07Z');
    expect(ports.calls).toEqual([
      DESCRIBE,
      MOVE,
      ['tag', ARN, { [tagOf(NEW)]: late(PROMOTED[tagOf(NEW)]), [tagOf(OLD)]: late(LEFT[tagOf(OLD)]) }, []],
    ]);
    expect(ports.happenings).toEqual([PROMOTION]);
    expect(ports.tags[tagOf(OLD)]).toContain('superseded=2026-06-15T12:00:07Z');
  });

  it("pins the user's id with the first promotion, and supersedes an adopted key, which was never promoted", async () => {
    const ports = verified({
      tags: { ...NEW_TAG, ...evidence(), [tagOf(OTHER)]: 'minted=2026-01-01T00:00:00Z' },
      values: { [CURRENT]: BOOTSTRAP, [TOKEN]: valueWith(NEW) },
    });
    await run(ports, { adopt: OTHER });
    expect(ports.of('tag')).toEqual([
      [ARN, { ...PROMOTED, [tagOf(OTHER)]: `minted=2026-01-01T00:00:00Z ${SUPERSEDED}`, ...USER_TAG }, []],
    ]);
  });

  it('keeps in mind that the key it supersedes was promoted, also where no run got to record that', async () => {
    const ports = verified({ tags: { ...USER_TAG, ...NEW_TAG, ...evidence(), [tagOf(OLD)]: `version=${CURRENT}` } });
    await run(ports);
    expect(ports.tags[tagOf(OLD)]).toBe(`version=${CURRENT} promoted=2026-06-15T12:00:00Z ${SUPERSEDED}`);
  });

  it('only records the promotion if an earlier run has moved the label', async () => {
    const ports = verified({ labels: { [CURRENT]: ['AWSPREVIOUS'], [TOKEN]: ['AWSCURRENT', 'AWSPENDING'] } });
    await run(ports);
    expect(ports.calls).toStrictEqual([DESCRIBE, ['tag', ARN, { ...PROMOTED, ...LEFT }, []]]);
    expect(ports.happenings).toEqual([PROMOTION]);
  });

  it('has nothing to do when all is recorded', async () => {
    const ports = finished();
    await run(ports);
    expect(ports.calls).toEqual([DESCRIBE]);
    expect(ports.happenings).toEqual(DONE);
  });

  it('refuses what the decision refuses', async () => {
    const ports = verified({ labels: { [CURRENT]: ['AWSCURRENT'] } });
    expect(await refusal(ports)).toMatch(new RegExp(`^TOKEN_NOT_PENDING: the version ${TOKEN} has no label`));
    expect(ports.calls).toEqual([DESCRIBE]);
    expect(ports.happenings).toEqual([]);
  });
});

describe('the evidence', () => {
  it('is asked for again, twice, before it is taken for missing', async () => {
    const ports = verified({ tags: { ...USER_TAG, ...OLD_TAG, ...NEW_TAG } });
    expect(await refusal(ports)).toMatch(/^NOT_VERIFIED: no verification of this version/);
    expect(ports.calls).toEqual([DESCRIBE, ['sleep', 2000], DESCRIBE, ['sleep', 4000], DESCRIBE]);
  });

  it('is taken when it shows at last', async () => {
    const ports = verified({ tags: { ...USER_TAG, ...OLD_TAG, ...NEW_TAG } }).before('describe', (nth) => {
      if (nth === 3) Object.assign(ports.tags, evidence());
    });
    await run(ports);
    expect(ports.happenings).toEqual([PROMOTION]);
  });

  it('is replaced by new one when it is more than 30 seconds old', async () => {
    const tags = (date: string) => ({ ...USER_TAG, ...OLD_TAG, ...NEW_TAG, ...evidence(date) });
    const justValid = verified({ tags: tags('2026-06-15T11:59:30Z') });
    await run(justValid);
    expect(justValid.operations()).toEqual(['describe', 'moveLabel', 'tag']);

    const old = verified({ tags: tags('2026-06-15T11:59:29Z') });
    await run(old);
    expect(old.operations()).toEqual([
      'describe',
      'read',
      ...['identify', 'sleep', 'identify', 'sleep', 'identify'],
      'tag',
      'describe',
      'moveLabel',
      'tag',
    ]);
    expect(old.happenings).toEqual([{ what: 'verified', ...WHO, keyId: NEW }, PROMOTION]);
  });

  it('is replaced only once', async () => {
    const tags = { ...USER_TAG, ...OLD_TAG, ...NEW_TAG, ...evidence('2026-06-15T11:00:00Z') };
    const ports = verified({ tags, timeLeft: 1_000_000 }).before('describe', (nth) => {
      if (nth === 2) ports.pass(31_000);
    });
    expect(await refusal(ports)).toMatch(/^NOT_VERIFIED/);
    expect(ports.of('identify')).toHaveLength(3);
    expect(ports.of('moveLabel')).toEqual([]);
  });
});

describe('an overlap of zero', () => {
  const NO_OVERLAP = { deactivateAfter: 0 };
  const READ = ['read', ARN, { label: 'AWSCURRENT' }];

  it('has the superseded key disabled at once, and that recorded', async () => {
    const ports = verified().slow('disable', 2000);
    await run(ports, NO_OVERLAP);
    expect(ports.calls).toEqual([
      DESCRIBE,
      MOVE,
      ['tag', ARN, { ...PROMOTED, ...LEFT }, []],
      READ,
      ['disable', 'app', OLD],
      ['tag', ARN, { [tagOf(OLD)]: `${LEFT[tagOf(OLD)]} disabled=2026-06-15T12:00:02Z` }, []],
    ]);
    expect(ports.happenings).toEqual([PROMOTION, DISABLING]);
  });

  it('does so too when an earlier run came no further than its record', async () => {
    const ports = finished();
    await run(ports, NO_OVERLAP);
    expect(ports.calls).toEqual([DESCRIBE, READ, ['disable', 'app', OLD], ['tag', ARN, DISABLED, []]]);
    expect(ports.happenings).toEqual([...DONE, DISABLING]);
  });

  it('is no reason to read anything when no key was superseded', async () => {
    const ports = finished({ tags: { ...USER_TAG, ...PROMOTED } });
    await run(ports, NO_OVERLAP);
    expect(ports.calls).toEqual([DESCRIBE]);
  });

  it('is one of zero: a second is none', async () => {
    const ports = finished();
    await run(ports, { deactivateAfter: 1 });
    expect(ports.calls).toEqual([DESCRIBE]);
  });

  it('does not tell of a key that was gone already, but records the date', async () => {
    const ports = finished({ keys: [key(NEW)] });
    await run(ports, NO_OVERLAP);
    expect(ports.happenings).toEqual(DONE);
    expect(ports.of('tag')).toEqual([[ARN, DISABLED, []]]);
  });

  it.each([
    ['AWSCURRENT was moved on meanwhile', { values: { [CURRENT]: valueWith(OTHER) } }, CURRENT],
    ['no version is current', { values: {} }, TOKEN],
    ['the current value holds no key', { values: { [TOKEN]: BOOTSTRAP } }, TOKEN],
    ['the current value holds the superseded key', { values: { [TOKEN]: valueWith(OLD) } }, TOKEN],
  ])('disables nothing when %s', async (_, given, current) => {
    const ports = finished(given).before('read', () => {
      ports.labels = new Map([[current, ['AWSCURRENT']]]);
    });
    await run(ports, NO_OVERLAP);
    expect(ports.calls).toEqual([DESCRIBE, READ]);
  });

  it('goes on with the next key past one that the current value holds', async () => {
    const other = `version=v0 minted=2026-03-07T12:00:00Z ${SUPERSEDED}`;
    const ports = finished({
      tags: { ...USER_TAG, ...LEFT, ...PROMOTED, [tagOf(OTHER)]: other },
      values: { [TOKEN]: valueWith(OLD) },
      keys: [key(OLD), key(OTHER)],
    });
    await run(ports, NO_OVERLAP);
    expect(ports.of('disable')).toEqual([['app', OTHER]]);
    expect(ports.of('tag')).toEqual([[ARN, { [tagOf(OTHER)]: `${other} disabled=2026-06-15T12:00:00Z` }, []]]);
  });

  it("disables nothing when the current value is another user's", async () => {
    const ports = finished({ values: { [TOKEN]: valueWith(NEW, { UserName: 'ops' }) } });
    expect(await refusal(ports, NO_OVERLAP)).toMatch(/^VALUE_OTHER_USER/);
    expect(ports.of('disable')).toEqual([]);
  });

  it('disables as long as what was read is 15 seconds old, and not a moment later', async () => {
    const fresh = finished().slow('read', 15_000);
    await run(fresh, NO_OVERLAP);
    expect(fresh.of('disable')).toEqual([['app', OLD]]);
    const stale = finished().slow('read', 15_001);
    expect(await refusal(stale, NO_OVERLAP)).toMatch(new RegExp(`^READ_STALE: .*${OLD}`));
    expect(stale.of('disable')).toEqual([]);
  });

  it('counts that from the read on, however long the rest of the step has taken', async () => {
    const ports = verified().slow('moveLabel', 60_000);
    await run(ports, NO_OVERLAP);
    expect(ports.of('disable')).toEqual([['app', OLD]]);
  });

  it('fails the step when IAM does not disable the key, and tells nothing', async () => {
    const denied = awsError('UpdateAccessKey', 'AccessDenied');
    const ports = finished().before('disable', () => {
      throw denied;
    });
    expect(await failureOf(run(ports, NO_OVERLAP))).toBe(denied);
    expect(ports.happenings).toEqual(DONE);
    expect(ports.of('tag')).toEqual([]);
  });
});
