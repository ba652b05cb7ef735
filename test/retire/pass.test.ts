import { describe, expect, it, vi } from 'vitest';
import type { DeployedKey, Deployment } from '../../lambdas/contract/deployment.ts';
import { RotatorError } from '../../lambdas/domain/errors.ts';
import type { SecretFacts } from '../../lambdas/domain/model.ts';
import { type PassResult, passFailed, retirePass } from '../../lambdas/retire/pass.ts';
import { at, key, NEW, OLD, OTHER } from '../domain/world.ts';
import { DAY, deployedKey, HOUR } from '../policy.ts';
import { DEFECT } from '../rotate/defect.ts';
import {
  ARN,
  awsError,
  BOOTSTRAP,
  CURRENT,
  failureOf,
  type Given,
  Ports,
  USER_ID,
  valueWith,
  WHO,
} from '../rotate/ports.ts';

vi.mock('../../lambdas/domain/secret-value.ts', async (original) => {
  const { withDefect } = await import('../rotate/defect.ts');
  return withDefect(await original());
});

const VERSION = 'bbbbbbbb-2222-3333-4444-555555555555';
const PREVIOUS = 'cccccccc-2222-3333-4444-555555555555';
const tagOf = (keyId: string) => `iam-key-rotator:key/${keyId}`;
const intentOf = (run: string) => `iam-key-rotator:intent/${run}`;
const USER_TAG = { 'iam-key-rotator:user-id': USER_ID };
/** The key that has been current for five days. */
const NEW_TAG = { [tagOf(NEW)]: `version=${CURRENT} minted=2026-06-10T12:00:00Z promoted=2026-06-10T12:05:00Z` };
const RETIRING = `version=${PREVIOUS} minted=2026-03-07T12:00:00Z promoted=2026-03-07T12:05:00Z superseded=2026-06-10T12:05:00Z by=${NEW}`;
const OLD_TAG = { [tagOf(OLD)]: RETIRING };
const RECOVERED = { [tagOf(OLD)]: `${RETIRING} disabled=2026-06-01T12:00:00Z` };

/** Two keys: one is current, the overlap of the other one is over. */
const superseded = ({ tags = OLD_TAG, ...more }: Given = {}) =>
  new Ports({
    labels: { [CURRENT]: ['AWSCURRENT'], [PREVIOUS]: ['AWSPREVIOUS'] },
    values: { [CURRENT]: valueWith(NEW), [PREVIOUS]: valueWith(OLD) },
    keys: [key(NEW), key(OLD)],
    timeLeft: 900_000,
    ...more,
    tags: { ...USER_TAG, ...NEW_TAG, ...tags },
  });
const deploymentOf = (keys: readonly Partial<DeployedKey>[] = [{}], maxChangesPerRun = 25): Deployment => ({
  formatVersion: 1,
  name: 'prod',
  maxChangesPerRun,
  rotateTimeout: 120,
  keys: keys.map((more) => deployedKey({ userName: 'app', ...more })),
});
const run = (ports: Ports, policy: Partial<DeployedKey> = {}, maxChangesPerRun?: number) =>
  retirePass(deploymentOf([policy], maxChangesPerRun), ports.world);
const NOTHING: PassResult = { examined: 1, changes: 0, failures: [] };
const DISABLING = { what: 'disabled', ...WHO, keyId: OLD, reason: 'overlap-over', observed: false };
const DISABLED = { [tagOf(OLD)]: `${RETIRING} disabled=2026-06-15T12:00:00Z` };

