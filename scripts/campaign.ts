/** Runs random histories (test/histories) for as long as wished: `npm run campaign -- --help`. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { COMMANDS, type History, historyOf } from '../test/histories/history.ts';
import type { Failure } from '../test/histories/judge.ts';
import { type Outcome, runHistory } from '../test/histories/run.ts';
import { shrunk } from '../test/histories/shrink.ts';

const HELP = `Runs random histories of rotations, passes, faults and deeds of operators against the simulated account, and judges each of them.

  npm run campaign -- [options]

  --runs N         how many histories (default 1000)
  --seed S         which ones: history i of seed S is the same at any time, whatever N and the number of workers (default 1)
  --from I         number of the first history (default 0)
  --workers W      threads (default 2)
  --replay WHAT    run one history again, step by step: its JSON, that in base64, @FILE, or S:I for the history I of seed S
  --help           this text

Exits 0 if no history fails, 1 if one does, 2 if the options are wrong.`;

interface Options {
  readonly runs: number;
  readonly seed: number;
  readonly from: number;
  readonly workers: number;
  readonly replay: string | undefined;
}

/** Histories that a worker runs between two reports. */
const BATCH = 20;

/** A part of a campaign: every `workers`th history. */
interface Share {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

interface Tally {
  histories: number;
  commands: number;
  calls: number;
  readonly limits: Record<string, number>;
  readonly coverage: Record<string, number>;
  readonly failures: { readonly index: number; readonly failure: Failure }[];
}

class Usage extends Error {}

if (isMainThread) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof Usage)) throw error;
    process.stderr.write(`${error.message}\nSee npm run campaign -- --help\n`);
    process.exitCode = 2;
  }
} else {
  const share: Share = workerData;
  await work(share, (tally) => parentPort?.postMessage(tally));
}

async function main(args: readonly string[]): Promise<number> {
  const options = read(args);
  if (options === 'help') {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  if (options.replay !== undefined) return replay(historyIn(options.replay));
  return campaign(options);
}

function read(args: readonly string[]): Options | 'help' {
  let values: Record<string, string | boolean | undefined>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        runs: { type: 'string' },
        seed: { type: 'string' },
        from: { type: 'string' },
        workers: { type: 'string' },
        replay: { type: 'string' },
        help: { type: 'boolean' },
      },
    }));
  } catch (error) {
    throw new Usage(error instanceof Error ? error.message : String(error));
  }
  if (values.help === true) return 'help';
  const whole = (name: string, standard: number, least: number): number => {
    const text = values[name];
    if (text === undefined) return standard;
    const number = Number(text);
    if (Number.isSafeInteger(number) && number >= least && text !== '') return number;
    throw new Usage(`--${name} must be a whole number from ${least} on; received '${String(text)}'`);
  };
  return {
    runs: whole('runs', 1000, 1),
    seed: whole('seed', 1, 0),
    from: whole('from', 0, 0),
    workers: whole('workers', 2, 1),
    replay: typeof values.replay === 'string' ? values.replay : undefined,
  };
}

function historyIn(text: string): History {
  const [, seed, index] = /^(\d+):(\d+)$/.exec(text) ?? [];
  if (seed !== undefined && index !== undefined) return historyOf(Number(seed), Number(index));
  let json = text;
  try {
    if (text.startsWith('@')) json = readFileSync(text.slice(1), 'utf8');
    else if (!text.trimStart().startsWith('{')) json = Buffer.from(text, 'base64').toString('utf8');
    const history: History = JSON.parse(json);
    if (Array.isArray(history.commands) && Array.isArray(history.setup.users)) return history;
  } catch (error) {
    throw new Usage(
      `--replay: no history in '${text.slice(0, 60)}': ${error instanceof Error ? error.message : error}`,
    );
  }
  throw new Usage(`--replay: '${text.slice(0, 60)}' has no setup.users or no commands`);
}

async function replay(history: History): Promise<number> {
  const outcome = await runHistory(history, { tell: (line) => process.stdout.write(`${line}\n`) });
  const { failure, coverage: _, ...counts } = outcome;
  process.stdout.write(`${JSON.stringify(counts)}\n`);
  if (failure === undefined) process.stdout.write('nothing is wrong\n');
  else process.stdout.write(`WRONG: ${told(failure)}\n`);
  return failure === undefined ? 0 : 1;
}

