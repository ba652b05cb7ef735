/** One level-triggered pass over all secrets of the deployment: gather, decide, apply. It remembers nothing between passes. */
import type { DeployedKey, Deployment } from '../contract/deployment.ts';
import { RotatorError } from '../domain/errors.ts';
import { overlapEnd, type RetiringKey, retiringKeys } from '../domain/follow.ts';
import type { Report } from '../domain/happenings.ts';
import { isOpen, type Ledger, parseLedger, unresolved } from '../domain/ledger.ts';
import {
  type AccessKey,
  AWSCURRENT,
  AWSPENDING,
  hasLabel,
  type Labels,
  type LastUse,
  type SecretFacts,
  versionWith,
} from '../domain/model.ts';
import { nominate } from '../domain/nominate.ts';
import type { IamKeys, SecretStore, SecretVersions } from '../domain/ports.ts';
import { currentMissing } from '../domain/refusals.ts';
import { type Decision, decideRetirement, type RetireObserved } from '../domain/retire.ts';
import { announcedKeys, storedKeys } from '../domain/roles.ts';
import { keyIdWithin, parseValue } from '../domain/secret-value.ts';
import { applyDecisions, type ChangeBudget } from './apply.ts';
import { type Followed, follow } from './follow.ts';

/** What a pass may reach. `deadline` is when the function is stopped. */
export interface RetireWorld {
  readonly secrets: SecretStore;
  readonly versions: SecretVersions;
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
  let examined = 0;

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

  for await (const page of world.secrets.list(deployment.name)) {
    for (const facts of page) {
      const policy = waiting.get(facts.name);
      // A secret that was taken out of the configuration is retained, tag and all, and is nobody's business any more.
      if (policy === undefined) continue;
      const stopped = await examine(policy, async () => {
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
      if (stopped !== undefined) return result(stopped);
    }
  }
  // The listing lags some minutes behind a deployment, and whoever may remove a tag could hide a secret from it.
  for (const policy of [...waiting.values()]) {
    const stopped = await examine(policy, async () => {
      // Stryker disable next-line ArrayDeclaration: of suspects, only those that IAM lists are looked at.
      followed.push(...(await retireSecret(policy.secretName, [], policy, deployment, budget, world)));
    });
    if (stopped !== undefined) return result(stopped);
  }
  return result(undefined);
}

/**
 * Reads IAM first and the secret last, directly before the change: nothing is locked meanwhile, and what an operator may just be moving
 * is the label.
 *
 * @param suspects keys whose last use will be asked for
 * @returns the keys that are held
 */
async function retireSecret(
  secretId: string,
  suspects: readonly string[],
  policy: DeployedKey,
  deployment: Deployment,
  budget: ChangeBudget,
  world: RetireWorld,
): Promise<readonly Followed[]> {
  const readAt = world.now();
  const keys = await world.iam.list(policy.userName);
  const lastUse = new Map<string, LastUse | undefined>();
  let toRead = suspects.filter((keyId) => keys.some((key) => key.id === keyId));
  for (;;) {
    for (const keyId of toRead) lastUse.set(keyId, await world.iam.lastUse(keyId));
    const facts = await world.secrets.describe(secretId);
    if (facts.scheduledForDeletion) return [];
    const observed = await gather(facts, keys, lastUse, policy, deployment, world);
    // The label moved between two reads: a rotation or an operator is at work. The next pass looks again.
    if (observed === undefined) return [];
    const decisions = decideRetirement(observed, policy, deployment.rotateTimeout, world.now());
    toRead = decisions.filter((decision) => decision.do === 'look').map((decision) => decision.keyId);
    if (toRead.length > 0) continue;
    await applyDecisions(decisions, { arn: facts.arn, policy, readAt }, budget, world);
    return heldKeys(decisions, observed, facts.arn, policy);
  }
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

/** Everything that a decision rests on, read afresh: the listing may be five minutes old. Undefined if it doesn't fit together. */
async function gather(
  facts: SecretFacts,
  keys: readonly AccessKey[],
  lastUse: ReadonlyMap<string, LastUse | undefined>,
  policy: DeployedKey,
  deployment: Deployment,
  world: RetireWorld,
): Promise<RetireObserved | undefined> {
  const ledger = parseLedger(facts.tags);
  const pendingVersion = versionWith(facts.labels, AWSPENDING);
  const settled = unresolved(ledger).filter((intent) => !isOpen(intent, deployment.rotateTimeout, world.now()));
  const others = new Map<string, string>();
  for (const version of new Set([pendingVersion, ...settled.map((intent) => intent.token)])) {
    if (version === undefined || hasLabel(facts.labels, version, AWSCURRENT)) continue;
    const found = await world.secrets.read(facts.arn, { version });
    if (found === undefined) continue;
    const keyId =
      version === pendingVersion
        ? keyIdOf(found.value, policy)
        : storedKeyId(found.value, announcedKeys(version, settled, keys), policy);
    // Stryker disable next-line ConditionalExpression: a version without a key is as good as one that is not in the map.
    if (keyId !== undefined) others.set(version, keyId);
  }
  const current = await world.secrets.read(facts.arn, { label: AWSCURRENT });
  if (current === undefined) throw currentMissing().error;
  if (!hasLabel(facts.labels, current.version, AWSCURRENT)) return undefined;
  const currentKeyId = keyIdOf(current.value, policy);
  const keyIn = (version: string) => (version === current.version ? currentKeyId : others.get(version));
  return {
    labels: facts.labels,
    ledger,
    keys,
    lastUse,
    currentKeyId,
    pendingKeyId:
      // Stryker disable next-line ConditionalExpression,LogicalOperator: no version has no key, and a current key counts as current, pending or not.
      pendingVersion === undefined || pendingVersion === current.version ? undefined : keyIn(pendingVersion),
    stored: storedKeys(settled, keyIn),
  };
}

/** What an announced version holds, somebody may have written, or a rotation under names that are configured no more: no reason to fail for good. */
function storedKeyId(value: string, keys: readonly AccessKey[], policy: DeployedKey): string | undefined {
  try {
    return keyIdOf(value, policy);
  } catch (error) {
    if (!(error instanceof RotatorError)) throw error;
    return keyIdWithin(value, keys);
  }
}

function keyIdOf(value: string, policy: DeployedKey): string | undefined {
  const parsed = parseValue(value, policy);
  // Stryker disable next-line ConditionalExpression: a bootstrap value has no key id either; the comparison is for the compiler.
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
