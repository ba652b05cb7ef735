/** What happens to requests whose key is refused. */
import { Readable } from 'node:stream';
import { IAMClient } from '@aws-sdk/client-iam';
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type KeyRetry, withFreshCredentials } from '../../client/index.ts';
import { isRefusedKey } from '../../client/refused.ts';
import { Simulation } from '../simulation/world.ts';
import { Application, codeOf, HOUR, identify, MINUTE, SECOND, SECRET } from './world.ts';

let application: Application;
beforeEach(() => {
  application = Application.withKey();
});
afterEach(() => vi.unstubAllGlobals());

/** A client of STS that has worked once, and what it was told since. */
async function working(patience?: number) {
  const retries: KeyRetry[] = [];
  const { clock } = application;
  const options = {
    clock,
    onRetry: (retry: KeyRetry) => retries.push(retry),
    ...(patience !== undefined && { patience }),
  };
  const client = withFreshCredentials(application.sts(application.provider()), options);
  await identify(client);
  const old = application.current();
  return { client, retries, old, disable: () => application.account.setAccessKeyStatus(old, 'Inactive') };
}

const requests = () => application.calls('GetCallerIdentity').length;
const elapsed = (since: number) => application.account.clock.nowMs - since;

describe('a request that is refused for its key', () => {
  it('is sent again with the new key, at once', async () => {
    const { client, retries, old, disable } = await working();
    const { accessKeyId } = application.promote();
    disable();
    const since = application.account.clock.nowMs;
    await application.run(identify(client));
    expect(elapsed(since)).toBe(0);
    expect(requests()).toBe(3);
    expect(retries).toMatchObject([{ refused: old, accessKeyId, error: { name: 'InvalidClientTokenId' } }]);
  });

  it('is sent again without a reading if the provider has the new key already', async () => {
    const provider = application.provider();
    const [one, other] = [0, 1].map(() =>
      withFreshCredentials(application.sts(provider), { clock: application.clock }),
    );
    if (one === undefined || other === undefined) throw new Error('two clients');
    await Promise.all([identify(one), identify(other)]);
    const old = application.current();
    application.promote();
    application.account.setAccessKeyStatus(old, 'Inactive');
    await application.run(identify(one));
    await application.run(identify(other));
    expect(application.fetches()).toBe(2);
  });

  it('waits for a successor that is promoted some seconds later', async () => {
    const { client, retries, old, disable } = await working();
    disable();
    application.account.clock.setTimeout(() => application.promote(), 10 * SECOND);
    const since = application.account.clock.nowMs;
    await application.run(identify(client));
    // Looked for after 0, 1, 3, 7 and 15 seconds.
    expect(elapsed(since)).toBe(15 * SECOND);
    expect(retries.map(({ refused }) => refused)).toEqual(Array(4).fill(old));
    expect(retries.map(({ accessKeyId }) => accessKeyId)).toEqual([old, old, old, application.current()]);
  });

  it('fails with what it was answered first once its patience is over, having read the secret a few times', async () => {
    const { client, retries, disable } = await working();
    disable();
    const since = application.account.clock.nowMs;
    expect(await codeOf(application.run(identify(client)))).toBe('InvalidClientTokenId');
    expect(elapsed(since)).toBe(30 * SECOND);
    expect(requests()).toBe(1 + 6);
    expect(retries).toHaveLength(5);
    // After 0, 3, 7, 15 and 30 seconds; a second after the first one is too soon.
    expect(application.fetches()).toBe(1 + 5);
  });

  it('waits only once for each key: what is refused later fails after one look', async () => {
    const { client, disable } = await working();
    disable();
    await codeOf(application.run(identify(client)));
    const since = application.account.clock.nowMs;
    expect(await codeOf(application.run(identify(client)))).toBe('InvalidClientTokenId');
    expect(elapsed(since)).toBe(0);
    application.promote();
    await application.advance(2 * SECOND);
    expect(await codeOf(application.run(identify(client)))).toBe('fine');
  });

  it('does not wait at all with a patience of 0', async () => {
    const { client, disable } = await working(0);
    disable();
    const since = application.account.clock.nowMs;
    expect(await codeOf(application.run(identify(client)))).toBe('InvalidClientTokenId');
    expect([elapsed(since), application.fetches()]).toEqual([0, 2]);
    application.promote();
    await application.advance(2 * SECOND);
    expect(await codeOf(application.run(identify(client)))).toBe('fine');
  });

  it('fails with what it was answered if the secret can not be read either', async () => {
    const { client, disable } = await working(3);
    application.outage();
    disable();
    const since = application.account.clock.nowMs;
    expect(await codeOf(application.run(identify(client)))).toBe('InvalidClientTokenId');
    expect(elapsed(since)).toBe(3 * SECOND);
  });

  it('fails with what it was answered if its provider fails', async () => {
    const key = application.account.createAccessKey('app', { force: true });
    let asked = 0;
    const provider = async () => {
      asked += 1;
      if (asked > 2) throw new Error('the provider fails');
      return key;
    };
    const client = withFreshCredentials(application.sts(provider), { clock: application.clock, patience: 1 });
    application.account.deleteAccessKey(key.accessKeyId);
    expect(await codeOf(application.run(identify(client)))).toBe('InvalidClientTokenId');
  });

  it('fails with the first answer if the new key is refused in another way', async () => {
    const { client, disable } = await working(0);
    application.promote();
    disable();
    const error = { code: 'UnrecognizedClientException', message: 'not known' };
    application.account.faults.add({ kind: 'refuse', error, match: { action: 'GetCallerIdentity' }, times: 9 });
    expect(await codeOf(application.run(identify(client)))).toBe('InvalidClientTokenId');
    expect(requests()).toBe(3);
  });

  it('is sent again without asking for a refresh if the credentials are another key already', async () => {
    const { account } = application;
    let key = account.createAccessKey('app', { force: true });
    const forced: unknown[] = [];
    const provider: AwsCredentialIdentityProvider = async (properties) => {
      forced.push(properties?.forceRefresh);
      return { ...key, expiration: application.account.clock.now() };
    };
    const client = withFreshCredentials(application.sts(provider), { clock: application.clock });
    account.deleteAccessKey(key.accessKeyId);
    account.onCall(({ outcome }) => {
      if (outcome !== 'ok') key = account.createAccessKey('app', { force: true });
    });
    expect(await codeOf(application.run(identify(client)))).toBe('fine');
    expect(new Set(forced)).toEqual(new Set([undefined]));
  });

  it('comes to an end with a provider that goes back and forth between keys that are refused', async () => {
    const dead = [0, 1].map(() => application.account.createAccessKey('app', { force: true }));
    for (const { accessKeyId } of dead) application.account.deleteAccessKey(accessKeyId);
    const provider = async () => {
      const next = dead[requests() % 2];
      if (next === undefined || requests() > 50) throw new Error('asked without end');
      return { ...next, expiration: application.account.clock.now() };
    };
    const client = withFreshCredentials(application.sts(provider), { clock: application.clock, patience: 7 });
    expect(await codeOf(application.run(identify(client)))).toBe('InvalidClientTokenId');
    // Each key at first sight, and after pauses of 1, 2 and 4 seconds.
    expect(requests()).toBe(2 + 3);
  });

  it("fails at once with any other error, the new key's included", async () => {
    const { client, disable } = await working();
    const throttled = { kind: 'refuse', match: { action: 'GetCallerIdentity' } } as const;
    application.account.faults.add(throttled);
    expect(await codeOf(identify(client))).toBe('ThrottlingException');
    expect(requests()).toBe(2);
    application.promote();
    disable();
    application.account.faults.add(throttled);
    expect(await codeOf(application.run(identify(client)))).toBe('ThrottlingException');
    expect(requests()).toBe(4);
  });

  it.each([
    [
      'a hook that throws',
      () => {
        throw new Error('in the hook');
      },
    ],
    ['a hook that rejects', () => Promise.reject(new Error('in the hook'))],
  ])('is sent again in spite of %s', async (_, onRetry) => {
    const { client, disable } = await working();
    withFreshCredentials(client, { clock: application.clock, onRetry });
    application.promote();
    disable();
    expect(await codeOf(application.run(identify(client)))).toBe('fine');
  });

  it('reads the secret every 2 seconds at most, and after a minute without another key every 30', async () => {
    const provider = application.provider({ ttl: 86_400 });
    await provider();
    for (let half = 0; half < 4 * 120; half += 1) {
      await provider({ forceRefresh: true });
      await application.advance(SECOND / 2);
    }
    // 30 in the first minute, then after another 30, 60, … 180 seconds.
    expect(application.fetches()).toBe(1 + 30 + 6);
    application.promote();
    await application.advance(30 * SECOND);
    expect((await provider({ forceRefresh: true })).accessKeyId).toBe(application.current());
    application.promote();
    await application.advance(2 * SECOND);
    expect((await provider({ forceRefresh: true })).accessKeyId).toBe(application.current());
  });

  it('does not take the key of a reading that had begun before, if that is the refused one', async () => {
    const provider = application.provider();
    const { accessKeyId } = await provider();
    await application.advance(5 * MINUTE);
    application.account.faults.add({ kind: 'late', ms: 3 * SECOND, match: { action: 'GetSecretValue' } });
    await provider();
    await application.advance(SECOND);
    const { accessKeyId: next } = application.promote();
    const got = await application.run(provider({ forceRefresh: true }));
    expect(got.accessKeyId).toBe(next);
    expect(next).not.toBe(accessKeyId);
  });
});

