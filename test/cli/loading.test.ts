/** What starting the program takes on: `credentials` runs at each request of some applications. */
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** The packages that are loaded along with a file, without what it loads later. */
function loadedWith(file: string): string[] {
  const { metafile } = buildSync({
    ...{ absWorkingDir: ROOT, entryPoints: [file], outdir: 'out', write: false, metafile: true },
    ...{ bundle: true, splitting: true, format: 'esm', platform: 'node', packages: 'external' },
  });
  const outputs = metafile.outputs;
  const seen = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { path: imported, kind, external } of outputs[path]?.imports ?? []) {
      if (kind !== 'import-statement') continue;
      if (external !== true) visit(imported);
      else if (!imported.startsWith('node:')) packages.add(imported);
    }
  };
  for (const [path, { entryPoint }] of Object.entries(outputs)) if (entryPoint === file) visit(path);
  expect(seen.size).toBeGreaterThan(0);
  return [...packages].sort();
}

describe('starting', () => {
  it.each(['cli/main.ts', 'client/program/credentials.ts'])('%s loads no package at all', (file) => {
    expect(loadedWith(file)).toEqual([]);
  });

  it('a command loads the clients that every command asks, and others when it asks them', () => {
    expect(loadedWith('cli/operator/command.ts')).toContain('commander');
    expect(loadedWith('cli/commands/status.ts').filter((name) => name.startsWith('@aws-sdk/'))).toEqual([
      '@aws-sdk/client-secrets-manager',
    ]);
    expect(loadedWith('cli/commands/doctor.ts')).not.toContain('@aws-sdk/client-lambda');
  });
});
