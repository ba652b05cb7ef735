/** setSecret: IAM made the key live when it was minted; make sure that it is there, Active and the bound user's. */
import { RotatorError } from '../domain/errors.ts';
import { LISTING_LAG, parseLedger } from '../domain/ledger.ts';
import { type AccessKey, AWSPENDING, after } from '../domain/model.ts';
import { readPending } from './pending.ts';
import type { Rotation, RotationWorld } from './rotation.ts';

/** IAM may not list a key yet that it has just minted. */
const LISTINGS = 5;
const PAUSE_MS = 2000;

export async function setSecret(rotation: Rotation, world: RotationWorld): Promise<void> {
  const { policy, secret, token } = rotation;
  const value = await readPending(rotation, world);
  if (value === undefined || value.kind === 'bootstrap') return;
  const key = await findKey(value.keyId, rotation, world);
  if (key?.status === 'Active') return;
  if (key !== undefined) {
    throw new RotatorError('PENDING_KEY_INACTIVE', {
      found: `the pending key ${key.id} is Inactive: somebody has disabled it`,
      expected: 'Active',
      remedy:
        'if it is to be used, activate it (aws iam update-access-key) and rotate again; if not, take AWSPENDING off its version ' +
        '(aws secretsmanager update-secret-version-stage) and rotate again: the retire pass deletes the key in its turn',
    });
  }
  const { tags } = await world.secrets.describe(secret.arn);
  const minted = parseLedger(tags).entries.get(value.keyId)?.minted;
  const young = minted !== undefined && world.now() < after(minted, LISTING_LAG);
  // A version's value can't be changed, so this one can never be promoted. Without its label the next rotation starts with a new version.
  if (!young) await world.secrets.moveLabel(secret.arn, AWSPENDING, token);
  throw new RotatorError('PENDING_KEY_GONE', {
    found: `the pending key ${value.keyId} is not among the keys of ${policy.userName}: ${
      young ? 'it was minted only just now' : "somebody has deleted it, or it is not that user's"
    }`,
    expected: 'a key of the bound user',
    remedy: young
      ? 'nothing: Secrets Manager repeats the rotation, and IAM lists the key by then'
      : 'rotate again (aws secretsmanager rotate-secret): the dead version has lost its label, and a new key will be minted',
  });
}

async function findKey(keyId: string, { policy }: Rotation, world: RotationWorld): Promise<AccessKey | undefined> {
  for (let listing = 1; ; listing += 1) {
    const key = (await world.iam.list(policy.userName)).find((listed) => listed.id === keyId);
    if (key !== undefined || listing >= LISTINGS) return key;
    await world.sleep(PAUSE_MS * listing);
  }
}
