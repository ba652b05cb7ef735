/** How old a key may get, and who waits for a newer one. */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Application, codeOf, DAY, HOUR, identify, MINUTE, SECOND } from './world.ts';

let application: Application;
beforeEach(() => {
  application = Application.withKey();
});
afterEach(() => vi.unstubAllGlobals());

describe('the ttl', () => {
  it.each([
    ['a second before it is over, once', 299 * SECOND, 1],
    ['at the instant when it is over, twice', 300 * SECOND, 2],
    ['a second after, twice', 301 * SECOND, 2],
  ])('has the secret read, %s', async (_, age, fetches) => {
    const provider = application.provider({ ttl: 300 });
    await provider();
    await application.advance(age);
    await provider();
    await application.advance(0);
    expect(application.fetches()).toBe(fetches);
  });

  it.each([
    ['handed out at once a second before twice the ttl', 300, 599, true],
    ['waited for at twice the ttl', 300, 600, false],
    ['handed out at once a second before the ttl and 5 minutes, if that is less', 3600, 3899, true],
    ['waited for at the ttl and 5 minutes', 3600, 3900, false],
    ['waited for after days', 300, 3 * 86_400, false],
  ])('an old key is %s', async (_, ttl, age, old) => {
    const provider = application.provider({ ttl });
    const { accessKeyId } = await provider();
    application.promote();
    await application.advance(age * SECOND);
    expect((await provider()).accessKeyId === accessKeyId).toBe(old);
  });

  it('of 0 has the secret read each time', async () => {
    const provider = application.provider({ ttl: 0 });
    const ids: string[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      ids.push((await provider()).accessKeyId);
      expect(ids.at(-1)).toBe(application.current());
      application.promote();
    }
    expect(new Set(ids).size).toBe(3);
    expect(application.fetches()).toBe(3);
  });

  it('of 0 and keepFor of 0 still gives what was just read, and nothing else', async () => {
    const provider = application.provider({ ttl: 0, keepFor: 0 });
    expect((await provider()).accessKeyId).toBe(application.current());
    application.outage();
    expect(await codeOf(provider())).toBe('SECRET_UNAVAILABLE');
  });

  it('is known to the SDK as an expiration 5 minutes later, so that it asks neither always nor never', async () => {
    const provider = application.provider({ ttl: 300 });
    const start = application.account.clock.nowMs;
    expect((await provider()).expiration).toEqual(new Date(start + 10 * MINUTE));
    await application.advance(200 * SECOND);
    expect((await provider()).expiration).toEqual(new Date(start + 10 * MINUTE));
    application.outage();
    await application.advance(HOUR);
    expect((await provider()).expiration).toEqual(new Date(start + 200 * SECOND + HOUR + 5 * MINUTE));
  });

  it('is over as well when the clock has been put back: how old the key is, nobody knows then', async () => {
    const provider = application.provider({ ttl: 300 });
    await provider();
    application.account.clock.skew = -HOUR;
    const { expiration } = await provider();
    expect(expiration).toEqual(new Date(application.account.clock.nowMs - HOUR + 10 * MINUTE));
    await application.advance(SECOND);
    expect(application.fetches()).toBe(2);
  });
});

