/** createSecret: a new key in the pending version, and never a key that nobody knows of. Invariants 3, 4, 5, 7, 8. */

import { TAGS } from '../contract/names.ts';
import { AwsCallError, RotatorError } from '../domain/errors.ts';
import {
  entryTag,
  type Intent,
  intentTag,
  keyTag,
  type Ledger,
  type LedgerEntry,
  mayComeOf,
  parseLedger,
  type Tags,
} from '../domain/ledger.ts';
import { abandonedVersions, decideMint, type MintObserved, type MintPlan, provesSameUser } from '../domain/mint.ts';
import {
  AWSCURRENT,
  AWSPENDING,
  hasLabel,
  type LastUse,
  type MintedKey,
  type SecretFacts,
  type SecretVersion,
} from '../domain/model.ts';
import { refuseRolledBack, refuseWithoutCurrent } from '../domain/promote.ts';
import { type KeyValue, parseValue, renderValue } from '../domain/secret-value.ts';
import type { Rotation, RotationWorld } from './rotation.ts';

export async function createSecret(rotation: Rotation, world: RotationWorld): Promise<void> {
  const facts = await world.secrets.describe(rotation.secret.arn);
  const ledger = parseLedger(facts.tags);
  if (!isToBeCreated(facts, rotation, world)) return;

  const pending = await world.secrets.read(rotation.secret.arn, { version: rotation.token, label: AWSPENDING });
  if (pending !== undefined) return recordStored(pending, ledger, rotation, world);

  let observed = await gather(facts, ledger, rotation, world);
  let plan = decideMint(observed, rotation.policy, rotation.rotateTimeout, world.now());
  while (plan.do === 'look') {
    const lastUse = new Map<string, LastUse | undefined>(observed.lastUse);
    for (const keyId of plan.keyIds) lastUse.set(keyId, await world.iam.lastUse(keyId));
    observed = { ...observed, lastUse };
    plan = decideMint(observed, rotation.policy, rotation.rotateTimeout, world.now());
  }
  return apply(plan, observed, rotation, world);
}

/** The guards of every rotation function: is this a rotation under way, and of this token? */
function isToBeCreated(facts: SecretFacts, rotation: Rotation, world: RotationWorld): boolean {
  const { token, secret, policy } = rotation;
  if (facts.scheduledForDeletion) {
    throw new RotatorError('SECRET_NOT_USABLE', {
      found: `the secret ${secret.name} is scheduled for deletion`,
      expected: 'a secret in use',
      remedy: 'restore it (aws secretsmanager restore-secret), or remove the key from rotator.config.ts',
    });
  }
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
  ledger: Ledger,
  rotation: Rotation,
  world: RotationWorld,
): Promise<void> {
  const { token, secret, policy } = rotation;
  const value = parseValue(pending.value, policy.userName);
  if (value.kind === 'bootstrap') return;
  const entry = ledger.entries.get(value.keyId);
  if (entry?.version === token && entry.promoted !== undefined) {
    // Without its label the version is not taken up again, and the next rotation starts with a new one.
    await world.secrets.moveLabel(secret.arn, AWSPENDING, token);
    throw refuseRolledBack(token, entry.promoted).error;
  }
  world.report({
    what: 'nothing-to-do',
    secret: secret.name,
    userName: policy.userName,
    step: 'createSecret',
    why: 'the pending version has a key',
  });
  if (entry?.version === token) return;

  const { intent } = ledger;
  const announced = intent !== undefined && intent.token === token && intent.minted === undefined;
  const key = (await world.iam.list(policy.userName)).find((listed) => listed.id === value.keyId);
  if (key === undefined) return;
  // Somebody with write access may have put a stranger's key here. It is recorded as ours only if the ledger knows it or our mint explains it.
  if (entry === undefined && !(announced && mayComeOf(intent, key, rotation.rotateTimeout))) return;
  const recorded: LedgerEntry = { keyId: key.id, version: token, minted: entry?.minted ?? key.created };
  await world.secrets.tag(
    secret.arn,
    { ...entryTag(recorded), ...(announced && intentTag({ ...intent, minted: key.id })) },
    [],
  );
}

async function gather(
  facts: SecretFacts,
  ledger: Ledger,
  rotation: Rotation,
  world: RotationWorld,
): Promise<MintObserved> {
  const { policy, secret, token } = rotation;
  const currentVersion = await world.secrets.read(secret.arn, { label: AWSCURRENT });
  if (currentVersion === undefined) throw refuseWithoutCurrent().error;
  const current = parseValue(currentVersion.value, policy.userName);
  const keys = await world.iam.list(policy.userName);
  const base = {
    token,
    labels: facts.labels,
    ledger,
    currentVersion: currentVersion.version,
    current,
    currentKeyId: current.kind === 'key' ? current.keyId : undefined,
    pendingKeyId: undefined,
    keys,
    lastUse: new Map<string, LastUse | undefined>(),
  };
  const abandoned = new Map<string, KeyValue>();
  for (const version of abandonedVersions(base)) {
    const found = await world.secrets.read(secret.arn, { version });
    if (found === undefined) continue;
    const value = parseValue(found.value, policy.userName);
    if (value.kind === 'key') abandoned.set(version, value);
  }
  const stored = ledger.intent && abandoned.get(ledger.intent.token);
  return {
    ...base,
    userId: provesSameUser(base) ? undefined : await world.iam.userId(policy.userName),
    abandoned,
    stored: stored && ledger.intent && { keyId: stored.keyId, version: ledger.intent.token },
  };
}

