/** Applications that read the next key with the last one, and keep it in a file. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AwsCredentialIdentity } from '@smithy/types';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fromRotatedSecret, withFreshCredentials } from '../../client/index.ts';
import { readKeyFile, writeKeyFile } from '../../client/key-file.ts';
import { Application, codeOf, DAY, HOUR, identify, MINUTE, SECOND, SECRET } from './world.ts';

let application: Application;
let folder: string;
let file: string;
beforeEach(async () => {
  application = Application.withKey();
  folder = await mkdtemp(join(tmpdir(), 'client-'));
  file = join(folder, 'key.json');
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await rm(folder, { recursive: true, force: true });
});

/** A start of the application without any other credentials than those. */
function start(
  seed?: AwsCredentialIdentity | (() => Promise<AwsCredentialIdentity>),
  more: { ttl?: number; keepFor?: number } = {},
) {
  const { credentials: _, ...clientConfig } = application.account.clientConfig();
  return application.provider({
    file,
    clientConfig: { ...clientConfig },
    region: application.account.region,
    ...(seed && { seed }),
    ...more,
  });
}

/** The secret's current key, as an operator would hand it over. */
function currentKey(): AwsCredentialIdentity {
  const value = JSON.parse(application.account.valueOf(SECRET) ?? '{}');
  return { accessKeyId: value.AccessKeyId, secretAccessKey: value.SecretAccessKey };
}

const readers = () => application.calls('GetSecretValue').map(({ accessKeyId }) => accessKeyId);
const disable = (id: string) => application.account.setAccessKeyStatus(id, 'Inactive');

