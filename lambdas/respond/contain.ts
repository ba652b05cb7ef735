/** One secret with leaked keys: remember the leak, have a successor made, end the keys. Invariants 1, 3, 4, 5; docs/adr/0019-containment-beats-recovery.md. */
import type { DeployedKey } from '../contract/deployment.ts';
import { RotatorError } from '../domain/errors.ts';
import { assertFresh } from '../domain/freshness.ts';
import { currentLeak, endsBeforeSuccessor, settlesAt } from '../domain/leak.ts';
import { type LeakSignal, leakTag, parseLedger } from '../domain/ledger.ts';
import { KEYS_PER_USER } from '../domain/mint.ts';
import { AWSCURRENT, after, iso, type SecretFacts, versionWith } from '../domain/model.ts';
import { scheduledForDeletion } from '../domain/refusals.ts';
import type { Decision, RetireObserved } from '../domain/retire.ts';
import { labelledRole, type Role, roleOf, type Standing } from '../domain/roles.ts';
import { applyDecisions, type ChangeBudget } from '../retirement/apply.ts';
import { type Look, lookAt } from '../retirement/look.ts';
import type { Outcome, RespondWorld } from './world.ts';

/** A leaked key of a managed secret, as it was when the leak was reported. */
export interface Suspect {
  readonly keyId: string;
  readonly role: Role | 'gone';
  readonly active: boolean;
}

/** A secret with leaked keys. */
export interface Case {
  readonly policy: DeployedKey;
  readonly signal: LeakSignal;
  /** In seconds. */
  readonly rotateTimeout: number;
  readonly rotationEnabled: boolean;
  /** Those that are the rotator's, all marked by now. */
  readonly leaked: readonly Suspect[];
  /** Those that nothing is done about, with what is to be said. */
  readonly others: readonly Outcome[];
}

/** The roles of keys that are the rotator's to end. */
const OURS: readonly Suspect['role'][] = ['current', 'pending', 'superseded', 'adoptable'];

/** Which keys are meant, once it is known which there are. */
export type Meant = (observed: RetireObserved) => readonly string[];

/**
 * Marks the keys that are ours: from then on whatever happens to this run, each retire pass goes on where it stopped.
 *
 * @param known key ids that the signal names: marked before anything else is read, if the ledger has them
 * @throws AwsCallError, RotatorError SECRET_NOT_USABLE and whatever a look throws
 */
export async function remember(
  policy: DeployedKey,
  signal: LeakSignal,
  known: readonly string[],
  meant: Meant,
  rotateTimeout: number,
  world: RespondWorld,
): Promise<Case> {
  const facts = await world.secrets.describe(policy.secretName);
  if (facts.scheduledForDeletion) throw scheduledForDeletion(policy.secretName).error;
  const { entries } = parseLedger(facts.tags);
  await mark(
    known.filter((keyId) => entries.has(keyId)),
    facts,
    policy,
    signal,
    world,
  );
  const { observed } = await lookSurely(policy, rotateTimeout, world);
  const suspects = [...new Set(meant(observed))].map((keyId) => suspectOf(keyId, observed, policy));
  const leaked = suspects.filter(({ role }) => OURS.includes(role));
  const ids = leaked.map(({ keyId }) => keyId).filter((keyId) => !known.includes(keyId) || !entries.has(keyId));
  await mark(ids, facts, policy, signal, world);
  const who = { secret: policy.secretName, userName: policy.userName };
  for (const { keyId, role } of suspects) {
    // In mode 'observe' nobody contains it, so that no other notice comes.
    const handled = role === 'gone' || (OURS.includes(role) && policy.mode === 'enforce');
    const remedy = handled ? undefined : byHand(keyId, policy.userName);
    world.report({ what: 'leak-reported', ...who, keyId, role, signal, ...(remedy !== undefined && { remedy }) });
  }
  const others = suspects.filter(({ role }) => !OURS.includes(role)).map((suspect) => untouched(suspect, policy));
  return { policy, signal, rotateTimeout, rotationEnabled: facts.rotationEnabled, leaked, others };
}