describe('a pass', () => {
  it('reads IAM first and the secret last, directly before it disables the key and records that', async () => {
    const ports = superseded();
    expect(await run(ports)).toEqual({ examined: 1, changes: 1, failures: [] });
    expect(ports.calls).toEqual([
      ['listSecrets', 'prod'],
      ['list', 'app'],
      ['lastUse', OLD],
      ['describe', ARN],
      ['read', ARN, { label: 'AWSCURRENT' }],
      ['disable', 'app', OLD],
      ['tag', ARN, DISABLED, []],
    ]);
    expect(ports.happenings).toEqual([DISABLING]);
  });

  it('makes no call but the listing for a secret of which nothing is due', async () => {
    const ports = superseded({ keys: [key(NEW)], tags: {} });
    expect(await run(ports)).toEqual(NOTHING);
    expect(ports.operations()).toEqual(['listSecrets']);
    expect(ports.happenings).toEqual([]);
  });

  it('asks for the last use only of keys that IAM lists', async () => {
    const ports = superseded({ keys: [key(NEW)] });
    await run(ports);
    expect(ports.operations()).toEqual(['listSecrets', 'list', 'describe', 'read', 'tag']);
    expect(ports.of('tag')).toEqual([[ARN, {}, [tagOf(OLD)]]]);
  });

  it('deletes a key whose recovery time is over', async () => {
    const ports = superseded({ tags: RECOVERED, keys: [key(NEW), key(OLD, 'Inactive')] });
    expect(await run(ports)).toEqual({ examined: 1, changes: 1, failures: [] });
    expect(ports.calls.slice(-2)).toEqual([
      ['remove', 'app', OLD],
      ['tag', ARN, {}, [tagOf(OLD)]],
    ]);
    expect(ports.happenings).toEqual([
      { what: 'deleted', ...WHO, keyId: OLD, reason: 'recovery-over', observed: false },
    ]);
  });

  it('reads the secret anew after a last use that it finds itself in need of, and keeps those that it has', async () => {
    // The listing can't tell that an orphan has come of the announcement.
    const ports = superseded({
      keys: [key(NEW), key(OLD), key(OTHER, 'Active', at(-DAY))],
      tags: { ...OLD_TAG, [intentOf('run-old')]: `token=${VERSION} at=2026-06-14T12:00:00Z before=${NEW}/${OLD}` },
    });
    await run(ports);
    expect(ports.calls.slice(1)).toEqual([
      ['list', 'app'],
      ['lastUse', OLD],
      ['describe', ARN],
      ['read', ARN, { version: VERSION }],
      ['read', ARN, { label: 'AWSCURRENT' }],
      ['lastUse', OTHER],
      ['describe', ARN],
      ['read', ARN, { version: VERSION }],
      ['read', ARN, { label: 'AWSCURRENT' }],
      ['disable', 'app', OLD],
      ['tag', ARN, DISABLED, []],
      ['remove', 'app', OTHER],
      ['tag', ARN, {}, [intentOf('run-old')]],
    ]);
    expect(ports.happenings.map(({ what }) => what)).toEqual(['disabled', 'orphan-cleared', 'intent-resolved']);
  });

  it('acts as long as the first of what it read is 15 seconds old, and not a moment later', async () => {
    const fresh = superseded().slow('list', 15_000);
    expect(await run(fresh)).toMatchObject({ changes: 1, failures: [] });
    const stale = superseded().slow('list', 15_001);
    expect(await run(stale)).toMatchObject({
      changes: 0,
      failures: [{ secret: 'iam/app', error: { code: 'READ_STALE' } }],
    });
    expect(stale.of('disable')).toEqual([]);
  });

  it('leaves a secret alone that is scheduled for deletion', async () => {
    const ports = superseded({ scheduledForDeletion: true });
    expect(await run(ports)).toEqual(NOTHING);
    expect(ports.operations()).toEqual(['listSecrets', 'list', 'lastUse', 'describe']);
  });

  it('leaves a secret alone whose label is being moved', async () => {
    const ports = superseded().before('read', () => {
      ports.labels = new Map([[VERSION, ['AWSCURRENT']]]);
      ports.values[VERSION] = valueWith(OLD);
    });
    expect(await run(ports)).toEqual(NOTHING);
    expect(ports.operations().at(-1)).toBe('read');
    expect(ports.happenings).toEqual([]);
  });

  it('fails for a secret without a current version', async () => {
    const ports = superseded({ labels: { [PREVIOUS]: ['AWSPREVIOUS'] } });
    expect(await run(ports)).toMatchObject({ failures: [{ secret: 'iam/app', error: { code: 'CURRENT_MISSING' } }] });
  });

  it("fails for a secret whose current value is another user's", async () => {
    const ports = superseded({ values: { [CURRENT]: valueWith(NEW, { UserName: 'ops' }) } });
    expect(await run(ports)).toMatchObject({ failures: [{ secret: 'iam/app', error: { code: 'VALUE_OTHER_USER' } }] });
  });

  it('retires nothing while no key is current', async () => {
    const ports = superseded({ values: { [CURRENT]: BOOTSTRAP } });
    await run(ports);
    expect(ports.of('disable')).toEqual([]);
    // The entry of the key says that it is the current one; the value holds none.
    expect(ports.happenings).toEqual([{ what: 'noticed', ...WHO, keyId: OLD, reason: 'current-not-usable' }]);
  });

  it('changes nothing in a mode of observing, and counts no change', async () => {
    const ports = superseded();
    expect(await run(ports, { mode: 'observe' })).toEqual(NOTHING);
    expect(ports.operations().at(-1)).toBe('read');
    expect(ports.happenings).toEqual([{ ...DISABLING, observed: true }]);
  });
});

