/** Gathers what a rollback is decided on, and carries it out step by step. Decisions: lambdas/domain/rollback.ts. */
import { isAws } from '../../lambdas/adapters/call.ts';
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { TAGS } from '../../lambdas/contract/names.ts';
import { AwsCallError, RotatorError } from '../../lambdas/domain/errors.ts';
import { FRESH_FOR } from '../../lambdas/domain/freshness.ts';
import { BY_LEDGER_OPERATORS, entryTags, type Ledger, parseLedger, pinnedUserId } from '../../lambdas/domain/ledger.ts';
import {
  AWSCURRENT,
  AWSPENDING,
  AWSPREVIOUS,
  after,
  iso,
  type LastUse,
  type SecretFacts,
  versionWith,
} from '../../lambdas/domain/model.ts';
import type { IamKeys, KeyIdentities, SecretStore } from '../../lambdas/domain/ports.ts';
import { provesSameUser } from '../../lambdas/domain/roles.ts';
import {
  nextStep,
  noteLook,
  type Progress,
  type RollbackObserved,
  type RollbackStep,
  type Route,
  type StepName,
} from '../../lambdas/domain/rollback.ts';
import { type KeyValue, parseValue } from '../../lambdas/domain/secret-value.ts';
import { identifyKey } from './identify.ts';

/** What a rollback may reach. */
export interface RollbackWorld {
  readonly iam: Pick<IamKeys, 'list' | 'lastUse' | 'userId'>;
  readonly secrets: Pick<SecretStore, 'describe' | 'read' | 'moveLabel' | 'tag'>;
  readonly identities: KeyIdentities;
  /** Sets a key Active; one that is gone is no error, since the next look finds it gone. */
  readonly activate: (userName: string, keyId: string) => Promise<void>;
  readonly now: () => Date;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Hears of each step before it is taken. */
  readonly tell: (step: RollbackStep) => void;
}

/** What was seen of one secret. */
export interface LookBack {
  /** When the first of the facts was asked for. */
  readonly readAt: Date;
  readonly facts: SecretFacts;
  readonly observed: RollbackObserved;
  /** What the versions hold, by version. Secret: not to be shown, nor kept. */
  readonly values: ReadonlyMap<string, KeyValue>;
}

/** Reads afresh what a rollback of the secret is decided on, the secret last: what somebody may just be moving is the label. */
export async function lookBack(
  policy: DeployedKey,
  world: Pick<RollbackWorld, 'iam' | 'now'> & { readonly secrets: Pick<SecretStore, 'describe' | 'read'> },
): Promise<LookBack> {
  const readAt = world.now();
  const keys = await world.iam.list(policy.userName);
  const facts = await world.secrets.describe(policy.secretName);
  const ledger = parseLedger(facts.tags);
  const base = { keys, labels: facts.labels, ledger };
  const currentVersion = versionWith(facts.labels, AWSCURRENT);
  const { values, unreadable } = facts.scheduledForDeletion
    ? NOTHING
    : await readVersions(versionsToRead(facts, ledger), facts.arn, policy, world);
  const held = new Map([...values].map(([version, { keyId }]) => [version, keyId]));
  const currentKeyId = held.get(currentVersion ?? '');
  const lastUse = new Map<string, LastUse | undefined>();
  for (const { id } of keys) {
    if (id !== currentKeyId && ledger.entries.has(id)) lastUse.set(id, await world.iam.lastUse(id));
  }
  const same = provesSameUser({ ...base, currentKeyId });
  const observed: RollbackObserved = {
    ...base,
    secretName: facts.name,
    scheduledForDeletion: facts.scheduledForDeletion,
    rotationEnabled: facts.rotationEnabled,
    currentKeyId,
    pendingKeyId: undefined,
    stored: new Map(),
    held,
    unreadable,
    lastUse,
    userId: same ? undefined : await world.iam.userId(policy.userName),
    leaked: new Set(
      Object.keys(facts.tags)
        .filter((tag) => tag.startsWith(TAGS.leakPrefix))
        .map((tag) => tag.slice(TAGS.leakPrefix.length)),
    ),
  };
  return { readAt, facts, observed, values };
}

const NOTHING = { values: new Map<string, KeyValue>(), unreadable: new Map<string, RotatorError>() };

/** The current version last: what is read of it is what the label is moved away from. */
function versionsToRead({ labels }: SecretFacts, ledger: Ledger): string[] {
  const recorded = [...ledger.entries.values()].map(({ version }) => version);
  const current = versionWith(labels, AWSCURRENT);
  const others = [versionWith(labels, AWSPREVIOUS), ...recorded].filter((version) => version !== current);
  return [...new Set([...others, current])].filter((version) => version !== undefined);
}

/** A version that is gone, or holds no key, is none to go back to, and no reason to fail: the current one may be what somebody has damaged. */
async function readVersions(
  versions: readonly string[],
  arn: string,
  policy: DeployedKey,
  world: { readonly secrets: Pick<SecretStore, 'read'> },
) {
  const values = new Map<string, KeyValue>();
  const unreadable = new Map<string, RotatorError>();
  for (const version of versions) {
    try {
      const found = await world.secrets.read(arn, { version });
      const value = found && parseValue(found.value, policy);
      if (value?.kind === 'key') values.set(version, value);
    } catch (error) {
      if (!(error instanceof RotatorError) || error instanceof AwsCallError) throw error;
      unreadable.set(version, error);
    }
  }
  return { values, unreadable };
}

