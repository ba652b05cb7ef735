/** One reading of a secret. */
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { KeyReadError } from './errors.ts';
import { isRefusedKey } from './refused.ts';
import { type KeyFields, keyIn, type RotatedKey } from './rotated-key.ts';

/** After that many ms, the SDK's own repetitions included, a reading has failed: without a limit, one connection that hangs ends all refreshing. */
const TIMEOUT_MS = 20_000;

/**
 * What repeating does not mend, and what to do about it.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html#API_GetSecretValue_Errors
 */
const REFUSALS: Readonly<Record<string, string>> = {
  AccessDeniedException:
    'allow secretsmanager:GetSecretValue on the secret, and kms:Decrypt on its KMS key if it has one of its own',
  DecryptionFailure: 'enable the KMS key of the secret, and allow kms:Decrypt on it',
  InvalidParameterException: 'check the name or ARN of the secret',
  InvalidRequestException: 'see whether the secret is scheduled for deletion: restore-secret takes that back',
  ResourceNotFoundException: 'check the name or ARN of the secret, the Region and the account',
  ValidationException: 'check the name or ARN of the secret',
};

/** Answers about a signature quote what was signed, the session's token included. */
const QUOTES_THE_REQUEST =
  'check the secret access key that the reading is signed with, and the clock of this computer';
const SIGNATURES: Readonly<Record<string, string>> = {
  InvalidSignatureException: QUOTES_THE_REQUEST,
  SignatureDoesNotMatch: QUOTES_THE_REQUEST,
};

/**
 * Reads the current key (AWSCURRENT).
 *
 * @param client anything that can send GetSecretValue
 * @param secretId name or ARN
 * @param fields where the key stands in the value, if the secret has names of its own
 * @param signal ends the reading. @default after 20 seconds
 * @throws KeyReadError SECRET_UNREADABLE, OWN_KEY_REFUSED, SECRET_UNAVAILABLE, and those of `keyIn`
 */
export async function fetchKey(
  client: Pick<SecretsManagerClient, 'send'>,
  secretId: string,
  fields?: KeyFields,
  signal: AbortSignal = AbortSignal.timeout(TIMEOUT_MS),
): Promise<RotatedKey> {
  let value: string | undefined;
  try {
    const command = new GetSecretValueCommand({ SecretId: secretId });
    value = (await client.send(command, { abortSignal: signal })).SecretString;
  } catch (error) {
    throw readError(secretId, error);
  }
  return keyIn(value, fields);
}

/** Without the SDK's error as a cause, unless AWS has answered it: one about an answer that can't be parsed quotes the secret. */
function readError(secretId: string, error: unknown): KeyReadError {
  const { name, message } = error instanceof Error ? error : new Error();
  const asked = `to GetSecretValue of ${secretId}`;
  if (isRefusedKey(error)) {
    const remedy = 'sign with a key that works: this one was disabled or deleted, or is too new to be known everywhere';
    const details = { found: `${name} in answer ${asked}`, expected: 'a key that Secrets Manager knows', remedy };
    return new KeyReadError('OWN_KEY_REFUSED', details, { cause: error });
  }
  const expected = 'the value of the secret';
  if (Object.hasOwn(SIGNATURES, name)) {
    const details = { found: `${name} in answer ${asked}`, expected, remedy: SIGNATURES[name] ?? '' };
    return new KeyReadError('SECRET_UNREADABLE', details);
  }
  if (Object.hasOwn(REFUSALS, name)) {
    const details = { found: `${name} in answer ${asked} (${message})`, expected, remedy: REFUSALS[name] ?? '' };
    return new KeyReadError('SECRET_UNREADABLE', details, { cause: error });
  }
  return new KeyReadError('SECRET_UNAVAILABLE', {
    found: `no answer ${asked}: ${[name, ...circumstances(error)].join(', ')}`,
    expected,
    remedy: 'see whether Secrets Manager can be reached from here; it is asked again by itself',
  });
}

/** What may be told of an error that says anything: the system's code and the status. */
function circumstances(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  const code = 'code' in error && typeof error.code === 'string' ? [error.code] : [];
  const metadata = '$metadata' in error && typeof error.$metadata === 'object' ? error.$metadata : null;
  const status = metadata !== null && 'httpStatusCode' in metadata ? metadata.httpStatusCode : undefined;
  return typeof status === 'number' ? [...code, `status ${status}`] : code;
}
