/** createSecret: a new key in the pending version, and never a key that nobody knows of. Invariants 3, 4, 5, 7, 8. */

import type { DeployedKey } from '../contract/deployment.ts';
import { TAGS } from '../contract/names.ts';
import { adoptedKey } from '../domain/adoption.ts';
import { AwsCallError, RotatorError } from '../domain/errors.ts';
import { assertFresh } from '../domain/freshness.ts';
import {
  ANNOUNCED_FOR,
  entryTag,
  entryTags,
  type Intent,
  intentTag,
  intentTagKey,
  type Ledger,
  type LedgerEntry,
  mayComeOf,
  parseLedger,
  pinnedUserId,
  type Tags,
  tagsOf,
  unresolved,
} from '../domain/ledger.ts';
import { abandonedVersions, decideMint, type MintObserved, type MintPlan } from '../domain/mint.ts';
import {
  AWSCURRENT,
  AWSPENDING,
  after,
  hasLabel,
  iso,
  type LastUse,
  type MintedKey,
  type SecretFacts,
  type SecretVersion,
} from '../domain/model.ts';
import type { IamKeys, SecretStore } from '../domain/ports.ts';
import { currentMissing, mintUnsettled, pendingLeaked, rolledBack, scheduledForDeletion } from '../domain/refusals.ts';
import { announcedKeys, provesSameUser, storedKeys, wasPromoted } from '../domain/roles.ts';
import { type BootstrapValue, type KeyValue, keyIdWithin, parseValue, renderValue } from '../domain/secret-value.ts';
import type { Rotation, RotationWorld } from './rotation.ts';

export async function createSecret(rotation: Rotation, world: RotationWorld): Promise<void> {
  const readAt = world.now();
  const facts = await world.secrets.describe(rotation.secret.arn);
  const ledger = parseLedger(facts.tags);
  if (!isToBeCreated(facts, rotation, world)) return;

  const pending = await world.secrets.read(rotation.secret.arn, { version: rotation.token, label: AWSPENDING });
  if (pending !== undefined) return recordStored(pending, facts, ledger, rotation, world);

  const { observed, plan } = await planMint(facts, ledger, rotation, world);
  return apply(plan, observed, readAt, rotation, world);
}

/** What planning may reach: reads only. */
export interface PlanWorld {
  readonly secrets: Pick<SecretStore, 'read'>;
  readonly iam: Pick<IamKeys, 'list' | 'lastUse' | 'userId'>;
  readonly now: () => Date;
}

/**
 * Gathers, and decides what a rotation with this token does. Changes nothing, so that whoever wants to know beforehand can ask.
 *
 * @throws RotatorError CURRENT_MISSING, VALUE_MALFORMED, VALUE_OTHER_USER, VALUE_TOO_LARGE, USER_NOT_FOUND
 */
export async function planMint(
  facts: SecretFacts,
  ledger: Ledger,
  rotation: Pick<Rotation, 'policy' | 'token' | 'rotateTimeout'>,
  world: PlanWorld,
): Promise<{ readonly observed: MintObserved; readonly plan: Exclude<MintPlan, { do: 'look' }> }> {
  let observed = await gather(facts, ledger, rotation, world);
  let plan = decideMint(observed, rotation.policy, rotation.rotateTimeout, world.now());
  while (plan.do === 'look') {
    const lastUse = new Map<string, LastUse | undefined>(observed.lastUse);
    for (const keyId of plan.keyIds) lastUse.set(keyId, await world.iam.lastUse(keyId));
    observed = { ...observed, lastUse };
    plan = decideMint(observed, rotation.policy, rotation.rotateTimeout, world.now());
  }
  return { observed, plan };
}

