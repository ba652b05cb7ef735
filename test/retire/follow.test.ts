import { describe, expect, it } from 'vitest';
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { retirePass } from '../../lambdas/retire/pass.ts';
import { at, key, NEW, OLD, OTHER } from '../domain/world.ts';
import { DAY, deployedKey, HOUR } from '../policy.ts';
import { ARN, awsError, CURRENT, type Given, Ports, USER_ID, valueWith, WHO } from '../rotate/ports.ts';

const PREVIOUS = 'cccccccc-2222-3333-4444-555555555555';
const tagOf = (keyId: string) => `iam-key-rotator:key/${keyId}`;
const use = (hoursAgo: number) => ({ at: at(-hoursAgo * HOUR), service: 's3', region: 'eu-west-1' });
const SUPERSEDED = 'superseded=2026-06-14T12:00:00Z';

/** Two keys: one is current, the other one was superseded a day ago. */
const retiring = ({ tags, ...more }: Given = {}) =>
  new Ports({
    labels: { [CURRENT]: ['AWSCURRENT'], [PREVIOUS]: ['AWSPREVIOUS'] },
    values: { [CURRENT]: valueWith(NEW), [PREVIOUS]: valueWith(OLD) },
    keys: [key(NEW), key(OLD)],
    timeLeft: 900_000,
    ...more,
    tags: {
      'iam-key-rotator:user-id': USER_ID,
      [tagOf(NEW)]: `version=${CURRENT} minted=2026-06-14T11:00:00Z promoted=2026-06-14T12:00:00Z`,
      [tagOf(OLD)]:
        `version=${PREVIOUS} minted=2026-03-07T12:00:00Z promoted=2026-03-07T12:05:00Z ${SUPERSEDED} by=${NEW}`,
      ...tags,
    },
  });
const run = (ports: Ports, policy: Partial<DeployedKey> = {}) =>
  retirePass(
    {
      formatVersion: 1,
      name: 'prod',
      maxChangesPerRun: 25,
      rotateTimeout: 120,
      keys: [deployedKey({ userName: 'app', ...policy })],
    },
    ports.world,
  );
const FOLLOWED = { what: 'followed', ...WHO, keyId: OLD, reason: 'in-overlap', due: at(2 * DAY), since: at(-DAY) };

