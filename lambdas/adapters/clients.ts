/** The SDK clients of the functions, a function for each adapter: a bundle carries the clients that its handler asks for, and no other. */
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { IAMClient } from '@aws-sdk/client-iam';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { STSClient } from '@aws-sdk/client-sts';
import type { EventBus, IamKeys, KeyIdentities, Rotations, SecretStore, SecretVersions } from '../domain/ports.ts';
import { eventBus } from './event-bus.ts';
import { iamKeys } from './iam-keys.ts';
import { keyIdentities } from './key-identities.ts';
import { rotations } from './rotations.ts';
import { secretStore } from './secret-store.ts';
import { secretVersions } from './secret-versions.ts';

/** Attempts for calls that may be repeated; the rest of the patience lies in running again. */
const ATTEMPTS = 4;

/**
 * Time-outs of the call that mints, in ms. Without them the SDK waits for as long as the connection stays open, and a mint might take effect
 * long after it was announced; the ledger takes a key for one of an intent's only if it was created shortly after it (`ANNOUNCED_FOR`).
 *
 * `requestTimeout` counts from the call to the head of its answer, connecting included. By itself it only warns.
 */
const MINT_TIMEOUTS = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true };

/** IAM, with the function's own credentials. */
export function iamAdapter(region: string): IamKeys {
  return iamKeys(
    new IAMClient({ region, maxAttempts: ATTEMPTS }),
    new IAMClient({ region, maxAttempts: 1, requestHandler: MINT_TIMEOUTS }),
  );
}

/** Secrets Manager, with the function's own credentials. */
export function secretsAdapter(region: string): SecretStore {
  return secretStore(new SecretsManagerClient({ region, maxAttempts: ATTEMPTS }));
}

/** The versions of secrets, with the function's own credentials. */
export function versionsAdapter(region: string): SecretVersions {
  return secretVersions(new SecretsManagerClient({ region, maxAttempts: ATTEMPTS }));
}

/** Rotations of secrets, with the function's own credentials. */
export function rotationsAdapter(region: string): Rotations {
  return rotations(new SecretsManagerClient({ region, maxAttempts: ATTEMPTS }));
}

/** STS, which speaks as the key in question. */
export function identitiesAdapter(): KeyIdentities {
  return keyIdentities((credentials, region) => new STSClient({ region, credentials, maxAttempts: 1 }));
}

/** The default bus, with the function's own credentials. */
export function eventBusAdapter(region: string): EventBus {
  return eventBus(new EventBridgeClient({ region, maxAttempts: ATTEMPTS }));
}
