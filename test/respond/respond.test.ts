import { describe, expect, it } from 'vitest';
import type { DeployedKey, Deployment } from '../../lambdas/contract/deployment.ts';
import { RotatorError } from '../../lambdas/domain/errors.ts';
import { respond } from '../../lambdas/respond/respond.ts';
import { at, key, NEW, NOW, OLD, OTHER } from '../domain/world.ts';
import { deployedKey } from '../policy.ts';
import { ARN, awsError, CURRENT, failureOf, type Given, Ports, USER_ID, valueWith, WHO } from '../rotate/ports.ts';
import { exposed, leakReported, quarantined } from '../simulation/world.ts';

const PREVIOUS = 'cccccccc-2222-3333-4444-555555555555';
const entry = (keyId: string, more: string) => ({ [`iam-key-rotator:key/${keyId}`]: more });
const mark = (keyId: string, more = 'at=2026-06-15T11:00:00Z signal=health') => ({
  [`iam-key-rotator:leak/${keyId}`]: more,
});
const PROMOTED = `version=${CURRENT} minted=2026-06-01T12:00:00Z promoted=2026-06-01T12:05:00Z`;
const SUPERSEDED = `version=${PREVIOUS} promoted=2026-03-07T12:05:00Z superseded=2026-06-15T11:30:00Z by=${NEW}`;

/** NEW is current, OLD is retiring. */
function superseded({ tags, ...more }: Given = {}): Ports {
  return new Ports({
    labels: { [CURRENT]: ['AWSCURRENT'], [PREVIOUS]: ['AWSPREVIOUS'] },
    values: { [CURRENT]: valueWith(NEW), [PREVIOUS]: valueWith(OLD) },
    keys: [key(NEW), key(OLD)],
    timeLeft: 900_000,
    ...more,
    tags: { 'iam-key-rotator:user-id': USER_ID, ...entry(NEW, PROMOTED), ...entry(OLD, SUPERSEDED), ...tags },
  });
}

function run(event: unknown, ports: Ports, policy: Partial<DeployedKey> = {}, maxChangesPerRun = 25) {
  const deployment: Deployment = {
    formatVersion: 1,
    name: 'prod',
    maxChangesPerRun,
    rotateTimeout: 120,
    keys: [deployedKey({ userName: 'app', ...policy })],
  };
  return respond(event, deployment, ports.world);
}

/** When a rotation is started, its new key is current at once. */
const rotating = (ports: Ports) =>
  ports.before('startRotation', () => {
    const version = 'dddddddd-2222-3333-4444-555555555555';
    ports.labels = new Map([
      [version, ['AWSCURRENT']],
      [CURRENT, ['AWSPREVIOUS']],
    ]);
    ports.values[version] = valueWith(OTHER);
    ports.keys = [key(OTHER, 'Active', NOW), key(NEW)];
    ports.tags = { ...ports.tags, ...entry(OTHER, `version=${version} promoted=2026-06-15T12:00:00Z`) };
  });
const changes = (ports: Ports) =>
  ports.operations().filter((name) => ['tag', 'disable', 'remove', 'moveLabel', 'startRotation'].includes(name));

