#!/usr/bin/env node
// The program as it was built; in a checkout, which has nothing built, its source, which needs the Node of node_modules/.bin.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const built = new URL('../dist/cli/main.js', import.meta.url);
const source = new URL('../cli/main.ts', import.meta.url);

if (!existsSync(source)) await import(built.href);
else if (process.features.typescript) await import(source.href);
else {
  const node = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
  const { status, error } = spawnSync(node, [fileURLToPath(source), ...process.argv.slice(2)], { stdio: 'inherit' });
  if (error !== undefined) process.stderr.write('iam-key-rotator: no Node that runs TypeScript; npm ci brings it\n');
  process.exitCode = status ?? 1;
}
