/**
 * `npm run mutate`: changes the source in one small way after the other, and sees whether a test notices (StrykerJS). Prints what each folder's
 * tests are worth and every change that none of them noticed. Exits with 1 below a threshold, with 2 when it can't tell.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { matchesGlob } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import * as v from 'valibot';

const USAGE = `usage: npm run mutate [-- [--domain | --functions] [--file lambdas/adapters/call.ts[:10-20]]…]
  --domain     only lambdas/domain and lambdas/contract, by their own tests
  --functions  only what is around them, by its own tests
  --file       only these files or lines
`;

/** Each part is judged by the tests that are meant to hold it; none of them leans on the simulation. */
const PARTS = [
  {
    name: 'domain',
    mutate: ['lambdas/domain/**/*.ts', 'lambdas/contract/**/*.ts'],
    vitest: 'test/vitest.mutate-domain.config.ts',
  },
  {
    name: 'functions',
    mutate: [
      'lambdas/adapters/**/*.ts',
      'lambdas/rotate/**/*.ts',
      'lambdas/{retire,retirement,respond,audit,notify}/**/*.ts',
    ],
    vitest: 'test/vitest.mutate.config.ts',
  },
] as const;
type Part = (typeof PARTS)[number];

/** The least score in percent, of what is below a folder. */
const THRESHOLDS = { lambdas: 90, 'lambdas/domain': 100, 'lambdas/contract': 100 } as const;

const position = v.object({ line: v.number(), column: v.number() });
/** The part of Stryker's report that is used here (github.com/stryker-mutator/mutation-testing-elements, report-schema). */
const reportSchema = v.object({
  files: v.record(
    v.string(),
    v.object({
      source: v.string(),
      mutants: v.array(
        v.object({
          mutatorName: v.string(),
          replacement: v.optional(v.string()),
          status: v.picklist([
            'Killed',
            'Timeout',
            'Survived',
            'NoCoverage',
            'Ignored',
            'RuntimeError',
            'CompileError',
          ]),
          statusReason: v.optional(v.string()),
          location: v.object({ start: position, end: position }),
        }),
      ),
    }),
  ),
});
type Status = v.InferOutput<typeof reportSchema>['files'][string]['mutants'][number]['status'];

/** One change of the source, and what came of it. */
interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly mutator: string;
  readonly change: string;
  readonly status: Status;
  readonly reason: string | undefined;
}

const DETECTED: readonly Status[] = ['Killed', 'Timeout'];
/** In words. A change that keeps a test file from being loaded is not judged by any test: it counts as not noticed. */
const MISSED: Partial<Record<Status, string>> = {
  Survived: 'survived',
  NoCoverage: 'no coverage',
  RuntimeError: 'not judged',
  CompileError: 'not judged',
};

async function run(part: Part, files: readonly string[]): Promise<Mutant[]> {
  const report = `reports/mutation/${part.name}.json`;
  rmSync(report, { force: true });
  mkdirSync('reports/mutation', { recursive: true });
  const mutate = files.length > 0 ? [...files] : [...part.mutate];
  await new Stryker({
    mutate,
    vitest: { configFile: part.vitest },
    jsonReporter: { fileName: report },
  }).runMutationTest();
  const { files: mutated } = v.parse(reportSchema, JSON.parse(readFileSync(report, 'utf8')));
  return Object.entries(mutated).flatMap(([file, { source, mutants }]) =>
    mutants.map((mutant) => ({
      file,
      ...mutant.location.start,
      mutator: mutant.mutatorName,
      change: `${excerpt(source, mutant.location)} → ${oneLine(mutant.replacement ?? '')}`,
      status: mutant.status,
      reason: mutant.statusReason,
    })),
  );
}

/** What stands at a place of the source. Lines and columns count from 1. */
function excerpt(
  source: string,
  { start, end }: { start: v.InferOutput<typeof position>; end: v.InferOutput<typeof position> },
): string {
  const lines = source.split('\n').slice(start.line - 1, end.line);
  const last = lines.pop() ?? '';
  const text = [...lines, last.slice(0, end.column - 1)].join('\n');
  return oneLine(text.slice(start.column - 1));
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 70 ? `${line.slice(0, 69)}…` : line;
}

const count = (mutants: readonly Mutant[], ...statuses: readonly Status[]) =>
  mutants.filter((mutant) => statuses.includes(mutant.status)).length;

