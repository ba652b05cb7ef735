import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LivedInAccount } from '../cli/account.ts';
import { accountWithSecret, environmentOf, run } from '../client/start-program.ts';

const ROOT = join(import.meta.dirname, '../..');
const MODULES = join(ROOT, 'node_modules');
const PACKAGE = 'node_modules/iam-key-rotator';

/** Every Node there is: the project's own, and the machine's, which may be an older one. */
const NODES = [...new Set([process.execPath, nodeOf(pathWithout(MODULES))])];

function pathWithout(folder: string): string {
  return (process.env.PATH ?? '')
    .split(':')
    .filter((one) => !one.startsWith(folder) && !one.includes('node_modules'))
    .join(':');
}

/** The executable that `node` is on this PATH; the project's own if there is none, or one that the package does not promise to run on. */
function nodeOf(path: string): string {
  try {
    const [version = '', executable = ''] = execFileSync('node', ['-p', 'process.version + "\\n" + process.execPath'], {
      env: { PATH: path },
      encoding: 'utf8',
    })
      .trim()
      .split('\n');
    const [major = 0, minor = 0] = version.slice(1).split('.').map(Number);
    // require of a module: https://nodejs.org/api/modules.html#loading-ecmascript-modules-using-require
    return major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? executable : process.execPath;
  } catch {
    return process.execPath;
  }
}

let folder: string;
/** An empty project into which the package was installed, with the peers that npm brings along. */
let project: string;
/** The same without the peers. */
let bare: string;
/** The paths in the tarball. */
let packed: string[];

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'iam-key-rotator-pack-')));
  // What a build finds is the sources alone: a copy, so that neither a stale dist of the checkout is packed nor a new one left in it.
  const checkout = join(folder, 'checkout');
  await mkdir(checkout);
  const { files } = await manifestOf(ROOT);
  const parts = ['package.json', 'README.md', 'LICENSE', 'tsconfig.json', 'tsconfig.build.json', 'bin', 'docs'];
  const sources = ['cli', 'client', 'infra', 'lambdas', 'scripts'];
  for (const name of [...parts, ...sources]) await cp(join(ROOT, name), join(checkout, name), { recursive: true });
  await symlink(MODULES, join(checkout, 'node_modules'));
  expect(files).toContain('dist');

  const npm = (...argv: string[]) =>
    execFileSync('npm', [...argv, '--offline', '--loglevel=error'], { cwd: checkout, encoding: 'utf8', stdio: 'pipe' });
  npm('pack', '--pack-destination', folder);
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack made no tarball');

  project = join(folder, 'project');
  bare = join(folder, 'bare');
  for (const into of [project, bare]) {
    await mkdir(join(into, PACKAGE), { recursive: true });
    await writeFile(join(into, 'package.json'), '{ "name": "application", "private": true }');
    // What `npm install <tarball>` does with it. npm itself would ask a registry for the peers.
    execFileSync('tar', ['-xzf', join(folder, tarball), '-C', join(into, PACKAGE), '--strip-components=1']);
  }
  for (const name of ['@aws-sdk', '@aws-crypto', '@aws', '@smithy', 'tslib']) {
    await symlink(join(MODULES, name), join(project, 'node_modules', name)).catch(() => {});
  }
  packed = (await readdir(join(project, PACKAGE), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(project, PACKAGE).length + 1))
    .sort();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Manifest {
  readonly version: string;
  readonly files: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const manifestOf = async (root: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));

const textOf = (path: string) => readFile(join(project, PACKAGE, path), 'utf8');

