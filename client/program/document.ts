/** What is printed. */
import type { RotatedKey } from '../rotated-key.ts';

/**
 * botocore asks again when less than this is left, in ms: `_DEFAULT_ADVISORY_REFRESH_TIMEOUT` in botocore/credentials.py; so does the SDK for
 * .NET (`PreemptExpiryTime` of ProcessAWSCredentials). That of JavaScript asks below 5 minutes, those of Java and Go at the end.
 */
export const ASKED_BEFORE = 15 * 60_000;

/** How soon to be asked again about a key that was kept because the secret can't be read, in ms. */
export const ASK_AGAIN = 60_000;

/**
 * The `Expiration` of a key that was read at `fetchedAt`: such that botocore asks again when it is `ttl` old.
 *
 * The key itself doesn't expire. Any `Expiration` less than 15 minutes away would have botocore start the program for each request.
 */
export const expirationOfFresh = (fetchedAt: number, ttl: number) => fetchedAt + ttl + ASKED_BEFORE;

/** The `Expiration` of a key that is older than it should be. */
export const expirationOfKept = (now: number) => now + ASKED_BEFORE + ASK_AGAIN;

/**
 * The document of a `credential_process`, on one line.
 *
 * @param expiration ms since the epoch; rounded up to a second
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
 */
export function credentialDocument({ accessKeyId, secretAccessKey }: RotatedKey, expiration: number): string {
  const Expiration = new Date(Math.ceil(expiration / 1000) * 1000).toISOString().replace('.000Z', 'Z');
  return `${JSON.stringify({ Version: 1, AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Expiration })}\n`;
}