describe('a key that is so new that it is not known everywhere', () => {
  it.each([2, 8, 20])(
    'costs no failed request when it takes %s seconds, even though the old one was disabled at once',
    async (seconds) => {
      application = Application.withKey({ activationDelay: seconds * SECOND });
      await application.advance(MINUTE);
      const { client, disable } = await working();
      application.promote();
      disable();
      expect(await codeOf(application.run(identify(client)))).toBe('fine');
      expect(application.fetches()).toBeLessThanOrEqual(7);
    },
  );

  it('costs none either when it is the first one of an application', async () => {
    application = Application.withKey({ activationDelay: 8 * SECOND });
    const client = withFreshCredentials(application.sts(application.provider()), { clock: application.clock });
    expect(await codeOf(application.run(identify(client)))).toBe('fine');
  });

  it('costs none when it is known at one moment and unknown at the next', async () => {
    let asked = 0;
    application = Application.withKey({ flicker: () => asked++ % 3 !== 2 });
    const client = withFreshCredentials(application.sts(application.provider()), { clock: application.clock });
    for (let request = 0; request < 5; request += 1)
      expect(await codeOf(application.run(identify(client)))).toBe('fine');
  });
});

describe('a stream in a request', () => {
  it.each([
    ['of Node', () => Readable.from(['text'])],
    ['of the web', () => new ReadableStream()],
    [
      'that is any asynchronous iterable',
      () =>
        (async function* () {
          yield 'text';
        })(),
    ],
  ])('%s is not sent again, but the next request has the new key', async (_, body) => {
    const { client, disable } = await working();
    application.promote();
    disable();
    const before = requests();
    const input: object = { Body: body() };
    expect(await codeOf(application.run(client.send(new GetCallerIdentityCommand(input))))).toBe(
      'InvalidClientTokenId',
    );
    expect(requests() - before).toBe(1);
    await identify(client);
    expect(requests() - before).toBe(2);
  });

  it.each([
    ['bytes', new Uint8Array(3)],
    ['text', 'text'],
    ['a blob', new Blob(['text'])],
    ['nothing', undefined],
  ])('is not %s, which is sent again', async (_, body) => {
    const { client, disable } = await working();
    application.promote();
    disable();
    const input: object = { Body: body };
    expect(await codeOf(application.run(client.send(new GetCallerIdentityCommand(input))))).toBe('fine');
  });
});