describe('the tarball', () => {
  it('holds what an application uses, and nothing else', () => {
    const types = (path: string) => path.startsWith('dist/types/');
    const chunk = /^dist\/cli\/[A-Za-z-]+-[0-9A-Z]{8}\.js$/;
    expect(packed.filter((path) => !types(path) && !chunk.test(path))).toEqual([
      'LICENSE',
      'README.md',
      'bin/iam-key-rotator.js',
      'dist/cli/NOTICES.txt',
      'dist/cli/main.js',
      'dist/client.js',
      'docs/cli.md',
      'docs/consumers.md',
      'docs/credentials-command.md',
      'package.json',
    ]);
    expect(
      packed.filter(types).filter((path) => !/^dist\/types\/(client|lambdas\/contract)\/[a-z-]+\.d\.ts$/.test(path)),
    ).toEqual([]);
    expect(packed).toContain('dist/types/client/index.d.ts');
  });

  it('names no place of the machine that built it, and no source map', async () => {
    for (const path of packed) {
      const text = await textOf(path);
      expect(text, path).not.toContain(ROOT);
      expect(text, path).not.toContain(folder);
      expect(text, path).not.toContain('sourceMappingURL');
    }
  });

  it('imports what an application brings, and nothing else', async () => {
    const { dependencies = {}, peerDependencies } = await manifestOf(join(project, PACKAGE));
    expect(dependencies).toEqual({});
    const imported = new Set<string>();
    for (const path of packed.filter((name) => /\.(js|d\.ts)$/.test(name))) {
      for (const [, name = ''] of (await textOf(path)).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']/g)) {
        if (!name.startsWith('.') && !name.startsWith('node:')) imported.add(name);
      }
    }
    expect(imported).toContain('@aws-sdk/client-secrets-manager');
    // An error message of the SDK names them: what signing for several Regions would need.
    const named = ['@aws-sdk/signature-v4-crt', '@aws-sdk/signature-v4a'];
    expect([...imported].filter((name) => peerDependencies[name] === undefined).sort()).toEqual(named);
  });

  it('asks for a version of the SDK that the tests run with', async () => {
    const { peerDependencies, devDependencies } = await manifestOf(ROOT);
    for (const [name, range] of Object.entries(peerDependencies)) {
      const [, least = '', below = ''] = /^>=([\d.]+) <(\d+)$/.exec(range) ?? [];
      const numbers = (version: string) => version.split('.').map(Number);
      const [[lm = 0, ln = 0], [m = 0, n = 0]] = [numbers(least), numbers(devDependencies[name] ?? '')];
      expect(m > lm || (m === lm && n >= ln), name).toBe(true);
      expect(m, name).toBeLessThan(Number(below));
    }
  });
});

