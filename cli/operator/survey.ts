/** Gathers what the commands tell of: the managed secrets as a listing shows them, and the last uses of keys. Nothing is changed. */
import { ListSecretsCommand, type SecretListEntry, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { call } from '../../lambdas/adapters/call.ts';
import { need } from '../../lambdas/adapters/need.ts';
import { pages } from '../../lambdas/adapters/paging.ts';
import { listEntry } from '../../lambdas/adapters/secret-listing.ts';
import type { DeployedKey, Deployment } from '../../lambdas/contract/deployment.ts';
import { TAGS } from '../../lambdas/contract/names.ts';
import type { ListedSecret as AnyListedSecret } from '../../lambdas/domain/audit.ts';
import { AwsCallError } from '../../lambdas/domain/errors.ts';
import type { LastUse } from '../../lambdas/domain/model.ts';
import type { IamKeys } from '../../lambdas/domain/ports.ts';
import { concurrently } from './concurrently.ts';

/** A secret as ListSecrets tells it: up to five minutes old. */
export interface ListedSecret extends AnyListedSecret {
  readonly rotationFunctionArn?: string;
}

/** A key of the deployment, with its secret if the listing has it. */
export interface Surveyed {
  readonly policy: DeployedKey;
  readonly secret?: ListedSecret;
}

/** The most that ListSecrets gives at once (API reference). */
const PAGE = 100;

/** Every key of the deployment with its secret, in the order of the deployment. A hundred secrets a call. */
export async function survey(client: SecretsManagerClient, deployment: Deployment): Promise<readonly Surveyed[]> {
  const secrets = new Map<string, ListedSecret>();
  const read = async (NextToken: string | undefined) => {
    const answer = await call('ListSecrets', () =>
      client.send(
        new ListSecretsCommand({
          MaxResults: PAGE,
          NextToken,
          // One that is scheduled for deletion is to be told of, not to be missed.
          IncludePlannedDeletion: true,
          Filters: [
            { Key: 'tag-key', Values: [TAGS.deployment] },
            { Key: 'tag-value', Values: [deployment.name] },
          ],
        }),
      ),
    );
    return { items: need('ListSecrets', 'SecretList', answer.SecretList).map(listed), next: answer.NextToken };
  };
  for await (const page of pages('ListSecrets', read)) {
    for (const secret of page) {
      // The filters match keys and values separately, and values by prefix.
      if (secret.tags[TAGS.deployment] === deployment.name) secrets.set(secret.name, secret);
    }
  }
  return deployment.keys.map((policy) => {
    const secret = secrets.get(policy.secretName);
    return { policy, ...(secret && { secret }) };
  });
}

function listed(entry: SecretListEntry): ListedSecret {
  const { RotationLambdaARN } = entry;
  return {
    ...listEntry(entry),
    ...(RotationLambdaARN !== undefined && { rotationFunctionArn: RotationLambdaARN }),
  };
}

/** `never`: IAM says so. `gone`: the user has no such key any more. */
export type KnownUse = LastUse | 'never' | 'gone';

/** When keys were last used, by their ids. @throws AwsCallError */
export async function lastUses(
  keys: readonly { readonly keyId: string; readonly userName: string }[],
  iam: Pick<IamKeys, 'lastUse' | 'list'>,
): Promise<ReadonlyMap<string, KnownUse>> {
  const read = async ({ keyId, userName }: (typeof keys)[number]): Promise<[string, KnownUse]> => {
    try {
      return [keyId, (await iam.lastUse(keyId)) ?? 'never'];
    } catch (error) {
      // What IAM answers about a key that was deleted is an error like any other; so it is asked which keys there are.
      if (!(error instanceof AwsCallError && error.refused) || /^AccessDenied/.test(error.awsCode)) throw error;
      if ((await iam.list(userName)).some((key) => key.id === keyId)) throw error;
      return [keyId, 'gone'];
    }
  };
  return new Map(await concurrently(keys, read));
}