describe('the names of refusals', () => {
  it.each(['InvalidClientTokenId', 'InvalidAccessKeyId', 'UnrecognizedClientException'])('include %s', (name) => {
    expect(isRefusedKey(Object.assign(new Error('refused'), { name }))).toBe(true);
    expect(isRefusedKey(Object.assign(new Error(''), { name }))).toBe(true);
    expect(isRefusedKey(Object.assign(new Error('refused'), { name: `${name}2` }))).toBe(false);
  });

  it("include EC2's AuthFailure when it is about the key, and not when it is about permissions", () => {
    const failure = (message: string) => Object.assign(new Error(message), { name: 'AuthFailure' });
    expect(isRefusedKey(failure('AWS was not able to validate the provided access credentials'))).toBe(true);
    expect(isRefusedKey(failure('Not authorized for images: [ami-0abcdef1234567890]'))).toBe(false);
    expect(isRefusedKey(failure(''))).toBe(false);
  });

  it.each(['AccessDenied', 'AccessDeniedException', 'SignatureDoesNotMatch', 'ExpiredToken', 'Error'])(
    'do not include %s',
    (name) => {
      expect(isRefusedKey(Object.assign(new Error('refused'), { name }))).toBe(false);
    },
  );

  it('are looked for in errors only', () => {
    expect(isRefusedKey({ name: 'InvalidClientTokenId' })).toBe(false);
    expect(isRefusedKey(undefined)).toBe(false);
  });
});