/** The mark that is there already keeps its date. In mode 'observe' nothing is marked (invariant 10). */
async function mark(
  keyIds: readonly string[],
  { arn, tags }: SecretFacts,
  { mode }: DeployedKey,
  signal: LeakSignal,
  world: RespondWorld,
): Promise<void> {
  const { leaks } = parseLedger(tags);
  const unmarked = keyIds.filter((keyId) => !leaks.has(keyId));
  if (mode === 'observe' || unmarked.length === 0) return;
  const written = unmarked.map((keyId) => leakTag({ keyId, at: world.now(), signal }));
  await world.secrets.tag(arn, Object.assign({}, ...written), []);
}

function suspectOf(keyId: string, observed: RetireObserved, policy: DeployedKey): Suspect {
  const key = observed.keys.find((listed) => listed.id === keyId);
  if (key !== undefined) return { keyId, role: roleOf(key, observed, policy), active: key.status === 'Active' };
  // Deleted by hand, but still what applications read: they need another one.
  const role = labelledRole(keyId, observed) === 'current' ? 'current' : 'gone';
  return { keyId, role, active: false };
}

function untouched({ keyId, role }: Suspect, { secretName: secret, userName: user }: DeployedKey): Outcome {
  const about = { keyId, secret, user };
  if (role === 'gone') return { ...about, outcome: 'nothing-to-do', why: `${user} has no such key any more` };
  return {
    ...about,
    outcome: 'reported',
    why: `the rotator has not made this key of ${user}, and never changes such a one`,
    remedy: byHand(keyId, user),
  };
}

/** What a person does about a key that is not the rotator's. */
export function byHand(keyId: string, userName: string | undefined): string {
  const user = userName === undefined ? '' : `--user-name ${userName} `;
  return `disable it by hand (aws iam update-access-key ${user}--access-key-id ${keyId} --status Inactive), replace it where it is used, and delete it`;
}

/** Between two looks, in ms. */
const PAUSE_MS = 2000;
/** Seconds after which a rotation that has not promoted a key is asked for again: longer than one step may take. */
const ASK_AGAIN = 150;
/** Seconds. Another attempt of Lambda's, and each retire pass, go on from there. */
const FOLLOW_FOR = 600;
const RESERVE = 30;
/** Seconds after which all is looked at afresh, though AWSCURRENT has not moved: what keeps a leaked key may have changed elsewhere. */
const LOOK_AGAIN = 30;

/**
 * Follows the case until none of its keys works and none stands in AWSCURRENT. Everything is looked at afresh each time, so it does not matter who
 * did what meanwhile: another delivery of the same event, a retire pass, a rotation, an operator.
 *
 * @throws RotatorError LEAK_NOT_CONTAINED and whatever its calls throw
 */
export async function contain(one: Case, budget: ChangeBudget, world: RespondWorld): Promise<readonly Outcome[]> {
  const { policy } = one;
  if (one.leaked.length === 0) return [];
  if (policy.mode === 'observe') return one.leaked.map((suspect) => wouldContain(suspect, policy));
  const until = earlier(after(world.now(), FOLLOW_FOR), after(world.deadline, -RESERVE));
  const own = shareOf(budget);
  let asked: Date | undefined;
  for (;;) {
    const look = await lookSurely(policy, one.rotateTimeout, world);
    if (isOver(one, look.observed)) return one.leaked.map((suspect) => contained(suspect, look.observed, one, world));
    const changed = await change(look, one, own, world);
    if (world.now() >= until) throw notContained(one, look.observed, 'no other key has become current');
    const settles = settling(look.observed, world.now());
    if (
      needsSuccessor(look, one) &&
      settles === undefined &&
      (asked === undefined || world.now() >= after(asked, ASK_AGAIN))
    ) {
      if (!one.rotationEnabled) throw notContained(one, look.observed, rotationOff(policy));
      await world.rotations.start(look.arn);
      asked = world.now();
    }
    if (changed) await world.sleep(PAUSE_MS / 2);
    else await untilMoved(look, earlier(until, settles ?? after(world.now(), LOOK_AGAIN)), world);
  }
}

