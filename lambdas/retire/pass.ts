/** One level-triggered pass over all secrets of the deployment: gather, decide, apply. It remembers nothing between passes. */
import type { DeployedKey, Deployment } from '../contract/deployment.ts';
import { type ErrorCode, RotatorError } from '../domain/errors.ts';
import type { Report } from '../domain/happenings.ts';
import { parseLedger, settledAt } from '../domain/ledger.ts';
import { AWSCURRENT, AWSPENDING, type LastUse, type SecretFacts, versionWith } from '../domain/model.ts';
import { isNominated } from '../domain/nominate.ts';
import type { IamKeys, SecretStore } from '../domain/ports.ts';
import { refuseWithoutCurrent } from '../domain/promote.ts';
import { type Decision, decideRetirement, type RetireObserved } from '../domain/retire.ts';
import { parseValue } from '../domain/secret-value.ts';
import { applyDecisions, type ChangeBudget } from './apply.ts';

/** What a pass may reach. `deadline` is when the function is stopped. */
export interface RetireWorld {
  readonly secrets: SecretStore;
  readonly iam: IamKeys;
  readonly now: () => Date;
  readonly deadline: Date;
  readonly report: Report;
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
  readonly code: ErrorCode | 'UNEXPECTED';
  readonly error: unknown;
}

/** Left before Lambda stops the function; a secret takes a few calls. */
const RESERVE_MS = 30_000;

/**
 * Takes every key of the deployment one step further where that is due. One secret that fails doesn't keep the others waiting.
 *
 * @throws AwsCallError, RotatorError LISTING_LOOPS when the secrets can't even be listed
 */
export async function retirePass(deployment: Deployment, world: RetireWorld): Promise<PassResult> {
  const waiting = new Map(deployment.keys.map((key) => [key.secretName, key]));
  const budget: ChangeBudget = { left: deployment.maxChangesPerRun, exceeded: false };
  const failures: Failure[] = [];
  let examined = 0;

  /** @returns why to stop the pass, if it must */
  const examine = async (policy: DeployedKey, look: () => Promise<void>): Promise<PassResult['stopped']> => {
    waiting.delete(policy.secretName);
    examined += 1;
    try {
      await look();
    } catch (error) {
      const code = error instanceof RotatorError ? error.code : 'UNEXPECTED';
      failures.push({ secret: policy.secretName, code, error });
    }
    if (budget.exceeded) return 'change-limit';
    return world.now().getTime() + RESERVE_MS > world.deadline.getTime() ? 'time' : undefined;
  };
  const result = (stopped: PassResult['stopped']): PassResult => ({
    examined,
    changes: deployment.maxChangesPerRun - budget.left,
    ...(stopped && { stopped }),
    failures,
  });

  for await (const page of world.secrets.list(deployment.name)) {
    for (const facts of page) {
      const policy = waiting.get(facts.name);
      // A secret that was taken out of the configuration is retained, tag and all, and is nobody's business any more.
      if (policy === undefined) continue;
      const stopped = await examine(policy, async () => {
        const nominated = isNominated(
          facts.labels,
          parseLedger(facts.tags),
          policy,
          deployment.rotateTimeout,
          world.now(),
        );
        if (nominated) await retireSecret(facts.arn, policy, deployment, budget, world);
      });
      if (stopped !== undefined) return result(stopped);
    }
  }
  // The listing lags some minutes behind a deployment, and whoever may remove a tag could hide a secret from it.
  for (const policy of [...waiting.values()]) {
    const stopped = await examine(policy, () => retireSecret(policy.secretName, policy, deployment, budget, world));
    if (stopped !== undefined) return result(stopped);
  }
  return result(undefined);
}

async function retireSecret(
  secretId: string,
  policy: DeployedKey,
  deployment: Deployment,
  budget: ChangeBudget,
  world: RetireWorld,
): Promise<void> {
  const facts = await world.secrets.describe(secretId);
  if (facts.scheduledForDeletion) return;
  let observed = await gather(facts, policy, deployment, world);
  let decisions = decideRetirement(observed, policy, deployment.rotateTimeout, world.now());
  let toRead = unread(decisions);
  while (toRead.length > 0) {
    const lastUse = new Map<string, LastUse | undefined>(observed.lastUse);
    for (const keyId of toRead) lastUse.set(keyId, await world.iam.lastUse(keyId));
    observed = { ...observed, lastUse };
    decisions = decideRetirement(observed, policy, deployment.rotateTimeout, world.now());
    toRead = unread(decisions);
  }
  await applyDecisions(decisions, { arn: facts.arn, policy }, budget, world);
}

function unread(decisions: readonly Decision[]): string[] {
  return decisions.filter((decision) => decision.do === 'look').map((decision) => decision.keyId);
}

/** Everything that a decision rests on, read afresh: the listing may be five minutes old. */
async function gather(
  facts: SecretFacts,
  policy: DeployedKey,
  deployment: Deployment,
  world: RetireWorld,
): Promise<RetireObserved> {
  const ledger = parseLedger(facts.tags);
  const current = await world.secrets.read(facts.arn, { label: AWSCURRENT });
  if (current === undefined) throw refuseWithoutCurrent().error;
  const read = async (version: string | undefined): Promise<string | undefined> => {
    if (version === undefined || version === current.version) return undefined;
    const found = await world.secrets.read(facts.arn, { version });
    return found && keyIdOf(found.value, policy);
  };
  const findStored = async (): Promise<RetireObserved['stored']> => {
    const { intent } = ledger;
    if (intent === undefined || intent.minted !== undefined) return undefined;
    if (world.now() < settledAt(intent, deployment.rotateTimeout)) return undefined;
    const keyId = await read(intent.token);
    return keyId === undefined ? undefined : { keyId, version: intent.token };
  };
  const pendingVersion = versionWith(facts.labels, AWSPENDING);
  const pendingKeyId = await read(pendingVersion);
  return {
    labels: facts.labels,
    ledger,
    currentKeyId: keyIdOf(current.value, policy),
    pendingKeyId,
    stored: await findStored(),
    keys: await world.iam.list(policy.userName),
    lastUse: new Map(),
  };
}

function keyIdOf(value: string, policy: DeployedKey): string | undefined {
  const parsed = parseValue(value, policy.userName);
  return parsed.kind === 'key' ? parsed.keyId : undefined;
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