/** The guards of every rotation function: is this a rotation under way, and of this token? */
function isToBeCreated(facts: SecretFacts, rotation: Rotation, world: RotationWorld): boolean {
  const { token, secret, policy } = rotation;
  if (facts.scheduledForDeletion) throw scheduledForDeletion(secret.name).error;
  if (!facts.rotationEnabled) {
    throw new RotatorError('ROTATION_NOT_ENABLED', {
      found: `rotation of ${secret.name} is off`,
      expected: 'a rotation under way',
      remedy: 'turn it on (npx cdk deploy, or aws secretsmanager rotate-secret)',
    });
  }
  if (hasLabel(facts.labels, token, AWSCURRENT)) {
    world.report({
      what: 'nothing-to-do',
      secret: secret.name,
      userName: policy.userName,
      step: 'createSecret',
      why: 'the version is current already',
    });
    return false;
  }
  if (!hasLabel(facts.labels, token, AWSPENDING)) {
    throw new RotatorError('TOKEN_NOT_PENDING', {
      found: `the version ${token} has ${facts.labels.get(token)?.join(', ') ?? 'no label'}`,
      expected: 'AWSPENDING, which Secrets Manager puts there before it calls createSecret',
      remedy: 'start another rotation (aws secretsmanager rotate-secret)',
    });
  }
  return true;
}

/** An earlier run has stored the key. If it died before it could record that, the record is made up for here. */
async function recordStored(
  pending: SecretVersion,
  facts: SecretFacts,
  ledger: Ledger,
  rotation: Rotation,
  world: RotationWorld,
): Promise<void> {
  const { token, secret, policy } = rotation;
  const value = await parsePending(pending.value, rotation, world);
  if (value.kind === 'bootstrap') {
    // A version's value can't be changed, so this one will never hold a key. Without its label the next rotation starts with a new version.
    await world.secrets.moveLabel(secret.arn, AWSPENDING, token);
    throw new RotatorError('PENDING_VALUE_MISSING', {
      found: `the pending version ${token} holds no key, but the value of a new secret: somebody stored that there`,
      expected: 'no value, or a key',
      remedy:
        'rotate again (aws secretsmanager rotate-secret): the version has lost its label, and a new key will be minted',
    });
  }
  const entry = ledger.entries.get(value.keyId);
  // Promoted in whatever version: what a team has edited since stands in a newer one, which this would undo.
  if (wasPromoted(token, facts.labels, ledger) || entry?.promoted !== undefined) {
    // Without its label the version is not taken up again, and the next rotation starts with a new one.
    await world.secrets.moveLabel(secret.arn, AWSPENDING, token);
    throw rolledBack(token).error;
  }
  if (ledger.leaks.has(value.keyId)) {
    // Invariant 5: without its label the key is superseded, and retired in its turn. test/rotate/leaks.test.ts.
    await world.secrets.moveLabel(secret.arn, AWSPENDING, token);
    throw pendingLeaked(value.keyId).error;
  }
  world.report({
    what: 'nothing-to-do',
    secret: secret.name,
    userName: policy.userName,
    step: 'createSecret',
    why: 'the pending version has a key',
  });
  if (entry?.version === token) return;

  const key = (await world.iam.list(policy.userName)).find((listed) => listed.id === value.keyId);
  if (key === undefined) return;
  const intent = unresolved(ledger).find((open) => open.token === token && mayComeOf(open, key));
  // Somebody with write access may have put a stranger's key here. It is recorded as ours only if the ledger knows it or our mint explains it.
  if (entry === undefined && intent === undefined) return;
  const recorded: LedgerEntry = { keyId: key.id, version: token, minted: entry?.minted ?? key.created };
  const resolved = intent && intentTag({ ...intent, minted: key.id });
  await world.secrets.tag(secret.arn, { ...entryTag(recorded), ...resolved }, []);
}