describe('what a pass reads of a secret', () => {
  const OPEN = `token=${VERSION} at=2026-06-15T11:57:01Z before=${NEW}`;
  const SETTLED = `token=${VERSION} at=2026-06-15T11:57:00Z before=${NEW}`;
  const RECORDED = `version=${VERSION} minted=2026-06-15T11:57:30Z`;
  /** A key was stored by a run that did not record it. */
  const unrecorded = (intent: string, more: Given = {}) =>
    superseded({
      keys: [key(NEW), key(OTHER, 'Active', at(-150))],
      tags: { [intentOf('run-old')]: intent },
      ...more,
      values: { [CURRENT]: valueWith(NEW), [VERSION]: valueWith(OTHER), ...more.values },
    });

  it('is the pending version, but its key is not read of the version that is current', async () => {
    const pending = unrecorded(SETTLED, { labels: { [CURRENT]: ['AWSCURRENT'], [VERSION]: ['AWSPENDING'] } });
    await run(pending);
    expect(pending.of('read')).toEqual([
      [ARN, { version: VERSION }],
      [ARN, { label: 'AWSCURRENT' }],
    ]);
    expect(pending.of('tag')).toEqual([[ARN, { [tagOf(OTHER)]: RECORDED }, [intentOf('run-old')]]]);
    const both = superseded({ labels: { [CURRENT]: ['AWSCURRENT', 'AWSPENDING'], [PREVIOUS]: ['AWSPREVIOUS'] } });
    await run(both);
    expect(both.of('read')).toEqual([[ARN, { label: 'AWSCURRENT' }]]);
  });

  it('is every version that a settled announcement names, and none that an open one does', async () => {
    const settled = unrecorded(SETTLED);
    await run(settled);
    expect(settled.of('read')).toEqual([
      [ARN, { version: VERSION }],
      [ARN, { label: 'AWSCURRENT' }],
    ]);
    expect(settled.of('tag')).toEqual([[ARN, { [tagOf(OTHER)]: RECORDED }, [intentOf('run-old')]]]);
    expect(settled.happenings).toEqual([
      { what: 'recorded', ...WHO, keyId: OTHER, reason: 'intent-stored', observed: false },
      { what: 'intent-resolved', ...WHO, reason: 'intent-stored', observed: false },
    ]);

    const open = unrecorded(OPEN, { tags: { ...OLD_TAG, [intentOf('run-old')]: OPEN } });
    await run(open);
    expect(open.of('read')).toEqual([[ARN, { label: 'AWSCURRENT' }]]);
    expect(open.happenings[0]).toEqual({ what: 'noticed', ...WHO, keyId: OTHER, reason: 'mint-unsettled' });
    expect(open.of('tag')).toEqual([[ARN, {}, [tagOf(OLD)]]]);
  });

  it('is in an announced version a key under names that are configured no more: recorded, and no reason to fail', async () => {
    const ports = unrecorded(SETTLED, {
      values: { [VERSION]: JSON.stringify({ id: OTHER, secret: 'x', user: 'app' }) },
    });
    expect(await run(ports)).toMatchObject({ changes: 0, failures: [] });
    expect(ports.of('tag')).toEqual([[ARN, { [tagOf(OTHER)]: RECORDED }, [intentOf('run-old')]]]);
  });

  it('hides no defect that reading it brings to light', async () => {
    const ports = unrecorded(SETTLED, { values: { [VERSION]: DEFECT } });
    expect(await run(ports)).toMatchObject({ failures: [{ error: new TypeError(DEFECT) }] });
  });

  it('is no key that an announced version only mentions, and that was there before', async () => {
    const value = JSON.stringify({ id: 'AKIAGONEGONEGONEGON5', instead: OTHER });
    const ports = unrecorded(SETTLED, {
      keys: [key(NEW), key(OTHER, 'Active', at(-300))],
      values: { [VERSION]: value },
    });
    expect(await run(ports)).toMatchObject({ changes: 0, failures: [] });
    expect(ports.happenings).toEqual([{ what: 'intent-resolved', ...WHO, reason: 'intent-settled', observed: false }]);
  });

  it('fails the secret when its pending version can not be read', async () => {
    const ports = unrecorded(SETTLED, {
      labels: { [CURRENT]: ['AWSCURRENT'], [VERSION]: ['AWSPENDING'] },
      values: { [VERSION]: 'not JSON' },
    });
    expect(await run(ports)).toMatchObject({ changes: 0, failures: [{ secret: 'iam/app' }] });
  });

  it('tells the key of a pending version from a stranger', async () => {
    const tags = { ...OLD_TAG, [tagOf(NEW)]: `version=${CURRENT} minted=2026-06-10T12:00:00Z` };
    const ports = superseded({
      labels: { [CURRENT]: ['AWSCURRENT'], [VERSION]: ['AWSPENDING'], [PREVIOUS]: ['AWSPREVIOUS'] },
      values: { [CURRENT]: valueWith(NEW), [VERSION]: valueWith(OLD) },
      tags,
    });
    await run(ports);
    // Its entry says superseded, but its value stands in the pending version.
    expect(ports.of('disable')).toEqual([]);
  });

  it('has no key in a version without a value, and none in the value of a new secret', async () => {
    for (const values of [{}, { [VERSION]: BOOTSTRAP }]) {
      const ports = superseded({
        labels: { [CURRENT]: ['AWSCURRENT'], [VERSION]: ['AWSPENDING'], [PREVIOUS]: ['AWSPREVIOUS'] },
        values: { [CURRENT]: valueWith(NEW), ...values },
      });
      expect(await run(ports)).toMatchObject({ changes: 1, failures: [] });
    }
  });

  it('knows the key of an announcement whose version is the current one', async () => {
    const ports = superseded({ tags: { [intentOf('run-old')]: `token=${CURRENT} at=2026-06-10T12:00:00Z` } });
    await run(ports);
    expect(ports.of('read')).toEqual([[ARN, { label: 'AWSCURRENT' }]]);
    expect(ports.happenings).toEqual([{ what: 'intent-resolved', ...WHO, reason: 'intent-stored', observed: false }]);
  });
});

