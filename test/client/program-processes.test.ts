import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { EXIT_CODES } from '../../client/program/exit-codes.ts';
import { readSecret } from '../../client/program/open-secret.ts';
import { parseOptions } from '../../client/program/options.ts';
import { BOOTSTRAP_FIELD } from '../../lambdas/contract/names.ts';
import { accountWithSecret, environmentOf, run, startProgram } from './start-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

let on: Awaited<ReturnType<typeof accountWithSecret>>;

beforeAll(async () => {
  on = await accountWithSecret();
});

afterAll(() => on.close());

async function user() {
  const home = await temporaryFolder();
  const env = environmentOf(home, on.account.operator.credentials);
  const ask = (argv: readonly string[] = [], more: Record<string, string> = {}) =>
    startProgram(['credentials', '--secret-id', on.arn, '--endpoint-url', on.endpoint, ...argv], { ...env, ...more });
  const cache = join(home, '.cache', 'iam-key-rotator');
  return { home, env, ask, cache };
}

const idIn = (stdout: string): unknown => JSON.parse(stdout).AccessKeyId;

describe('the program, as a process', () => {
  it('prints the key of the secret, and nothing else', async () => {
    const { ask } = await user();
    const { exit, stdout, stderr } = await ask();
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      Version: 1,
      AccessKeyId: on.key.accessKeyId,
      SecretAccessKey: on.key.secretAccessKey,
      Expiration: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
  });

  it('started eight times at once on a cold cache reads the secret once', async () => {
    const { ask, cache } = await user();
    const before = on.reads();
    const ended = await Promise.all(Array.from({ length: 8 }, () => ask()));
    expect(on.reads() - before).toBe(1);
    expect(new Set(ended.map(({ stdout }) => stdout)).size).toBe(1);
    for (const { exit, stdout, stderr } of ended) {
      expect({ exit, stderr, id: idIn(stdout) }).toEqual({ exit: 0, stderr: '', id: on.key.accessKeyId });
    }
    expect(await readdir(cache)).toEqual([expect.stringMatching(/\.json$/)]);
  });

  it('survives, eight times at once, a holder of the lock that was killed', async () => {
    const { ask, cache } = await user();
    await ask();
    const [name = ''] = await readdir(cache);
    const path = join(cache, name);
    const old = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...old, fetchedAt: '2026-01-01T00:00:00Z' }), { mode: 0o600 });
    await writeFile(
      `${path}.lock`,
      JSON.stringify({ token: 'x', pid: process.pid, host: 'x', at: Date.now() - 3_600_000 }),
    );
    const before = on.reads();
    const ended = await Promise.all(Array.from({ length: 8 }, () => ask()));
    for (const { exit, stderr } of ended) expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(on.reads() - before).toBe(1);
    expect(await readdir(cache)).toEqual([name]);
  });

  it('answers while nobody listens at the endpoint, and fails with its code if it has no key', async () => {
    const { ask, home, cache } = await user();
    await ask(['--file', join(home, 'key.json')]);
    const text = await readFile(join(home, 'key.json'), 'utf8');
    const old = { ...JSON.parse(text), fetchedAt: new Date(Date.now() - 3_600_000).toISOString() };
    await writeFile(join(home, 'key.json'), JSON.stringify(old), { mode: 0o600 });
    const gone = await on.account.listen();
    await gone.close();
    const nowhere = ['--endpoint-url', gone.endpoint];
    const kept = await ask(['--file', join(home, 'key.json'), ...nowhere]);
    expect(kept).toMatchObject({ exit: 0, stderr: expect.stringContaining('warning: SECRET_UNAVAILABLE') });
    expect(idIn(kept.stdout)).toBe(on.key.accessKeyId);
    expect(await ask(nowhere)).toMatchObject({ exit: EXIT_CODES.SECRET_UNAVAILABLE, stdout: '' });
    expect(await readdir(cache)).toEqual([expect.stringMatching(/\.json\.failed$/)]);
  });

  it('tells each refusal of Secrets Manager by its code', async () => {
    const { ask } = await user();
    const missing = await ask(['--secret-id', 'not-there', '--region', 'eu-central-1']);
    expect(missing).toMatchObject({ exit: EXIT_CODES.SECRET_UNREADABLE, stdout: '' });
    on.account.createSecret('new', { value: JSON.stringify({ [BOOTSTRAP_FIELD]: true }) });
    const early = await ask(['--secret-id', 'new', '--region', 'eu-central-1']);
    expect(early).toMatchObject({ exit: EXIT_CODES.NO_KEY_YET, stdout: '' });
    on.account.createSecret('password', { value: '{"password":"x"}' });
    const malformed = await ask(['--secret-id', 'password', '--region', 'eu-central-1']);
    expect(malformed).toMatchObject({ exit: EXIT_CODES.VALUE_MALFORMED, stdout: '' });
  });

  it('without a Region, and without credentials, says which is missing', async () => {
    const { home } = await user();
    const env = { HOME: home, AWS_EC2_METADATA_DISABLED: 'true' };
    const ask = (...argv: string[]) => startProgram(['credentials', '--secret-id', 'deploy', ...argv], env);
    expect(await ask()).toMatchObject({ exit: EXIT_CODES.BAD_OPTION, stderr: expect.stringContaining('no Region') });
    const { exit, stderr } = await ask('--region', 'eu-central-1');
    expect(exit).toBe(EXIT_CODES.SECRET_UNAVAILABLE);
    expect(stderr).toContain('no credentials to read the secret with');
  });

  it('whose credentials come from a profile that starts it is told, not started for ever', async () => {
    const { home, ask } = await user();
    const config = join(home, 'config');
    const bin = join(import.meta.dirname, '../../bin/iam-key-rotator.js');
    const command = `${process.execPath} ${bin} credentials --secret-id ${on.arn} --endpoint-url ${on.endpoint}`;
    await writeFile(config, `[profile loop]\ncredential_process = ${command}\n`);
    const { exit, stderr } = await ask([], { AWS_PROFILE: 'loop', AWS_CONFIG_FILE: config });
    expect(exit).toBe(EXIT_CODES.ASKS_ITSELF);
    expect(stderr).toContain('--own-key');
  });

  it('lives by the key that it reads, through a rotation, and says so when that key is gone', async () => {
    const own = await accountWithSecret();
    try {
      const { home } = await user();
      const path = join(home, 'key.json');
      const ask = (env: Record<string, string> = {}) =>
        startProgram(
          ['credentials', '--secret-id', own.arn, '--endpoint-url', own.endpoint, '--own-key', '--file', path],
          { HOME: home, AWS_EC2_METADATA_DISABLED: 'true', ...env },
        );
      const age = async () => {
        const old = { ...JSON.parse(await readFile(path, 'utf8')), fetchedAt: '2026-01-01T00:00:00Z' };
        await writeFile(path, JSON.stringify(old), { mode: 0o600 });
      };
      const { stdout: first } = await ask(environmentOf(home, own.key));
      expect(idIn(first)).toBe(own.key.accessKeyId);
      const next = own.rotate();
      await age();
      expect(idIn((await ask()).stdout)).toBe(next.accessKeyId);
      own.account.setAccessKeyStatus(next.accessKeyId, 'Inactive');
      await age();
      expect(await ask()).toMatchObject({ exit: EXIT_CODES.OWN_KEY_REFUSED, stdout: '' });
    } finally {
      await own.close();
    }
  });

  it.skipIf(process.platform === 'win32')(
    'on a full disk prints the key, and leaves no lock for others to wait for',
    async () => {
      const { env, cache } = await user();
      const bin = join(import.meta.dirname, '../../bin/iam-key-rotator.js');
      // Files can be made and not written to, as when a disk is full.
      const shell = `ulimit -f 0; exec "${process.execPath}" "${bin}" credentials --secret-id ${on.arn} --endpoint-url ${on.endpoint}`;
      const { exit, stdout, stderr } = await run('sh', ['-c', shell], env);
      expect({ exit, id: idIn(stdout) }).toEqual({ exit: 0, id: on.key.accessKeyId });
      expect(stderr).toContain('warning: FILE_UNUSABLE');
      expect(await readdir(cache)).toEqual([]);
    },
  );

  it('ends although something that was waited for in vain goes on', async () => {
    const { ask } = await user();
    const { exit, stdout } = await ask([], { NODE_OPTIONS: '--import=data:text/javascript,setInterval(()=>{},1e6)' });
    expect({ exit, id: idIn(stdout) }).toEqual({ exit: 0, id: on.key.accessKeyId });
  });

  it('does not wait for a profile whose credential_process hangs', async () => {
    const { home } = await user();
    const config = join(home, 'config');
    await writeFile(config, '[profile hangs]\ncredential_process = sleep 3\n');
    vi.stubEnv('AWS_CONFIG_FILE', config);
    vi.stubEnv('AWS_PROFILE', 'hangs');
    onTestFinished(() => void vi.unstubAllEnvs());
    const request = parseOptions(['--secret-id', on.arn, '--endpoint-url', on.endpoint]);
    if (request === 'help') throw new Error('no help was asked for');
    const aborted = new AbortController();
    const read = readSecret(request, undefined, aborted.signal);
    setImmediate(() => aborted.abort());
    await expect(read).rejects.toThrow(/^SECRET_UNAVAILABLE: no credentials to read the secret with \(AbortError\)/);
    await expect(readSecret(request, undefined, aborted.signal)).rejects.toThrow(/\(AbortError\)/);
  });

  it('does not mind that nobody reads what it prints', async () => {
    const { env } = await user();
    const bin = join(import.meta.dirname, '../../bin/iam-key-rotator.js');
    const shell = `{ "${process.execPath}" "${bin}" credentials --help; echo "exit $?" >&2; } | true`;
    expect(await run('sh', ['-c', shell], env)).toEqual({ exit: 0, stdout: '', stderr: 'exit 0\n' });
  });
});

describe('iam-key-rotator', () => {
  const start = async (...argv: string[]) => startProgram(argv, (await user()).env);

  it('without a command, or with --help, tells its commands', async () => {
    for (const ended of [await start(), await start('--help')]) {
      expect(ended).toMatchObject({ exit: 0, stderr: '', stdout: expect.stringMatching(/^ {2}credentials {2}/m) });
    }
  });

  it('--version is that of the package', async () => {
    const { version } = JSON.parse(await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'));
    expect(await start('--version')).toEqual({ exit: 0, stdout: `${version}\n`, stderr: '' });
    expect(await start('credentials', '--version')).toEqual({ exit: 0, stdout: `${version}\n`, stderr: '' });
    expect(await start('credentials', '--secret-id', 'x', '--version')).toMatchObject({ stdout: `${version}\n` });
  });

  it('tells the nearest command that it has', async () => {
    expect(await start('credential')).toEqual({
      exit: EXIT_CODES.BAD_OPTION,
      stdout: '',
      stderr:
        "iam-key-rotator: BAD_OPTION: no command 'credential'. Expected: a command. What to do: did you mean 'credentials'? see also --help.\n",
    });
    expect((await start('toString')).exit).toBe(EXIT_CODES.BAD_OPTION);
  });
});
