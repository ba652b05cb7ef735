/** Reading a secret with the key that it holds, or held. */
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from '@smithy/types';
import { KeyReadError } from './errors.ts';
import { fetchKey } from './fetch-key.ts';
import type { KeptFile } from './kept-file.ts';
import type { KeyFields, RotatedKey } from './rotated-key.ts';

export interface OwnKeyOptions {
  readonly secretId: string;
  readonly fields?: KeyFields | undefined;
  readonly path: string;
  readonly file: KeptFile;
  readonly seed?: AwsCredentialIdentity | AwsCredentialIdentityProvider | undefined;
  /** Makes the client that signs with what it is given. */
  readonly connect: (credentials: AwsCredentialIdentityProvider) => SecretsManagerClient;
}

type Signer = AwsCredentialIdentity | RotatedKey;

/**
 * A reading that signs with the first of these that is accepted: the key at hand; the one before it, which knows its way when the newer one is
 * not known everywhere yet; what the file holds, which another process may have replaced; the seed.
 */
export function readingWithOwnKey(options: OwnKeyOptions) {
  const { secretId, fields, path, file, seed, connect } = options;
  let signer: Signer | undefined;
  let client: SecretsManagerClient | undefined;
  // With a time that is over, the SDK asks at every request.
  const credentials: AwsCredentialIdentityProvider = async () => {
    if (signer === undefined) throw new Error('no key to sign with');
    return { ...signer, expiration: new Date(0) };
  };

  return async (held: RotatedKey | undefined, previous: RotatedKey | undefined): Promise<RotatedKey> => {
    client ??= connect(credentials);
    const refused = new Map<string, KeyReadError>();
    for (const candidate of [() => held, () => previous, () => file.load(), () => planted(seed)]) {
      const next: Signer | undefined = await candidate();
      if (next === undefined || refused.has(next.accessKeyId)) continue;
      signer = next;
      try {
        return await fetchKey(client, secretId, fields);
      } catch (error) {
        if (!(error instanceof KeyReadError) || error.code !== 'OWN_KEY_REFUSED') throw error;
        refused.set(next.accessKeyId, error);
      }
    }
    throw refused.size === 0 ? nothingToSignWith(path) : allRefused(path, [...refused.keys()]);
  };
}

/** What the seed gives. Its own error may say anything, and is not quoted. */
async function planted(seed: OwnKeyOptions['seed']): Promise<AwsCredentialIdentity | undefined> {
  if (typeof seed !== 'function') return seed;
  try {
    return await seed();
  } catch (error) {
    throw new KeyReadError('SECRET_UNAVAILABLE', {
      found: `a seed that gives nothing: ${error instanceof Error ? error.name : typeof error}`,
      expected: 'a key that reads the secret',
      remedy: 'see why the provider given as seed fails',
    });
  }
}

const nothingToSignWith = (path: string) =>
  new KeyReadError('FILE_UNUSABLE', {
    found: `no file ${path}, and no seed`,
    expected: 'a key that reads the secret for the first time',
    remedy: 'give a seed, or put the current key into the file',
  });

const allRefused = (path: string, ids: readonly string[]) =>
  new KeyReadError('OWN_KEY_REFUSED', {
    found: `Secrets Manager refuses ${ids.join(' and ')}`,
    expected: 'a key that is still active: each one reads its successor during the overlap (deactivateAfter)',
    remedy: `put the current key into ${path} or give it as seed; if the application was stopped for longer than the overlap, make that longer`,
  });