describe('a pass over several secrets', () => {
  const listed = (name: string, ports: Ports): SecretFacts => ({ ...ports.facts(), arn: `arn of ${name}`, name });
  /** Secrets of these names, all like that of the ports. Each has a user of its own. */
  const several = (names: readonly string[], ports: Ports, pages: readonly (readonly string[])[] = [names]) => ({
    ...ports.world,
    secrets: {
      ...ports.world.secrets,
      list: async function* () {
        for (const page of pages) yield page.map((name) => listed(name, ports));
      },
    },
  });
  const deployed = (...names: readonly string[]) => names.map((name) => ({ userName: name, secretName: name }));
  const pass = (
    names: readonly string[],
    ports: Ports,
    listing?: readonly (readonly string[])[],
    maxChangesPerRun = 25,
  ) =>
    retirePass(
      deploymentOf(
        deployed(...names).map((of) => ({ ...of, deactivateAfter: HOUR })),
        maxChangesPerRun,
      ),
      several(names, ports, listing),
    );
  const idle = () => superseded({ tags: {}, keys: [key(NEW)] });
  const failing = () =>
    superseded().before('list', () => {
      throw awsError('ListAccessKeys', 'AccessDenied');
    });

  it('looks at each once, on whichever page, also at those that the listing has left out', async () => {
    const ports = idle();
    expect(await pass(['a', 'b', 'c'], ports, [['b', 'b'], [], ['a']])).toMatchObject({ examined: 3 });
    expect(ports.of('list')).toEqual([['c']]);
    expect(ports.of('describe')).toEqual([['c']]);
  });

  it('does not look at a secret that the configuration no longer lists', async () => {
    const ports = failing();
    expect(await pass(['a'], ports, [['retained', 'a']])).toMatchObject({ examined: 1, failures: [{ secret: 'a' }] });
    expect(ports.of('list')).toEqual([['a']]);
  });

  it('goes on following after a secret that could not be followed, and tells each failure', async () => {
    const error = awsError('ListSecretVersionIds', 'AccessDeniedException');
    const since = RETIRING.replace('superseded=2026-06-10T12:05:00Z', 'superseded=2026-06-15T11:30:00Z');
    const ports = superseded({ tags: { [tagOf(OLD)]: since } }).before('versions', () => {
      throw error;
    });
    const { failures } = await pass(['a', 'b'], ports);
    expect(failures).toEqual(['a', 'b'].map((secret) => ({ secret, error })));
  });

  it('goes on after a secret that fails, and tells each failure', async () => {
    const result = await pass(['a', 'b', 'c'], failing(), [['a', 'b']]);
    expect(result).toEqual({
      examined: 3,
      changes: 0,
      failures: ['a', 'b', 'c'].map((secret) => ({ secret, error: awsError('ListAccessKeys', 'AccessDenied') })),
    });
  });

  it.each([
    ['listed', [['a', 'b']]],
    ['left out by the listing', [[]]],
  ])('stops when less than 30 seconds are left, with secrets %s', async (_, listing) => {
    const inTime = failing();
    inTime.pass(870_000);
    expect(await pass(['a', 'b'], inTime, listing)).toMatchObject({ examined: 2 });
    const late = failing();
    late.pass(870_001);
    expect(await pass(['a', 'b'], late, listing)).toEqual({
      examined: 1,
      changes: 0,
      stopped: 'time',
      failures: [{ secret: 'a', error: awsError('ListAccessKeys', 'AccessDenied') }],
    });
  });

  it.each([
    ['listed', [['iam/app', 'other']]],
    ['left out by the listing', [[]]],
  ])('stops when a change is due beyond what it may change, with secrets %s', async (_, listing) => {
    const ports = superseded({
      tags: { ...OLD_TAG, [tagOf(OTHER)]: RETIRING },
      keys: [key(NEW), key(OLD), key(OTHER)],
    });
    const keys = [{}, { userName: 'other', secretName: 'other' }];
    const world = several([], ports, listing);
    expect(await retirePass(deploymentOf(keys, 1), world)).toEqual({
      examined: 1,
      changes: 1,
      stopped: 'change-limit',
      failures: [],
    });
    expect(ports.of('disable')).toEqual([['app', OLD]]);
  });

  it('does not stop for having changed as much as it may, as long as nothing else is due', async () => {
    const ports = superseded();
    const keys = [{}, { userName: 'other', secretName: 'other' }];
    const result = await retirePass(deploymentOf(keys, 1), several([], ports, [['iam/app']]));
    expect(result).toMatchObject({ examined: 2, changes: 1, failures: [{ secret: 'other' }] });
    expect(result).not.toHaveProperty('stopped');
  });

  it('fails at once when the secrets can not be listed', async () => {
    const denied = awsError('ListSecrets', 'AccessDeniedException');
    const ports = superseded().before('listSecrets', () => {
      throw denied;
    });
    expect(await failureOf(run(ports))).toBe(denied);
  });

  it('fails a secret whose ledger is damaged in the listing', async () => {
    const ports = superseded({ tags: { [tagOf(OLD)]: 'damaged' } });
    expect(await run(ports)).toMatchObject({ failures: [{ secret: 'iam/app', error: { code: 'LEDGER_MALFORMED' } }] });
    expect(ports.operations()).toEqual(['listSecrets']);
  });
});

