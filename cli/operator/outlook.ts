/**
 * What the next passes and rotations will do. The decisions of the next retire pass are those of the functions' own code, taken on what is read
 * afresh; nothing is applied. What lies further ahead follows from the ledger, and may come otherwise: a key that is used is held.
 */

import type { DeployedKey, Deployment } from '../../lambdas/contract/deployment.ts';
import { RotatorError } from '../../lambdas/domain/errors.ts';
import { parseLedger, surelyAfter } from '../../lambdas/domain/ledger.ts';
import { AWSCURRENT, AWSPENDING, after, hasLabel, type LastUse } from '../../lambdas/domain/model.ts';
import { nominate } from '../../lambdas/domain/nominate.ts';
import { REASONS, type Reason } from '../../lambdas/domain/reasons.ts';
import type { Decision } from '../../lambdas/domain/retire.ts';
import { type Look, type LookWorld, lookAt } from '../../lambdas/retirement/look.ts';
import { concurrently } from './concurrently.ts';
import { failureOf, type Told } from './errors.ts';
import { standingOf } from './standing.ts';
import type { Surveyed } from './survey.ts';

/** What is done. `rotate`, `disable` and `delete` change keys; the others put right what is remembered of them. */
export type Action = 'rotate' | 'disable' | 'delete' | 'record' | 'forget' | 'resolve' | 'take-off' | 'clear' | 'hold';

/** Something that a pass or a rotation does. */
export interface Step {
  readonly secret: string;
  readonly user: string;
  readonly action: Action;
  readonly keyId?: string;
  readonly reason?: Reason;
  /** When: that of the next pass is not known, and is absent. */
  readonly at?: Date;
  readonly lastUse?: LastUse;
  /** Of a rotation: why it may fail. */
  readonly doubt?: string;
  /** In mode 'observe' nothing is done. */
  readonly observed: boolean;
  /** It waits for a later pass, because one pass changes so many keys and no more. */
  readonly beyondLimit?: boolean;
}

export interface Outlook {
  /** What the next retire pass does, in its order. */
  readonly now: readonly Step[];
  /** What follows, the earliest first. */
  readonly later: readonly Step[];
  /** Secrets that could not be looked at. */
  readonly failures: readonly (Told & { readonly secret: string })[];
}

/** Looks at every secret that the listing nominates, as the retire pass does. @throws AwsCallError */
export async function gatherLooks(
  surveyed: readonly Surveyed[],
  { rotateTimeout }: Deployment,
  world: LookWorld,
): Promise<readonly (Look | RotatorError | undefined)[]> {
  return concurrently(surveyed, async ({ policy, secret }) => {
    try {
      if (secret === undefined) return await lookAt(policy.secretName, [], policy, rotateTimeout, world);
      const ledger = parseLedger(secret.tags);
      const nomination = nominate(secret.labels, ledger, policy, rotateTimeout, world.now());
      if (nomination === undefined) return undefined;
      return await lookAt(secret.arn, nomination.suspects, policy, rotateTimeout, world);
    } catch (error) {
      // As in a pass: one secret that fails doesn't keep the others waiting, such as one whose value only its readers may read.
      if (
        error instanceof RotatorError &&
        (error.name === 'RotatorError' || failureOf(error).code === 'ACCESS_DENIED')
      ) {
        return error;
      }
      throw error;
    }
  });
}

