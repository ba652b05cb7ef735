/** A credential provider that hands out the current key of a rotated secret. */
import { SecretsManagerClient, type SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import { realClock } from './clock.ts';
import { fetchKey } from './fetch-key.ts';
import { type KeySource, keyCache } from './key-cache.ts';
import { readKeyFile, writeKeyFile } from './key-file.ts';
import { checked, type RotatedSecretOptions } from './options.ts';
import { readingWithOwnKey } from './read-with-own-key.ts';

/** Time-outs in ms of the client that is made. By itself, `requestTimeout` only warns. */
const TIMEOUTS = { connectionTimeout: 3_000, requestTimeout: 5_000, throwOnRequestTimeout: true };

/**
 * Credentials for any client of the AWS SDK: the key that is current in the secret, read again every `ttl` seconds while it is in use.
 *
 * One reading at a time serves all clients that share the provider. It runs while they go on with the key at hand, unless that is older than
 * `ttl` and the lesser of `ttl` and 5 minutes more. A reading that fails is repeated after 1 s, then 2, 4 … up to 60 s, and the key at hand
 * goes on being used until `keepFor` is over. Without a key at hand every call fails with the reason, and the secret is read again at most once
 * a second. Called with `forceRefresh: true`, as `withFreshCredentials` does when a key is refused, it reads at once; at most every 2 seconds,
 * and after a minute of the same key every 30.
 *
 * There are no timers: nothing happens, and nothing keeps the process alive, unless somebody asks for the key.
 *
 * @throws KeyReadError BAD_OPTION at once; the provider itself rejects with the other codes
 */
export function fromRotatedSecret(options: RotatedSecretOptions): AwsCredentialIdentityProvider {
  const durations = checked(options);
  const get = keyCache(sourceOf(options), durations, options.clock ?? realClock, options.onWarning);
  return (properties) => get(properties?.forceRefresh === true);
}

function sourceOf(options: RotatedSecretOptions): KeySource {
  const { secretId, client, fields, file } = options;
  const connect = (more?: SecretsManagerClientConfig) => {
    const region = options.region ?? regionOf(secretId);
    return new SecretsManagerClient({
      requestHandler: TIMEOUTS,
      ...options.clientConfig,
      ...(region && { region }),
      ...more,
    });
  };
  let reader = client;
  const read = () => {
    reader ??= connect();
    return fetchKey(reader, secretId, fields);
  };
  if (file === undefined) return { read };
  const restore = () => readKeyFile(file, secretId);
  const keep: KeySource['keep'] = (key) => writeKeyFile(file, { ...key, secretId });
  if (client) return { read, restore, keep };
  const readWithOwnKey = readingWithOwnKey(options, file, (credentials) => connect({ credentials }));
  return { read: readWithOwnKey, restore, keep, restoresFirst: true };
}

/** Of an ARN: `arn:aws:secretsmanager:eu-central-1:…`. */
function regionOf(secretId: string): string | undefined {
  return secretId.startsWith('arn:') ? secretId.split(':')[3] : undefined;
}
