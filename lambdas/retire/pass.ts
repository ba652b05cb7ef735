/** One level-triggered pass over all secrets of the deployment: gather, decide, apply. It remembers nothing between passes. */
import { DEPLOYMENT_STANDARDS, type DeployedKey, type Deployment } from '../contract/deployment.ts';
import { RotatorError } from '../domain/errors.ts';
import { overlapEnd, type RetiringKey, retiringKeys } from '../domain/follow.ts';
import { type Gauges, gaugesOf, standingOf } from '../domain/gauges.ts';
import type { Report } from '../domain/happenings.ts';
import { type Ledger, parseLedger } from '../domain/ledger.ts';
import type { Labels, SecretFacts } from '../domain/model.ts';
import { nominate } from '../domain/nominate.ts';
import type { IamKeys, SecretStore, SecretVersions } from '../domain/ports.ts';
import { type Decision, rolledBackTo } from '../domain/retire.ts';
import { applyDecisions, type ChangeBudget } from '../retirement/apply.ts';
import { lookAt } from '../retirement/look.ts';
import { type Followed, follow } from './follow.ts';

/** What a pass may reach. `deadline` is when the function is stopped. */
export interface RetireWorld {
  readonly secrets: SecretStore;
  readonly versions: SecretVersions;
  readonly iam: IamKeys;
  readonly now: () => Date;
  readonly deadline: Date;
  readonly report: Report;
  /**
   * Takes how the keys of all secrets stand; not called unless the listing has shown every one of them, legibly. Half of them would look like fewer
   * keys, and none overdue (invariant 6).
   */
  readonly measure?: (gauges: Gauges) => void;
}

/** What a pass did. */
export interface PassResult {
  /** Secrets of the deployment that were looked at, by the listing or closer. */
  readonly examined: number;
  /** Keys that were disabled or deleted (in mode 'observe': none). */
  readonly changes: number;
  /** Why the pass ended before the last secret, if it did; the next one goes on. */
  readonly stopped?: 'change-limit' | 'time';
  readonly failures: readonly Failure[];
}

export interface Failure {
  readonly secret: string;
  readonly error: unknown;
}

/** Left before Lambda stops the function; a secret takes a few calls. */
const RESERVE_MS = 30_000;

/**
 * Takes every key of the deployment one step further where that is due, then tells of each retiring key who has not switched: nothing that is due
 * waits for what is only told. One secret that fails doesn't keep the others waiting.
 *
 * @throws AwsCallError, RotatorError LISTING_LOOPS when the secrets can't even be listed
 */
