/** Carrying decisions out. Nothing is decided here, but that a pass has changed enough. */
import type { DeployedKey } from '../contract/deployment.ts';
import { AwsCallError } from '../domain/errors.ts';
import { assertFresh } from '../domain/freshness.ts';
import type { KeyHappening, Report } from '../domain/happenings.ts';
import { entryTag, intentTagKey, type Ledger, leakTagKey, type Tags, tagsOf } from '../domain/ledger.ts';
import { AWSPENDING } from '../domain/model.ts';
import type { IamKeys, SecretStore } from '../domain/ports.ts';
import type { Decision, KeyDecision } from '../domain/retire.ts';

/** What applying may reach. */
export interface ApplyWorld {
  readonly secrets: Pick<SecretStore, 'moveLabel' | 'tag'>;
  readonly iam: Pick<IamKeys, 'disable' | 'remove'>;
  readonly now: () => Date;
  readonly report: Report;
}

/** How many keys the pass may still change (invariant 9). */
export interface ChangeBudget {
  left: number;
  /** Set when a change was due and not made. */
  exceeded: boolean;
}

interface Target {
  readonly arn: string;
  readonly policy: DeployedKey;
  /** When the first of the facts was asked for that the decisions rest on. */
  readonly readAt: Date;
  /** What the ledger said then. */
  readonly ledger: Pick<Ledger, 'leaks'>;
}

/** Decisions that nobody needs to hear of every hour. */
const QUIET = new Set([
  'is-current',
  'is-pending',
  'is-stranger',
  'in-overlap',
  'in-recovery',
  'adoption-waits',
  'is-deleted',
  'listing-lags',
]);

/**
 * Applies the decisions about one secret, in their order. In mode 'observe' they are only reported (invariant 10).
 * Each change of a key is followed at once by its record: what is lost between the two is written later, as of then.
 */
export async function applyDecisions(
  decisions: readonly Decision[],
  target: Target,
  budget: ChangeBudget,
  world: ApplyWorld,
): Promise<void> {
  const { arn, policy } = target;
  const observed = policy.mode === 'observe';
  const who = { secret: policy.secretName, userName: policy.userName };
  let write: Tags = {};
  const remove: string[] = [];

  for (const decision of decisions) {
    // Stryker disable next-line ConditionalExpression: only decisions about keys disable or delete; the comparison is for the compiler.
    if (decision.about === 'key' && (decision.do === 'disable' || decision.do === 'delete')) {
      if (!observed && !(await spend(budget, () => changeKey(decision, target, world)))) break;
      world.report({ ...who, ...told(decision, observed) });
    } else if (decision.about === 'key') {
      if (decision.do === 'record') write = { ...write, ...entryTag(decision.entry) };
      if (decision.do === 'forget') remove.push(...tagsOf(decision.keyId, target.ledger));
      if (decision.do !== 'none' || !QUIET.has(decision.reason)) world.report({ ...who, ...told(decision, observed) });
    } else if (decision.about === 'label') {
      if (!observed) await takeOff(decision.version, arn, world);
      world.report({ ...who, what: 'label-taken-off', reason: decision.reason, observed });
    } else if (decision.about === 'leak') {
      remove.push(leakTagKey(decision.keyId));
      world.report({ ...who, what: 'leak-cleared', keyId: decision.keyId, reason: decision.reason, observed });
    } else if (decision.do === 'resolve') {
      remove.push(intentTagKey(decision.intent));
      world.report({ ...who, what: 'intent-resolved', reason: decision.reason, observed });
    }
  }
  if (!observed && (Object.keys(write).length > 0 || remove.length > 0)) await world.secrets.tag(arn, write, remove);
}

/** Makes a change if the pass may still change a key; one that AWS or the rotator refused is none. @returns false when the pass has changed enough */
async function spend(budget: ChangeBudget, change: () => Promise<void>): Promise<boolean> {
  if (budget.left === 0) {
    budget.exceeded = true;
    return false;
  }
  budget.left -= 1;
  try {
    await change();
  } catch (error) {
    const refused = error instanceof AwsCallError && error.refused && CHANGES.includes(error.operation);
    if (refused || !(error instanceof AwsCallError)) budget.left += 1;
    throw error;
  }
  return true;
}

/** The calls that change a key. */
const CHANGES: readonly string[] = ['UpdateAccessKey', 'DeleteAccessKey'];

/** Secrets Manager may have taken the label off meanwhile, or a new rotation has taken it: then nothing is left over. */
async function takeOff(version: string, arn: string, world: ApplyWorld): Promise<void> {
  try {
    await world.secrets.moveLabel(arn, AWSPENDING, version);
  } catch (error) {
    if (!(error instanceof AwsCallError && error.awsCode === 'InvalidParameterException')) throw error;
  }
}

async function changeKey(
  decision: Extract<KeyDecision, { do: 'disable' | 'delete' }>,
  { arn, policy, readAt, ledger }: Target,
  world: ApplyWorld,
): Promise<void> {
  const { keyId } = decision;
  assertFresh(readAt, world.now(), keyId);
  if (decision.do === 'disable') {
    await world.iam.disable(policy.userName, keyId);
    // Dated after the fact, so that the recovery time is never shorter than promised.
    await world.secrets.tag(arn, entryTag({ ...decision.entry, disabled: world.now() }), []);
    return;
  }
  await world.iam.remove(policy.userName, keyId);
  const tags = tagsOf(keyId, ledger);
  if (decision.entry !== undefined) await world.secrets.tag(arn, entryTag(decision.entry), tags.slice(1));
  else if (decision.role !== 'orphan') await world.secrets.tag(arn, {}, tags);
}

/** A decision as it is told. */
function told(decision: KeyDecision, observed: boolean): KeyHappening {
  const { keyId, reason, due, lastUse } = decision;
  const facts = { keyId, reason, ...(due && { due }), ...(lastUse && { lastUse }), observed };
  switch (decision.do) {
    case 'disable':
      return { what: 'disabled', ...facts };
    case 'delete':
      return { what: decision.role === 'orphan' ? 'orphan-cleared' : 'deleted', ...facts };
    case 'record':
      return { what: 'recorded', ...facts };
    case 'forget':
      return { what: 'forgotten', ...facts };
    case 'none':
    case 'look':
      return reason === 'in-use' ? { what: 'held', ...facts } : { what: 'noticed', keyId, reason };
    // Stryker disable next-line ConditionalExpression: the type has no other decision, so nothing comes here.
    default:
      return decision;
  }
}
