/** Runs the demo: synthesizes, deploys into a simulated account, lets the time pass, and collects what happened. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeployedKey, Deployment } from '../../lambdas/contract/deployment.ts';
import { ENV, SERVICES } from '../../lambdas/contract/names.ts';
import { SimulatedAccount } from '../account.ts';
import { deploy } from '../assembly.ts';
import type { RegisteredFunction } from '../functions.ts';
import type { Secret } from '../model.ts';
import { watchInvariants } from '../oracle.ts';
import { judgeByPolicies } from '../policy-engine.ts';
import { storedKey } from '../stored-key.ts';
import type { Application } from './application.ts';
import { writeReport } from './audit-page.ts';
import { collectUser, type UserYear, type WatchedUser } from './collect.ts';
import { type KeptAccount, keepAccount } from './keep.ts';
import { inWords, type ProgressLine } from './progress.ts';
import type { Year } from './report.ts';
import { ACCOUNT_BEGINS, DAY_MS, DEPLOYED_AT, livesBefore, livesDuring, STORIES } from './scenario.ts';
import { deploymentOf, synthesize } from './synthesize.ts';

/** A year whose account lives on. */
export type KeptYear = Year & { readonly kept?: KeptAccount };

export interface DemoOptions {
  /** Folder for the audit's last report. @default none is written */
  readonly reportTo?: string;
  /** Leave the account running; its year then ends now, by the real clock. @default false */
  readonly keep?: boolean;
}

/** @param days how much virtual time passes after the deployment */
export async function runDemo(progress: ProgressLine, days = 365, options: DemoOptions = {}): Promise<KeptYear> {
  const began = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'iam-key-rotator-demo-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    progress.say('synthesizing the CDK app …');
    await synthesize(folder);
    const year = await live(folder, days, progress, options);
    return { ...year, seconds: (performance.now() - began) / 1000 };
  } finally {
    progress.clear();
    // A function that is started anew reads its bundle: where the account is kept, the folder goes with the process.
    if (options.keep !== true) {
      process.off('exit', remove);
      remove();
    }
  }
}

async function live(
  folder: string,
  days: number,
  progress: ProgressLine,
  { reportTo, keep = false }: DemoOptions,
): Promise<Omit<KeptYear, 'seconds'>> {
  const shift = keep ? Date.now() - days * DAY_MS - DEPLOYED_AT.getTime() : 0;
  const deployedAt = DEPLOYED_AT.getTime() + shift;
  const account = new SimulatedAccount({ start: new Date(ACCOUNT_BEGINS.getTime() + shift) });
  const deployment = deploymentOf(folder);
  const applications = await livesBefore(account, deployment, shift);
  const { functions, close } = await deploy(account, folder);
  let kept: KeptAccount | undefined;
  try {
    const watch = watchInvariants(account, () => deployment);
    judgeByPolicies(account);
    livesDuring(account, applications);
    showProgress(account, days, deployedAt, progress);
    const range = { from: deployedAt, to: deployedAt + days * DAY_MS };
    const since = account.history.length;
    await account.clock.advanceTo(new Date(range.to));

    const retire = functionOf(functions, SERVICES.retire).name;
    const calls = account.history.slice(since).filter((entry) => entry.kind === 'call');
    const passes = calls.flatMap((call) => (call.functionName === retire ? [call.invocationId] : []));
    const page = reportTo === undefined ? undefined : writeReport(account, reportTo);
    if (keep) kept = await keepAccount(account);
    return {
      ...(kept && { kept }),
      range,
      users: collect(account, deployment, functions, applications),
      stories: STORIES,
      broken: watch.finish(),
      passes: new Set(passes).size,
      calls: calls.length,
      ...(page !== undefined && { page }),
    };
  } finally {
    if (kept === undefined) await close();
  }
}

function showProgress(account: SimulatedAccount, days: number, deployedAt: number, progress: ProgressLine): void {
  const { clock } = account;
  const show = () => {
    const day = Math.floor((clock.nowMs - deployedAt) / DAY_MS);
    if (day <= days) progress.day(day, days);
  };
  account.onChange(({ change }) => {
    const words = inWords(change);
    if (words !== undefined) progress.note(words);
    show();
  });
  const everyDay = () => {
    show();
    clock.setTimeout(everyDay, DAY_MS);
  };
  everyDay();
}

function collect(
  account: SimulatedAccount,
  { keys }: Deployment,
  functions: readonly RegisteredFunction[],
  applications: readonly Application[],
): UserYear[] {
  const observed = {
    history: account.history,
    logs: functions.flatMap(({ logs }) => logs),
    rotateFunction: functionOf(functions, SERVICES.rotate).name,
    until: account.clock.nowMs,
  };
  return applications.map((application) => {
    const { userName } = application.options;
    const key = keys.find((candidate) => candidate.userName === userName);
    const secret = account.findSecret(key?.secretName ?? '');
    if (key === undefined || secret === undefined) throw new Error(`No secret was deployed for ${userName}`);
    const user: WatchedUser = {
      userName,
      secretName: secret.name,
      secretArn: secret.arn,
      adopt: key.adopt,
      keyOfVersion: keysIn(secret, key),
      application,
    };
    return collectUser(user, observed);
  });
}

/** The key in each version of a secret. */
function keysIn({ versions }: Secret, { format }: DeployedKey): Map<string, string> {
  const keys = new Map<string, string>();
  for (const { id, value } of versions.values()) {
    const key = storedKey(value, format.fields);
    if (key !== undefined) keys.set(id, key.accessKeyId);
  }
  return keys;
}

function functionOf(functions: readonly RegisteredFunction[], serviceName: string): RegisteredFunction {
  const fn = functions.find(({ env }) => env?.[ENV.serviceName] === serviceName);
  if (fn === undefined) throw new Error(`The assembly has no function of the service ${serviceName}`);
  return fn;
}