/** The same limit; what the other cases lack is no reason not to follow this one, whose key a rotation may end. */
function shareOf(budget: ChangeBudget): ChangeBudget {
  return {
    get left() {
      return budget.left;
    },
    set left(left) {
      budget.left = left;
    },
    exceeded: false,
  };
}

/** A look that is late, or falls into a rotation's move of the label, is repeated. */
async function lookSurely(policy: DeployedKey, rotateTimeout: number, world: RespondWorld): Promise<Look> {
  for (;;) {
    // Nothing that a leak is answered with waits for a key's last use.
    const { secrets, iam, now } = world;
    const look = await lookAt(policy.secretName, [], policy, rotateTimeout, { secrets, iam: { list: iam.list }, now });
    if (look !== undefined) return look;
    const { scheduledForDeletion: deleted } = await world.secrets.describe(policy.secretName);
    if (deleted) throw scheduledForDeletion(policy.secretName).error;
    if (world.now() >= after(world.deadline, -RESERVE)) throw restless(policy);
    await world.sleep(PAUSE_MS);
  }
}

const isActive = (keyId: string, { keys }: Standing) => keys.some((key) => key.id === keyId && key.status === 'Active');

function isOver({ leaked }: Case, observed: RetireObserved): boolean {
  return leaked.every(({ keyId }) => !isActive(keyId, observed) && keyId !== observed.currentKeyId);
}

/** Reasons for which a leaked key waits for another one to be current. */
const WAITING: readonly string[] = ['current-leaked', 'current-not-usable', 'adoption-waits'];

function needsSuccessor({ observed, decisions }: Look, { leaked }: Case): boolean {
  if (currentLeak(observed) !== undefined) return true;
  return decisions.some(
    (decision) =>
      decision.about === 'key' &&
      WAITING.includes(decision.reason) &&
      leaked.some(({ keyId }) => keyId === decision.keyId) &&
      isActive(decision.keyId, observed),
  );
}

/** Does what is decided about the leaked keys, and nothing else of what a pass would do. @returns whether there was anything */
async function change(look: Look, one: Case, budget: ChangeBudget, world: RespondWorld): Promise<boolean> {
  const { policy } = one;
  const { arn, readAt, observed } = look;
  const decisions = look.decisions.filter((decision) => isToBeDone(decision, observed));
  try {
    if (endsBeforeSuccessor(observed, policy)) await endCurrent(look, policy, budget, world);
    await applyDecisions(decisions, { arn, policy, readAt, ledger: observed.ledger }, budget, world);
  } catch (error) {
    if (error instanceof RotatorError && error.code === 'READ_STALE') return true;
    throw error;
  }
  if (budget.exceeded) throw notContained(one, observed, 'as many keys were changed as one run may change');
  return decisions.length > 0;
}

function isToBeDone(decision: Decision, { ledger }: Standing): boolean {
  if (decision.about === 'label') return decision.reason === 'pending-leaked';
  if (decision.about !== 'key' || !ledger.leaks.has(decision.keyId)) return false;
  return decision.do === 'disable' || decision.do === 'record';
}

/** Not recorded: the date would be stale once the key is superseded, and the next pass dates it then. */
async function endCurrent(
  { observed, readAt }: Look,
  policy: DeployedKey,
  budget: ChangeBudget,
  world: RespondWorld,
): Promise<void> {
  const { currentKeyId } = observed;
  if (currentKeyId === undefined) return;
  if (budget.left === 0) {
    budget.exceeded = true;
    return;
  }
  budget.left -= 1;
  // Invariant 1's exception (ADR 19), which the oracle allows of no other function, policy or unmarked key: test/simulation/leaks.test.ts.
  assertFresh(readAt, world.now(), currentKeyId);
  await world.iam.disable(policy.userName, currentKeyId);
  const who = { secret: policy.secretName, userName: policy.userName };
  world.report({ what: 'disabled', ...who, keyId: currentKeyId, reason: 'leaked-current', observed: false });
}