/** Looks that were too old by the time they were complete, one after the other, before the rollback gives up. */
const STALE_LOOKS = 3;
/** Steps of one run. A rollback takes seven; more means that somebody undoes them. */
const MOST_STEPS = 30;

/**
 * Goes a route, step by step, each decided on facts read afresh. Every state between is safe, and running it again gets there.
 *
 * @param rotateTimeout timeout of the rotate function, in seconds
 * @throws RotatorError whatever the domain refuses with, READ_STALE, LEDGER_CLOSED; AwsCallError
 */
export async function rollBack(
  route: Route,
  policy: DeployedKey,
  rotateTimeout: number,
  world: RollbackWorld,
): Promise<void> {
  let progress: Progress = {};
  let failed: { readonly step: StepName; readonly error: unknown } | undefined;
  let stale = 0;
  for (let steps = 0; steps < MOST_STEPS; steps += 1) {
    const look = await lookBack(policy, world);
    progress = noteLook(progress, look.observed, route, policy, rotateTimeout, world.now());
    const step = nextStep(look.observed, route, progress, policy, rotateTimeout, world.now());
    if (step.do === 'refuse') throw step.error;
    if (step.do === 'done') return;
    // An answer may have been lost: only if what failed is still to be done has it failed.
    if (failed?.step === step.do) throw failed.error;
    failed = undefined;
    if (world.now() > after(look.readAt, FRESH_FOR) && step.do !== 'wait') {
      stale += 1;
      if (stale >= STALE_LOOKS) throw tooOld(look.readAt, world.now());
      continue;
    }
    stale = 0;
    world.tell(step);
    try {
      progress = { ...progress, ...(await take(step, look, route, policy, world)) };
    } catch (error) {
      if (!(error instanceof AwsCallError)) throw error;
      failed = { step: step.do, error };
    }
  }
  throw undone();
}

/** @returns what the step adds to what is known */
async function take(
  step: Exclude<RollbackStep, { do: 'done' }>,
  { facts, values }: LookBack,
  route: Route,
  policy: DeployedKey,
  world: RollbackWorld,
): Promise<Progress> {
  const { arn } = facts;
  switch (step.do) {
    case 'reserve':
      await reserve(step, arn, world);
      return {};
    case 'activate':
      await world.activate(policy.userName, route.keyId);
      return {};
    case 'wait':
      await world.sleep(Math.max(0, step.until.getTime() - world.now().getTime()));
      return {};
    case 'verify': {
      const value = values.get(route.version);
      // The version was chosen because it holds the key; it can't be changed, only removed.
      if (value?.keyId !== route.keyId) throw versionGone(route);
      const pinned = pinnedUserId(parseLedger(facts.tags), facts.labels);
      return { verifiedAt: await identifyKey(value, arn, pinned, policy, world) };
    }
    case 'take-off':
      await world.secrets.moveLabel(arn, AWSPENDING, route.from);
      return {};
    case 'move':
      await world.secrets.moveLabel(arn, AWSCURRENT, route.from, route.version);
      return {};
    // Stryker disable next-line ConditionalExpression: the type has no other step, so nothing comes here.
    default:
      return step;
  }
}

async function reserve(
  { entries }: Extract<RollbackStep, { do: 'reserve' }>,
  arn: string,
  { secrets }: RollbackWorld,
): Promise<void> {
  try {
    await secrets.tag(arn, entryTags(entries), []);
  } catch (error) {
    if (!isAws(error, 'AccessDeniedException', 'AccessDenied')) throw error;
    throw new RotatorError(
      'LEDGER_CLOSED',
      {
        found:
          'the next retire pass may end the key, and these credentials may not write to the ledger that it is to be left alone',
        expected: 'credentials that may tag the secret, or a key that no pass is about to end',
        remedy:
          `run it ${BY_LEDGER_OPERATORS}; or, with an overlap, wait until a pass has disabled the key (an hour at most), then run it ` +
          'again: from then on no reservation is needed',
      },
      { cause: error },
    );
  }
}

const tooOld = (readAt: Date, now: Date) =>
  new RotatorError('READ_STALE', {
    found: `what was read from ${iso(readAt)} on was complete only at ${iso(now)}, ${STALE_LOOKS} times`,
    expected: `at most ${FRESH_FOR} seconds between: later, AWSCURRENT or the key may have changed`,
    remedy: 'run it again when AWS answers; what was done so far is safe',
  });

const versionGone = ({ version, keyId }: Route) =>
  new RotatorError('ROLLBACK_VALUE_GONE', {
    found: `the version ${version}, which held ${keyId}, can't be read any more`,
    expected: 'the version that was chosen',
    remedy: 'run it again: another version may hold the key; else rotate',
  });

const undone = () =>
  new RotatorError('OVERTAKEN', {
    found: `${MOST_STEPS} steps did not get there: somebody undoes them`,
    expected: 'at most seven',
    remedy: 'see in CloudTrail who changes the key or the secret, then run it again',
  });