describe('without Secrets Manager', () => {
  it('an hour costs no failed request, and 65 readings that are tried', async () => {
    const client = application.unheardSts(application.provider({ ttl: 300 }));
    await identify(client);
    application.outage();
    await application.advance(5 * MINUTE);
    const before = application.fetches();
    for (let second = 0; second < 3600; second += 1) {
      await identify(client);
      await application.advance(SECOND);
    }
    // After 0, 1, 3, 7, 15, 31 and 63 seconds, and every minute from then on.
    expect(application.fetches() - before).toBe(7 + 58);
    expect(application.warnings).toHaveLength(7 + 58);
    expect(new Set(application.warnings.map(({ code }) => code))).toEqual(new Set(['SECRET_UNAVAILABLE']));
    expect(application.warnings[0]?.message).toMatch(
      /^SECRET_UNAVAILABLE: .*ECONNRESET.*AKIA\w+, read .*, is used until/,
    );
  });

  it('requests wait for the first reading that fails, and for no other', async () => {
    const { account, clock } = application;
    let away = false;
    const usual = account.requestHandler();
    const handle: typeof usual.handle = async (...request) => {
      if (!away) return usual.handle(...request);
      await clock.sleep(10 * SECOND);
      throw new Error('no answer');
    };
    const client = new SecretsManagerClient({ ...account.clientConfig(), requestHandler: { handle } });
    const provider = application.provider({ client, ttl: 300 });
    await provider();
    away = true;
    await application.advance(HOUR);
    const waits: number[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      const since = account.clock.nowMs;
      await application.run(provider());
      waits.push(account.clock.nowMs - since);
      await application.advance(MINUTE);
    }
    expect(waits).toEqual([10 * SECOND, 0, 0, 0, 0]);
    expect(application.warnings).toHaveLength(5);
  });

  it('a reading that succeeds ends the waiting, and the next failure begins with a second again', async () => {
    const provider = application.provider({ ttl: 60 });
    await provider();
    const end = application.outage();
    for (let second = 0; second < 600; second += 1) {
      await application.advance(SECOND);
      await provider();
    }
    end();
    await application.advance(MINUTE);
    await provider();
    await application.advance(SECOND);
    const before = application.fetches();
    application.outage();
    await application.advance(MINUTE);
    await provider();
    await application.advance(SECOND);
    await provider();
    await application.advance(0);
    expect(application.fetches() - before).toBe(2);
  });

  it('a clock that is put back does not put off the next reading', async () => {
    const provider = application.provider({ ttl: 300 });
    await provider();
    application.outage();
    await application.advance(2 * HOUR);
    await provider();
    await application.advance(MINUTE);
    const before = application.fetches();
    application.account.clock.skew = -HOUR;
    await provider();
    await application.advance(0);
    expect(application.fetches() - before).toBe(1);
  });

  it.each([
    ['handed out a second before keepFor is over', -SECOND, 'fine'],
    ['not at the instant', 0, 'SECRET_UNAVAILABLE'],
    ['nor a second after', SECOND, 'SECRET_UNAVAILABLE'],
  ])('the last key is %s', async (_, more, code) => {
    const provider = application.provider({ ttl: 300, keepFor: 7200 });
    await provider();
    application.outage();
    await application.advance(10 * MINUTE);
    await provider();
    await application.advance(2 * HOUR - 10 * MINUTE + more);
    expect(await codeOf(provider())).toBe(code);
  });

  it('keepFor is a day if nothing is said', async () => {
    const provider = application.provider();
    await provider();
    application.outage();
    await application.advance(DAY - SECOND);
    expect(await codeOf(provider())).toBe('fine');
    await application.advance(SECOND);
    expect(await codeOf(provider())).toBe('SECRET_UNAVAILABLE');
  });

  it('the error after keepFor tells since when it fails and why, and goes away with its cause', async () => {
    const provider = application.provider({ keepFor: 3600 });
    await provider();
    const end = application.outage();
    await application.advance(10 * MINUTE);
    await provider();
    await application.advance(HOUR);
    await expect(provider()).rejects.toThrow(
      /no reading succeeds since 2026-01-01T00:10:00.000Z.*ECONNRESET.*the last one is of 2026-01-01T00:00:00.000Z/,
    );
    end();
    await application.advance(SECOND);
    expect(await codeOf(provider())).toBe('fine');
  });

  it('a lost permission is survived in the same way, and is what the error is about in the end', async () => {
    const provider = application.provider({ keepFor: 3600 });
    await provider();
    const error = { code: 'AccessDeniedException', message: 'no' };
    application.account.faults.add({
      kind: 'refuse',
      error,
      match: { action: 'GetSecretValue' },
      times: Number.POSITIVE_INFINITY,
    });
    await application.advance(30 * MINUTE);
    expect(await codeOf(provider())).toBe('fine');
    expect(application.warnings.map(({ code }) => code)).toEqual(['SECRET_UNREADABLE']);
    await application.advance(30 * MINUTE);
    expect(await codeOf(provider())).toBe('SECRET_UNREADABLE');
  });

  it('a cold provider fails with the reason, and reads again a second later, not before', async () => {
    const end = application.outage();
    const provider = application.provider();
    expect(await codeOf(provider())).toBe('SECRET_UNAVAILABLE');
    end();
    await application.advance(999);
    expect(await codeOf(provider())).toBe('SECRET_UNAVAILABLE');
    await application.advance(1);
    expect(await codeOf(provider())).toBe('fine');
    expect(application.fetches()).toBe(2);
    expect(application.warnings).toEqual([]);
  });

  it('a cold provider goes on trying every second, however long it lasts', async () => {
    application.outage();
    const provider = application.provider();
    for (let half = 0; half < 240; half += 1) {
      await codeOf(provider());
      await application.advance(SECOND / 2);
    }
    expect(application.fetches()).toBe(120);
  });

  it('a secret without a key yet is an error until its first rotation', async () => {
    application.account.operate('secretsmanager', 'PutSecretValue', {
      SecretId: 'iam/app',
      SecretString: '{"Bootstrap":"no key yet"}',
    });
    const provider = application.provider();
    expect(await codeOf(provider())).toBe('NO_KEY_YET');
    application.promote();
    await application.advance(SECOND);
    expect((await provider()).accessKeyId).toBe(application.current());
  });
});

describe('a hook', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('in the hook');
      },
    ],
    ['rejects', () => Promise.reject(new Error('in the hook'))],
  ])('that %s breaks nothing', async (_, onWarning) => {
    const provider = application.provider({ onWarning });
    await provider();
    application.outage();
    await application.advance(10 * MINUTE);
    expect(await codeOf(provider())).toBe('fine');
  });
});

describe('a reading in the background', () => {
  it('leaves nothing behind that keeps the process alive', async () => {
    const provider = application.provider();
    await provider();
    await application.advance(5 * MINUTE);
    const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
    const before = timers();
    await provider();
    expect(timers()).toBe(before);
    await application.advance(0);
    expect(application.fetches()).toBe(2);
    expect(timers()).toBe(before);
  });

  it("that fails is nobody's unhandled rejection", async () => {
    const provider = application.provider();
    await provider();
    application.outage();
    await application.advance(5 * MINUTE);
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    await provider();
    await application.advance(SECOND);
    process.off('unhandledRejection', unhandled);
    expect(application.warnings).toHaveLength(1);
    expect(unhandled).not.toHaveBeenCalled();
  });
});
