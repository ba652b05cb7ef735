/** `npm run build`: makes `dist/`, which is what the package holds beside its bin. Node runs no TypeScript below node_modules. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type BuildOptions, build as bundle, type Metafile, type Plugin } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What both have in common. */
const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  charset: 'utf8',
  logLevel: 'warning',
} satisfies BuildOptions;

/**
 * What applications use of the program goes with their SDK. What operators use brings its own, of the services that only operators ask: nobody
 * installs eight clients to look at a table.
 */
const packagesOfClientsStayOut: Plugin = {
  name: 'packages-of-clients-stay-out',
  setup({ onResolve }) {
    const client = join(ROOT, 'client/');
    onResolve({ filter: /^[^./]/ }, ({ importer, path }) =>
      importer.startsWith(client) ? { path, external: true } : undefined,
    );
  },
};

/** Commander is CommonJS, and asks for modules of Node by `require`, which a module doesn't have. */
const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** @param dist where it is built to; what is there is replaced */
export async function build(dist: string): Promise<void> {
  rmSync(dist, { recursive: true, force: true });
  // Small, since each application takes it in.
  await bundle({
    ...COMMON,
    packages: 'external',
    entryPoints: ['client/index.ts'],
    outfile: join(dist, 'client.js'),
    minify: true,
  });
  await buildProgram(join(dist, 'cli'));
  declare(join(dist, 'types'));
}

/** @param folder where the program is built to; its `main.js` is what the bin starts */
export async function buildProgram(folder: string): Promise<void> {
  const { metafile } = await bundle({
    ...COMMON,
    plugins: [packagesOfClientsStayOut],
    mainFields: ['module', 'main'],
    minify: true,
    legalComments: 'none',
    banner: { js: REQUIRE },
    metafile: true,
    entryPoints: { main: 'cli/main.ts' },
    outdir: folder,
    // So that a key that is fresh in its file is printed without loading the SDK, and a command loads the clients that it asks.
    splitting: true,
    chunkNames: '[name]-[hash]',
  });
  writeFileSync(join(folder, 'NOTICES.txt'), noticesOf(metafile));
}

/** The licences of the packages that were bundled, which ask to go with every copy. */
function noticesOf({ inputs }: Metafile): string {
  const packages = new Set(
    Object.keys(inputs).flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
  );
  const notices = [...packages].sort().map((path) => {
    const folder = join(ROOT, path);
    const { name, version, license }: Record<string, string> = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    );
    const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
    // The licence of the SDK's packages is that of this one, which stands beside it.
    const text =
      license === 'Apache-2.0' || file === undefined ? '' : `\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
    return `${name} ${version}: ${license}\n${text}`;
  });
  return `The program contains parts of these packages.\n\n${notices.join('\n')}`;
}

/** Writes the types of the entry point, and of what it is made of. */
function declare(types: string): void {
  // As npm's own bin does it, which needs no shell and no PATH.
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', types], {
    stdio: 'inherit',
  });
  for (const name of readdirSync(types, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.d.ts')) continue;
    // The compiler leaves the names of the sources, which a consumer doesn't have.
    const text = readFileSync(join(types, name), 'utf8');
    writeFileSync(join(types, name), text.replaceAll(/((?:from |import\()['"]\.{1,2}\/[^'"]+)\.ts(['"])/g, '$1.js$2'));
  }
}

if (import.meta.main) {
  const { dist = join(ROOT, 'dist') } = parseArgs({ options: { dist: { type: 'string' } } }).values;
  await build(dist);
}
