/** How often the secret is read while an application works. */
import { doesIdentityRequireRefresh, isIdentityExpired, memoizeIdentityProvider } from '@smithy/core';
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { withFreshCredentials } from '../../client/index.ts';
import { Application, DAY, identify, MINUTE, SECOND } from './world.ts';

afterEach(() => vi.unstubAllGlobals());

/** Does something every second of a day. */
async function everySecond(application: Application, work: (second: number) => Promise<unknown>): Promise<void> {
  for (let second = 0; second < DAY / SECOND; second += 1) {
    await work(second);
    await application.advance(SECOND);
  }
}

/** A provider as the SDK's clients ask it: not at every request. */
function remembered(provider: AwsCredentialIdentityProvider) {
  const memoized = memoizeIdentityProvider(provider, isIdentityExpired, doesIdentityRequireRefresh);
  if (memoized === undefined) throw new Error('no provider');
  return memoized;
}

describe('an application that makes a request a second for a day', () => {
  it('reads the secret 288 times through a client of the SDK, with a ttl of 5 minutes', async () => {
    const application = Application.withKey();
    const client = application.unheardSts(application.provider({ ttl: 300 }));
    await everySecond(application, () => identify(client));
    expect(application.fetches()).toBe(288);
  });

  it.each([
    // The SDK asks when less than 5 minutes are left until the expiration: a second later than the ttl, at a request a second.
    [60, Math.ceil(86_400 / 61)],
    [300, 288],
    [3600, 24],
    [86_400, 1],
  ])('reads it no more often than every ttl: %s s, %s times', async (ttl, times) => {
    const application = Application.withKey();
    const credentials = remembered(application.provider({ ttl }));
    await everySecond(application, () => credentials());
    expect(application.fetches()).toBe(times);
  });

  it('reads it no more often for rotations with an overlap, and signs with the new key 5 minutes and a request later', async () => {
    const application = Application.withKey();
    const credentials = remembered(application.provider({ ttl: 300 }));
    const rotations = [10_001, 40_000, 40_299, 86_000];
    let promotedAt = 0;
    let stalest = 0;
    await everySecond(application, async (second) => {
      if (rotations.includes(second)) {
        application.promote();
        promotedAt = second;
      }
      const { accessKeyId } = await credentials();
      if (accessKeyId !== application.current()) stalest = Math.max(stalest, second - promotedAt);
    });
    expect(application.fetches()).toBe(288);
    // The request that finds the ttl over still goes out with the old key, while the new one is read.
    expect(stalest).toBeLessThanOrEqual(301);
  });

  it('reads it at most once more for each emergency, and no request fails', async () => {
    const application = Application.withKey();
    const client = withFreshCredentials(application.sts(application.provider()), { clock: application.clock });
    const emergencies = [7_010, 20_000, 20_150, 60_300];
    let ended = 0;
    for (let second = 0; second < DAY / SECOND; second += 10) {
      if (emergencies.includes(second)) {
        const old = application.current();
        application.promote();
        application.account.setAccessKeyStatus(old, 'Inactive');
        ended += 1;
      }
      await application.run(identify(client));
      await application.advance(10 * SECOND);
    }
    expect(ended).toBe(4);
    expect(application.fetches()).toBeLessThanOrEqual(288 + ended);
    expect(application.calls('GetCallerIdentity').filter(({ outcome }) => outcome !== 'ok')).toHaveLength(ended);
  });
});

describe('requests at the same moment', () => {
  it('a thousand on a cold provider read the secret once', async () => {
    const application = Application.withKey();
    const provider = application.provider();
    const [one, other] = [application.sts(provider), application.sts(provider)];
    await Promise.all(Array.from({ length: 500 }, () => [identify(one), identify(other)]).flat());
    expect(application.fetches()).toBe(1);
    expect(application.calls('GetCallerIdentity')).toHaveLength(1000);
  });

  it('a thousand that find the ttl over read it once, and none waits for that', async () => {
    const application = Application.withKey();
    const provider = application.provider({ ttl: 300 });
    const { accessKeyId } = await provider();
    application.promote();
    await application.advance(5 * MINUTE);
    const ids = await Promise.all(Array.from({ length: 1000 }, async () => (await provider()).accessKeyId));
    expect(new Set(ids)).toEqual(new Set([accessKeyId]));
    await application.advance(SECOND);
    expect(application.fetches()).toBe(2);
    expect((await provider()).accessKeyId).toBe(application.current());
  });

  it('a thousand that are refused read the secret once, and all succeed', async () => {
    const application = Application.withKey();
    const client = withFreshCredentials(application.sts(application.provider()), { clock: application.clock });
    await identify(client);
    const old = application.current();
    await application.advance(MINUTE);
    application.promote();
    application.account.setAccessKeyStatus(old, 'Inactive');
    await application.run(Promise.all(Array.from({ length: 1000 }, () => identify(client))));
    expect(application.fetches()).toBe(2);
    expect(application.calls('GetCallerIdentity')).toHaveLength(1 + 2000);
  });
});
