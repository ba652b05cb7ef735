/**
 * `npm run faults`: every single fault in every scenario, and all pairs of faults in an ordinary rotation; more with options. Prints how many cases
 * and calls were judged, and for each case that went wrong the text that runs it again.
 */
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { judgeRollbacks } from '../test/rollback/campaign.ts';
import {
  caseText,
  everyFault,
  FAULTS,
  type FaultAt,
  type FaultCase,
  parseCase,
  runCase,
} from '../test/simulation/fault-cases.ts';
import { type Caller, SCENARIOS, scenarioOf } from '../test/simulation/scenarios.ts';
import { tellStory } from '../test/simulation/story.ts';

const HELP = `Usage: npm run faults -- [options]

Judges the rotator under injected faults. Without options: every single fault of every scenario, then all pairs of an ordinary rotation.

  --singles           every single fault, and no pairs
  --pairs             all pairs of faults at calls of the rotation, and no singles; 'twice-at-once' only if it is named
  --rollback          every single fault of rollbacks by an operator, and passes and rotations that run into them; and nothing else
  --scenario <name>   only this scenario; repeatable (pairs: 'ordinary' unless told)
  --caller <name>     only this caller; repeatable
  --workers <n>       threads (2)
  --replay <case>     runs one case again and tells what happened, call by call
  --help

Scenarios: ${Object.keys(SCENARIOS).join(', ')}
Faults: ${Object.keys(FAULTS).join(', ')}
Exit codes: 0 nothing is wrong, 1 some case is, 2 wrong options.
`;

/** What is left of a case that was judged. */
interface Tally {
  cases: number;
  calls: number;
  readonly residuals: Record<string, number>;
  readonly wrong: { readonly text: string; readonly what: readonly string[] }[];
}

/** One piece of work: a scenario and a caller, and the first fault of pairs. */
interface Job {
  readonly scenario: string;
  readonly caller: Caller;
  readonly first?: FaultAt;
}

const emptyTally = (): Tally => ({ cases: 0, calls: 0, residuals: {}, wrong: [] });

async function judgeInto(tally: Tally, one: FaultCase): Promise<void> {
  const judged = await runCase(one);
  tally.cases += 1;
  tally.calls += judged.calls;
  for (const residual of judged.residuals) tally.residuals[residual] = (tally.residuals[residual] ?? 0) + 1;
  if (judged.wrong.length > 0) tally.wrong.push({ text: caseText(one), what: judged.wrong });
}

/** All that may be struck after `first`, or without it from the first call on. */
async function runJob({ scenario, caller, first }: Job): Promise<Tally> {
  const tally = emptyTally();
  const before: FaultCase = { scenario, caller, faults: first === undefined ? [] : [first] };
  const { strikableOf } = await runCase(before);
  for (const one of everyFault(before, strikableOf, first && ROTATION)) await judgeInto(tally, one);
  return tally;
}

/** Pairs strike the rotation, and not the passes that come in between. */
const ROTATION = 'rotate';

async function jobsOf(scenarios: readonly string[], callers: readonly string[], pairs: boolean): Promise<Job[]> {
  const jobs: Job[] = [];
  for (const scenario of scenarios) {
    for (const caller of SCENARIOS[scenario]?.callers ?? []) {
      if (callers.length > 0 ? !callers.includes(caller) : pairs && caller === 'twice-at-once') continue;
      if (!pairs) {
        jobs.push({ scenario, caller });
        continue;
      }
      const clean: FaultCase = { scenario, caller, faults: [] };
      const { strikableOf } = await runCase(clean);
      for (const { faults } of everyFault(clean, strikableOf, ROTATION))
        jobs.push({ scenario, caller, ...(faults[0] && { first: faults[0] }) });
    }
  }
  return jobs;
}

