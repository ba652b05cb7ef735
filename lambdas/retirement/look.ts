/** A close look at one secret: everything is read afresh, and decided upon. Nothing is changed here. */
import type { DeployedKey } from '../contract/deployment.ts';
import { RotatorError } from '../domain/errors.ts';
import { isOpen, parseLedger, unresolved } from '../domain/ledger.ts';
import {
  type AccessKey,
  AWSCURRENT,
  AWSPENDING,
  hasLabel,
  type LastUse,
  type SecretFacts,
  versionWith,
} from '../domain/model.ts';
import type { IamKeys, SecretStore } from '../domain/ports.ts';
import { currentMissing } from '../domain/refusals.ts';
import { type Decision, decideRetirement, type RetireObserved } from '../domain/retire.ts';
import { announcedKeys, storedKeys } from '../domain/roles.ts';
import { keyIdWithin, parseValue } from '../domain/secret-value.ts';

/** What a look may reach: reads only. */
export interface LookWorld {
  readonly secrets: Pick<SecretStore, 'describe' | 'read'>;
  /** Without `lastUse`, a decision to read one stays as it is: for whoever does nothing that waits for it. */
  readonly iam: Pick<IamKeys, 'list'> & Partial<Pick<IamKeys, 'lastUse'>>;
  readonly now: () => Date;
}

/** What was seen and decided. */
export interface Look {
  readonly arn: string;
  /** When the first of the facts was asked for that the decisions rest on. */
  readonly readAt: Date;
  readonly observed: RetireObserved;
  readonly decisions: readonly Decision[];
}

/**
 * Reads IAM first and the secret last, directly before the change: nothing is locked meanwhile, and what an operator may just be moving
 * is the label.
 *
 * @param suspects keys whose last use will be asked for
 * @param rotateTimeout timeout of the rotate function, in seconds
 * @returns undefined if there is nothing to decide: the secret is scheduled for deletion, or a rotation or an operator is at work on it
 * @throws AwsCallError, RotatorError
 */
export async function lookAt(
  secretId: string,
  suspects: readonly string[],
  policy: DeployedKey,
  rotateTimeout: number,
  world: LookWorld,
): Promise<Look | undefined> {
  const readAt = world.now();
  const keys = await world.iam.list(policy.userName);
  const lastUse = new Map<string, LastUse | undefined>();
  const { lastUse: read } = world.iam;
  let toRead = suspects.filter((keyId) => keys.some((key) => key.id === keyId));
  for (;;) {
    if (read !== undefined) for (const keyId of toRead) lastUse.set(keyId, await read(keyId));
    const facts = await world.secrets.describe(secretId);
    if (facts.scheduledForDeletion) return undefined;
    const observed = await gather(facts, keys, lastUse, policy, rotateTimeout, world);
    // The label moved between two reads: a rotation or an operator is at work. The next pass looks again.
    if (observed === undefined) return undefined;
    const decisions = decideRetirement(observed, policy, rotateTimeout, world.now());
    toRead = decisions.filter((decision) => decision.do === 'look').map((decision) => decision.keyId);
    if (toRead.length === 0 || read === undefined) return { arn: facts.arn, readAt, observed, decisions };
  }
}

/** Everything that a decision rests on, read afresh: the listing may be five minutes old. Undefined if it doesn't fit together. */
async function gather(
  facts: SecretFacts,
  keys: readonly AccessKey[],
  lastUse: ReadonlyMap<string, LastUse | undefined>,
  policy: DeployedKey,
  rotateTimeout: number,
  world: LookWorld,
): Promise<RetireObserved | undefined> {
  const ledger = parseLedger(facts.tags);
  const pendingVersion = versionWith(facts.labels, AWSPENDING);
  const settled = unresolved(ledger).filter((intent) => !isOpen(intent, rotateTimeout, world.now()));
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
