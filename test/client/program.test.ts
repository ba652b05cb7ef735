import { chmod, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KeyReadError, type ReadErrorCode } from '../../client/errors.ts';
import { readKeyFile, writeKeyFile } from '../../client/key-file.ts';
import { credentials, type ReadSecret } from '../../client/program/credentials.ts';
import { EXIT_CODES } from '../../client/program/exit-codes.ts';
import type { SeedCredentials } from '../../client/program/obtain-key.ts';
import { asksItself, ProgramError } from '../../client/program/program-error.ts';
import type { RotatedKey } from '../../client/rotated-key.ts';
import { temporaryFolder } from './temporary-folder.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const NOW = Date.parse('2026-01-01T00:00:00Z');
const ID = 'iam-key-rotator/deploy';

const keyNumber = (n: number): RotatedKey => ({
  accessKeyId: `AKIA${String(n).padStart(16, '0')}`,
  secretAccessKey: `secret/${String(n).padStart(33, 'x')}`,
});
const A = keyNumber(1);
const B = keyNumber(2);

const failure = (code: ReadErrorCode) =>
  new KeyReadError(code, { found: 'what was found', expected: 'what was expected', remedy: 'what to do' });

/** A home with a clock and a secret, in which the program is started. */
async function machine() {
  const home = await temporaryFolder();
  const state = {
    home,
    now: NOW,
    env: { HOME: home } as Record<string, string>,
    /** What reading the secret gives: a key, or an error. */
    secret: A as RotatedKey | Error,
    reads: [] as {
      env: Readonly<Record<string, string>>;
      own: SeedCredentials | undefined;
      region: string | undefined;
    }[],
    stderr: '',
    duringRead: async () => {},
    duringSleep: async () => {},
  };
  const read: ReadSecret = async (request, env, own) => {
    state.reads.push({ env, own, region: request.region });
    await state.duringRead();
    if (state.secret instanceof Error) throw state.secret;
    return state.secret;
  };
  const terminal = (out: (text: string) => void, err: (text: string) => void) => ({
    ...{ env: state.env, out, err },
    clock: {
      now: () => state.now,
      async sleep(ms: number) {
        state.now += ms;
        await state.duringSleep();
      },
    },
  });
  /** Starts the program; nothing secret may be on its stderr, and on failure nothing on its stdout. */
  async function start(...argv: string[]) {
    let stdout = '';
    let stderr = '';
    const exit = await credentials(
      argv,
      terminal(
        (text) => {
          stdout += text;
        },
        (text) => {
          stderr += text;
        },
      ),
      read,
    );
    expect(stderr).not.toContain('secret/');
    if (exit !== 0) expect(stdout).toBe('');
    return { exit, stdout, stderr };
  }
  const ask = (...argv: string[]) => start('--secret-id', ID, ...argv);
  /** The key id that is printed, for how many ms, and with which warning. */
  async function answer(...argv: string[]) {
    const { exit, stdout, stderr } = await ask(...argv);
    if (exit !== 0) throw new Error(stderr);
    const document: { AccessKeyId: string; Expiration: string } = JSON.parse(stdout);
    return { id: document.AccessKeyId, left: Date.parse(document.Expiration) - state.now, warning: stderr };
  }
  const cache = async () => {
    const folder = join(home, '.cache', 'iam-key-rotator');
    const names = await readdir(folder);
    return { folder, names: names.sort(), path: join(folder, names.find((name) => name.endsWith('.json')) ?? '') };
  };
  return Object.assign(state, { start, ask, answer, cache });
}

describe('what the program prints', () => {
  it("is the contract's document on one line, and nothing else", async () => {
    const on = await machine();
    expect(await on.ask()).toEqual({
      exit: 0,
      stdout: `{"Version":1,"AccessKeyId":"${A.accessKeyId}","SecretAccessKey":"${A.secretAccessKey}","Expiration":"2026-01-01T00:20:00Z"}\n`,
      stderr: '',
    });
  });

  it('has botocore, which asks when less than 15 minutes are left, ask again when the key is --ttl old', async () => {
    const on = await machine();
    expect(await on.answer('--ttl', '10m')).toMatchObject({ left: 25 * MINUTE });
    on.now += 9 * MINUTE;
    expect(await on.answer('--ttl', '10m')).toMatchObject({ left: 16 * MINUTE });
  });

  it('never expires a moment too early: parts of a second are rounded up', async () => {
    const on = await machine();
    on.now = NOW + 1;
    expect((await on.ask()).stdout).toContain('"Expiration":"2026-01-01T00:20:01Z"');
  });
});

