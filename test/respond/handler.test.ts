import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Deployment } from '../../lambdas/contract/deployment.ts';
import { key, NEW, OLD } from '../domain/world.ts';
import { deployedKey } from '../policy.ts';
import { contextOf, deployed } from '../rotate/lambda.ts';
import { CURRENT, failureOf, Ports, REGION, USER_ID, valueWith } from '../rotate/ports.ts';
import { leakReported } from '../simulation/world.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.doUnmock('../../lambdas/adapters/clients.ts');
});

const deployment: Deployment = {
  formatVersion: 1,
  name: 'prod',
  maxChangesPerRun: 25,
  rotateTimeout: 120,
  keys: [deployedKey({ userName: 'app' })],
};

async function load() {
  const ports = new Ports({
    labels: { [CURRENT]: ['AWSCURRENT'] },
    values: { [CURRENT]: valueWith(NEW) },
    keys: [key(NEW), key(OLD, 'Inactive')],
    tags: {
      'iam-key-rotator:user-id': USER_ID,
      [`iam-key-rotator:key/${NEW}`]: `version=${CURRENT} promoted=2026-06-10T12:05:00Z`,
      [`iam-key-rotator:key/${OLD}`]: `version=v0 promoted=2026-03-07T12:05:00Z superseded=2026-06-10T12:05:00Z by=${NEW}`,
    },
  });
  const output = deployed(deployment, ports);
  const { handler } = await import('../../lambdas/respond/handler.ts');
  return { ...output, handler, ports };
}

describe('the respond Lambda', () => {
  it('answers what became of the key, logs it and counts it', async () => {
    const { handler, counted, logged, regions, ports } = await load();
    expect(await handler(leakReported(OLD), contextOf('run-now', 900_000))).toMatchObject([
      { keyId: OLD, outcome: 'nothing-to-do' },
    ]);
    expect(regions).toEqual([REGION, REGION, REGION]);
    expect(ports.of('tag')).toHaveLength(1);
    expect(counted()).toEqual([{ LeaksReported: 1, LeaksContained: 1 }]);
    expect(logged().map(({ message }) => message)).toEqual(['leak-reported', 'leak-contained']);
  });

  it('logs what it fails at, and fails', async () => {
    const { handler, printed } = await load();
    expect(await failureOf(handler({ source: 'aws.health' }, contextOf('run-now')))).toMatchObject({
      code: 'EVENT_MALFORMED',
    });
    expect(printed()).toContain('responding to a leak failed');
  });
});