async function apply(
  plan: Exclude<MintPlan, { do: 'look' }>,
  observed: MintObserved,
  rotation: Rotation,
  world: RotationWorld,
): Promise<void> {
  switch (plan.do) {
    case 'refuse':
      throw plan.error;
    case 'reuse': {
      const key: MintedKey = { id: plan.value.keyId, secret: plan.value.secret, created: plan.created };
      const value = renderValue(key, rotation.policy.userName, observed.current.others);
      await world.secrets.storePending(rotation.secret.arn, rotation.token, value, rotation.rotationToken);
      await record(key, observed.ledger.intent, plan.register, rotation, world);
      world.report({
        what: 'taken-up',
        secret: rotation.secret.name,
        userName: rotation.policy.userName,
        keyId: key.id,
      });
      return;
    }
    case 'mint':
      return mintAndStore(plan, observed, rotation, world);
    default:
      return unreachable(plan);
  }
}

async function mintAndStore(
  plan: Extract<MintPlan, { do: 'mint' }>,
  observed: MintObserved,
  rotation: Rotation,
  world: RotationWorld,
): Promise<void> {
  const { policy, secret, token } = rotation;
  const who = { secret: secret.name, userName: policy.userName };
  for (const keyId of plan.clear) {
    await world.iam.remove(policy.userName, keyId);
    world.report({ what: 'orphan-cleared', ...who, keyId, reason: 'orphan-never-used', observed: false });
  }
  for (const keyId of plan.free) {
    await world.iam.remove(policy.userName, keyId);
    await forget(keyId, rotation, world);
    world.report({ what: 'deleted', ...who, keyId, reason: 'recovery-over', observed: false });
  }

  const gone = new Set([...plan.clear, ...plan.free]);
  const before = observed.keys.map((key) => key.id).filter((keyId) => !gone.has(keyId));
  const intent: Intent = { token, at: world.now(), before };
  await world.secrets.tag(secret.arn, intentTag(intent), []);
  const key = await mint(rotation, world);
  await store(key, observed, rotation, world);
  world.report({ what: 'minted', ...who, keyId: key.id });
  await record(key, intent, plan.register, rotation, world);
}

/** An adopted key leaves a last entry behind, since the configuration goes on naming it. */
async function forget(keyId: string, rotation: Rotation, world: RotationWorld): Promise<void> {
  const adopted = rotation.policy.adopt === keyId;
  const write: Tags = adopted ? entryTag({ keyId, deleted: world.now() }) : {};
  await world.secrets.tag(rotation.secret.arn, write, adopted ? [] : [keyTag(keyId)]);
}

async function mint(rotation: Rotation, world: RotationWorld): Promise<MintedKey> {
  try {
    return await world.iam.mint(rotation.policy.userName);
  } catch (error) {
    // An answer that was lost leaves the intent standing: the key may exist, and the next run finds it by the intent.
    if (!(error instanceof AwsCallError && error.refused)) throw error;
    await withdrawIntent(rotation, world);
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
async function store(key: MintedKey, observed: MintObserved, rotation: Rotation, world: RotationWorld): Promise<void> {
  const value = renderValue(key, rotation.policy.userName, observed.current.others);
  try {
    await world.secrets.storePending(rotation.secret.arn, rotation.token, value, rotation.rotationToken);
  } catch (error) {
    // Perhaps it was stored, and only the answer got lost: the next run looks.
    if (!(error instanceof AwsCallError && error.refused)) throw error;
    await world.iam.remove(rotation.policy.userName, key.id);
    await withdrawIntent(rotation, world);
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
async function withdrawIntent(rotation: Rotation, world: RotationWorld): Promise<void> {
  try {
    await world.secrets.tag(rotation.secret.arn, {}, [TAGS.intent]);
  } catch (error) {
    if (!(error instanceof AwsCallError)) throw error;
  }
}

async function record(
  key: MintedKey,
  intent: Intent | undefined,
  register: readonly LedgerEntry[],
  rotation: Rotation,
  world: RotationWorld,
): Promise<void> {
  const tags: Tags = entryTag({ keyId: key.id, version: rotation.token, minted: key.created });
  for (const entry of register) Object.assign(tags, entryTag(entry));
  if (intent !== undefined && intent.minted === undefined)
    Object.assign(tags, intentTag({ ...intent, minted: key.id }));
  await world.secrets.tag(rotation.secret.arn, tags, []);
}

function unreachable(plan: never): never {
  throw new Error(`no way to apply the plan ${String(plan)}`);
}
