/** Secrets Manager. Loaded only when it is asked: the SDK takes longer to load than all the rest together. */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { codeOf } from '../code-of.ts';
import { KeyReadError } from '../errors.ts';
import { fetchKey, until } from '../fetch-key.ts';
import type { RotatedKey } from '../rotated-key.ts';
import type { SeedCredentials } from './obtain-key.ts';
import type { CredentialsRequest } from './options.ts';
import { ASKS_ITSELF, asksItself } from './program-error.ts';

/** Times in ms. Each start that meets an outage waits so long, and a shell prompt may be waiting for it. */
const PATIENCE = { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true };
const ATTEMPTS = 2;
/** For all of it, finding the credentials included: a profile's credential_process may ask somebody who isn't there. */
const LONGEST = 20_000;

/**
 * Reads the secret.
 *
 * @param credentials what to sign with; without them, what the SDK finds by its default chain
 * @param abortSignal ends it. @default after 20 seconds
 * @throws KeyReadError
 */
export async function readSecret(
  { secretId, region, endpoint, fields }: CredentialsRequest,
  credentials?: SeedCredentials,
  abortSignal: AbortSignal = AbortSignal.timeout(LONGEST),
): Promise<RotatedKey> {
  const heard = listenFor(`${ASKS_ITSELF}:`);
  const client = new SecretsManagerClient({
    logger: heard.logger,
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials: only(credentials) }),
    maxAttempts: ATTEMPTS,
    requestHandler: PATIENCE,
  });
  try {
    await client.config.region().catch(() => {
      throw new KeyReadError('BAD_OPTION', {
        found: 'no Region, or none that can be part of a host name',
        expected: 'the Region of the secret',
        remedy: 'add --region, or give the ARN as --secret-id',
      });
    });
    if (credentials === undefined) await findCredentials(client, abortSignal, heard.it);
    return await fetchKey(client, secretId, fields, abortSignal);
  } finally {
    client.destroy();
  }
}

/** Asks for the credentials that read the secret, by themselves: their absence has other remedies than an answer of Secrets Manager. */
async function findCredentials(
  client: SecretsManagerClient,
  abortSignal: AbortSignal,
  askedItself: () => boolean,
): Promise<void> {
  try {
    abortSignal.throwIfAborted();
    await until(abortSignal, client.config.credentials());
  } catch (error) {
    if (askedItself()) throw asksItself();
    throw new KeyReadError('SECRET_UNAVAILABLE', {
      found: `no credentials to read the secret with (${codeOf(error)})`,
      expected: 'credentials of a principal that may read it',
      remedy: 'give AWS_PROFILE or --profile one that has some; aws sts get-caller-identity shows whose they are',
    });
  }
}

/**
 * A logger of the SDK that keeps nothing but whether a word was in it. What a profile's credential_process says on stderr is told nowhere
 * else: the SDK goes on to the next source of credentials, and its error in the end is that of none.
 */
function listenFor(word: string) {
  let heard = false;
  const listen = (...said: unknown[]) => {
    heard ||= said.some((one) => typeof one === 'string' && one.includes(word));
  };
  return { it: () => heard, logger: { trace: listen, debug: listen, info: listen, warn: listen, error: listen } };
}

/** Without what else the object has. */
const only = ({ accessKeyId, secretAccessKey, sessionToken }: SeedCredentials) => ({
  accessKeyId,
  secretAccessKey,
  ...(sessionToken === undefined ? {} : { sessionToken }),
});
