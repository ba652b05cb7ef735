/** What the audit function reaches AWS with. */
import { IAMClient } from '@aws-sdk/client-iam';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { CredentialReports, FindingSink, ReportStore, SecretListing, UserKeys } from '../domain/audit.ts';
import { credentialReports } from './credential-reports.ts';
import { iamKeys } from './iam-keys.ts';
import { reportBucket } from './report-bucket.ts';
import { secretListing } from './secret-listing.ts';
import { securityHub } from './security-hub.ts';
import { userKeys } from './user-keys.ts';

/**
 * Attempts of a read. IAM publishes no rates: `adaptive` slows this client down when it is throttled, for all users that are still to be read.
 *
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 */
const PATIENT = { maxAttempts: 10, retryMode: 'adaptive' } as const;

export interface AuditAdapters {
  readonly reports: CredentialReports;
  readonly users: UserKeys;
  readonly secrets: SecretListing;
  store(bucket: string): ReportStore;
  readonly hub: FindingSink;
}

/** With the function's own credentials. `environment` may name another endpoint, as it may for the SDK (AWS_ENDPOINT_URL). */
export function auditAdapters(
  region: string,
  environment: Readonly<Record<string, string | undefined>>,
): AuditAdapters {
  const iam = new IAMClient({ region, ...PATIENT });
  const secrets = new SecretsManagerClient({ region, ...PATIENT });
  const endpoint = environment.AWS_ENDPOINT_URL;
  return {
    reports: credentialReports(iam),
    users: userKeys(iam, iamKeys(iam, iam)),
    secrets: secretListing(secrets),
    store: (bucket) => reportBucket(secrets.config, { bucket, region, endpoint }),
    hub: securityHub(secrets.config, { region, endpoint }),
  };
}