describe.each(NODES)('with %s', (node) => {
  const start = (argv: readonly string[], env: Record<string, string> = {}, cwd = project) => run(node, argv, env, cwd);
  const bin = join(PACKAGE, 'bin/iam-key-rotator.js');

  it('an application imports the client as a module', async () => {
    const text = "import * as client from 'iam-key-rotator/client'; console.log(typeof client.KeyReadError);";
    await writeFile(join(project, 'imports.mjs'), text);
    expect(await start(['imports.mjs'])).toEqual({ exit: 0, stdout: 'function\n', stderr: '' });
  });

  it('an application requires the client from CommonJS', async () => {
    const text = "console.log(typeof require('iam-key-rotator/client').KeyReadError);";
    await writeFile(join(project, 'requires.cjs'), text);
    // Node 20 says that it is experimental.
    expect(await start(['--no-warnings', 'requires.cjs'])).toEqual({ exit: 0, stdout: 'function\n', stderr: '' });
  });

  it('the program tells its version and its options', async () => {
    const { version } = await manifestOf(ROOT);
    expect(await start([bin, '--version'])).toEqual({ exit: 0, stdout: `${version}\n`, stderr: '' });
    const help = await start([bin, 'credentials', '--help']);
    expect(help).toMatchObject({ exit: 0, stderr: '', stdout: expect.stringContaining('--secret-id NAME') });
  });

  it('the program prints the key of a secret; and again from its file without the SDK', async () => {
    const on = await accountWithSecret();
    try {
      const home = await mkdtemp(join(folder, 'home-'));
      // The SDK warns that it will leave Node 20.
      const env = { ...environmentOf(home, on.account.operator.credentials), NODE_NO_WARNINGS: '1' };
      const argv = [bin, 'credentials', '--secret-id', on.arn, '--endpoint-url', on.endpoint];
      const first = await start(argv, env);
      expect(first).toMatchObject({ exit: 0, stderr: '' });
      expect(JSON.parse(first.stdout)).toMatchObject({ Version: 1, AccessKeyId: on.key.accessKeyId });
      expect(await start(argv, env, bare)).toEqual(first);
      expect(on.reads()).toBe(1);
    } finally {
      await on.close();
    }
  });

  it('the commands of operators bring their own SDK, and look at a deployment', async () => {
    const lived = new LivedInAccount([{ userName: 'app' }]);
    await lived.account.clock.advanceTo(new Date());
    lived.rotate('app');
    const { endpoint, close } = await lived.account.listen(Date.now);
    try {
      const home = await mkdtemp(join(folder, 'home-'));
      const where = {
        ...environmentOf(home, lived.account.operator.credentials),
        ...{ AWS_REGION: 'eu-central-1', AWS_ENDPOINT_URL: endpoint },
      };
      for (const command of ['status', 'plan', 'doctor']) {
        const { exit, stdout, stderr } = await start([bin, command, '--json'], where, bare);
        expect({ exit, stderr, command: JSON.parse(stdout).command }).toEqual({ exit: 0, stderr: '', command });
      }
    } finally {
      await close();
    }
  });

  it('the program without the SDK says what to install', async () => {
    const env = { HOME: await mkdtemp(join(folder, 'home-')) };
    const argv = [bin, 'credentials', '--secret-id', 'x', '--region', 'eu-central-1'];
    const { exit, stdout, stderr } = await start(argv, env, bare);
    expect({ exit, stdout }).toEqual({ exit: 10, stdout: '' });
    expect(stderr).toContain('npm install @aws-sdk/client-secrets-manager');
  });
});

describe('an application in TypeScript', () => {
  it.each([
    ['nodenext', 'nodenext'],
    ['node16', 'node16'],
    ['esnext', 'bundler'],
  ])(
    'compiles against the types with module %s and moduleResolution %s, and the types are checked',
    async (module, moduleResolution) => {
      const typed = await mkdtemp(join(folder, 'typed-'));
      await symlink(join(project, 'node_modules'), join(typed, 'node_modules'));
      const text = `import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { fromRotatedSecret, KeyReadError, type ReadErrorCode, withFreshCredentials } from 'iam-key-rotator/client';
const code: ReadErrorCode = 'NO_KEY_YET';
export const error: Error = new KeyReadError(code, { found: '', expected: '', remedy: '' });
const none = undefined;
const credentials = fromRotatedSecret({ secretId: 'x', client: none, region: none, ttl: none, keepFor: none, file: none });
const signing = new SecretsManagerClient({ credentials });
export const client: SecretsManagerClient = withFreshCredentials(signing, { patience: none, onRetry: none, clock: none });
// @ts-expect-error: the types are there, and not any
export const wrong: number = new KeyReadError(code, { found: '', expected: '', remedy: '' });
`;
      await writeFile(join(typed, 'index.mts'), text);
      await writeFile(join(typed, 'package.json'), '{ "type": "module", "private": true }');
      const compilerOptions = {
        ...{
          module,
          moduleResolution,
          target: 'es2022',
          strict: true,
          exactOptionalPropertyTypes: true,
          skipLibCheck: false,
          noEmit: true,
        },
        ...{ types: ['node'], typeRoots: [join(MODULES, '@types')] },
      };
      await writeFile(join(typed, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['index.mts'] }));
      const tsc = join(dirname(await realpath(join(MODULES, '.bin/tsc'))), 'tsc');
      expect(await run(process.execPath, [tsc, '-p', typed], {}, typed)).toEqual({ exit: 0, stdout: '', stderr: '' });
    },
  );
});