describe('the response to a leak', () => {
  it('marks the key before it does or reads anything else of the secret, then disables it', async () => {
    const ports = superseded();
    expect(await run(exposed(OLD), ports)).toEqual([
      {
        keyId: OLD,
        secret: 'iam/app',
        user: 'app',
        outcome: 'contained',
        why: `Inactive; the current key is ${NEW}`,
      },
    ]);
    expect(ports.operations().slice(0, 4)).toEqual(['listSecrets', 'list', 'describe', 'tag']);
    expect(ports.of('tag')[0]).toEqual([ARN, mark(OLD, 'at=2026-06-15T12:00:00Z signal=health'), []]);
    expect(ports.of('disable')).toEqual([['app', OLD]]);
    expect(ports.of('startRotation')).toEqual([]);
    expect(ports.happenings).toEqual([
      { what: 'leak-reported', ...WHO, keyId: OLD, role: 'superseded', signal: 'health' },
      { what: 'disabled', ...WHO, keyId: OLD, reason: 'leaked', observed: false },
      { what: 'leak-contained', ...WHO, keyId: OLD, how: 'disabled' },
    ]);
  });

  it('has a current key superseded first, and disables it then', async () => {
    const ports = rotating(superseded());
    expect(await run(leakReported(NEW), ports)).toMatchObject([{ keyId: NEW, outcome: 'contained' }]);
    expect(changes(ports)).toEqual(['tag', 'startRotation', 'disable', 'tag']);
    expect(ports.of('disable')).toEqual([['app', NEW]]);
  });

  it("disables a current key before that under 'disable-first', without writing a date that would be stale", async () => {
    const ports = rotating(superseded());
    await run(leakReported(NEW), ports, { onLeak: 'disable-first' });
    expect(changes(ports).slice(0, 3)).toEqual(['tag', 'disable', 'startRotation']);
    expect(ports.of('disable')[0]).toEqual(['app', NEW]);
    expect(ports.happenings).toContainEqual(expect.objectContaining({ keyId: NEW, reason: 'leaked-current' }));
  });

  it('keeps the date of a mark that is there', async () => {
    const ports = superseded({ tags: mark(OLD), keys: [key(NEW), key(OLD, 'Inactive')] });
    expect(await run(exposed(OLD), ports)).toMatchObject([{ outcome: 'nothing-to-do' }]);
    expect(changes(ports)).toEqual([]);
    expect(ports.happenings.at(-1)).toMatchObject({ what: 'leak-contained', how: 'was-inactive' });
  });

  it('changes no key but the leaked one, though others are due', async () => {
    const long = SUPERSEDED.replace('06-15T11:30', '05-15T11:30');
    const ports = superseded({
      tags: entry(OTHER, long.replace(PREVIOUS, 'v9')),
      keys: [key(NEW), key(OLD), key(OTHER)],
    });
    await run(exposed(OLD), ports);
    expect(ports.of('disable')).toEqual([['app', OLD]]);
    expect(ports.of('remove')).toEqual([]);
    expect(ports.of('lastUse')).toEqual([]);
  });

  it('marks and changes no stranger, and says what a person does', async () => {
    const ports = superseded({ keys: [key(NEW), key(OTHER)] });
    const [outcome] = await run(leakReported(OTHER), ports);
    const remedy = expect.stringContaining(`aws iam update-access-key --user-name app --access-key-id ${OTHER}`);
    expect(outcome).toMatchObject({ keyId: OTHER, outcome: 'reported', remedy });
    expect(changes(ports)).toEqual([]);
    expect(ports.happenings).toEqual([
      { what: 'leak-reported', ...WHO, keyId: OTHER, role: 'stranger', signal: 'operator', remedy },
    ]);
  });

  it('asks IAM about every user before it says that a key is nobody’s', async () => {
    const ports = superseded();
    expect(await run(leakReported('AKIANOBODYNOBODY2345'), ports)).toMatchObject([{ outcome: 'reported' }]);
    expect(ports.operations()).toEqual(['listSecrets', 'list']);
    expect(ports.happenings).toMatchObject([{ what: 'leak-reported', role: 'unmanaged' }]);
    expect(ports.happenings[0]).not.toHaveProperty('secret');
  });

  it('takes a user who is gone for one without keys, and a read that fails for no answer', async () => {
    const gone = superseded().before('list', () => {
      throw new RotatorError('USER_NOT_FOUND', { found: 'f', expected: 'e', remedy: 'r' });
    });
    expect(await run(leakReported('AKIANOBODYNOBODY2345'), gone)).toMatchObject([{ outcome: 'reported' }]);
    const denied = superseded().before('list', () => {
      throw awsError('ListAccessKeys', 'AccessDenied');
    });
    expect(await failureOf(run(leakReported('AKIANOBODYNOBODY2345'), denied))).toMatchObject({
      code: 'LEAK_NOT_CONTAINED',
      cause: { operation: 'ListAccessKeys' },
    });
    // Without it no notice would come, and no alarm: only the dead letter of the last attempt.
    expect(denied.happenings).toEqual([
      {
        what: 'leak-not-contained',
        keyId: 'AKIANOBODYNOBODY2345',
        why: expect.stringContaining('AccessDenied'),
        remedy: expect.any(String),
      },
    ]);
  });

  it('says nothing of a key of ours that is gone, but that it is', async () => {
    const ports = superseded({ keys: [key(NEW)] });
    expect(await run(leakReported(OLD), ports)).toMatchObject([
      { keyId: OLD, outcome: 'nothing-to-do', why: 'app has no such key any more' },
    ]);
    expect(ports.of('disable')).toEqual([]);
  });

  it('takes of a quarantined user the keys that worked before it, and those marked by an earlier attempt', async () => {
    const ports = superseded({ keys: [key(NEW, 'Active', at(-10)), key(OLD, 'Active', at(-11))] });
    expect(await run(quarantined('app', at(-10)), ports)).toMatchObject([{ keyId: OLD, outcome: 'contained' }]);
    const again = superseded({ tags: mark(OLD), keys: [key(NEW, 'Active', at(-5)), key(OLD, 'Inactive', at(-11))] });
    expect(await run(quarantined('app', at(-99)), again)).toEqual([]);
    expect(await run(quarantined('app', at(-10)), again)).toMatchObject([{ keyId: OLD, outcome: 'nothing-to-do' }]);
  });

  it('does nothing about a quarantine that was refused', async () => {
    const event = quarantined('app', NOW);
    const ports = superseded();
    expect(await run({ ...event, detail: { ...event.detail, errorCode: 'AccessDenied' } }, ports)).toEqual([]);
    expect(ports.calls).toEqual([]);
  });

  it('asks for the rotation again where none has promoted a key, and gives up at last with why and what to do', async () => {
    const ports = superseded();
    const error = await failureOf(run(leakReported(NEW), ports));
    expect(error).toMatchObject({ code: 'LEAK_NOT_CONTAINED' });
    expect(String(error)).toContain(
      `${NEW} of app, reported as leaked at 2026-06-15T12:00:00Z: no other key has become current`,
    );
    expect(String(error)).toContain(
      `aws iam update-access-key --user-name app --access-key-id ${NEW} --status Inactive`,
    );
    expect(ports.of('startRotation')).toHaveLength(4);
    expect(ports.time.getTime() - NOW.getTime()).toBeLessThan(620_000);
    expect(ports.happenings.at(-1)).toMatchObject({ what: 'leak-not-contained', keyId: NEW });
    expect(ports.of('disable')).toEqual([]);
  });

  it('ends before Lambda stops it', async () => {
    const ports = superseded({ timeLeft: 60_000 });
    await failureOf(run(leakReported(NEW), ports));
    expect(ports.time.getTime() - NOW.getTime()).toBeLessThan(40_000);
  });

  it('looks again where what it had read was old, and changes no key on that', async () => {
    const ports = superseded();
    let slow = 3;
    ports.before('describe', () => {
      slow -= 1;
      if (slow === 0) ports.pass(20_000);
    });
    expect(await run(exposed(OLD), ports)).toMatchObject([{ outcome: 'contained' }]);
    expect(ports.of('disable')).toHaveLength(1);
  });

  it('changes no more keys than one run may', async () => {
    const error = await failureOf(run(exposed(OLD), superseded(), {}, 0));
    expect(String(error)).toContain('as many keys were changed as one run may change');
    const first = superseded();
    await failureOf(run(exposed(NEW), first, { onLeak: 'disable-first' }, 0));
    expect(first.of('disable')).toEqual([]);
  });

  it('changes nothing in observe mode, and says what it would do', async () => {
    const ports = superseded();
    const outcomes = await run(exposed(NEW, OLD), ports, { mode: 'observe' });
    expect(outcomes).toMatchObject([
      { keyId: NEW, outcome: 'would-contain', why: expect.stringContaining('a rotation would be started') },
      { keyId: OLD, outcome: 'would-contain', why: expect.stringContaining('would be disabled') },
    ]);
    expect(changes(ports)).toEqual([]);
    // Nobody else disables it, so people are told to.
    expect(ports.happenings).toMatchObject([
      {
        what: 'leak-reported',
        keyId: NEW,
        remedy: expect.stringContaining(`--access-key-id ${NEW} --status Inactive`),
      },
      { what: 'leak-reported', keyId: OLD, remedy: expect.stringContaining('disable it by hand') },
    ]);
    const inactive = superseded({ keys: [key(NEW), key(OLD, 'Inactive')] });
    expect(await run(exposed(OLD), inactive, { mode: 'observe' })).toMatchObject([{ outcome: 'nothing-to-do' }]);
  });
});
