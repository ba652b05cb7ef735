/** The audit running from source in a simulated account: with the adapters that the function has, but for the SDK's inside where that is slow. */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { AuditAdapters } from '../../lambdas/adapters/audit-clients.ts';
import { credentialReports } from '../../lambdas/adapters/credential-reports.ts';
import { iamKeys } from '../../lambdas/adapters/iam-keys.ts';
import { reportBucket } from '../../lambdas/adapters/report-bucket.ts';
import { secretListing } from '../../lambdas/adapters/secret-listing.ts';
import { securityHub } from '../../lambdas/adapters/security-hub.ts';
import { userKeys } from '../../lambdas/adapters/user-keys.ts';
import { auditAndPublish } from '../../lambdas/audit/publish.ts';
import type { AuditReport } from '../../lambdas/audit/report.ts';
import type { Deployment } from '../../lambdas/contract/deployment.ts';
import type { SimulatedAccount } from '../../local/account.ts';
import { DirectClient } from '../../local/direct-clients.ts';
import type { InvocationContext, Sandbox } from '../../local/functions.ts';
import { reportBucketName } from './authorize.ts';

/** As lambdas/adapters/audit-clients.ts has it. */
const ATTEMPTS = 10;
const ENDPOINT = 'http://simulated';

export function auditAdaptersIn(sandbox: Sandbox): AuditAdapters {
  const { account, credentials, requestHandler } = sandbox;
  // The adapters ask a client for nothing but `send`.
  const direct = <T>(service: 'iam' | 'secretsmanager'): T =>
    new DirectClient(sandbox, service, { attempts: ATTEMPTS }) as unknown as T;
  const iam = direct<Parameters<typeof credentialReports>[0]>('iam');
  const { config } = new SecretsManagerClient({ ...account.clientConfig(credentials), requestHandler });
  const options = { region: account.region, endpoint: ENDPOINT, sleep: (ms: number) => sandbox.clock.sleep(ms) };
  return {
    reports: credentialReports(iam),
    users: userKeys(iam, iamKeys(iam, iam)),
    secrets: secretListing(direct('secretsmanager')),
    store: (bucket) => reportBucket(config, { bucket, ...options }),
    hub: securityHub(config, options),
  };
}

/** One audit, in the time that its function has. */
export function auditOnce(
  sandbox: Sandbox,
  context: InvocationContext,
  deployment: Deployment,
  bucket = reportBucketName(),
) {
  const { clock, account } = sandbox;
  const adapters = auditAdaptersIn(sandbox);
  const world = {
    ...adapters,
    store: adapters.store(bucket),
    now: () => clock.now(),
    sleep: (ms: number) => clock.sleep(ms),
    deadline: new Date(clock.now().getTime() + context.getRemainingTimeInMillis()),
  };
  return auditAndPublish(world, deployment, { region: account.region });
}

/** Deploys the audit function and its bucket. */
export function deployAudit(account: SimulatedAccount, deployment: () => Deployment, timeoutSeconds = 900): void {
  const name = reportBucketName();
  account.buckets.set(name, { name, versioned: true, objects: new Map() });
  account.functions.register({
    name: 'audit',
    timeoutSeconds,
    env: {},
    load: (sandbox) => (_event, context) => auditOnce(sandbox, context, deployment()),
  });
}

/** The newest object of a name; undefined if there is none. */
export const objectIn = (account: SimulatedAccount, name: string, bucket = reportBucketName()): string | undefined =>
  account.buckets.get(bucket)?.objects.get(name)?.at(-1)?.body;

/** The report that the pointer names. */
export function newestReport(account: SimulatedAccount, bucket = reportBucketName()): AuditReport {
  const { json } = JSON.parse(objectIn(account, 'reports/latest.json', bucket) ?? '{}');
  return JSON.parse(objectIn(account, json, bucket) ?? 'null');
}
