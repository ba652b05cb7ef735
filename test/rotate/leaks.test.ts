/** What a rotation does about leaks: slots that make way, keys that end at once, and a pending key that is not promoted. */
import { describe, expect, it } from 'vitest';
import { createSecret } from '../../lambdas/rotate/create-secret.ts';
import { finishSecret } from '../../lambdas/rotate/finish-secret.ts';
import { key, NEW, OLD, OTHER } from '../domain/world.ts';
import { DAY } from '../policy.ts';
import {
  ACCOUNT,
  ARN,
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

const entry = (keyId: string, more: string) => ({ [`iam-key-rotator:key/${keyId}`]: more });
const mark = (keyId: string) => ({ [`iam-key-rotator:leak/${keyId}`]: 'at=2026-06-15T11:59:00Z signal=health' });
const USER = { 'iam-key-rotator:user-id': USER_ID };
const PENDING = entry(NEW, `version=${TOKEN} minted=2026-06-15T11:59:00Z`);
const ENTRY = entry(OLD, `version=${CURRENT} minted=2026-03-07T12:00:00Z promoted=2026-03-07T12:05:00Z`);

describe('createSecret, when the current key is leaked', () => {
  const SUPERSEDED = entry(OTHER, `version=v0 promoted=2026-01-01T00:05:00Z superseded=2026-06-14T12:05:00Z by=${OLD}`);
  const full = (status: 'Active' | 'Inactive', tags: Given['tags'] = mark(OLD)) =>
    new Ports({
      labels: { [CURRENT]: ['AWSCURRENT'], [TOKEN]: ['AWSPENDING'] },
      values: { [CURRENT]: valueWith(OLD) },
      keys: [key(OLD), key(OTHER, status)],
      tags: { ...USER, ...ENTRY, ...SUPERSEDED, ...tags },
    });
  const run = (ports: Ports) => createSecret(rotationOf('createSecret'), ports.world);
  const changes = (ports: Ports) =>
    ports.operations().filter((name) => ['disable', 'remove', 'tag', 'mint'].includes(name));

  it('disables and then deletes the superseded key that holds the slot, and says why', async () => {
    const ports = full('Active');
    await run(ports);
    expect(changes(ports).slice(0, 4)).toEqual(['disable', 'remove', 'tag', 'tag']);
    expect([ports.of('disable'), ports.of('remove')]).toEqual([[['app', OTHER]], [['app', OTHER]]]);
    expect(ports.of('tag')[0]).toEqual([ARN, {}, [`iam-key-rotator:key/${OTHER}`]]);
    expect(ports.of('tag')[1]?.[1]).toMatchObject({
      'iam-key-rotator:intent/run-now': `token=${TOKEN} at=2026-06-15T12:00:00Z before=${OLD}`,
    });
    expect(ports.happenings[0]).toEqual({
      what: 'deleted',
      ...WHO,
      keyId: OTHER,
      reason: 'slot-for-leak',
      observed: false,
    });
    expect(ports.of('mint')).toHaveLength(1);
  });

  it('only deletes one that is Inactive already, and takes its mark with it', async () => {
    const ports = full('Inactive', { ...mark(OLD), ...mark(OTHER) });
    await run(ports);
    expect(ports.of('disable')).toEqual([]);
    expect(ports.of('tag')[0]?.[2]).toEqual([`iam-key-rotator:key/${OTHER}`, `iam-key-rotator:leak/${OTHER}`]);
  });

  it.each(['list', 'disable'] as const)('deletes nothing on facts that were old when %s was answered', async (late) => {
    const ports = full('Active').slow(late, 16_000);
    expect(told(await failureOf(run(ports)))).toContain('READ_STALE');
    expect(ports.of('remove')).toEqual([]);
  });

  it('leaves the slot alone while the current key is not marked', async () => {
    const ports = full('Active', mark(OTHER));
    expect(told(await failureOf(run(ports)))).toContain('SLOT_NOT_FREE_YET');
    expect(changes(ports)).toEqual([]);
  });
});

/** The new key is verified and not promoted yet; one of the two is leaked. */
const verified = (leaked: string, more: Given = {}) =>
  new Ports({
    labels: { [CURRENT]: ['AWSCURRENT'], [TOKEN]: ['AWSPENDING'] },
    values: { [CURRENT]: valueWith(OLD), [TOKEN]: valueWith(NEW) },
    keys: [key(OLD), key(NEW)],
    tags: {
      ...USER,
      ...ENTRY,
      ...PENDING,
      ...mark(leaked),
      'iam-key-rotator:verified': `token=${TOKEN} key=${NEW} account=${ACCOUNT} user=${USER_ID} at=2026-06-15T12:00:00Z`,
    },
    ...more,
  });

describe('a leaked pending key', () => {
  it.each([
    ['createSecret', createSecret],
    ['finishSecret', finishSecret],
  ] as const)('is refused by %s, which takes AWSPENDING off its version', async (step, run) => {
    const ports = verified(NEW);
    expect(told(await failureOf(run(rotationOf(step), ports.world)))).toContain('PENDING_KEY_LEAKED');
    expect(ports.of('moveLabel')).toEqual([[ARN, 'AWSPENDING', TOKEN]]);
    expect(ports.of('mint')).toEqual([]);
  });
});

describe('finishSecret, when the key that it supersedes is leaked', () => {
  const run = (ports: Ports) => finishSecret(rotationOf('finishSecret', { deactivateAfter: 3 * DAY }), ports.world);

  it('disables it at once, whatever the overlap, after the label has moved', async () => {
    const ports = verified(OLD);
    await run(ports);
    expect(ports.operations()).toEqual(['describe', 'moveLabel', 'tag', 'read', 'disable', 'tag']);
    expect(ports.of('disable')).toEqual([['app', OLD]]);
    expect(ports.happenings.at(-1)).toMatchObject({ what: 'disabled', keyId: OLD, reason: 'leaked' });
  });

  it('disables it when it is run again, and no key that is not leaked', async () => {
    const promoted = entry(NEW, `version=${TOKEN} promoted=2026-06-15T12:00:00Z`);
    const superseded = (keyId: string) =>
      entry(keyId, `version=${keyId === OLD ? CURRENT : 'v0'} superseded=2026-06-15T12:00:00Z by=${NEW}`);
    const tags = { ...USER, ...promoted, ...superseded(OTHER), ...superseded(OLD), ...mark(OLD) };
    const ports = verified(OLD, { labels: { [TOKEN]: ['AWSCURRENT'] }, tags });
    await run(ports);
    expect(ports.of('disable')).toEqual([['app', OLD]]);
  });

  it('leaves it where somebody has moved AWSCURRENT back to it meanwhile', async () => {
    const ports = verified(OLD);
    ports.before('tag', () => {
      ports.labels = new Map([[CURRENT, ['AWSCURRENT']]]);
    });
    await run(ports);
    expect(ports.of('disable')).toEqual([]);
  });
});
