/** `npm run build`: makes `dist/`, which is what the package holds beside its bin. Node runs no TypeScript below node_modules. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type BuildOptions, buildSync } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What both have in common. The packages stay out: an application has one SDK, and this uses that. */
const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  charset: 'utf8',
  logLevel: 'warning',
} satisfies BuildOptions;

/** @param dist where it is built to; what is there is replaced */
export function build(dist: string): void {
  rmSync(dist, { recursive: true, force: true });
  // Small, since each application takes it in.
  buildSync({ ...COMMON, entryPoints: ['client/index.ts'], outfile: join(dist, 'client.js'), minify: true });
  buildSync({
    ...COMMON,
    entryPoints: { main: 'cli/main.ts' },
    outdir: join(dist, 'cli'),
    // So that a key that is fresh in its file is printed without loading the SDK.
    splitting: true,
    chunkNames: '[name]-[hash]',
  });
  declare(join(dist, 'types'));
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
  build(dist);
}