describe('a client', () => {
  it('is given back as it is, whichever service it is of', () => {
    const config = application.account.clientConfig();
    for (const client of [new STSClient(config), new IAMClient(config), new SecretsManagerClient(config)]) {
      expect(withFreshCredentials(client)).toBe(client);
    }
  });

  it('that is given twice sends a request again once, by the options of the second time', async () => {
    const { client, disable } = await working();
    expect(withFreshCredentials(client, { clock: application.clock, patience: 0 })).toBe(client);
    disable();
    const since = application.account.clock.nowMs;
    expect(await codeOf(application.run(identify(client)))).toBe('InvalidClientTokenId');
    expect([elapsed(since), requests()]).toEqual([0, 2]);
  });

  it('survives with requests of other services too, each of them signed anew', async () => {
    const { account } = application;
    const client = withFreshCredentials(
      new SecretsManagerClient({ ...account.clientConfig(), credentials: application.provider() }),
      { clock: application.clock },
    );
    await client.send(new GetSecretValueCommand({ SecretId: SECRET }));
    const old = application.current();
    application.promote();
    account.setAccessKeyStatus(old, 'Inactive');
    const value = { SecretId: SECRET, SecretString: '{}', ClientRequestToken: 'a-token-of-more-than-32-characters' };
    expect(await codeOf(application.run(client.send(new PutSecretValueCommand(value))))).toBe('fine');
  });

  it.each([-1, 0.5, 301, Number.NaN, Number.POSITIVE_INFINITY])(
    'with a patience of %s is an error at once',
    (patience) => {
      const client = new STSClient(application.account.clientConfig());
      expect(() => withFreshCredentials(client, { patience })).toThrow(/^BAD_OPTION: patience/);
    },
  );
});

describe('beside the deployed rotator', () => {
  /** An application that makes requests, some seconds apart. @returns how many failed, and how many there were */
  function makeRequests(client: STSClient, seconds: number) {
    const count = { failed: 0, made: 0 };
    const { clock } = application.account;
    const work = () => {
      count.made += 1;
      identify(client).catch(() => {
        count.failed += 1;
      });
      clock.setTimeout(work, seconds * SECOND);
    };
    work();
    return count;
  }

  async function deployed() {
    const simulation = new Simulation();
    simulation.account.createUser('app');
    await simulation.schedule(SECRET, 30);
    application = new Application(simulation.account);
    return simulation;
  }

  it('rotations and retirements cost an application no failed request, without anything but the provider', async () => {
    const simulation = await deployed();
    const first = application.current();
    const count = makeRequests(application.sts(application.provider()), 240);
    await simulation.rotate(SECRET);
    await simulation.advanceWithPasses(4, 12);
    expect(simulation.keys('app')[first]).toBe('Inactive');
    expect(count.failed).toBe(0);
    expect(count.made).toBeGreaterThan(4 * 24 * 15);
    expect(simulation.oracle.finish()).toEqual([]);
  });

  it('an emergency, the old key disabled in the very moment of the promotion, costs none with withFreshCredentials', async () => {
    const simulation = await deployed();
    const first = application.current();
    const client = withFreshCredentials(application.sts(application.provider()), { clock: application.clock });
    const count = makeRequests(client, 10);
    await application.advance(HOUR);
    application.account.onChange(({ change }) => {
      if (change.what === 'label-moved' && change.label === 'AWSCURRENT')
        application.account.setAccessKeyStatus(first, 'Inactive');
    });
    await simulation.rotate(SECRET);
    expect(simulation.keys('app')[first]).toBe('Inactive');
    expect(count.failed).toBe(0);
    expect(application.fetches()).toBeGreaterThan(12);
  });

  it('a leaked key that is disabled before its successor is minted costs none as long as that takes less than the patience', async () => {
    const simulation = await deployed();
    const first = application.current();
    const client = withFreshCredentials(application.sts(application.provider()), { clock: application.clock });
    const count = makeRequests(client, 10);
    await application.advance(HOUR);
    application.account.setAccessKeyStatus(first, 'Inactive');
    await simulation.rotate(SECRET);
    expect(count.failed).toBe(0);
  });
});
