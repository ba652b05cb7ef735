/** Reading the pending version: what setSecret and testSecret begin with. */
import { RotatorError } from '../domain/errors.ts';
import { AWSPENDING } from '../domain/model.ts';
import { type BootstrapValue, type KeyValue, parseValue } from '../domain/secret-value.ts';
import type { Rotation, RotationWorld } from './rotation.ts';

/** A value just stored has been reported missing by the next step (aws/aws-sdk-js-v3#7701): ask again, a few times. */
const READS = 4;
const PAUSE_MS = 1000;

/**
 * The value of the version that the token names, which must carry AWSPENDING.
 *
 * @throws RotatorError PENDING_VALUE_MISSING, VALUE_MALFORMED, VALUE_OTHER_USER
 */
export async function readPending(rotation: Rotation, world: RotationWorld): Promise<KeyValue | BootstrapValue> {
  for (let read = 1; read <= READS; read += 1) {
    const found = await world.secrets.read(rotation.secret.arn, { version: rotation.token, label: AWSPENDING });
    if (found !== undefined) return parseValue(found.value, rotation.policy.userName);
    if (read < READS) await world.sleep(PAUSE_MS * read);
  }
  throw new RotatorError('PENDING_VALUE_MISSING', {
    found: `no value in the version ${rotation.token}`,
    expected: 'the key that createSecret stored there',
    remedy:
      'nothing: Secrets Manager repeats the rotation from createSecret on; if it does not, start one (aws secretsmanager rotate-secret)',
  });
}