async function campaign(options: Options): Promise<number> {
  const { runs, seed, from, workers } = options;
  const begun = performance.now();
  const total = emptyTally();
  const seconds = () => (performance.now() - begun) / 1000;
  const note = (tally: Tally) => {
    add(total, tally);
    if (!process.stderr.isTTY) return;
    const rate = (total.histories / seconds()).toFixed(1);
    const line = `${total.histories}/${runs} histories, ${total.calls} calls, ${total.failures.length} failed, ${rate}/s`;
    process.stderr.write(`\r${line}   `);
  };
  const shares = Array.from({ length: Math.min(workers, runs) }, (_, worker) => ({
    seed,
    from: from + worker,
    to: from + runs,
    step: Math.min(workers, runs),
  }));
  await Promise.all(shares.map((share) => inWorker(share, note)));
  if (process.stderr.isTTY) process.stderr.write('\n');
  const took = seconds();
  tellHappened(total);
  // The first failure by number, whichever worker was faster.
  const [first] = total.failures.sort((a, b) => a.index - b.index);
  if (first !== undefined) await tellFailure(first.index, first.failure, total.failures, seed);
  tellFigures(total, options, shares.length, took);
  return first === undefined ? 0 : 1;
}

function inWorker(share: Share, note: (tally: Tally) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: share });
    worker.on('message', note);
    worker.on('error', reject);
    worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))));
  });
}

async function work({ seed, from, to, step }: Share, report: (tally: Tally) => void): Promise<void> {
  let tally = emptyTally();
  for (let index = from; index < to; index += step) {
    count(tally, index, await runHistory(historyOf(seed, index)));
    if (tally.histories < BATCH && index + step < to) continue;
    report(tally);
    tally = emptyTally();
  }
}

function emptyTally(): Tally {
  return { histories: 0, commands: 0, calls: 0, limits: {}, coverage: {}, failures: [] };
}

function count(tally: Tally, index: number, { failure, ...outcome }: Outcome): void {
  add(tally, {
    ...outcome,
    histories: 1,
    failures: failure === undefined ? [] : [{ index, failure }],
  });
}

function add(total: Tally, more: Tally): void {
  total.histories += more.histories;
  total.commands += more.commands;
  total.calls += more.calls;
  total.failures.push(...more.failures);
  for (const field of ['limits', 'coverage'] as const) {
    for (const [name, times] of Object.entries(more[field])) total[field][name] = (total[field][name] ?? 0) + times;
  }
}

function tellHappened({ coverage }: Tally): void {
  const never = COMMANDS.filter((name) => coverage[name] === undefined);
  const lines = [`happened: ${counts(coverage)}`, ...(never.length > 0 ? [`never done: ${never.join(', ')}`] : [])];
  process.stdout.write(`${lines.join('\n')}\n\n`);
}

/** The last lines: a table in Markdown. */
function tellFigures(total: Tally, { seed, from, runs }: Options, workers: number, seconds: number): void {
  const figures: Readonly<Record<string, string | number>> = {
    histories: total.histories,
    commands: total.commands,
    'calls of functions judged': total.calls,
    'limits met': counts(total.limits),
    failures: total.failures.length,
    seconds: seconds.toFixed(0),
    seed: from === 0 ? seed : `${seed}, from ${from} to ${from + runs - 1}`,
    workers,
  };
  const rows = Object.entries(figures).map(([name, figure]) => `| ${name} | ${figure} |`);
  process.stdout.write(['| figure | value |', '| --- | --- |', ...rows, ''].join('\n'));
}

/** How often each came, by name. */
function counts(of: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(of).sort(([a], [b]) => a.localeCompare(b));
  return sorted.map(([name, times]) => `${name} ${times}`).join(', ') || 'none';
}

async function tellFailure(index: number, failure: Failure, all: Tally['failures'], seed: number): Promise<void> {
  const kinds = new Map<string, number[]>();
  for (const one of all) kinds.set(one.failure.kind, [...(kinds.get(one.failure.kind) ?? []), one.index]);
  for (const [kind, indices] of kinds)
    process.stdout.write(`${indices.length} × ${kind}: ${indices.slice(0, 10).join(', ')}\n`);
  process.stdout.write(`\nWRONG in history ${index} of seed ${seed}: ${told(failure)}\nshrinking …\n`);
  const history = await shrunk(seed, index, failure);
  const { failure: again } = await runHistory(history);
  process.stdout.write(
    [
      `shrunk to ${history.commands.length} commands: ${again === undefined ? 'passes alone' : told(again)}`,
      ...history.commands.map((command, number) => `  #${number} ${JSON.stringify(command)}`),
      `  set-up ${JSON.stringify(history.setup)}`,
      '',
      'step by step:',
      `  npm run campaign -- --replay ${Buffer.from(JSON.stringify(history)).toString('base64')}`,
      '',
      '',
    ].join('\n'),
  );
}

function told({ kind, what, at, command }: Failure): string {
  return `${kind}\n  ${what}\n  at ${at}, ${command === undefined ? 'at the end' : `command #${command}`}`;
}
