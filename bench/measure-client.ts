/** What an application takes on with `iam-key-rotator/client`: its size, and the time that loading it takes beyond the SDK's. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync, type Format } from 'esbuild';
import { type Figure, KB } from './budgets.ts';
import { withFolder } from './task-root.ts';

const PROJECT_ROOT = fileURLToPath(new URL('..', import.meta.url));
const LOAD_AFTER = fileURLToPath(new URL('children/load-after.cjs', import.meta.url));
const SDK = '@aws-sdk/client-secrets-manager';
const ROUNDS = 31;

export async function measureClient(): Promise<Record<'clientSize' | 'clientLoad', Figure>> {
  return { clientSize: size(), clientLoad: await load() };
}

/**
 * The client as an application's bundler makes it, without the SDK.
 *
 * @param source an application: by default one that uses all that there is
 */
export function clientBundle(
  source = "export * from './client/index.ts';",
  minify = true,
  format: Format = 'esm',
): Buffer {
  const { outputFiles } = buildSync({
    stdin: { contents: source, resolveDir: PROJECT_ROOT, loader: 'ts' },
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format,
    minify,
    external: ['@aws-sdk/*'],
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'silent',
  });
  return Buffer.concat(outputFiles.map(({ contents }) => contents));
}

function size(): Figure {
  const { length } = clientBundle();
  const plain = clientBundle(undefined, false).length;
  const bytes = (count: number) => `${count.toLocaleString('en')} bytes`;
  return { value: length / KB, how: `minified, ${bytes(length)}; ${bytes(plain)} as it is, without comments` };
}

/** The median of new processes that have just loaded the SDK's client of Secrets Manager. */
function load(): Promise<Figure> {
  return withFolder((folder) => {
    const file = join(folder, 'client.cjs');
    writeFileSync(file, clientBundle(undefined, true, 'cjs'));
    const once = (): readonly number[] =>
      JSON.parse(
        execFileSync(process.execPath, [LOAD_AFTER, SDK, file], {
          env: { NODE_PATH: join(PROJECT_ROOT, 'node_modules') },
          encoding: 'utf8',
        }),
      );
    once();
    const rounds = Array.from({ length: ROUNDS }, once);
    const median = (column: number) =>
      rounds.map((times) => times[column] ?? Number.NaN).sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN;
    return { value: median(1), how: `${median(0).toFixed(1)} ms of the SDK before; medians of ${ROUNDS} rounds` };
  });
}
