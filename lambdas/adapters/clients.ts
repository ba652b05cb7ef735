/** The SDK clients of the functions. */
import { IAMClient } from '@aws-sdk/client-iam';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { STSClient } from '@aws-sdk/client-sts';
import { iamKeys } from './iam-keys.ts';
import { keyIdentities } from './key-identities.ts';
import { secretStore } from './secret-store.ts';

/** Attempts for calls that may be repeated; the rest of the patience lies in running again. */
const ATTEMPTS = 4;

/** Adapters over clients for a Region, with the function's own credentials (but for STS, which speaks as the key in question). */
export function awsAdapters(region: string) {
  return {
    iam: iamKeys(new IAMClient({ region, maxAttempts: ATTEMPTS }), new IAMClient({ region, maxAttempts: 1 })),
    secrets: secretStore(new SecretsManagerClient({ region, maxAttempts: ATTEMPTS })),
    identities: keyIdentities(
      (credentials, keyRegion) => new STSClient({ region: keyRegion, credentials, maxAttempts: 1 }),
    ),
  };
}