/** In percent, of the mutants that are not ignored. */
function scoreOf(mutants: readonly Mutant[]): number {
  const counted = mutants.length - count(mutants, 'Ignored');
  return counted === 0 ? 100 : (100 * count(mutants, ...DETECTED)) / counted;
}

/** Rounded down: nothing but all is 100. */
const percent = (score: number) => `${(Math.floor(score * 100) / 100).toFixed(2)} %`;

function drawTable(mutants: readonly Mutant[]): string[] {
  const folders = [...new Set(mutants.map(folderOf))].sort();
  const row = (name: string, of: readonly Mutant[]) => [
    name,
    ...[of.length, count(of, 'Killed'), count(of, 'Timeout'), count(of, 'Survived'), count(of, 'NoCoverage')].map(
      String,
    ),
    ...[count(of, 'RuntimeError', 'CompileError'), count(of, 'Ignored')].map(String),
    percent(scoreOf(of)),
  ];
  const cells = [
    ['folder', 'mutants', 'killed', 'timed out', 'survived', 'no coverage', 'not judged', 'ignored', 'score'],
    ...folders.map((folder) =>
      row(
        folder,
        mutants.filter((mutant) => folderOf(mutant) === folder),
      ),
    ),
    row('all', mutants),
  ];
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return cells.map((line) =>
    line
      .map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0)))
      .join('  '),
  );
}

const folderOf = ({ file }: Mutant) => file.slice(0, file.lastIndexOf('/'));

const describe = (mutant: Mutant, told: string) =>
  `${mutant.file}:${mutant.line}:${mutant.column}  ${told}  ${mutant.mutator}: ${mutant.change}`;

/** The thresholds that are not met; none for a folder of which nothing was mutated. */
function belowThreshold(mutants: readonly Mutant[]): string[] {
  return Object.entries(THRESHOLDS).flatMap(([folder, least]) => {
    const score = scoreOf(mutants.filter(({ file }) => file.startsWith(`${folder}/`)));
    return score < least ? [`${folder}: ${percent(score)} of at least ${least} %`] : [];
  });
}

/** Which parts to run, and which files of each: all, if none is named. */
function readArguments(): ReadonlyMap<Part, readonly string[]> | string {
  let values: { domain?: boolean; functions?: boolean; file?: string[] };
  try {
    ({ values } = parseArgs({
      options: {
        domain: { type: 'boolean' },
        functions: { type: 'boolean' },
        file: { type: 'string', multiple: true },
      },
    }));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const { domain = false, functions = false, file: files = [] } = values;
  const parts = PARTS.filter(({ name }) => (!domain && !functions) || (name === 'domain' ? domain : functions));
  if (files.length === 0) return new Map(parts.map((part) => [part, []]));
  const belongs = (file: string, part: Part) => part.mutate.some((glob) => matchesGlob(file.replace(/:.*/, ''), glob));
  const lost = files.find((file) => !parts.some((part) => belongs(file, part)));
  if (lost !== undefined) return `no part that is to be run has the file ${lost}`;
  const named = parts.map((part): [Part, string[]] => [part, files.filter((file) => belongs(file, part))]);
  return new Map(named.filter(([, of]) => of.length > 0));
}

const wanted = readArguments();
if (typeof wanted === 'string') {
  process.stderr.write(`${wanted}\n${USAGE}`);
  process.exit(2);
}

const started = performance.now();
const mutants: Mutant[] = [];
try {
  // One after the other: each takes all processors.
  for (const [part, files] of wanted) mutants.push(...(await run(part, files)));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(2);
}
if (mutants.length === 0) {
  process.stderr.write('nothing was mutated\n');
  process.exit(2);
}

const missed = mutants.flatMap((mutant) => {
  const told = MISSED[mutant.status];
  return told === undefined ? [] : [describe(mutant, told)];
});
const ignored = mutants
  .filter(({ status }) => status === 'Ignored')
  .map((mutant) => describe(mutant, mutant.reason ?? ''));
const below = belowThreshold(mutants);
const block = (title: string, lines: readonly string[]) => (lines.length > 0 ? ['', title, ...lines] : []);
const lines = [
  ...drawTable(mutants),
  ...block('Ignored, for the reason given beside the source:', ignored),
  ...block('Noticed by no test:', missed),
  ...block('Below the threshold:', below),
  '',
  `${mutants.length} mutants in ${Math.round((performance.now() - started) / 1000)} s`,
];
process.stdout.write(`${lines.join('\n')}\n`);
process.exitCode = below.length > 0 ? 1 : 0;
