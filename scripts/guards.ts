/**
 * `npm run guards`: takes each guard of the rotator away, one at a time, in a copy of the repository, and runs the suites that must notice. A guard
 * that nothing notices is no guard. Its table stands in docs/safety.md.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GUARDS, type Guard } from './guards/list.ts';
import { guardRow } from './guards/row.ts';

const HELP = `Usage: npm run guards -- [--only <part of a guard's name>] [--list]

Takes each guard away and runs the suites that must fail then. --list prints the guards and their suites as the table of docs/safety.md.
Exit codes: 0 every guard is noticed, 1 some guard is not, 2 wrong options.
`;
const ROOT = join(import.meta.dirname, '..');
const PARTS = ['infra', 'lambdas', 'local', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts', 'cdk.json'];

/** @throws Error when the code that the guard names is no longer there, or twice */
function takeAway(root: string, { name, edits }: Guard): void {
  for (const { file, find, replace } of edits) {
    const text = readFileSync(join(root, file), 'utf8');
    const found = text.split(find).length - 1;
    if (found !== 1) throw new Error(`guard '${name}': ${file} has this ${found} times, expected once: ${find}`);
    writeFileSync(
      join(root, file),
      text.replace(find, () => replace),
    );
  }
}

/** The first test that failed, in a copy without the guards; undefined if all passed. */
function firstFailure(guards: readonly Guard[], suites: readonly string[]): string | undefined {
  const copy = mkdtempSync(join(tmpdir(), 'guards-'));
  try {
    for (const part of PARTS) cpSync(join(ROOT, part), join(copy, part), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    for (const guard of guards) takeAway(copy, guard);
    const report = join(copy, 'report.json');
    // The first failure ends a run before its file is through, which the report then may not name.
    for (const bail of ['--bail=1', '--bail=0']) {
      const args = ['run', bail, '--reporter=json', `--outputFile=${report}`, ...suites];
      const { status } = spawnSync(join(ROOT, 'node_modules/.bin/vitest'), args, { cwd: copy, encoding: 'utf8' });
      if (status === 0) return undefined;
      const { testResults }: { testResults: { assertionResults: { status: string; fullName: string }[] }[] } =
        JSON.parse(readFileSync(report, 'utf8'));
      const failed = testResults.flatMap((file) => file.assertionResults).find((test) => test.status === 'failed');
      if (failed !== undefined) return failed.fullName;
    }
    throw new Error('the suites fail, and their report names no test');
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function main(): number {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const guards = GUARDS.filter(({ name }) => name.includes(values.only));
  if (guards.length === 0) throw new Error(`no guard has '${values.only}' in its name`);
  if (values.list) {
    for (const guard of guards) console.log(guardRow(guard));
    return 0;
  }
  const broken = firstFailure([], [...new Set(guards.flatMap(({ suites }) => suites))]);
  if (broken !== undefined) throw new Error(`with all guards in place this fails already: ${broken}`);
  let unnoticed = 0;
  for (const guard of guards) {
    const failure = firstFailure([guard], guard.suites);
    if (failure === undefined) unnoticed += 1;
    console.log(
      `${failure === undefined ? 'UNNOTICED' : 'noticed  '} ${guard.name}: ${failure ?? 'all suites passed without it'}`,
    );
  }
  console.log(`${guards.length} guards taken away, ${unnoticed} unnoticed`);
  return unnoticed === 0 ? 0 : 1;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