/** A value that can't be read, being written by hand or under names that are configured no more, would fail each rotation that takes it up. */
async function parsePending(
  value: string,
  { policy, secret, token }: Rotation,
  world: RotationWorld,
): Promise<KeyValue | BootstrapValue> {
  try {
    return parseValue(value, policy);
  } catch (error) {
    if (!(error instanceof RotatorError)) throw error;
    await world.secrets.moveLabel(secret.arn, AWSPENDING, token);
    throw new RotatorError(error.code, {
      found: `in the pending version ${token}, ${error.details.found}`,
      expected: error.details.expected,
      remedy:
        'rotate again (aws secretsmanager rotate-secret): the version has lost its label. If names of your own have been taken out of ' +
        'rotator.config.ts, its key is taken up once they are back; otherwise a new one is minted, and that one retired',
    });
  }
}

async function gather(
  facts: SecretFacts,
  ledger: Ledger,
  { policy, token }: Pick<Rotation, 'policy' | 'token'>,
  world: PlanWorld,
): Promise<MintObserved> {
  const currentVersion = await world.secrets.read(facts.arn, { label: AWSCURRENT });
  if (currentVersion === undefined) throw currentMissing().error;
  const current = parseValue(currentVersion.value, policy);
  const keys = await world.iam.list(policy.userName);
  const base = {
    token,
    labels: facts.labels,
    ledger,
    currentVersion: currentVersion.version,
    current,
    // Stryker disable next-line ConditionalExpression: a bootstrap value has no key id either; the comparison is for the compiler.
    currentKeyId: current.kind === 'key' ? current.keyId : undefined,
    pendingKeyId: undefined,
    keys,
    lastUse: new Map<string, LastUse | undefined>(),
  };
  const abandoned = new Map<string, KeyValue>();
  const held = new Map<string, string>();
  for (const version of abandonedVersions(base)) {
    const found = await world.secrets.read(facts.arn, { version });
    const value = found && readable(found, policy);
    if (value?.kind === 'key') abandoned.set(version, value);
    const keyId = found && keyIdWithin(found.value, announcedKeys(version, unresolved(ledger), keys));
    // Stryker disable next-line ConditionalExpression: a version without a key is as good as one that is not in the map.
    if (keyId !== undefined) held.set(version, keyId);
  }
  const keyIn = (version: string) =>
    version === base.currentVersion ? base.currentKeyId : (abandoned.get(version)?.keyId ?? held.get(version));
  return {
    ...base,
    userId: provesSameUser(base) ? undefined : await world.iam.userId(policy.userName),
    abandoned,
    stored: storedKeys(unresolved(ledger), keyIn),
  };
}

/** An abandoned version need not hold a key of the bound user: it is one that can't be taken up, and no reason to fail. */
function readable({ value }: SecretVersion, policy: DeployedKey): ReturnType<typeof parseValue> | undefined {
  try {
    return parseValue(value, policy);
  } catch (error) {
    if (error instanceof RotatorError) return undefined;
    throw error;
  }
}

async function apply(
  plan: Exclude<MintPlan, { do: 'look' }>,
  observed: MintObserved,
  readAt: Date,
  rotation: Rotation,
  world: RotationWorld,
): Promise<void> {
  switch (plan.do) {
    case 'refuse':
      throw plan.error;
    case 'reuse': {
      const key: MintedKey = { id: plan.value.keyId, secret: plan.value.secret, created: plan.created };
      const value = renderValue(key, rotation.policy, observed.current.others, world.smtpPassword);
      await register(plan.register, rotation, world);
      await world.secrets.storePending(rotation.secret.arn, rotation.token, value, rotation.rotationToken);
      const announced = unresolved(observed.ledger).find((intent) => observed.stored.get(intent.token) === key.id);
      await record(key, announced, observed, rotation, world);
      world.report({
        what: 'taken-up',
        secret: rotation.secret.name,
        userName: rotation.policy.userName,
        keyId: key.id,
      });
      return;
    }
    case 'mint':
      return mintAndStore(plan, observed, readAt, rotation, world);
    // Stryker disable next-line ConditionalExpression: the type has no other plan, so nothing comes here.
    default:
      return unreachable(plan);
  }
}

