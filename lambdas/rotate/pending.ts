/** Reading the pending version: what setSecret and testSecret begin with. */
import { AwsCallError, RotatorError } from '../domain/errors.ts';
import { AWSCURRENT, AWSPENDING, hasLabel, type SecretVersion } from '../domain/model.ts';
import { scheduledForDeletion } from '../domain/refusals.ts';
import { type BootstrapValue, type KeyValue, parseValue } from '../domain/secret-value.ts';
import type { Rotation, RotationWorld } from './rotation.ts';

/** A value just stored has been reported missing by the next step (aws/aws-sdk-js-v3#7701): ask again, a few times. */
const READS = 4;
const PAUSE_MS = 1000;

/**
 * The value of the version that the token names, which must carry AWSPENDING. Undefined when that version is current already: the rotation
 * is over, and somebody has taken AWSPENDING off.
 *
 * @throws RotatorError PENDING_VALUE_MISSING, VALUE_MALFORMED, VALUE_OTHER_USER
 */
export async function readPending(
  rotation: Rotation,
  world: RotationWorld,
): Promise<KeyValue | BootstrapValue | undefined> {
  const { policy, secret, step, token } = rotation;
  for (let read = 1; read <= READS; read += 1) {
    const found = await readLabelled(rotation, world);
    if (found !== undefined) return parseValue(found.value, policy);
    const { labels, scheduledForDeletion: deleted } = await world.secrets.describe(secret.arn);
    if (deleted) throw scheduledForDeletion(secret.name).error;
    if (hasLabel(labels, token, AWSCURRENT)) {
      const why = 'the version is current already';
      world.report({ what: 'nothing-to-do', secret: secret.name, userName: policy.userName, step, why });
      return undefined;
    }
    if (read < READS) await world.sleep(PAUSE_MS * read);
  }
  throw new RotatorError('PENDING_VALUE_MISSING', {
    found: `no value in a version ${token} labelled AWSPENDING`,
    expected: 'the key that createSecret stored there',
    remedy:
      'nothing: Secrets Manager repeats the rotation from createSecret on; if it does not, start one (aws secretsmanager rotate-secret)',
  });
}

/** A version without the label named is refused as an invalid request, not as missing. */
async function readLabelled(rotation: Rotation, world: RotationWorld): Promise<SecretVersion | undefined> {
  try {
    return await world.secrets.read(rotation.secret.arn, { version: rotation.token, label: AWSPENDING });
  } catch (error) {
    if (error instanceof AwsCallError && error.awsCode === 'InvalidRequestException') return undefined;
    throw error;
  }
}
