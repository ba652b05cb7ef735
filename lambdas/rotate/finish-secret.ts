/** finishSecret: AWSCURRENT moves to the verified key, and only then does the old one begin to end. Invariants 1, 2, 5. */

import { TAGS } from '../contract/names.ts';
import type { LedgerEntry, Tags } from '../domain/ledger.ts';
import { entryTag, parseLedger } from '../domain/ledger.ts';
import { AWSCURRENT } from '../domain/model.ts';
import { decidePromotion, promotedEntry, supersededEntry } from '../domain/promote.ts';
import type { Rotation, RotationWorld } from './rotation.ts';

export async function finishSecret(rotation: Rotation, world: RotationWorld): Promise<void> {
  const { policy, secret, token } = rotation;
  const who = { secret: secret.name, userName: policy.userName };
  const facts = await world.secrets.describe(secret.arn);
  const plan = decidePromotion({ token, labels: facts.labels, ledger: parseLedger(facts.tags) }, policy, world.now());
  switch (plan.do) {
    case 'refuse':
      throw plan.error;
    case 'nothing':
      world.report({ what: 'nothing-to-do', ...who, step: 'finishSecret', why: 'the version is current already' });
      return;
    case 'complete':
      if (plan.record.length > 0) await world.secrets.tag(secret.arn, tagsOf(plan.record), []);
      return disableWithoutOverlap(plan.superseded, rotation, world);
    case 'promote': {
      await world.secrets.moveLabel(secret.arn, AWSCURRENT, plan.from, token);
      world.report({ what: 'promoted', ...who, keyId: plan.keyId });
      // Dated after the move, so that no wait that follows is shorter than promised.
      const at = world.now();
      const superseded = plan.supersedes.map((entry) => supersededEntry(entry, at, plan.keyId));
      const pin: Tags = plan.pin === undefined ? {} : { [TAGS.userId]: plan.pin };
      await world.secrets.tag(secret.arn, { ...tagsOf([promotedEntry(plan.entry, at), ...superseded]), ...pin }, []);
      return disableWithoutOverlap(superseded, rotation, world);
    }
    default:
      return unreachable(plan);
  }
}

/** An overlap of zero says that the old key must not work any longer: the applications have the new one by now, or fail. */
async function disableWithoutOverlap(
  superseded: readonly LedgerEntry[],
  rotation: Rotation,
  world: RotationWorld,
): Promise<void> {
  const { policy, secret } = rotation;
  if (policy.deactivateAfter > 0) return;
  for (const entry of superseded) {
    await world.iam.disable(policy.userName, entry.keyId);
    world.report({
      what: 'disabled',
      secret: secret.name,
      userName: policy.userName,
      keyId: entry.keyId,
      reason: 'use-ignored',
      observed: false,
    });
    await world.secrets.tag(secret.arn, entryTag({ ...entry, disabled: world.now() }), []);
  }
}

function tagsOf(entries: readonly LedgerEntry[]): Tags {
  return Object.assign({}, ...entries.map(entryTag));
}

function unreachable(plan: never): never {
  throw new Error(`no way to apply the plan ${String(plan)}`);
}
