/** finishSecret: AWSCURRENT moves to the verified key, and only then does the old one begin to end. Invariants 1, 2, 5. */

import { TAGS } from '../contract/names.ts';
import type { RotatorError } from '../domain/errors.ts';
import { assertFresh } from '../domain/freshness.ts';
import type { LedgerEntry, Tags } from '../domain/ledger.ts';
import { entryTag, entryTags, parseLedger } from '../domain/ledger.ts';
import { AWSCURRENT, AWSPENDING } from '../domain/model.ts';
import {
  decidePromotion,
  type Ending,
  type PromotePlan,
  promotedEntry,
  supersededEntry,
  verifiedTooSlowly,
} from '../domain/promote.ts';
import { parseValue } from '../domain/secret-value.ts';
import type { Rotation, RotationWorld } from './rotation.ts';
import { testSecret } from './test-secret.ts';

export async function finishSecret(rotation: Rotation, world: RotationWorld): Promise<void> {
  const { policy, secret } = rotation;
  const who = { secret: secret.name, userName: policy.userName };
  const plan = await decideVerified(rotation, world);
  switch (plan.do) {
    case 'refuse':
      return refused(plan.error, rotation, world);
    case 'complete':
      world.report({ what: 'nothing-to-do', ...who, step: 'finishSecret', why: 'the version is current already' });
      return disableEnding(plan.superseded, plan.ends, rotation, world);
    case 'promote': {
      if (plan.from !== undefined) await world.secrets.moveLabel(secret.arn, AWSCURRENT, plan.from, rotation.token);
      world.report({ what: 'promoted', ...who, keyId: plan.keyId });
      // Dated after the move, so that no wait that follows is shorter than promised.
      const at = world.now();
      const superseded = plan.supersedes.map((entry) => supersededEntry(leftEntry(entry, at), at, plan.keyId));
      const pin: Tags = plan.pin === undefined ? {} : { [TAGS.userId]: plan.pin };
      await world.secrets.tag(secret.arn, { ...entryTags([promotedEntry(plan.entry, at), ...superseded]), ...pin }, []);
      return disableEnding(superseded, plan.ends, rotation, world);
    }
    // Stryker disable next-line ConditionalExpression: the type has no other plan, so nothing comes here.
    default:
      return unreachable(plan);
  }
}

/** The version of a leaked key is not taken up again without its label, and the next rotation starts with a new one. */
async function refused(error: RotatorError, { secret, token }: Rotation, world: RotationWorld): Promise<never> {
  if (error.code === 'PENDING_KEY_LEAKED') await world.secrets.moveLabel(secret.arn, AWSPENDING, token);
  throw error;
}

/** Evidence that has grown old is replaced by new one, once. */
async function decideVerified(
  rotation: Rotation,
  world: RotationWorld,
): Promise<Exclude<PromotePlan, { do: 'verify' }>> {
  const plan = await decide(rotation, world);
  if (plan.do !== 'verify') return plan;
  await testSecret(rotation, world);
  const again = await decide(rotation, world);
  return again.do === 'verify' ? verifiedTooSlowly() : again;
}

/** The tags of testSecret may not show at once: ask again, a few times, before they are taken for missing. */
const READS = 3;
const PAUSE_MS = 2000;

async function decide({ policy, secret, token }: Rotation, world: RotationWorld): Promise<PromotePlan> {
  for (let read = 1; ; read += 1) {
    const facts = await world.secrets.describe(secret.arn);
    const observed = { token, labels: facts.labels, ledger: parseLedger(facts.tags) };
    const plan = decidePromotion(observed, policy, world.now());
    if (read >= READS || plan.do !== 'refuse' || plan.error.code !== 'NOT_VERIFIED') return plan;
    await world.sleep(PAUSE_MS * read);
  }
}

/** A key that a version held until now was promoted, whether or not a run got to record that. */
function leftEntry(entry: LedgerEntry, at: Date): LedgerEntry {
  return entry.version === undefined ? entry : { ...entry, promoted: entry.promoted ?? at };
}

/** An overlap of zero, and a leak, say that the old key must not work any longer: the applications have the new one by now, or fail. */
async function disableEnding(
  superseded: readonly LedgerEntry[],
  ends: Ending,
  rotation: Rotation,
  world: RotationWorld,
): Promise<void> {
  const { policy, secret, token } = rotation;
  if (ends.size === 0) return;
  const readAt = world.now();
  const current = await world.secrets.read(secret.arn, { label: AWSCURRENT });
  const value = current && parseValue(current.value, policy);
  // Somebody has moved the label on, or back: the old key may be current again.
  // Stryker disable next-line OptionalChaining: without a value there is no version, and that is asked for first.
  if (current?.version !== token || value?.kind !== 'key') return;
  for (const entry of superseded) {
    // The ledger may say so, but the value is what applications read.
    const reason = ends.get(entry.keyId);
    if (entry.keyId === value.keyId) continue;
    if (reason === undefined) continue;
    // Invariant 1; of a leaked key test/simulation/leaks.test.ts asks that it ends, and that the new one does not.
    assertFresh(readAt, world.now(), entry.keyId);
    const done = await world.iam.disable(policy.userName, entry.keyId);
    const what = { what: 'disabled', keyId: entry.keyId, reason, observed: false } as const;
    if (done) world.report({ secret: secret.name, userName: policy.userName, ...what });
    await world.secrets.tag(secret.arn, entryTag({ ...entry, disabled: world.now() }), []);
  }
}

// Stryker disable next-line BlockStatement: the type has no other plan, so nothing comes here.
function unreachable(plan: never): never {
  // Stryker disable next-line CallExpression,StringLiteral: the type has no other plan, so nothing comes here.
  throw new Error(`no way to apply the plan ${String(plan)}`);
}
