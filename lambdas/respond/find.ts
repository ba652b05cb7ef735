/** Whose key it is. */
import type { DeployedKey, Deployment } from '../contract/deployment.ts';
import { AwsCallError, RotatorError } from '../domain/errors.ts';
import { type Ledger, parseLedger } from '../domain/ledger.ts';
import type { AccessKey } from '../domain/model.ts';
import type { RespondWorld } from './world.ts';

/**
 * The deployed key whose user has the access key now; undefined if no user of the deployment has. The listing, which may be five minutes old, only
 * says where to look first: IAM has the last word.
 *
 * Users are asked one by one. GetAccessKeyLastUsed would name the user of any key, but the role may ask about its own users only, and a refusal
 * must not count as an answer.
 *
 * @throws AwsCallError, RotatorError LISTING_LOOPS
 */
export async function ownerOf(
  keyId: string,
  deployment: Deployment,
  world: RespondWorld,
): Promise<DeployedKey | undefined> {
  const known = await inLedger(keyId, deployment, world);
  const unanswered: AwsCallError[] = [];
  // Those of the listing first. A user is asked again where it is in both: that happens only to a key that is gone.
  for (const policy of [...known, ...deployment.keys]) {
    try {
      if ((await keysOf(policy.userName, world)).some((key) => key.id === keyId)) return policy;
    } catch (error) {
      // The others are asked all the same: one user that IAM does not answer for must not keep every leaked key alive.
      if (!(error instanceof AwsCallError)) throw error;
      unanswered.push(error);
    }
  }
  // A key that somebody has deleted already. Its secret may still hold it.
  const [first] = known;
  // Invariant 6: a user that was not answered for may be the one.
  if (first === undefined && unanswered[0] !== undefined) throw unanswered[0];
  return first;
}

async function inLedger(keyId: string, { name, keys }: Deployment, world: RespondWorld): Promise<DeployedKey[]> {
  const found: DeployedKey[] = [];
  for await (const page of world.secrets.list(name)) {
    for (const facts of page) {
      const policy = keys.find((key) => key.secretName === facts.name);
      if (policy !== undefined && ledgerOf(facts.tags)?.entries.has(keyId)) found.push(policy);
    }
  }
  return found;
}

/** A damaged ledger tells nothing here, and IAM is asked. */
function ledgerOf(tags: Readonly<Record<string, string>>): Ledger | undefined {
  try {
    return parseLedger(tags);
  } catch (error) {
    if (error instanceof RotatorError) return undefined;
    throw error;
  }
}

/** A user that is not there has no key. */
async function keysOf(userName: string, world: RespondWorld): Promise<readonly AccessKey[]> {
  try {
    return await world.iam.list(userName);
  } catch (error) {
    if (error instanceof RotatorError && error.code === 'USER_NOT_FOUND') return [];
    throw error;
  }
}