/**
 * Until when a leaked key that was pending is left alone, and with it the slot that a successor may need: asked for before, a rotation would be
 * refused, and asked for again only after `ASK_AGAIN`.
 */
function settling(observed: RetireObserved, now: Date): Date | undefined {
  if (observed.keys.length < KEYS_PER_USER) return undefined;
  const dates = observed.keys.flatMap(({ id }) =>
    id === observed.currentKeyId ? [] : (settlesAt(id, observed) ?? []),
  );
  return dates.find((date) => now < date);
}

/** Waits until AWSCURRENT stands elsewhere, or `end`. */
async function untilMoved({ arn, observed }: Look, end: Date, world: RespondWorld): Promise<void> {
  const from = versionWith(observed.labels, AWSCURRENT);
  do {
    await world.sleep(PAUSE_MS);
    const { labels } = await world.secrets.describe(arn);
    if (versionWith(labels, AWSCURRENT) !== from) return;
  } while (world.now() < end);
}

function contained(suspect: Suspect, observed: RetireObserved, { policy }: Case, world: RespondWorld): Outcome {
  const { keyId, active, role } = suspect;
  const { secretName: secret, userName } = policy;
  const there = observed.keys.some((key) => key.id === keyId);
  const how = !there ? 'gone' : active ? 'disabled' : 'was-inactive';
  world.report({ what: 'leak-contained', secret, userName, keyId, how });
  const now = observed.currentKeyId;
  const why = `${there ? 'Inactive' : 'deleted'}; the current key is ${now ?? 'still to be made'}`;
  const outcome = active || role === 'current' ? 'contained' : 'nothing-to-do';
  return { keyId, secret, user: userName, outcome, why };
}

function wouldContain({ keyId, active, role }: Suspect, { secretName: secret, userName: user }: DeployedKey): Outcome {
  const about = { keyId, secret, user };
  if (!active && role !== 'current') return { ...about, outcome: 'nothing-to-do', why: 'Inactive already' };
  const why = `mode 'observe': ${role === 'current' ? 'a rotation would be started, and the key disabled' : 'the key would be disabled'}`;
  return { ...about, outcome: 'would-contain', why, remedy: byHand(keyId, user) };
}

const earlier = (a: Date, b: Date) => (a < b ? a : b);

const rotationOff = ({ secretName }: DeployedKey) =>
  `rotation of ${secretName} is off, and turning it on is for whoever turned it off (aws secretsmanager rotate-secret --secret-id ${secretName})`;

function restless({ secretName }: DeployedKey): RotatorError {
  return new RotatorError('LEAK_NOT_CONTAINED', {
    found: `AWSCURRENT of ${secretName} was moved between two reads each time that it was looked at`,
    expected: 'a secret whose labels rest for a second',
    remedy:
      'nothing: the next attempt looks again; if this lasts, see who moves the labels (CloudTrail, UpdateSecretVersionStage)',
  });
}

/** The mark stays, so the next attempt and each retire pass go on. */
function notContained({ leaked, policy }: Case, observed: RetireObserved, why: string): RotatorError {
  const open = leaked.filter(({ keyId }) => isActive(keyId, observed) || keyId === observed.currentKeyId);
  const ids = open.map(({ keyId }) => keyId).join(' and ');
  const marked = [...observed.ledger.leaks.values()].find((leak) => open.some(({ keyId }) => keyId === leak.keyId));
  return new RotatorError('LEAK_NOT_CONTAINED', {
    found: `${ids} of ${policy.userName}, reported as leaked${marked === undefined ? '' : ` at ${iso(marked.at)}`}: ${why}`,
    expected: `another key in AWSCURRENT of ${policy.secretName}, and this one Inactive`,
    remedy:
      `see why ${policy.secretName} does not rotate (the log of the rotate function) and mend that: the retire pass disables the key once ` +
      `another one is current. If it can't wait, ${byHand(open[0]?.keyId ?? ids, policy.userName)}`,
  });
}