describe('an application whose only credentials are the rotated ones', () => {
  it('starts with a seed, and again without one', async () => {
    const seed = currentKey();
    expect((await start(seed)()).accessKeyId).toBe(seed.accessKeyId);
    expect(await readKeyFile(file)).toMatchObject({ ...seed, secretId: SECRET });
    await application.advance(HOUR);
    expect((await start()()).accessKeyId).toBe(seed.accessKeyId);
    expect(readers()).toEqual([seed.accessKeyId, seed.accessKeyId]);
  });

  it('keeps the file to itself: mode 0600, and nothing beside it', async () => {
    await start(currentKey())();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await application.advance(HOUR);
    await start()();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['key.json']);
  });

  it('lives through a year of rotations and starts, each key reading its successor during the overlap', async () => {
    let provider = start(currentKey());
    await provider();
    const failures: string[] = [];
    for (let day = 0; day < 360; day += 1) {
      if (day % 30 === 0) {
        const old = application.current();
        application.promote();
        application.account.clock.setTimeout(() => application.account.deleteAccessKey(old), 3 * DAY);
      }
      // It is stopped for two days of each ten.
      if (day % 10 === 9) provider = start();
      if (day % 10 < 8) {
        const code = await codeOf(identify(application.sts(provider)));
        if (code !== 'fine') failures.push(`day ${day}: ${code}`);
      }
      await application.advance(DAY);
    }
    expect(failures).toEqual([]);
    expect(application.warnings).toEqual([]);
    expect(new Set(readers()).size).toBe(13);
  });

  it('uses the key of the file at once if that was read within the ttl, and reads the secret if not', async () => {
    await start(currentKey())();
    await application.advance(299 * SECOND);
    await start()();
    expect(readers()).toHaveLength(1);
    await application.advance(HOUR);
    application.promote();
    expect((await start()()).accessKeyId).toBe(application.current());
    expect(readers()).toHaveLength(2);
  });

  it('has the next key in the file before it reads with it', async () => {
    const provider = start(currentKey());
    await provider();
    const kept: (string | undefined)[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const { accessKeyId } = application.promote();
      await application.advance(HOUR);
      await provider();
      const held = (await readKeyFile(file))?.accessKeyId;
      kept.push(held === accessKeyId ? readers().at(-1) : 'not kept');
    }
    const [, ...next] = readers();
    expect(kept).toEqual(next);
    expect(new Set(next).size).toBe(3);
  });

  it('reads with the key before if the new one is not known to Secrets Manager yet', async () => {
    application = Application.withKey({ activationDelay: MINUTE });
    const seed = currentKey();
    await application.advance(HOUR);
    await start(seed)();
    const provider = start(undefined, { ttl: 10 });
    await provider();
    const { accessKeyId } = application.promote();
    await application.advance(20 * SECOND);
    expect((await provider()).accessKeyId).toBe(accessKeyId);
    await application.advance(20 * SECOND);
    expect((await provider()).accessKeyId).toBe(accessKeyId);
    expect(readers()).toEqual([seed.accessKeyId, seed.accessKeyId, accessKeyId, seed.accessKeyId]);
    expect(application.warnings).toEqual([]);
  });

  it('reads with the key that another process has put into the file', async () => {
    const seed = currentKey();
    const [one, other] = [start(seed), start(seed)];
    await one();
    await other();
    application.promote();
    await application.advance(HOUR);
    await one();
    disable(seed.accessKeyId);
    const { accessKeyId } = await other();
    expect(accessKeyId).toBe(application.current());
    expect(application.warnings).toEqual([]);
  });

  it('fails with a remedy when the key in the file is dead, and mends when a living one is put there', async () => {
    const seed = currentKey();
    await start(seed)();
    application.promote();
    disable(seed.accessKeyId);
    await application.advance(DAY);
    const provider = start();
    await expect(provider()).rejects.toMatchObject({
      code: 'OWN_KEY_REFUSED',
      found: expect.stringContaining(`Secrets Manager refuses ${seed.accessKeyId}`),
      remedy: expect.stringContaining(file),
    });
    expect(readers()).toEqual([seed.accessKeyId, seed.accessKeyId]);
    const living = currentKey();
    const { accessKeyId, secretAccessKey } = living;
    await writeKeyFile(file, { accessKeyId, secretAccessKey, secretId: SECRET, fetchedAt: 0 });
    await application.advance(SECOND);
    expect((await provider()).accessKeyId).toBe(accessKeyId);
  });

  it('takes the seed when the key in the file is dead', async () => {
    const seed = currentKey();
    await start(seed)();
    application.promote();
    disable(seed.accessKeyId);
    await application.advance(DAY);
    const provider = start(async () => currentKey());
    expect((await provider()).accessKeyId).toBe(application.current());
  });

  it('hands on its key, with a warning, when that can no longer read its successor', async () => {
    const seed = currentKey();
    const provider = start(seed);
    await provider();
    disable(seed.accessKeyId);
    await application.advance(5 * MINUTE);
    expect((await provider()).accessKeyId).toBe(seed.accessKeyId);
    await application.advance(0);
    expect(application.warnings.map(({ code }) => code)).toEqual(['OWN_KEY_REFUSED']);
  });

  it('survives a rotation whose old key lives for a moment only, thanks to a reading every ttl', async () => {
    const client = withFreshCredentials(application.sts(start(currentKey())), { clock: application.clock });
    await identify(client);
    const old = application.current();
    application.promote();
    for (let turn = 0; turn < 11; turn += 1) {
      await application.advance(MINUTE / 2);
      await application.run(identify(client));
    }
    disable(old);
    expect(await codeOf(application.run(identify(client)))).toBe('fine');
  });

  it('without a file and without a seed is told what to give', async () => {
    await expect(start()()).rejects.toMatchObject({ code: 'FILE_UNUSABLE', found: `no file ${file}, and no seed` });
  });

  it('whose seed fails is told so, without what the seed said', async () => {
    const seed = async () => {
      throw new Error(`did not take ${currentKey().secretAccessKey}`);
    };
    await expect(start(seed)()).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE', found: 'Error' });
  });

  it.each(['', 'no JSON', '[]', '{"accessKeyId":"AKIA"}'])(
    'does not start with a file that holds %j, nor touches it',
    async (content) => {
      await writeFile(file, content);
      const provider = start(currentKey());
      expect(await codeOf(provider())).toBe('FILE_UNUSABLE');
      expect(await readFile(file, 'utf8')).toBe(content);
      await rm(file);
      expect(await codeOf(provider())).toBe('fine');
    },
  );

  it('does not start with the file of another secret, nor touches it', async () => {
    const other = { ...currentKey(), secretId: 'iam/other', fetchedAt: 0 };
    await writeKeyFile(file, other);
    await expect(start(currentKey())()).rejects.toThrow(/FILE_UNUSABLE: .*key\.json: is of iam\/other/);
    expect(await readKeyFile(file)).toMatchObject({ secretId: 'iam/other' });
  });

  it('goes on without the file when that can not be written, with a warning each time, and keeps the key when it can be', async () => {
    // Nothing with a longer name can be written beside it, not even by the administrator.
    const lost = join(folder, 'k'.repeat(250));
    const { credentials: _, ...clientConfig } = application.account.clientConfig();
    const provider = fromRotatedSecret({
      secretId: SECRET,
      file: lost,
      seed: currentKey(),
      clientConfig,
      onWarning: (warning) => application.warnings.push(warning),
    });
    expect(await codeOf(provider())).toBe('fine');
    await application.advance(HOUR);
    expect(await codeOf(provider())).toBe('fine');
    expect(application.warnings.map(({ code }) => code)).toEqual(['FILE_UNUSABLE', 'FILE_UNUSABLE']);
  });

  it('keeps the key with the next reading when the file could not be written before', async () => {
    const key = currentKey();
    const provider = start(async () => {
      // A folder can't be replaced by a file.
      await mkdir(file);
      return key;
    });
    await provider();
    expect(application.warnings).toHaveLength(1);
    await rm(file, { recursive: true });
    await application.advance(HOUR);
    await provider();
    expect(application.warnings).toHaveLength(1);
    expect(await readKeyFile(file)).toMatchObject(key);
  });

  it('starts with the key of the file while Secrets Manager is away, until keepFor is over', async () => {
    const seed = currentKey();
    await start(seed)();
    application.outage();
    await application.advance(2 * HOUR - SECOND);
    expect(await codeOf(start(undefined, { keepFor: 7200 })())).toBe('fine');
    await application.advance(SECOND);
    expect(await codeOf(start(undefined, { keepFor: 7200 })())).toBe('SECRET_UNAVAILABLE');
  });
});

