/** How often the secret is read while an application works. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { withFreshCredentials } from '../../client/index.ts';
import { Application, DAY, identify, MINUTE, SECOND } from './world.ts';

afterEach(() => vi.unstubAllGlobals());

/** A request a second for a day. @returns how many failed */
async function workForADay(
  application: Application,
  client: ReturnType<Application['sts']>,
  atSecond = (_: number) => {},
) {
  let failed = 0;
  for (let second = 0; second < DAY / SECOND; second += 1) {
    atSecond(second);
    await identify(client).catch(() => {
      failed += 1;
    });
    await application.advance(SECOND);
  }
  return failed;
}

describe('an application that makes a request a second for a day', () => {
  it('reads the secret 288 times with a ttl of 5 minutes', async () => {
    const application = Application.withKey();
    const client = application.sts(application.provider({ ttl: 300 }));
    expect(await workForADay(application, client)).toBe(0);
    expect(application.fetches()).toBe(288);
  });
});

describe('requests at the same moment', () => {
  it('a thousand on a cold provider read the secret once', async () => {
    const application = Application.withKey();
    const provider = application.provider();
    const clients = [application.sts(provider), application.sts(provider)];
    await Promise.all(
      Array.from({ length: 1000 }, (_, index) => clients[index % 2]).map((client) => client && identify(client)),
    );
    expect(application.fetches()).toBe(1);
    expect(application.calls('GetCallerIdentity')).toHaveLength(1000);
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
