/** setSecret: IAM made the key live when it was minted; make sure that it is there, Active and the bound user's. */
import { RotatorError } from '../domain/errors.ts';
import { AWSPENDING } from '../domain/model.ts';
import { readPending } from './pending.ts';
import type { Rotation, RotationWorld } from './rotation.ts';

export async function setSecret(rotation: Rotation, world: RotationWorld): Promise<void> {
  const { policy, secret, token } = rotation;
  const value = await readPending(rotation, world);
  if (value.kind === 'bootstrap') return;
  const key = (await world.iam.list(policy.userName)).find((listed) => listed.id === value.keyId);
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
  // A version's value can't be changed, so this one can never be promoted. Without its label the next rotation starts with a new version.
  await world.secrets.moveLabel(secret.arn, AWSPENDING, token);
  throw new RotatorError('PENDING_KEY_GONE', {
    found: `the pending key ${value.keyId} is not among the keys of ${policy.userName}: somebody has deleted it, or it is not that user's`,
    expected: 'a key of the bound user',
    remedy:
      'rotate again (aws secretsmanager rotate-secret): the dead version has lost its label, and a new key will be minted',
  });
}