async function mintAndStore(
  plan: Extract<MintPlan, { do: 'mint' }>,
  observed: MintObserved,
  readAt: Date,
  rotation: Rotation,
  world: RotationWorld,
): Promise<void> {
  const { policy, secret, token } = rotation;
  const who = { secret: secret.name, userName: policy.userName };
  for (const keyId of plan.clear) {
    assertFresh(readAt, world.now(), keyId);
    await world.iam.remove(policy.userName, keyId);
    world.report({ what: 'orphan-cleared', ...who, keyId, reason: 'orphan-never-used', observed: false });
  }
  for (const keyId of plan.free) {
    assertFresh(readAt, world.now(), keyId);
    await world.iam.remove(policy.userName, keyId);
    await forget(keyId, observed.ledger, rotation, world);
    world.report({ what: 'deleted', ...who, keyId, reason: 'recovery-over', observed: false });
  }

  const yielding = plan.yielding ?? [];
  for (const { keyId, active } of yielding) {
    // Invariant 3's exception (ADR 19): only what the domain names for a marked current key. The oracle judges it in test/simulation/leaks.test.ts.
    assertFresh(readAt, world.now(), keyId);
    if (active) await world.iam.disable(policy.userName, keyId);
    // Again: what was answered late has left time for an operator to move AWSCURRENT back to it. test/rotate/leaks.test.ts.
    assertFresh(readAt, world.now(), keyId);
    await world.iam.remove(policy.userName, keyId);
    await forget(keyId, observed.ledger, rotation, world);
    world.report({ what: 'deleted', ...who, keyId, reason: 'slot-for-leak', observed: false });
  }

  const gone = new Set([...plan.clear, ...plan.free, ...yielding.map(({ keyId }) => keyId)]);
  const before = observed.keys.map((key) => key.id).filter((keyId) => !gone.has(keyId));
  const intent: Intent = { run: world.runId, token, at: world.now(), before };
  // What earlier runs announced is settled, and cleared as far as it can be.
  const settled = unresolved(observed.ledger).map(intentTagKey);
  const announcement = { ...intentTag(intent), ...entryTags(plan.register), ...pinTag(observed) };
  await world.secrets.tag(secret.arn, announcement, settled);
  if (plan.roomForTwo) await standAlone(intent, rotation, world);
  const key = await mint(intent, rotation, world);
  await store(key, intent, observed, rotation, world);
  world.report({ what: 'minted', ...who, keyId: key.id });
  await record(key, intent, observed, rotation, world);
}

/**
 * Two runs that have announced at the same time see each other here, and both stand back: otherwise both might mint, and both keys be lost.
 * With only one slot left the quota sees to that.
 */
async function standAlone(intent: Intent, rotation: Rotation, world: RotationWorld): Promise<void> {
  const { tags } = await world.secrets.describe(rotation.secret.arn);
  const other = unresolved(parseLedger(tags)).find((open) => open.run !== intent.run);
  if (other === undefined) return;
  await withdraw(intent, rotation, world);
  throw mintUnsettled(other, rotation.rotateTimeout).error;
}

/** Written before a key is minted or stored: a run that dies must not leave the current key unknown, or it would count as a stranger's later. */
async function register(entries: readonly LedgerEntry[], rotation: Rotation, world: RotationWorld): Promise<void> {
  await world.secrets.tag(rotation.secret.arn, entryTags(entries), []);
}

/** Should the run that promoted the first key have died before it could pin the user's id, it is pinned now. */
function pinTag({ ledger, labels }: MintObserved): Tags {
  const pinned = ledger.userId === undefined ? pinnedUserId(ledger, labels) : undefined;
  return pinned === undefined ? {} : { [TAGS.userId]: pinned };
}

