/** One reading of a secret. */
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { codeOf } from './code-of.ts';
import { KeyReadError } from './errors.ts';
import { isRefusedKey } from './refused.ts';
import { type KeyFields, keyIn, type RotatedKey } from './rotated-key.ts';

/** After that many ms, the SDK's own repetitions included, a reading has failed: else one connection that hangs would end all refreshing. */
const TIMEOUT_MS = 20_000;

const PERMISSION = 'allow secretsmanager:GetSecretValue, and kms:Decrypt on a KMS key that is enabled';
const NAME = 'check name or ARN, Region and account, and whether the secret is scheduled for deletion';
const SIGNATURE = 'check the secret access key that signs, and the clock';

/**
 * What repeating does not mend, and what to do about it.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html#API_GetSecretValue_Errors
 */
const REMEDIES: Readonly<Record<string, string>> = {
  AccessDeniedException: PERMISSION,
  DecryptionFailure: PERMISSION,
  InvalidParameterException: NAME,
  InvalidRequestException: NAME,
  InvalidSignatureException: SIGNATURE,
  ResourceNotFoundException: NAME,
  SignatureDoesNotMatch: SIGNATURE,
  ValidationException: NAME,
};

/**
 * Reads the current key (AWSCURRENT).
 *
 * @param client anything that can send GetSecretValue
 * @param secretId name or ARN
 * @param fields where the key stands in the value, if the secret has names of its own
 * @param abortSignal ends the reading. @default after 20 seconds
 * @throws KeyReadError SECRET_UNREADABLE, OWN_KEY_REFUSED, SECRET_UNAVAILABLE, and those of `keyIn`
 */
export async function fetchKey(
  client: Pick<SecretsManagerClient, 'send'>,
  secretId: string,
  fields?: KeyFields,
  abortSignal: AbortSignal = AbortSignal.timeout(TIMEOUT_MS),
): Promise<RotatedKey> {
  let value: string | undefined;
  try {
    value = (await until(abortSignal, client.send(new GetSecretValueCommand({ SecretId: secretId }), { abortSignal })))
      .SecretString;
  } catch (error) {
    throw readError(secretId, error);
  }
  return keyIn(value, fields);
}

/** Waits no longer than the signal lets: the SDK itself looks at it only when it has credentials, and finding those may hang, too. */
export const until = <T>(signal: AbortSignal, promise: Promise<T>): Promise<T> =>
  Promise.race([
    promise,
    new Promise<never>((_, reject) => {
      signal.onabort = () => reject(signal.reason);
    }),
  ]);

const expected = 'the value of the secret';

function readError(secretId: string, error: unknown): KeyReadError {
  const name = codeOf(error);
  const found = `${name} from GetSecretValue of ${secretId}`;
  if (isRefusedKey(error)) {
    const remedy = 'read with another key: this one is disabled, deleted, or too new to be known';
    return new KeyReadError('OWN_KEY_REFUSED', { found, expected, remedy }, { cause: error });
  }
  const remedy = Object.hasOwn(REMEDIES, name) ? REMEDIES[name] : undefined;
  // No other error is a cause. One about a signature quotes what was signed, tokens included; one about an answer that can't be parsed, the secret.
  const options = remedy === SIGNATURE ? {} : { cause: error };
  return remedy ? new KeyReadError('SECRET_UNREADABLE', { found, expected, remedy }, options) : unavailable(found);
}

/** Whatever may pass by itself. */
export function unavailable(found: string): KeyReadError {
  const remedy = 'check Region, credentials, network';
  return new KeyReadError('SECRET_UNAVAILABLE', { found, expected, remedy });
}