describe('the cache', () => {
  it('answers until the key is --ttl old', async () => {
    const on = await machine();
    await on.answer();
    on.secret = B;
    on.now = NOW + 5 * MINUTE - SECOND;
    expect(await on.answer()).toEqual({ id: A.accessKeyId, left: 15 * MINUTE + SECOND, warning: '' });
    on.now = NOW + 5 * MINUTE;
    expect(await on.answer()).toEqual({ id: B.accessKeyId, left: 20 * MINUTE, warning: '' });
    on.now += SECOND;
    expect(await on.answer()).toEqual({ id: B.accessKeyId, left: 20 * MINUTE - SECOND, warning: '' });
    expect(on.reads).toHaveLength(2);
  });

  it('is for the user alone, names no secret, and leaves no lock', async () => {
    const on = await machine();
    await on.answer();
    const { folder, names, path } = await on.cache();
    expect(names).toEqual([expect.stringMatching(/^[0-9a-f]{32}\.json$/)]);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('lies in XDG_CACHE_HOME, if that is an absolute path', async () => {
    const on = await machine();
    on.env = { HOME: on.home, XDG_CACHE_HOME: join(on.home, 'xdg') };
    await on.answer();
    expect(await readdir(on.home)).toEqual(['xdg']);
    on.env = { HOME: on.home, XDG_CACHE_HOME: 'relative' };
    await on.answer();
    expect((await readdir(on.home)).sort()).toEqual(['.cache', 'xdg']);
  });

  it.each<[string, string[], Record<string, string>]>([
    ['another secret', ['--secret-id', 'other'], {}],
    ['another Region', ['--region', 'eu-west-1'], {}],
    ['another Region in the environment', [], { AWS_REGION: 'eu-west-1' }],
    ['another endpoint', ['--endpoint-url', 'http://127.0.0.1:1'], {}],
    ['another profile', ['--profile', 'other'], {}],
    ['another profile in the environment', [], { AWS_PROFILE: 'other' }],
    ['another configuration file', [], { AWS_CONFIG_FILE: '/elsewhere' }],
    ['other fields', ['--fields', 'a,b'], {}],
  ])('has a file of its own for %s', async (_, argv, env) => {
    const on = await machine();
    await on.answer();
    on.secret = B;
    Object.assign(on.env, env);
    expect(await on.answer(...argv)).toMatchObject({ id: B.accessKeyId });
  });

  it.each<[string, (path: string) => Promise<void>]>([
    ['torn', (path) => writeFile(path, '{"formatVersion":1,"secretId')],
    ['empty', (path) => writeFile(path, '')],
    ['open to others', (path) => chmod(path, 0o644)],
  ])('that is %s is read over and replaced, with a warning', async (_, spoil) => {
    const on = await machine();
    await on.answer();
    const { path } = await on.cache();
    await spoil(path);
    on.secret = B;
    expect(await on.answer()).toMatchObject({ id: B.accessKeyId, warning: expect.stringContaining('FILE_UNUSABLE') });
    expect(await on.answer()).toMatchObject({ id: B.accessKeyId, warning: '' });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('is rid of what a killed process left beside it, once nobody can be at it any more', async () => {
    const on = await machine();
    await on.answer();
    const { folder, names } = await on.cache();
    const [name = ''] = names;
    const uuid = '0b0c1d2e-0000-4000-8000-00000000000a';
    const gone = [`${name}.${uuid}`, `${name}.failed.${uuid}`];
    const young = `${name}.${uuid.replace('a', 'b')}`;
    const others = [`${name}.${uuid}.x`, `x${name}.${uuid}`, `${name}.bak`, `${name}.${uuid.slice(1)}`];
    on.now = NOW + 5 * MINUTE;
    for (const one of [...gone, young, ...others]) {
      const path = join(folder, one);
      await writeFile(path, A.secretAccessKey, { mode: 0o600 });
      const at = (on.now - HOUR + (one === young ? SECOND : 0)) / SECOND;
      await utimes(path, at, at);
    }
    await on.answer();
    expect((await on.cache()).names).toEqual([...names, young, ...others].sort());
  });

  it('that can not be written costs a read each time and a warning, not the answer', async () => {
    const on = await machine();
    await writeFile(join(on.home, '.cache'), 'a file in the place of the folder');
    expect(await on.answer()).toMatchObject({ id: A.accessKeyId, warning: expect.stringContaining('FILE_UNUSABLE') });
  });

  it('of the future, under a clock that was set back, is read again', async () => {
    const on = await machine();
    await on.answer();
    on.now = NOW - SECOND;
    on.secret = B;
    expect(await on.answer()).toMatchObject({ id: B.accessKeyId });
  });

  it('is not used with --no-file', async () => {
    const on = await machine();
    await on.answer('--no-file');
    await on.answer('--no-file');
    expect(on.reads).toHaveLength(2);
    expect(await readdir(on.home)).toEqual([]);
  });

  it('lies where --file says, and there nothing that is no key file is replaced', async () => {
    const on = await machine();
    const path = join(on.home, 'credentials');
    await writeFile(path, '[default]', { mode: 0o600 });
    expect(await on.answer('--file', path)).toMatchObject({ warning: expect.stringContaining('left as it is') });
    expect(await readFile(path, 'utf8')).toBe('[default]');
    const other = join(on.home, 'other.json');
    await writeKeyFile(other, { ...B, secretId: 'another secret', fetchedAt: NOW });
    expect(await on.answer('--file', other)).toMatchObject({
      id: A.accessKeyId,
      warning: expect.stringContaining('is of another secret'),
    });
    expect(await readKeyFile(other)).toMatchObject(B);
    await on.answer('--file', join(on.home, 'key.json'));
    expect(await readKeyFile(join(on.home, 'key.json'))).toEqual({ ...A, secretId: ID, fetchedAt: NOW });
  });

  it('is looked at again under the lock: what another process has read meanwhile is not read twice', async () => {
    const on = await machine();
    await on.answer();
    const { path } = await on.cache();
    on.now = NOW + 5 * MINUTE;
    await writeFile(`${path}.lock`, JSON.stringify({ token: 'x', pid: process.pid, host: 'elsewhere', at: on.now }));
    on.duringSleep = async () => {
      await writeKeyFile(path, { ...B, secretId: ID, fetchedAt: on.now });
      await rm(`${path}.lock`);
    };
    expect(await on.answer()).toMatchObject({ id: B.accessKeyId });
    expect(on.reads).toHaveLength(1);
  });

  it('is looked at again under the lock, also when the slowest attempt of another process has failed meanwhile', async () => {
    const on = await machine();
    await on.answer();
    const { path } = await on.cache();
    const since = NOW + 5 * MINUTE;
    on.now = since;
    await writeFile(`${path}.lock`, JSON.stringify({ token: 'x', pid: process.pid, host: 'elsewhere', at: since }));
    on.duringSleep = async () => {
      if (on.now < since + 20 * SECOND) return;
      await writeFile(`${path}.failed`, JSON.stringify({ code: 'SECRET_UNAVAILABLE', at: on.now, times: 1 }));
      await rm(`${path}.lock`, { force: true });
    };
    expect(await on.answer()).toMatchObject({ id: A.accessKeyId, left: 16 * MINUTE });
    expect(on.reads).toHaveLength(1);
  });

  it('survives a holder of the lock that was killed', async () => {
    const on = await machine();
    await on.answer();
    const { path, names } = await on.cache();
    on.now = NOW + 5 * MINUTE;
    await writeFile(
      `${path}.lock`,
      JSON.stringify({ token: 'x', pid: 1, host: 'elsewhere', at: on.now - 30 * SECOND }),
    );
    on.secret = B;
    expect(await on.answer()).toMatchObject({ id: B.accessKeyId });
    expect(on.now).toBe(NOW + 5 * MINUTE);
    expect((await on.cache()).names).toEqual(names);
  });
});

describe('while the secret can not be read', () => {
  const away = failure('SECRET_UNAVAILABLE');

  it('the key at hand is printed with a warning, and botocore asks again in a minute', async () => {
    const on = await machine();
    await on.answer();
    on.secret = away;
    on.now = NOW + 5 * MINUTE;
    const { id, left, warning } = await on.answer();
    expect({ id, left }).toEqual({ id: A.accessKeyId, left: 16 * MINUTE });
    expect(warning).toMatch(/^iam-key-rotator: warning: SECRET_UNAVAILABLE: .*read 300 s ago is used meanwhile\.\n$/);
  });

  it('the key at hand is printed until it is --keep-for old', async () => {
    const on = await machine();
    await on.answer();
    on.secret = away;
    on.now = NOW + 24 * HOUR - SECOND;
    expect(await on.answer()).toMatchObject({ id: A.accessKeyId });
    on.now = NOW + 24 * HOUR;
    expect(await on.ask()).toMatchObject({ exit: EXIT_CODES.SECRET_UNAVAILABLE });
    on.now = NOW + 24 * HOUR + SECOND;
    expect(await on.ask()).toMatchObject({ exit: EXIT_CODES.SECRET_UNAVAILABLE });
  });

  it('starts within 5 seconds of a failure answer at once; the pause doubles up to a minute', async () => {
    const on = await machine();
    await on.answer();
    on.secret = away;
    on.now = NOW + HOUR;
    const attempts: number[] = [];
    on.duringRead = async () => void attempts.push((on.now - NOW - HOUR) / SECOND);
    for (; on.now < NOW + HOUR + 5 * MINUTE; on.now += SECOND) {
      expect(await on.answer()).toMatchObject({ id: A.accessKeyId, left: 16 * MINUTE });
    }
    expect(attempts).toEqual([0, 5, 15, 35, 75, 135, 195, 255]);
  });

  it('and no key is at hand, starts within the pause fail at once, and say when to try again', async () => {
    const on = await machine();
    on.secret = away;
    expect(await on.ask()).toMatchObject({ exit: EXIT_CODES.SECRET_UNAVAILABLE });
    on.now += 5 * SECOND - 1;
    const { exit, stderr } = await on.ask();
    expect({ exit, reads: on.reads.length }).toEqual({ exit: EXIT_CODES.SECRET_UNAVAILABLE, reads: 1 });
    expect(stderr).toMatch(/try again in 1 s, or at once by deleting '.*\.json\.failed'\./);
    on.now += 1;
    on.secret = A;
    expect(await on.answer()).toMatchObject({ id: A.accessKeyId });
  });

  it('and it can be read again, the first start past the pause has the new key, without a warning', async () => {
    const on = await machine();
    await on.answer();
    on.secret = away;
    on.now = NOW + HOUR;
    await on.answer();
    on.secret = B;
    on.now += 5 * SECOND;
    expect(await on.answer()).toEqual({ id: B.accessKeyId, left: 20 * MINUTE, warning: '' });
    expect((await on.cache()).names).toHaveLength(1);
  });

  it.each(['SECRET_UNREADABLE', 'VALUE_MALFORMED', 'NO_KEY_YET', 'OWN_KEY_REFUSED'] as const)(
    'because of %s, the key at hand is printed as well',
    async (code) => {
      const on = await machine();
      await on.answer();
      on.secret = failure(code);
      on.now = NOW + HOUR;
      expect(await on.answer()).toMatchObject({ id: A.accessKeyId, warning: expect.stringContaining(code) });
    },
  );

  it.each(['SECRET_UNREADABLE', 'VALUE_MALFORMED', 'NO_KEY_YET'] as const)(
    'because of %s, and no key is at hand, the next start tries again: it may have been mended',
    async (code) => {
      const on = await machine();
      on.secret = failure(code);
      expect(await on.ask()).toMatchObject({
        exit: EXIT_CODES[code],
        stderr: `iam-key-rotator: ${on.secret.message}\n`,
      });
      on.secret = A;
      expect(await on.answer()).toMatchObject({ id: A.accessKeyId });
    },
  );

  it.each<[string, Error]>([
    ['SDK_MISSING', new ProgramError('SDK_MISSING', { found: 'none', expected: 'one', remedy: 'install it' })],
    ['ASKS_ITSELF', asksItself()],
    ['UNEXPECTED: TypeError', new TypeError(`can not read ${A.secretAccessKey}`)],
  ])('because of %s, the key at hand is printed as well', async (said, error) => {
    const on = await machine();
    await on.answer();
    on.secret = error;
    on.now = NOW + HOUR;
    const { id, left, warning } = await on.answer();
    expect({ id, left }).toEqual({ id: A.accessKeyId, left: 16 * MINUTE });
    expect(warning).toContain(`warning: ${said}`);
    on.now = NOW + 24 * HOUR;
    expect(await on.ask()).toMatchObject({ stderr: expect.stringMatching(`^iam-key-rotator: ${said}`) });
  });

  it('a note of the future, under a clock that was set back, is read over', async () => {
    const on = await machine();
    on.secret = away;
    await on.ask();
    on.now -= SECOND;
    on.secret = A;
    expect(await on.answer()).toMatchObject({ id: A.accessKeyId });
  });

  it('a note that was spoilt is read over', async () => {
    const on = await machine();
    on.secret = away;
    await on.ask();
    const { folder, names } = await on.cache();
    await writeFile(join(folder, names[0] ?? ''), '{');
    on.secret = A;
    expect(await on.answer()).toMatchObject({ id: A.accessKeyId });
  });
});

describe('--own-key', () => {
  const seed = { AWS_ACCESS_KEY_ID: A.accessKeyId, AWS_SECRET_ACCESS_KEY: A.secretAccessKey };

  async function seeded() {
    const on = await machine();
    const path = join(on.home, 'state', 'key.json');
    const own = ['--own-key', '--file', path];
    Object.assign(on.env, seed);
    expect(await on.answer(...own)).toMatchObject({ id: A.accessKeyId, warning: '' });
    on.env = { HOME: on.home };
    return Object.assign(on, { path, own: (...more: string[]) => on.answer(...own, ...more), argv: own });
  }

  it('reads the secret with the key of the environment the first time, and with that of the file from then on', async () => {
    const on = await seeded();
    on.secret = B;
    on.now += HOUR;
    expect(await on.own()).toMatchObject({ id: B.accessKeyId });
    on.now += HOUR;
    await on.own();
    expect(on.reads.map(({ own }) => own?.accessKeyId)).toEqual([A.accessKeyId, A.accessKeyId, B.accessKeyId]);
    expect(await readKeyFile(on.path)).toMatchObject({ ...B, fetchedAt: on.now });
  });

  it('with neither says how to give the first key', async () => {
    const on = await machine();
    const { exit, stderr } = await on.ask('--own-key', '--file', join(on.home, 'key.json'));
    expect({ exit, reads: on.reads }).toEqual({ exit: EXIT_CODES.FILE_UNUSABLE, reads: [] });
    expect(stderr).toContain('AWS_ACCESS_KEY_ID');
  });

  it('whose key is refused says so with the remedy, and prints no key that does not work', async () => {
    const on = await seeded();
    on.secret = failure('OWN_KEY_REFUSED');
    on.now += HOUR;
    const { exit, stderr } = await on.ask(...on.argv);
    expect(exit).toBe(EXIT_CODES.OWN_KEY_REFUSED);
    expect(stderr).toContain(A.accessKeyId);
    expect(stderr).toContain('run it once by hand with the current key');
  });

  it('whose key is refused a third time asks no more at each start, which botocore makes for each request', async () => {
    const on = await seeded();
    const { length: before } = on.reads;
    const refused = failure('OWN_KEY_REFUSED');
    on.secret = refused;
    on.now += HOUR;
    const since = on.now;
    const attempts: number[] = [];
    on.duringRead = async () => void attempts.push((on.now - since) / SECOND);
    for (; on.now < since + 4 * MINUTE; on.now += SECOND) {
      const { exit, stderr } = await on.ask(...on.argv);
      expect(exit).toBe(EXIT_CODES.OWN_KEY_REFUSED);
      expect(stderr).toContain(A.accessKeyId);
      expect(stderr).toContain('run it once by hand with the current key');
    }
    expect(attempts).toEqual([0, 1, 2, 7, 17, 37, 77, 137, 197]);
    expect(on.reads.length - before).toBe(9);
    // The same in the environment is no other key.
    Object.assign(on.env, seed);
    on.now = since + 197 * SECOND + MINUTE - SECOND;
    const { stderr } = await on.ask(...on.argv);
    expect(stderr).toMatch(/was refused 59 s ago\. .*try again in 1 s, or at once by deleting '.*\.failed'; before/);
    on.secret = B;
    on.now += SECOND;
    expect(await on.own()).toMatchObject({ id: B.accessKeyId, warning: '' });
  });

  it('whose key was refused often tries a key of the environment at once all the same', async () => {
    const on = await seeded();
    on.secret = failure('OWN_KEY_REFUSED');
    on.now += HOUR;
    for (let start = 0; start < 5; start += 1) await on.ask(...on.argv);
    Object.assign(on.env, { AWS_ACCESS_KEY_ID: B.accessKeyId, AWS_SECRET_ACCESS_KEY: B.secretAccessKey });
    on.duringRead = async () => {
      if (on.reads.at(-1)?.own?.accessKeyId === B.accessKeyId) on.secret = B;
    };
    expect(await on.own()).toMatchObject({ id: B.accessKeyId });
  });

  it('whose key is refused tries that of the environment, which is the remedy, at once', async () => {
    const on = await seeded();
    on.secret = failure('OWN_KEY_REFUSED');
    on.now += HOUR;
    await on.ask(...on.argv);
    Object.assign(on.env, { AWS_ACCESS_KEY_ID: B.accessKeyId, AWS_SECRET_ACCESS_KEY: B.secretAccessKey });
    on.duringRead = async () => {
      if (on.reads.at(-1)?.own?.accessKeyId === B.accessKeyId) on.secret = B;
    };
    expect(await on.own()).toMatchObject({ id: B.accessKeyId, warning: expect.stringContaining('OWN_KEY_REFUSED') });
    expect(await readKeyFile(on.path)).toMatchObject(B);
  });

  it('keeps the key of the file while the secret is away', async () => {
    const on = await seeded();
    on.secret = failure('SECRET_UNAVAILABLE');
    on.now += HOUR;
    expect(await on.own()).toMatchObject({ id: A.accessKeyId, left: 16 * MINUTE });
  });

  it('takes a machine up again that was off for longer than --keep-for', async () => {
    const on = await seeded();
    on.secret = B;
    on.now += 48 * HOUR;
    expect(await on.own()).toMatchObject({ id: B.accessKeyId, warning: '' });
  });

  it('does not read over a file that can not be used: it holds the only key', async () => {
    const on = await seeded();
    await chmod(on.path, 0o644);
    expect(await on.ask(...on.argv)).toMatchObject({ exit: EXIT_CODES.FILE_UNUSABLE });
    expect(on.reads).toHaveLength(1);
  });

  it('whose key is refused, with the same in the environment, does not try it twice', async () => {
    const on = await seeded();
    on.secret = failure('OWN_KEY_REFUSED');
    on.now += HOUR;
    Object.assign(on.env, seed);
    const { exit, stderr } = await on.ask(...on.argv);
    expect({ exit, reads: on.reads.length }).toEqual({ exit: EXIT_CODES.OWN_KEY_REFUSED, reads: 2 });
    expect(stderr).toContain('run it once by hand with the current key');
  });

  describe('where no key can be kept', () => {
    /** A name that is not too long itself, but is with anything beside it: root may write everywhere else. */
    const LONG = 'k'.repeat(250);

    it('fails at the first start, when somebody is looking', async () => {
      const on = await machine();
      Object.assign(on.env, seed);
      const { exit, stderr } = await on.ask('--own-key', '--file', join(on.home, LONG));
      expect(exit).toBe(EXIT_CODES.FILE_UNUSABLE);
      expect(stderr).toContain('ENAMETOOLONG');
    });

    it('goes on with the key that it has later, and warns', async () => {
      const on = await seeded();
      const path = join(on.home, LONG);
      await writeFile(path, await readFile(on.path), { mode: 0o600 });
      on.now += HOUR;
      on.secret = B;
      const { id, warning } = await on.answer('--own-key', '--file', path);
      expect({ id, own: on.reads.at(-1)?.own?.accessKeyId }).toEqual({ id: B.accessKeyId, own: A.accessKeyId });
      expect(warning).toContain('ENAMETOOLONG');
    });
  });
});

describe('a program that would ask itself', () => {
  it('is told by what waits for it, and fails at once', async () => {
    const on = await machine();
    let inner: Awaited<ReturnType<typeof on.ask>> | undefined;
    on.duringRead = async () => {
      Object.assign(on.env, on.reads[0]?.env);
      inner = await on.ask();
    };
    await on.answer();
    expect(inner).toMatchObject({ exit: EXIT_CODES.ASKS_ITSELF, stderr: expect.stringContaining('--own-key') });
    expect(on.reads).toHaveLength(1);
  });

  it('may ask for another secret', async () => {
    const on = await machine();
    on.duringRead = async () => {
      on.duringRead = async () => {};
      Object.assign(on.env, on.reads[0]?.env);
      await on.answer('--secret-id', 'the credentials to read it with');
    };
    await on.answer();
    expect(on.reads).toHaveLength(2);
  });

  it('sets the profile for what it starts', async () => {
    const on = await machine();
    await on.answer('--profile', 'reader');
    expect(on.reads[0]?.env).toMatchObject({ AWS_PROFILE: 'reader' });
  });
});

describe('options', () => {
  it.each<[string, string[]]>([
    ['no --secret-id', []],
    ['no --secret-id', ['--secret-id', '']],
    ["'--secret'", ['--secret', 'x']],
    ["'--ttl'", ['--secret-id', 'x', '--ttl']],
    ['an argument that is no option', ['--secret-id', 'x', 'wJalrXUtnFEMI']],
    ['--ttl 5', ['--secret-id', 'x', '--ttl', '5']],
    ['--ttl 29s', ['--secret-id', 'x', '--ttl', '29s']],
    ['--ttl 1.5m', ['--secret-id', 'x', '--ttl', '1.5m']],
    ['--ttl 91d', ['--secret-id', 'x', '--ttl', '91d']],
    ['--keep-for soon', ['--secret-id', 'x', '--keep-for', 'soon']],
    ['--keep-for 4m shorter than --ttl 5m', ['--secret-id', 'x', '--keep-for', '4m']],
    ['both --file and --no-file', ['--secret-id', 'x', '--file', 'y', '--no-file']],
    ['an empty --region', ['--secret-id', 'x', '--region', '']],
    ['an empty --profile', ['--secret-id', 'x', '--profile', '']],
    ['an empty --file', ['--secret-id', 'x', '--file', '']],
    ['both --own-key and --profile', ['--secret-id', 'x', '--own-key', '--file', 'f', '--profile', 'p']],
    ['--own-key without --file', ['--secret-id', 'x', '--own-key']],
    ['--own-key without --file', ['--secret-id', 'x', '--own-key', '--no-file']],
    ['--fields', ['--secret-id', 'x', '--fields', 'a']],
    ['--fields', ['--secret-id', 'x', '--fields', 'a,b,c']],
    ['--fields', ['--secret-id', 'x', '--fields', ',b']],
    ['--endpoint-url', ['--secret-id', 'x', '--endpoint-url', 'localhost:80']],
    ['--endpoint-url', ['--secret-id', 'x', '--endpoint-url', 'https://']],
  ])('are refused with what is wrong: %s', async (found, argv) => {
    const on = await machine();
    const { exit, stderr } = await on.start(...argv);
    expect({ exit, reads: on.reads }).toEqual({ exit: EXIT_CODES.BAD_OPTION, reads: [] });
    expect(stderr).toMatch(/^iam-key-rotator: BAD_OPTION: .*Expected: .*What to do: .*--help\.\n$/);
    expect(stderr).toContain(found);
    expect(stderr).not.toContain('wJalr');
  });

  it.each(['30s', '90d'])('--ttl may be %s', async (ttl) => {
    expect((await (await machine()).ask('--ttl', ttl)).exit).toBe(0);
  });

  it('a --ttl longer than the default of --keep-for is kept for as long', async () => {
    const on = await machine();
    await on.answer('--ttl', '2d');
    on.secret = failure('SECRET_UNAVAILABLE');
    on.now = NOW + 48 * HOUR - SECOND;
    expect(await on.answer('--ttl', '2d')).toMatchObject({ id: A.accessKeyId, warning: '' });
    on.now = NOW + 48 * HOUR;
    expect((await on.ask('--ttl', '2d')).exit).toBe(EXIT_CODES.SECRET_UNAVAILABLE);
  });

  it('an ARN tells the Region, unless --region does', async () => {
    const arn = 'arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:deploy-AbCdEf';
    const on = await machine();
    await on.start('--secret-id', arn);
    await on.start('--secret-id', arn, '--region', 'cn-northwest-1');
    await on.ask();
    expect(on.reads.map(({ region }) => region)).toEqual(['cn-north-1', 'cn-northwest-1', undefined]);
  });

  it('--help tells all, and needs nothing else', async () => {
    const on = await machine();
    const { exit, stdout, stderr } = await on.start('--help');
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout).toContain('--keep-for TIME');
  });
});

it('a defect is told by its kind alone, for its message may quote anything', async () => {
  const on = await machine();
  on.secret = new TypeError(`can not read ${A.secretAccessKey}`);
  const { exit, stderr } = await on.ask();
  expect({ exit, stderr }).toEqual({
    exit: 1,
    stderr: 'iam-key-rotator: UNEXPECTED: TypeError. Expected: no such error. What to do: report it as a defect.\n',
  });
});