/** Hands jobs to threads, one at a time. */
async function runAll(jobs: readonly Job[], workers: number, title: string): Promise<Tally> {
  const total = emptyTally();
  const queue = [...jobs];
  const began = performance.now();
  let done = 0;
  const progress = () => {
    const seconds = Math.round((performance.now() - began) / 1000);
    const line = `${title}: ${done} of ${jobs.length} parts, ${total.cases} cases, ${total.wrong.length} wrong, ${seconds} s`;
    if (process.stderr.isTTY) process.stderr.write(`\r${line}`);
    else if (done % 100 === 0) process.stderr.write(`${line}\n`);
  };
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const thread = new Worker(new URL(import.meta.url), { workerData: 'jobs' });
      const next = () => thread.postMessage(queue.shift() ?? 'end');
      thread.on('message', (tally: Tally) => {
        total.cases += tally.cases;
        total.calls += tally.calls;
        total.wrong.push(...tally.wrong);
        for (const [name, count] of Object.entries(tally.residuals))
          total.residuals[name] = (total.residuals[name] ?? 0) + count;
        done += 1;
        progress();
        next();
      });
      thread.on('error', reject);
      thread.on('exit', () => resolve());
      next();
    });
  await Promise.all(Array.from({ length: workers }, work));
  if (process.stderr.isTTY) process.stderr.write('\n');
  const seconds = Math.round((performance.now() - began) / 1000);
  const residuals = Object.entries(total.residuals).map(([name, count]) => `, ${name}: ${count}`);
  console.log(
    `${title}: ${total.cases} cases, ${total.calls} calls of functions judged, ${total.wrong.length} wrong${residuals.join('')} (${seconds} s)`,
  );
  for (const { text, what } of total.wrong.slice(0, 20))
    console.log(`  ${text}\n${what.map((line) => `    ${line}`).join('\n')}`);
  if (total.wrong.length > 20) console.log(`  and ${total.wrong.length - 20} more`);
  if (total.wrong.length > 0) console.log(`Run one again: npm run faults -- --replay '${total.wrong[0]?.text}'`);
  return total;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      singles: { type: 'boolean', default: false },
      pairs: { type: 'boolean', default: false },
      rollback: { type: 'boolean', default: false },
      scenario: { type: 'string', multiple: true, default: [] },
      caller: { type: 'string', multiple: true, default: [] },
      workers: { type: 'string', default: '2' },
      replay: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (values.replay !== undefined) {
    const { simulation, wrong } = await runCase(parseCase(values.replay));
    process.stdout.write(tellStory(simulation));
    console.log(wrong.length === 0 ? 'Nothing is wrong.' : `Wrong:\n${wrong.map((line) => `  ${line}`).join('\n')}`);
    return wrong.length === 0 ? 0 : 1;
  }
  if (values.rollback) return (await judgeRollbacks(console.log)) === 0 ? 0 : 1;
  const workers = Number(values.workers);
  if (!Number.isInteger(workers) || workers < 1)
    throw new Error(`--workers ${values.workers}: expected a number from 1 on`);
  for (const name of values.scenario) scenarioOf(name);
  const both = values.singles === values.pairs;
  const chosen = (otherwise: readonly string[]) => (values.scenario.length > 0 ? values.scenario : otherwise);
  let wrong = 0;
  if (both || values.singles) {
    const jobs = await jobsOf(chosen(Object.keys(SCENARIOS)), values.caller, false);
    wrong += (await runAll(jobs, workers, 'single faults')).wrong.length;
  }
  if (both || values.pairs) {
    const jobs = await jobsOf(chosen(['ordinary']), values.caller, true);
    wrong += (await runAll(jobs, workers, 'pairs of faults')).wrong.length;
  }
  return wrong === 0 ? 0 : 1;
}

if (!isMainThread && workerData === 'jobs') {
  parentPort?.on('message', async (job: Job | 'end') => {
    if (job === 'end') process.exit(0);
    parentPort?.postMessage(await runJob(job));
  });
} else {
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  }
}