describe('a pass follows a key within its overlap', () => {
  it('by two calls, and tells who has not switched', async () => {
    const ports = retiring({
      lastUse: { [OLD]: use(1) },
      readOn: { [CURRENT]: at(-12 * HOUR), [PREVIOUS]: at(-12 * HOUR) },
    });
    expect(await run(ports)).toEqual({ examined: 1, changes: 0, failures: [] });
    expect(ports.calls).toEqual([
      ['listSecrets', 'prod'],
      ['lastUse', OLD],
      ['versions', ARN],
    ]);
    expect(ports.happenings).toStrictEqual([
      { ...FOLLOWED, lastUse: use(1), switched: 'no', previousRead: 'yes', previousReadOn: at(-12 * HOUR) },
    ]);
  });

  it('and tells what is not known', async () => {
    const ports = retiring();
    await run(ports);
    expect(ports.happenings).toStrictEqual([{ ...FOLLOWED, switched: 'yes', previousRead: 'unknown' }]);
  });

  it("in mode 'observe' as well", async () => {
    const ports = retiring();
    await run(ports, { mode: 'observe' });
    expect(ports.happenings).toMatchObject([{ what: 'followed' }]);
  });

  it('until the overlap is over, when it is looked at and told about as due', async () => {
    const last = retiring({ timeLeft: 9 * DAY * 1000 });
    last.pass((2 * DAY - 1) * 1000);
    await run(last);
    expect(last.happenings).toMatchObject([{ what: 'followed', reason: 'in-overlap' }]);
    const due = retiring({ timeLeft: 9 * DAY * 1000 });
    due.pass(2 * DAY * 1000);
    await run(due);
    expect(due.happenings).toMatchObject([{ what: 'disabled' }]);
    expect(due.of('versions')).toEqual([]);
  });

  it('after it has mended what it found, and even if that failed', async () => {
    const intent = { 'iam-key-rotator:intent/run': `token=${CURRENT} at=2026-06-14T11:00:00Z minted=${NEW}` };
    const tidied = retiring({ tags: intent });
    await run(tidied);
    expect(tidied.operations()).toEqual(['listSecrets', 'list', 'describe', 'read', 'tag', 'lastUse', 'versions']);
    const failing = retiring({ tags: intent }).before('describe', () => {
      throw awsError('DescribeSecret', 'AccessDeniedException');
    });
    expect(await run(failing)).toMatchObject({ failures: [{ error: { operation: 'DescribeSecret' } }] });
    expect(failing.happenings).toMatchObject([{ what: 'followed' }]);
  });

  it('unless somebody has deleted it by hand', async () => {
    const gone = retiring({ keys: [key(NEW)] }).before('lastUse', () => {
      throw awsError('GetAccessKeyLastUsed', 'NoSuchEntity');
    });
    expect(await run(gone)).toEqual({ examined: 1, changes: 0, failures: [] });
    expect(gone.operations()).toEqual(['listSecrets', 'lastUse', 'list']);
    expect(gone.happenings).toEqual([]);
  });

  it.each(['lastUse', 'versions'] as const)('and a failure of %s is one of that secret', async (operation) => {
    const error = awsError(operation, 'AccessDeniedException');
    const failing = retiring().before(operation, () => {
      throw error;
    });
    expect(await run(failing)).toEqual({ examined: 1, changes: 0, failures: [{ secret: 'iam/app', error }] });
    const lost = retiring().before(operation, () => {
      throw awsError(operation, 'TimeoutError', false);
    });
    expect(await run(lost)).toMatchObject({ failures: [{ error: { awsCode: 'TimeoutError' } }] });
    expect(lost.of('list')).toEqual([]);
  });

  it('and a secret that failed twice is one that failed, for the first reason', async () => {
    const failing = retiring({ tags: { 'iam-key-rotator:intent/run': `token=${CURRENT} at=2026-06-14T11:00:00Z` } })
      .before('describe', () => {
        throw awsError('DescribeSecret', 'AccessDeniedException');
      })
      .before('versions', () => {
        throw awsError('ListSecretVersionIds', 'AccessDeniedException');
      });
    expect(await run(failing)).toMatchObject({ failures: [{ error: { operation: 'DescribeSecret' } }] });
    expect((await run(failing)).failures).toHaveLength(1);
  });

  it('only while there is time', async () => {
    const inTime = retiring();
    inTime.pass(870_000);
    expect(await run(inTime)).toEqual({ examined: 1, changes: 0, failures: [] });
    expect(inTime.happenings).toHaveLength(1);
    const late = retiring();
    late.pass(870_001);
    expect(await run(late)).toEqual({ examined: 1, changes: 0, stopped: 'time', failures: [] });
    expect(late.happenings).toEqual([]);
    // The time is up between two keys.
    const both = { [tagOf(OTHER)]: `version=${PREVIOUS} promoted=2026-03-07T12:05:00Z ${SUPERSEDED} by=${NEW}` };
    const slow = retiring({ tags: both, keys: [key(NEW), key(OLD), key(OTHER)] }).slow('lastUse', 870_001);
    expect(await run(slow)).toEqual({ examined: 1, changes: 0, stopped: 'time', failures: [] });
    expect(slow.happenings).toHaveLength(1);
  });
});

describe('a pass follows a key that is held', () => {
  it('unless it was never promoted: nobody is to switch from it', async () => {
    const ports = retiring({
      timeLeft: 9 * DAY * 1000,
      labels: { [CURRENT]: ['AWSCURRENT'] },
      lastUse: { [OLD]: use(-71) },
      tags: { [tagOf(OLD)]: `version=${PREVIOUS} minted=2026-03-07T12:00:00Z ${SUPERSEDED} by=${NEW}` },
    });
    ports.pass(3 * DAY * 1000);
    expect(await run(ports)).toMatchObject({ failures: [] });
    expect(ports.happenings).toMatchObject([{ what: 'held', keyId: OLD }]);
    expect(ports.of('versions')).toEqual([]);
  });

  it('by one call more than it takes to hold it, and tells the same facts', async () => {
    const lastUse = { [OLD]: use(-71) };
    const ports = retiring({ timeLeft: 9 * DAY * 1000, lastUse, readOn: { [PREVIOUS]: at(-36 * HOUR) } });
    ports.pass(3 * DAY * 1000);
    await run(ports);
    expect(ports.operations()).toEqual(['listSecrets', 'list', 'lastUse', 'describe', 'read', 'versions']);
    const due = at((2 + 14) * DAY);
    expect(ports.happenings).toStrictEqual([
      { what: 'held', ...WHO, keyId: OLD, reason: 'in-use', due, lastUse: use(-71), observed: false },
      { ...FOLLOWED, reason: 'in-use', due, lastUse: use(-71), switched: 'no', previousRead: 'no' },
    ]);
  });
});