describe('an application with other credentials and a file', () => {
  const begin = () => application.provider({ client: application.secrets(), file, keepFor: 7200 });

  it('reads the secret first: the file is for a start without Secrets Manager, with a warning, until keepFor is over', async () => {
    await begin()();
    await application.advance(MINUTE);
    const { accessKeyId } = application.promote();
    expect((await begin()()).accessKeyId).toBe(accessKeyId);
    application.outage();
    await application.advance(2 * HOUR - SECOND);
    expect((await begin()()).accessKeyId).toBe(accessKeyId);
    expect(application.warnings.map(({ code }) => code)).toEqual(['SECRET_UNAVAILABLE']);
    await application.advance(SECOND);
    expect(await codeOf(begin()())).toBe('SECRET_UNAVAILABLE');
  });

  it('never reads with the key itself', async () => {
    await begin()();
    await application.advance(HOUR);
    await begin()();
    expect(readers()).toEqual([undefined, undefined]);
  });

  it('warns of a file that can not be used, and fails with the reason why the secret was not read', async () => {
    await writeFile(file, 'no JSON');
    application.outage();
    expect(await codeOf(begin()())).toBe('SECRET_UNAVAILABLE');
    expect(application.warnings.map(({ code }) => code)).toEqual(['FILE_UNUSABLE']);
  });
});
