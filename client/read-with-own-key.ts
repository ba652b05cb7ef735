/** Reading a secret with the key that it holds, or held. */
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from '@smithy/types';
import { KeyReadError } from './errors.ts';
import { fetchKey } from './fetch-key.ts';
import { readKeyFile } from './key-file.ts';
import type { RotatedSecretOptions } from './options.ts';
import type { RotatedKey } from './rotated-key.ts';

/**
 * A reading that signs with the first of these that is accepted: the key at hand; the one before it, in case that the newer one is not known
 * everywhere yet; what the file holds, which another process or an operator may have replaced; the seed.
 *
 * @param connect makes the client that signs with what it is given
 */
export function readingWithOwnKey(
  { secretId, fields, seed }: RotatedSecretOptions,
  file: string,
  connect: (credentials: AwsCredentialIdentityProvider) => SecretsManagerClient,
) {
  let signer: AwsCredentialIdentity;
  // With a time that is over, the SDK asks at every request.
  const client = connect(async () => ({ ...signer, expiration: new Date(0) }));

  return async (held: RotatedKey | undefined, previous: RotatedKey | undefined): Promise<RotatedKey> => {
    const refused: string[] = [];
    for (const candidate of [
      () => held,
      () => previous,
      () => readKeyFile(file, secretId),
      () => (typeof seed === 'function' ? seed() : seed),
    ]) {
      const key: AwsCredentialIdentity | undefined = await candidate();
      if (!key || refused.includes(key.accessKeyId)) continue;
      signer = key;
      try {
        return await fetchKey(client, secretId, fields);
      } catch (error) {
        if (!(error instanceof KeyReadError) || error.code !== 'OWN_KEY_REFUSED') throw error;
        refused.push(key.accessKeyId);
      }
    }
    const ids = refused.join(' and ');
    throw new KeyReadError(ids ? 'OWN_KEY_REFUSED' : 'FILE_UNUSABLE', {
      found: ids ? `Secrets Manager refuses ${ids}` : `no file ${file}, and no seed`,
      expected: 'an active key; the overlap has to outlast a stop of the application',
      remedy: `put the current key into ${file}, or give it as seed`,
    });
  };
}