export async function retirePass(deployment: Deployment, world: RetireWorld): Promise<PassResult> {
  const waiting = new Map(deployment.keys.map((key) => [key.secretName, key]));
  const budget: ChangeBudget = { left: deployment.maxChangesPerRun, exceeded: false };
  const failures: Failure[] = [];
  const followed: Followed[] = [];
  const uncounted = new Map(waiting);
  const standings: Gauges[] = [];
  let examined = 0;

  /** A ledger that can't be read fails the look at its secret, which tells. */
  const count = (facts: SecretFacts, policy: DeployedKey): void => {
    // A listing may show a secret twice.
    if (!uncounted.has(facts.name)) return;
    try {
      standings.push(
        standingOf(facts, policy, deployment.overdueMargin ?? DEPLOYMENT_STANDARDS.overdueMargin, world.now()),
      );
      uncounted.delete(facts.name);
    } catch (error) {
      if (!(error instanceof RotatorError)) throw error;
    }
  };
  const isLate = () => world.now().getTime() + RESERVE_MS > world.deadline.getTime();
  /** @returns why to stop the pass, if it must */
  const examine = async (policy: DeployedKey, look: () => Promise<void>): Promise<PassResult['stopped']> => {
    waiting.delete(policy.secretName);
    examined += 1;
    try {
      await look();
    } catch (error) {
      failures.push({ secret: policy.secretName, error });
    }
    if (budget.exceeded) return 'change-limit';
    return isLate() ? 'time' : undefined;
  };
  const tell = async (): Promise<PassResult['stopped']> => {
    for (const one of followed) {
      if (isLate()) return 'time';
      try {
        await follow(one, world);
      } catch (error) {
        const { secretName: secret } = one.policy;
        if (!failures.some((failure) => failure.secret === secret)) failures.push({ secret, error });
      }
    }
    return undefined;
  };
  const result = async (ended: PassResult['stopped']): Promise<PassResult> => {
    const late = await tell();
    const stopped = ended ?? late;
    return {
      examined,
      changes: deployment.maxChangesPerRun - budget.left,
      ...(stopped && { stopped }),
      failures,
    };
  };

  let stopped: PassResult['stopped'];
  try {
    for await (const page of world.secrets.list(deployment.name)) {
      for (const facts of page) {
        const policy = waiting.get(facts.name);
        // A secret that was taken out of the configuration is retained, tag and all, and is nobody's business any more.
        if (policy === undefined) continue;
        count(facts, policy);
        // Past the limit of changes the rest of the listing is only counted.
        if (stopped !== undefined) continue;
        stopped = await examine(policy, async () => {
          const { arn, labels } = facts;
          const ledger = parseLedger(facts.tags);
          const now = world.now();
          for (const key of retiringKeys(labels, ledger, policy)) {
            const due = overlapEnd(key, policy);
            if (now < due) followed.push({ key, arn, policy, reason: 'in-overlap', due });
          }
          const nomination = nominate(labels, ledger, policy, deployment.rotateTimeout, now);
          if (nomination === undefined) return;
          const held = await retireSecret(facts.arn, nomination.suspects, policy, deployment, budget, world);
          followed.push(...held);
        });
        if (stopped === 'time') return result(stopped);
      }
      if (stopped !== undefined && isLate()) break;
    }
  } catch (error) {
    // What was left of the listing was only to be counted: the pass itself has done what it may.
    if (stopped === undefined || !(error instanceof RotatorError)) throw error;
  }
  if (uncounted.size === 0) world.measure?.(gaugesOf(standings));
  if (stopped !== undefined) return result(stopped);
  // The listing lags some minutes behind a deployment, and whoever may remove a tag could hide a secret from it.
  for (const policy of [...waiting.values()]) {
    stopped = await examine(policy, async () => {
      // Stryker disable next-line ArrayDeclaration: of suspects, only those that IAM lists are looked at.
      followed.push(...(await retireSecret(policy.secretName, [], policy, deployment, budget, world)));
    });
    if (stopped !== undefined) return result(stopped);
  }
  return result(undefined);
}

/** @returns the keys that are held */
async function retireSecret(
  secretId: string,
  suspects: readonly string[],
  policy: DeployedKey,
  deployment: Deployment,
  budget: ChangeBudget,
  world: RetireWorld,
): Promise<readonly Followed[]> {
  const look = await lookAt(secretId, suspects, policy, deployment.rotateTimeout, world);
  if (look === undefined) return [];
  const { arn, readAt, observed, decisions } = look;
  const backTo = rolledBackTo(observed);
  if (backTo !== undefined && policy.mode === 'enforce')
    world.report({ what: 'rolled-back', secret: policy.secretName, userName: policy.userName, keyId: backTo });
  await applyDecisions(decisions, { arn, policy, readAt, ledger: observed.ledger }, budget, world);
  return heldKeys(decisions, observed, arn, policy);
}

/** What is held was due, so its last use has just been read. A key that was never promoted is held too, but nobody is to switch from it. */
function heldKeys(
  decisions: readonly Decision[],
  { labels, ledger }: { readonly labels: Labels; readonly ledger: Ledger },
  arn: string,
  policy: DeployedKey,
): Followed[] {
  const retiring = new Map(retiringKeys(labels, ledger, policy).map((key): [string, RetiringKey] => [key.keyId, key]));
  return decisions.flatMap((decision) => {
    // Stryker disable next-line ConditionalExpression,LogicalOperator: nothing else has both a last use and a date that it is due; the comparison is for the compiler.
    if (decision.about !== 'key' || decision.reason !== 'in-use') return [];
    const { keyId, reason, due, lastUse } = decision;
    const key = retiring.get(keyId);
    // Stryker disable next-line LogicalOperator: what is held has both; the comparison is for the compiler.
    return key && due && lastUse ? [{ key, arn, policy, reason, due, lastUse }] : [];
  });
}

/** The error that fails a pass at its end, naming every secret that failed and why. */
export function passFailed(failures: readonly Failure[]): RotatorError {
  return new RotatorError(
    'PASS_FAILED',
    {
      found: `${failures.length} ${failures.length === 1 ? 'secret' : 'secrets'} failed: ${failures
        .map(({ secret, error }) => `[${secret}] ${error instanceof Error ? error.message : String(error)}`)
        .join(' ')}`,
      expected: 'none to fail; the other secrets were served',
      remedy: 'see to each of them; the next pass tries again',
    },
    { cause: failures[0]?.error },
  );
}
