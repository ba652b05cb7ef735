/** Runs the experiment: sets the stage, lets the clients join, and lives through the days. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import type { ProgressLine } from '../demo/progress.ts';
import { CLIENT_NAMES, type ClientName, ClientUnavailableError } from './clients/client.ts';
import { type Joined, join } from './clients/join.ts';
import { Life } from './life.ts';
import { planDays, stopsOf, type Wanted } from './plan.ts';
import { type Stage, setStage } from './stage.ts';
import type { Experiment } from './summary.ts';

/** An outage may cost a day its rotation: so many days more may follow than were planned. */
const MORE_DAYS = 20;

export interface ExperimentOptions extends Wanted {
  readonly clients: readonly ClientName[];
  readonly seed: number;
}

/**
 * Runs the experiment in real time of minutes.
 *
 * @param progress shows the day
 * @throws SynthesisFailedError
 */
export async function runExperiment(options: ExperimentOptions, progress: ProgressLine): Promise<Experiment> {
  const began = performance.now();
  const folder = mkdtempSync(joinPath(tmpdir(), 'iam-key-rotator-experiment-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    progress.say('synthesizing the CDK app …');
    const stage = await setStage(folder, options.seed);
    try {
      const experiment = await live(stage, options, progress);
      return { ...experiment, seconds: (performance.now() - began) / 1000 };
    } finally {
      await stage.close();
    }
  } finally {
    progress.clear();
    process.off('exit', remove);
    remove();
  }
}

async function live(
  stage: Stage,
  options: ExperimentOptions,
  progress: ProgressLine,
): Promise<Omit<Experiment, 'seconds'>> {
  const joined: Joined[] = [];
  const leftOut: { client: ClientName; why: string }[] = [];
  try {
    for (const name of CLIENT_NAMES.filter((candidate) => options.clients.includes(candidate))) {
      try {
        joined.push(await join(name, stage));
      } catch (error) {
        // The SDK for JavaScript is a dependency: without it something is wrong.
        if (!(error instanceof ClientUnavailableError) || name === 'js') throw error;
        leftOut.push({ client: name, why: error.message });
      }
    }
    const life = new Life(stage, joined);
    const plan = planDays(options);
    for (let day = 0; day < plan.length + MORE_DAYS && life.rotations < options.rotations; day += 1) {
      progress.day(day, plan.length);
      const today = plan[day] ?? { emergency: false };
      await life.day(today, stopsOf(today, day, options.seed));
    }
    if (life.rotations < options.rotations)
      throw new Error(`${MORE_DAYS} days more did not make up for lost rotations: ${life.rotations} were made`);
    await life.finish();
    return { ...life.told(), leftOut, broken: stage.watch.finish(), seed: options.seed };
  } finally {
    for (const { client } of joined) await client.close();
  }
}