describe('the failure of a pass', () => {
  it('names one secret', () => {
    const cause = new Error('IAM is down.');
    const failure = passFailed([{ secret: 'iam/app', error: cause }]);
    expect(failure.message).toMatchInlineSnapshot(
      `"PASS_FAILED: 1 secret failed: [iam/app] IAM is down. Expected: none to fail; the other secrets were served. To do: see to each of them; the next pass tries again."`,
    );
    expect(failure).toMatchObject({ code: 'PASS_FAILED', cause });
  });

  it('names each secret that failed, whatever was thrown', () => {
    const failures = [
      { secret: 'a', error: new Error('x') },
      { secret: 'b', error: 'text' },
    ];
    expect(passFailed(failures).message).toMatchInlineSnapshot(
      `"PASS_FAILED: 2 secrets failed: [a] x [b] text. Expected: none to fail; the other secrets were served. To do: see to each of them; the next pass tries again."`,
    );
    expect(passFailed([]).cause).toBeUndefined();
  });
});

describe('how the keys stand', () => {
  /** What a pass measures, if it does, beside what it returns. */
  async function measured(ports: Ports, deployment: Deployment) {
    const gauges: unknown[] = [];
    const result = await retirePass(deployment, { ...ports.world, measure: (of) => gauges.push(of) });
    return { gauges, result };
  }

  it('is measured from the listing, by no call of its own, as it was before the pass', async () => {
    const ports = superseded();
    const { gauges } = await measured(ports, deploymentOf());
    expect(gauges).toMatchObject([{ currentKeys: 1, retiringKeys: 1, awaitingDeletion: 0, keysOverdue: 0 }]);
    expect(ports.operations().filter((operation) => operation === 'listSecrets')).toHaveLength(1);
  });

  const two = (maxChangesPerRun: number) =>
    deploymentOf([{}, { userName: 'other', secretName: 'iam/other' }], maxChangesPerRun);
  /** The world of the ports, in which the listing shows the secret under two names, the second one twice. */
  const listedTwice = (ports: Ports): Ports => {
    const { secrets } = ports.world;
    const list = secrets.list.bind(secrets);
    vi.spyOn(secrets, 'list').mockImplementation(async function* (deployment) {
      for await (const page of list(deployment)) {
        const others = page.map((facts) => ({ ...facts, name: 'iam/other' }));
        yield page;
        yield [...others, ...others];
      }
    });
    return ports;
  };

  it('is measured, too, by a pass that stops at its limit of changes: it goes on listing, and looks no closer', async () => {
    const more = { ...OLD_TAG, [tagOf(OTHER)]: RETIRING };
    const ports = listedTwice(superseded({ tags: more, keys: [key(NEW), key(OLD), key(OTHER)] }));
    const { gauges, result } = await measured(ports, two(1));
    expect(result).toMatchObject({ examined: 1, changes: 1, stopped: 'change-limit' });
    expect(gauges).toMatchObject([{ currentKeys: 2, retiringKeys: 4 }]);
  });

  const atItsLimit = () =>
    superseded({
      tags: { ...OLD_TAG, [tagOf(OTHER)]: RETIRING },
      keys: [key(NEW), key(OLD), key(OTHER)],
    });

  it.each([
    ['a page of the rest can not be read', () => awsError('ListSecrets', 'ThrottlingException')],
    ['the rest never ends', () => new RotatorError('LISTING_LOOPS', { found: 'x', expected: 'y', remedy: 'z' })],
  ])('is not measured when %s, which fails no pass that has stopped at its limit', async (_, failure) => {
    const ports = atItsLimit();
    const { secrets } = ports.world;
    const list = secrets.list.bind(secrets);
    vi.spyOn(secrets, 'list').mockImplementation(async function* (deployment) {
      yield* list(deployment);
      throw failure();
    });
    const { gauges, result } = await measured(ports, two(1));
    expect(result).toEqual({ examined: 1, changes: 1, stopped: 'change-limit', failures: [] });
    expect(gauges).toEqual([]);
  });

  it('is not measured when time runs out over the rest of the listing, of which no further page is read', async () => {
    const { world } = atItsLimit();
    let late = false;
    const now = () => (late ? new Date(world.deadline.getTime() - 29_999) : world.now());
    const list = world.secrets.list.bind(world.secrets);
    vi.spyOn(world.secrets, 'list').mockImplementation(async function* (deployment) {
      yield* list(deployment);
      late = true;
      yield [];
      throw new TypeError('one page too many');
    });
    const gauges: unknown[] = [];
    const result = await retirePass(two(1), { ...world, now, measure: (of) => gauges.push(of) });
    expect(result).toMatchObject({ stopped: 'change-limit', failures: [] });
    expect(gauges).toEqual([]);
  });

  it('is not measured when the pass runs out of time, since half of the keys would look like fewer', async () => {
    const ports = listedTwice(superseded({ timeLeft: 29_999 }));
    const { gauges, result } = await measured(ports, two(25));
    expect(result).toMatchObject({ examined: 1, stopped: 'time' });
    expect(gauges).toEqual([]);
  });

  it('is not measured when the listing lacks a secret of the deployment', async () => {
    const { gauges } = await measured(superseded(), two(25));
    expect(gauges).toEqual([]);
  });

  it('is not measured when a ledger can not be read, of which the look at its secret tells', async () => {
    const ports = superseded({ tags: { [tagOf(OLD)]: 'damaged' } });
    const { gauges, result } = await measured(ports, deploymentOf());
    expect(gauges).toEqual([]);
    expect(result.failures).toMatchObject([{ secret: 'iam/app', error: { code: 'LEDGER_MALFORMED' } }]);
  });

  it('is left unmeasured by a defect, which fails that pass', async () => {
    const ports = superseded();
    const defect = () => {
      throw new TypeError('a defect');
    };
    const world = { ...ports.world, now: defect };
    await expect(retirePass(deploymentOf(), world)).rejects.toThrow('a defect');
  });
});

describe('a rollback by hand', () => {
  const BACK = `version=${CURRENT} minted=2026-03-07T12:00:00Z promoted=2026-03-07T12:05:00Z superseded=2026-06-10T12:00:00Z by=${OLD}`;
  const back = () => superseded({ tags: { [tagOf(NEW)]: BACK } });

  it('is told before the ledger is mended, so that a crash between the two tells it twice and not never', async () => {
    const ports = back();
    await run(ports);
    expect(ports.happenings.map(({ what }) => what).slice(0, 2)).toEqual(['rolled-back', 'recorded']);
    expect(ports.happenings[0]).toEqual({ what: 'rolled-back', ...WHO, keyId: NEW });
    const again = ports.happenings.length;
    await run(ports);
    expect(ports.happenings.slice(again).map(({ what }) => what)).not.toContain('rolled-back');
  });

  it('is nothing to tell in observe mode, in which nothing is mended and each pass would tell it', async () => {
    const ports = back();
    await run(ports, { mode: 'observe' });
    expect(ports.happenings.map(({ what }) => what)).not.toContain('rolled-back');
  });
});
