import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { connectWith } from '../../cli/operator/clients.ts';
import { badOption, type OperatorCommand, timeOption } from '../../cli/operator/command.ts';
import { OPERATOR_ERRORS, OPERATOR_EXIT_CODES } from '../../cli/operator/errors.ts';
import { keyNamed } from '../../cli/operator/stack.ts';
import { EXIT_CODES } from '../../client/program/exit-codes.ts';
import { AwsCallError } from '../../lambdas/domain/errors.ts';
import { SimulatedAccount } from '../../local/account.ts';
import { LivedInAccount } from './account.ts';
import { deployStack, run } from './world.ts';

/** A command that does what it is given. */
const probe = (work: OperatorCommand['run']): OperatorCommand => ({
  name: 'probe',
  says: 'does what a test wants',
  examples: [{ does: 'look', line: 'probe app' }],
  attention: 'something is wrong',
  configure: (parser) => parser.argument('[name]').option('--within <time>', 'how far ahead'),
  run: work,
});
const idle = probe(async () => 0);
const failing = (error: unknown) =>
  probe(async () => {
    throw error;
  });

const account = new SimulatedAccount();
const errorOf = (err: string) => /^iam-key-rotator: ([A-Z_]+): /.exec(err)?.[1];

describe('the frame of the operators commands', () => {
  it('--help tells the examples, the common options and every exit code, and goes to stdout', async () => {
    const { exit, out, err } = await run(account, idle, ['--help']);
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    for (const option of ['--stack', '--region', '--profile', '--endpoint-url', '--json', '--no-color', '--within']) {
      expect(out).toContain(option);
    }
    expect(out).toContain('  # look\n  iam-key-rotator probe app\n');
    for (const [code, number] of Object.entries(OPERATOR_EXIT_CODES)) expect(out).toMatch(`${number}  ${code}`);
  });

  it('no exit code means two things', () => {
    const { BAD_OPTION: _, ...own } = OPERATOR_EXIT_CODES;
    const all = [0, 1, ...Object.values(EXIT_CODES), ...Object.values(own)];
    expect(new Set(all).size).toBe(all.length);
    expect(Object.keys(OPERATOR_EXIT_CODES)).toEqual(Object.keys(OPERATOR_ERRORS));
  });

  it.each([
    [['--jsn'], "no option '--jsn'", "did you mean '--json'?"],
    [['--frobnicate=s3cr3t'], "no option '--frobnicate'", 'see iam-key-rotator probe --help'],
    [['--region'], "no value for '--region'", 'see'],
    [['--region', ''], 'an empty --region', 'leave --region out'],
    [['a', 'b'], 'more arguments than the command takes', 'see'],
    [['--endpoint-url', 'localhost:1'], 'an --endpoint-url that is no URL', 'correct it'],
  ])('refuses %j as a wrong use, with exit code 2', async (argv, found, remedy) => {
    const { exit, out, err } = await run(account, idle, argv);
    expect({ exit, out, code: errorOf(err) }).toEqual({ exit: 2, out: '', code: 'BAD_OPTION' });
    expect(err).toContain(found);
    expect(err).toContain(remedy);
    expect(err).not.toContain('s3cr3t');
    expect(err.split('\n')).toHaveLength(2);
  });

  it.each(['7', 'd', '1w', '-1d', '99999d', 'x'.repeat(50)])('takes %j for no length of time', async (text) => {
    const reading = probe(async (_, __, options) => timeOption(options, 'within') ?? 0);
    const { exit, err } = await run(account, reading, [`--within=${text}`]);
    expect(exit).toBe(2);
    expect(err).toContain('give it as 12h or 7d');
    expect(err.length).toBeLessThan(200);
  });

  it('takes a whole number and a unit for a length of time', async () => {
    const reading = probe(async (_, __, options) => timeOption(options, 'within') ?? 0);
    expect((await run(account, reading, ['--within', '2m'])).exit).toBe(120);
  });

  it.each([
    ['CredentialsProviderError', 'NO_CREDENTIALS', 11],
    ['ExpiredTokenException', 'NO_CREDENTIALS', 11],
    ['InvalidClientTokenId', 'NO_CREDENTIALS', 11],
    ['UnrecognizedClientException', 'NO_CREDENTIALS', 11],
    ['AccessDenied', 'ACCESS_DENIED', 12],
    ['AccessDeniedException', 'ACCESS_DENIED', 12],
    ['ThrottlingException', 'AWS_UNAVAILABLE', 15],
    ['TimeoutError', 'AWS_UNAVAILABLE', 15],
    ['ValidationException', 'AWS_CALL_FAILED', 16],
  ])('translates %s of AWS into %s', async (awsCode, code, number) => {
    const { exit, out, err } = await run(account, failing(new AwsCallError('ListSecrets', awsCode, true, 'because')));
    expect({ exit, out, code: errorOf(err) }).toEqual({ exit: number, out: '', code });
    expect(err).toMatch(/ Expected: .* What to do: .*\.\n$/);
  });

  it('takes a connection that fails for AWS out of reach, also behind a name with several addresses', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
    for (const cause of [refused, new AggregateError([refused])]) {
      const error = new AwsCallError('ListSecrets', 'Error', false, '', { cause });
      const { exit, err } = await run(account, failing(error));
      expect({ exit, code: errorOf(err) }).toEqual({ exit: 15, code: 'AWS_UNAVAILABLE' });
      expect(err).toContain('ECONNREFUSED');
    }
  });

  it('tells of an error that it does not know neither the message nor the stack', async () => {
    const { exit, err } = await run(account, failing(new TypeError('wJalrXUtnFEMI/K7MDENG')));
    expect({ exit, err }).toEqual({
      exit: 1,
      err: 'iam-key-rotator: UNEXPECTED: TypeError. Expected: no such error. What to do: report it as a defect.\n',
    });
  });

  it('with --json an error is a document on stdout, too', async () => {
    const { exit, out } = await run(account, failing(badOption('x', 'y', 'z')), ['--json']);
    expect(exit).toBe(2);
    expect(JSON.parse(out)).toEqual({
      formatVersion: 1,
      command: 'probe',
      error: { code: 'BAD_OPTION', found: 'x', expected: 'y', remedy: 'z' },
    });
  });

  it('takes the profile that is named, without a word of the keys in the environment', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'iam-key-rotator-profile-'));
    const file = join(folder, 'credentials');
    writeFileSync(file, '[mine]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = mine\n');
    const env = { AWS_SHARED_CREDENTIALS_FILE: file, AWS_ACCESS_KEY_ID: 'AKIAOTHER', AWS_SECRET_ACCESS_KEY: 'other' };
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    try {
      const client = await connectWith({ profile: 'mine', region: 'eu-central-1' })('sts');
      expect(await client.config.credentials()).toMatchObject({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE' });
      expect(warn).not.toHaveBeenCalled();
    } finally {
      vi.unstubAllEnvs();
      warn.mockRestore();
      rmSync(folder, { recursive: true });
    }
  });

  it('of a Region that can not be one it does not say that there is none', async () => {
    const { exit, err } = await run(account, idle, ['--region', 'not one'], { connect: connectWith });
    expect({ exit, code: errorOf(err) }).toEqual({ exit: 13, code: 'NO_REGION' });
    expect(err).toContain('the Region that is given can not be one');
  });

  it('without a Region it says so', async () => {
    const connect = () => async () => ({
      config: { region: async () => Promise.reject(new Error('Region is missing')) },
    });
    const { exit, err } = await run(account, idle, [], { connect: connect as never });
    expect({ exit, code: errorOf(err) }).toEqual({ exit: 13, code: 'NO_REGION' });
  });

  it('asks before a change, and takes silence and anything but yes for no', async () => {
    const asking = probe(async ({ confirm }) => ((await confirm('Sure?')) ? 0 : 1));
    for (const [answer, exit] of [
      ['y', 0],
      ['YES ', 0],
      ['', 1],
      ['n', 1],
      ['yep', 1],
      [undefined, 1],
    ] as const) {
      expect((await run(account, asking, [], answer === undefined ? {} : { answer })).exit).toBe(exit);
    }
  });

  it('shows progress on a terminal alone, and takes it away again', async () => {
    const working = probe(async ({ progress, print }) => {
      progress('reading');
      print(['done']);
      return 0;
    });
    expect(await run(account, working)).toMatchObject({ out: 'done\n', err: '' });
    expect(await run(account, working, [], { columns: 80 })).toMatchObject({ out: 'done\n', err: 'reading\r\x1b[2K' });
  });

  it('colours what a terminal shows, and nothing that is piped, as NO_COLOR, FORCE_COLOR and --no-color say', async () => {
    const painting = probe(async ({ page, print }) => {
      print([page.paint('red', 'x')]);
      return 0;
    });
    const coloured = async (argv: string[], columns: number | undefined, env: Record<string, string>) =>
      (await run(account, painting, argv, { ...(columns && { columns }), env })).out.includes('\x1b[');
    expect(await coloured([], 80, {})).toBe(true);
    expect(await coloured([], undefined, {})).toBe(false);
    expect(await coloured([], undefined, { FORCE_COLOR: '1' })).toBe(true);
    expect(await coloured([], 80, { NO_COLOR: '1', FORCE_COLOR: '1' })).toBe(false);
    expect(await coloured([], 80, { TERM: 'dumb' })).toBe(false);
    expect(await coloured(['--no-color'], 80, { FORCE_COLOR: '1' })).toBe(false);
  });
});

