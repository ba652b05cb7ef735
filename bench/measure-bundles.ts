/** Size of the functions' bundles, and the time that loading them takes. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BundledFile, bundle } from '../infra/bundle.ts';
import type { Deployment } from '../lambdas/contract/deployment.ts';
import { PROJECT } from '../lambdas/contract/names.ts';
import { type Figure, KB } from './budgets.ts';
import { bundleOf, environment, NODE_OPTIONS, withFolder, writeTaskRoot } from './task-root.ts';

const LOAD = fileURLToPath(new URL('children/load.cjs', import.meta.url));
const SCRIPT = 'index.js';
const ROUNDS = 31;
const DEPLOYMENT: Deployment = {
  formatVersion: 1,
  name: PROJECT,
  maxChangesPerRun: 25,
  rotateTimeout: 120,
  keys: [],
};

export async function measureBundles() {
  const files = {
    rotate: bundleOf('rotate'),
    retire: bundleOf('retire'),
    audit: bundleOf('audit'),
    notify: bundleOf('notify'),
    respond: bundleOf('respond'),
    bare: bundle('bench/bare-clients.ts', {}),
  };
  const load = await loadTimes(files);
  return {
    rotateSize: size(files.rotate),
    retireSize: size(files.retire),
    auditSize: size(files.audit),
    rotateLoad: ratio(load.rotate, load.bare),
    retireLoad: ratio(load.retire, load.bare),
    auditLoad: ratio(load.audit, load.bare),
    notifySize: size(files.notify),
    notifyLoad: ratio(load.notify, load.bare),
    respondSize: size(files.respond),
    respondLoad: ratio(load.respond, load.bare),
  };
}

/** Of the script: its source map is read only to tell where an error came from. */
function size(files: readonly BundledFile[]): Figure {
  const script = files.find((file) => file.name === SCRIPT);
  if (script === undefined) throw new Error(`the bundle has no ${SCRIPT}`);
  const { length } = script.content;
  return { value: length / KB, how: `${SCRIPT}, ${length.toLocaleString('en')} bytes` };
}

/** The median of the rounds' ratios: the two times of a round lie so close together that the machine was the same for both. */
function ratio(own: readonly number[], bare: readonly number[]): Figure {
  const ratios = own.map((time, round) => time / (bare[round] ?? Number.NaN));
  return {
    value: median(ratios),
    how: `${median(own).toFixed(1)} ms : ${median(bare).toFixed(1)} ms, medians of ${ROUNDS} rounds`,
  };
}

/** Times in ms, a round each. A round loads every bundle once, in a new process: what slows the machine down for a while, slows all of them. */
async function loadTimes<Name extends string>(files: Readonly<Record<Name, BundledFile[]>>) {
  return withFolder((folder) => {
    const names = Object.keys(files) as Name[];
    const loads = names.map((name) => ({
      root: writeTaskRoot(folder, name, files[name], DEPLOYMENT),
      times: [] as number[],
    }));
    for (const { root } of loads) loadOnce(root);
    for (let round = 0; round < ROUNDS; round++) {
      for (const { root, times } of loads) times.push(loadOnce(root));
    }
    return Object.fromEntries(loads.map(({ times }, index) => [names[index], times])) as Record<Name, number[]>;
  });
}

function loadOnce(root: string): number {
  const args = [...NODE_OPTIONS, LOAD, join(root, SCRIPT)];
  return Number(execFileSync(process.execPath, args, { env: environment(root), encoding: 'utf8' }));
}

function median(values: readonly number[]): number {
  const middle = [...values].sort((a, b) => a - b)[values.length >> 1];
  if (middle === undefined) throw new Error('nothing was measured');
  return middle;
}
