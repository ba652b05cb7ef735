/** What an operator can know of a rotation: how far it is, by labels and ledger; and why one can't start, by the rotate function's own decision. */
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { RotatorError } from '../../lambdas/domain/errors.ts';
import { entryOf, type Ledger, parseLedger } from '../../lambdas/domain/ledger.ts';
import { AWSCURRENT, AWSPENDING, hasLabel, type SecretFacts, versionWith } from '../../lambdas/domain/model.ts';
import { currentMissing, scheduledForDeletion } from '../../lambdas/domain/refusals.ts';
import { wasPromoted } from '../../lambdas/domain/roles.ts';
import { type PlanWorld, planMint } from '../../lambdas/rotate/create-secret.ts';
import { turnOn } from '../operator/standing.ts';

/** In order. `given-up`: the version has lost its label, and the next rotation starts with a new one. */
export const STAGES = ['started', 'announced', 'minted', 'verified', 'promoted'] as const;
export type Stage = (typeof STAGES)[number];

/** How far the rotation of a token is. */
export function stageOf({ labels, tags }: Pick<SecretFacts, 'labels' | 'tags'>, token: string): Stage | 'given-up' {
  const ledger = parseLedger(tags);
  if (hasLabel(labels, token, AWSCURRENT)) return 'promoted';
  if (ledger.evidence?.token === token) return 'verified';
  if (entryOf(ledger, token) !== undefined) return 'minted';
  if (ledger.intents.some((intent) => intent.token === token)) return 'announced';
  return hasLabel(labels, token, AWSPENDING) || !isKnown(labels, token) ? 'started' : 'given-up';
}

const isKnown = (labels: SecretFacts['labels'], token: string) => labels.has(token);

/** The key that a rotation has minted, if it got that far. */
export const keyOfToken = ({ tags }: Pick<SecretFacts, 'tags'>, token: string): string | undefined =>
  entryOf(parseLedger(tags), token)?.keyId;

/** The token of a rotation that is under way, or was left unfinished: RotateSecret goes on with that one. */
export function unfinishedToken({ labels, tags }: Pick<SecretFacts, 'labels' | 'tags'>): string | undefined {
  const pending = versionWith(labels, AWSPENDING);
  if (pending === undefined || hasLabel(labels, pending, AWSCURRENT)) return undefined;
  return wasPromoted(pending, labels, parseLedger(tags)) ? undefined : pending;
}

/**
 * Why a rotation would be refused that createSecret began now; undefined if it would mint, or take up a key.
 *
 * @param token of the rotation that is being followed; without it, of one that is not begun
 * @throws AwsCallError
 */
export async function whyNot(
  facts: SecretFacts,
  policy: DeployedKey,
  rotateTimeout: number,
  world: PlanWorld,
  token?: string,
): Promise<RotatorError | undefined> {
  if (facts.scheduledForDeletion) return scheduledForDeletion(facts.name).error;
  if (policy.mode === 'observe') return observeMode(policy);
  if (!facts.rotationEnabled) return rotationOff(policy);
  if (versionWith(facts.labels, AWSCURRENT) === undefined) return currentMissing().error;
  try {
    const ledger = withoutIntentsOf(token, parseLedger(facts.tags));
    const { plan } = await planMint(facts, ledger, { policy, token: token ?? UNBEGUN, rotateTimeout }, world);
    return plan.do === 'refuse' ? plan.error : undefined;
  } catch (error) {
    if (error instanceof RotatorError && error.name !== 'AwsCallError') return error;
    throw error;
  }
}

/** No version has this name. */
const UNBEGUN = 'a-rotation-that-has-not-begun-yet';

/** What the rotation itself has announced is not in its way. */
function withoutIntentsOf(token: string | undefined, ledger: Ledger): Ledger {
  return token === undefined
    ? ledger
    : { ...ledger, intents: ledger.intents.filter((intent) => intent.token !== token) };
}

const observeMode = ({ secretName }: DeployedKey) =>
  new RotatorError('OBSERVE_MODE', {
    found: `a rotation of ${secretName}, whose mode is 'observe'`,
    expected: "mode 'enforce' for a rotation",
    remedy: "set mode: 'enforce' for this key in rotator.config.ts and deploy",
  });

const rotationOff = ({ secretName }: DeployedKey) =>
  new RotatorError('ROTATION_NOT_ENABLED', {
    found: `rotation of ${secretName} is off`,
    expected: 'a secret with a rotation schedule',
    remedy: `${turnOn(secretName)}, if it was turned off by hand`,
  });