describe('the stack', () => {
  const reading = probe(async ({ stack, printJson }, [name = 'app']) => {
    const { deployment: _, ...rest } = await stack();
    printJson({ ...rest, key: keyNamed(await stack(), name).userName });
    return 0;
  });

  it('tells what is deployed: its outputs, the version, and the key that a name means', async () => {
    const simulation = new LivedInAccount([{ userName: 'app' }]);
    const { arn } = simulation.secret('app');
    for (const name of ['app', 'iam/app', arn]) {
      const { out } = await run(simulation.account, reading, [name]);
      expect(JSON.parse(out)).toEqual({
        name: 'iam-key-rotator',
        region: 'eu-central-1',
        account: '111122223333',
        status: 'CREATE_COMPLETE',
        outputs: { RotateFunctionName: 'rotate', RetireFunctionName: 'retire' },
        version: '0.1.0',
        key: 'app',
      });
    }
    const { exit, err } = await run(simulation.account, reading, ['ap']);
    expect({ exit, code: errorOf(err) }).toEqual({ exit: 17, code: 'SECRET_UNKNOWN' });
    expect(err).toContain("did you mean 'app'?");
  });

  it('is not found where there is none, or one of somebody else, or of another version', async () => {
    const simulation = new LivedInAccount([]);
    const { account: of } = simulation;
    of.stacks.clear();
    expect(await run(of, reading)).toMatchObject({
      exit: 14,
      err: expect.stringContaining("no stack 'iam-key-rotator'"),
    });
    deployStack(simulation);
    expect(await run(of, reading, ['--stack', 'other'])).toMatchObject({ exit: 14 });
    const stack = of.stacks.get('iam-key-rotator');
    if (stack === undefined) throw new Error('no stack');
    of.stacks.set('iam-key-rotator', { ...stack, metadata: undefined });
    expect(await run(of, reading)).toMatchObject({
      exit: 14,
      err: expect.stringContaining('not one of iam-key-rotator'),
    });
    of.stacks.set('iam-key-rotator', {
      ...stack,
      metadata: { 'iam-key-rotator': { deployment: { formatVersion: 2 } } },
    });
    expect(await run(of, reading)).toMatchObject({ exit: 14, err: expect.stringContaining('another version') });
  });

  it('is read by the SDK as well, over the wire', async () => {
    const simulation = new LivedInAccount([{ userName: 'app' }]);
    const { operator, region } = simulation.account;
    const { endpoint, close } = await simulation.account.listen(Date.now);
    try {
      const connect = () => {
        const over = connectWith({ region, endpoint });
        return ((service: 'iam', options: object) =>
          over(service, { credentials: operator.credentials, ...options })) as typeof over;
      };
      const { exit, out } = await run(simulation.account, reading, [], { connect });
      expect({ exit, account: JSON.parse(out).account }).toEqual({ exit: 0, account: '111122223333' });
    } finally {
      await close();
    }
  });
});