/** An adopted key leaves a last entry behind, since the configuration goes on naming it. */
async function forget(keyId: string, ledger: Ledger, rotation: Rotation, world: RotationWorld): Promise<void> {
  const adopted = adoptedKey(rotation.policy, ledger) === keyId;
  const write: Tags = adopted ? entryTag({ keyId, deleted: world.now() }) : {};
  const remove = tagsOf(keyId, ledger);
  await world.secrets.tag(rotation.secret.arn, write, adopted ? remove.slice(1) : remove);
}

async function mint(intent: Intent, rotation: Rotation, world: RotationWorld): Promise<MintedKey> {
  if (world.now() > after(intent.at, ANNOUNCED_FOR)) {
    throw new RotatorError('MINT_TOO_LATE', {
      found: `announcing a new key took until ${iso(world.now())}`,
      expected: `at most ${ANNOUNCED_FOR} seconds from ${iso(intent.at)}: a key made later could not be told from a stranger`,
      remedy: 'nothing: the next rotation announces anew',
    });
  }
  try {
    return await world.iam.mint(rotation.policy.userName);
  } catch (error) {
    // An answer that was lost leaves the intent standing: the key may exist, and the next run finds it by the intent.
    if (!(error instanceof AwsCallError && error.refused)) throw error;
    await withdraw(intent, rotation, world);
    throw new RotatorError(
      'MINT_REFUSED',
      {
        found: `IAM refused to create a key for ${rotation.policy.userName} (${error.awsCode})`,
        expected: 'a new key',
        remedy:
          error.awsCode === 'LimitExceeded'
            ? 'see which keys the user has now (aws iam list-access-keys): one was made since they were counted'
            : 'mend what IAM names; the next rotation tries again',
      },
      { cause: error },
    );
  }
}

/** Stores the key. If that is refused for good, nobody will ever know the key's secret: it is deleted again, being never used. */
async function store(
  key: MintedKey,
  intent: Intent,
  observed: MintObserved,
  rotation: Rotation,
  world: RotationWorld,
): Promise<void> {
  const value = renderValue(key, rotation.policy, observed.current.others, world.smtpPassword);
  try {
    await world.secrets.storePending(rotation.secret.arn, rotation.token, value, rotation.rotationToken);
  } catch (error) {
    // Perhaps it was stored, and only the answer got lost: the next run looks.
    if (!(error instanceof AwsCallError && error.refused)) throw error;
    await world.iam.remove(rotation.policy.userName, key.id);
    await withdraw(intent, rotation, world);
    throw new RotatorError(
      'STORE_FAILED',
      {
        found: `Secrets Manager refused to store the key ${key.id} (${error.awsCode}); the key, which nobody has used, was deleted again`,
        expected: 'the pending version to take the value',
        remedy:
          "mend what Secrets Manager names (often the function's permission on the secret or its KMS key); the next rotation tries again",
      },
      { cause: error },
    );
  }
}

/** What was announced did surely not happen. Only tidiness: left standing, the intent delays the next try by some minutes. */
async function withdraw(intent: Intent, rotation: Rotation, world: RotationWorld): Promise<void> {
  try {
    await world.secrets.tag(rotation.secret.arn, {}, [intentTagKey(intent)]);
  } catch (error) {
    if (!(error instanceof AwsCallError)) throw error;
  }
}

async function record(
  key: MintedKey,
  intent: Intent | undefined,
  observed: MintObserved,
  rotation: Rotation,
  world: RotationWorld,
): Promise<void> {
  const tags: Tags = {
    ...entryTag({ keyId: key.id, version: rotation.token, minted: key.created }),
    ...pinTag(observed),
  };
  if (intent !== undefined) Object.assign(tags, intentTag({ ...intent, minted: key.id }));
  await world.secrets.tag(rotation.secret.arn, tags, []);
}

// Stryker disable next-line BlockStatement: the type has no other plan, so nothing comes here.
function unreachable(plan: never): never {
  // Stryker disable next-line CallExpression,StringLiteral: the type has no other plan, so nothing comes here.
  throw new Error(`no way to apply the plan ${String(plan)}`);
}