/** What follows from what was looked at. */
export function outlookOf(
  surveyed: readonly Surveyed[],
  looks: readonly (Look | RotatorError | undefined)[],
  { maxChangesPerRun }: Pick<Deployment, 'maxChangesPerRun'>,
  now: Date,
): Outlook {
  const steps: Step[] = [];
  const later: Step[] = [];
  const failures: (Told & { readonly secret: string })[] = [];
  let changes = 0;
  for (const [index, { policy, secret }] of surveyed.entries()) {
    const look = looks[index];
    if (look instanceof RotatorError) {
      const { exit: _, ...told } = failureOf(look);
      failures.push({ secret: policy.secretName, ...told });
      continue;
    }
    for (const step of (look?.decisions ?? []).flatMap((decision) => stepOf(decision, policy))) {
      if (step.at !== undefined) later.push(step);
      else {
        if ((step.action === 'disable' || step.action === 'delete') && !step.observed) changes += 1;
        steps.push(changes > maxChangesPerRun ? { ...step, beyondLimit: true } : step);
      }
    }
    later.push(...(look === undefined && secret !== undefined ? dueLater({ policy, secret }, now) : []));
    if (secret?.nextRotation !== undefined && policy.mode === 'enforce' && secret.rotationEnabled) {
      const doubt = doubtOf({ policy, secret }, now);
      later.push({ ...whose(policy), action: 'rotate', at: secret.nextRotation, ...(doubt && { doubt }) });
    }
  }
  const time = ({ at }: Step) => at?.getTime() ?? 0;
  return { now: steps, later: later.sort((a, b) => time(a) - time(b)), failures };
}

/** Why a rotation is not likely to succeed: the one before has not, and may fail again by the same cause. */
function doubtOf(surveyed: Surveyed, now: Date): string | undefined {
  const failing = standingOf(surveyed, new Map(), now).problems.some(
    ({ code }) => code === 'no-key-yet' || code === 'rotation-unfinished',
  );
  return failing
    ? `The last one has not succeeded: iam-key-rotator doctor ${surveyed.policy.userName} tells why.`
    : undefined;
}

const whose = ({ secretName, userName, mode }: DeployedKey) => ({
  secret: secretName,
  user: userName,
  observed: mode === 'observe',
});

/** What comes of a decision: nothing, something now, or something at a known time. */
function stepOf(decision: Decision, policy: DeployedKey): Step[] {
  const { reason } = decision;
  const own = { ...whose(policy), reason };
  switch (decision.about) {
    case 'intent':
      return decision.do === 'none' ? [] : [{ ...own, action: 'resolve' }];
    case 'label':
      return [{ ...own, action: 'take-off' }];
    case 'leak':
      return [{ ...own, keyId: decision.keyId, action: 'clear' }];
    case 'key': {
      const { keyId, due, lastUse } = decision;
      const told = { ...own, keyId, ...(lastUse && { lastUse }) };
      if (decision.do !== 'none' && decision.do !== 'look') return [{ ...told, action: decision.do }];
      if (due === undefined) return [];
      if (reason === 'in-overlap' || reason === 'in-use') return [{ ...told, action: 'disable', at: due }];
      return reason === 'in-recovery' ? [{ ...told, action: 'delete', at: due }] : [];
    }
    default:
      return decision satisfies never;
  }
}

/** When superseded keys that nothing is to be done for yet are due, by the ledger. */
function dueLater({ policy, secret }: Required<Surveyed>, now: Date): Step[] {
  const { labels, tags } = secret;
  return [...parseLedger(tags).entries.values()].flatMap((entry): Step[] => {
    const { keyId, version, superseded, disabled, deleted } = entry;
    if (hasLabel(labels, version, AWSCURRENT) || hasLabel(labels, version, AWSPENDING) || deleted) return [];
    const own = { ...whose(policy), keyId };
    if (disabled !== undefined) {
      return [{ ...own, action: 'delete', reason: 'in-recovery', at: surelyAfter(disabled, policy.deleteAfter) }];
    }
    const at = superseded && after(superseded.at, policy.deactivateAfter);
    return at === undefined || at < now ? [] : [{ ...own, action: 'disable', reason: 'in-overlap', at }];
  });
}

/** What the reason of a step says (docs/reasons.md), or what speaks against it. */
export const reasonOf = ({ reason, doubt = '' }: Step): string => (reason === undefined ? doubt : REASONS[reason]);
