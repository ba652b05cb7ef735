/** Managed secrets, over the AWS SDK. */
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { TAGS } from '../contract/names.ts';
import { AWSPENDING, type Labels, type SecretFacts } from '../domain/model.ts';
import type { SecretStore } from '../domain/ports.ts';
import { malformed } from '../domain/secret-value.ts';
import { call, isAws } from './call.ts';
import { need } from './need.ts';
import { pages } from './paging.ts';

/** The most that ListSecrets gives at once (API reference). */
const PAGE = 100;

export function secretStore(client: SecretsManagerClient): SecretStore {
  return {
    list(deployment) {
      return pages('ListSecrets', async (NextToken) => {
        const answer = await call('ListSecrets', () =>
          client.send(
            new ListSecretsCommand({
              MaxResults: PAGE,
              NextToken,
              Filters: [
                { Key: 'tag-key', Values: [TAGS.deployment] },
                { Key: 'tag-value', Values: [deployment] },
              ],
            }),
          ),
        );
        const items = need('ListSecrets', 'SecretList', answer.SecretList)
          .map((entry) => facts('ListSecrets', { ...entry, VersionIdsToStages: entry.SecretVersionsToStages }))
          // The filters match keys and values separately, and values by prefix.
          .filter((entry) => entry.tags[TAGS.deployment] === deployment);
        return { items, next: answer.NextToken };
      });
    },

    async describe(secretId) {
      return facts(
        'DescribeSecret',
        await call('DescribeSecret', () => client.send(new DescribeSecretCommand({ SecretId: secretId }))),
      );
    },

    async read(secretId, { version, label }) {
      try {
        const answer = await call('GetSecretValue', () =>
          client.send(new GetSecretValueCommand({ SecretId: secretId, VersionId: version, VersionStage: label })),
        );
        if (answer.SecretBinary !== undefined) throw malformed('the value is binary');
        return {
          version: need('GetSecretValue', 'VersionId', answer.VersionId),
          value: need('GetSecretValue', 'SecretString', answer.SecretString),
        };
      } catch (error) {
        // The same answer means "no such secret"; the steps and the pass describe the secret first, which tells the two apart.
        if (isAws(error, 'ResourceNotFoundException')) return undefined;
        throw error;
      }
    },

    async storePending(secretId, token, value, rotationToken) {
      await call('PutSecretValue', () =>
        client.send(
          new PutSecretValueCommand({
            SecretId: secretId,
            ClientRequestToken: token,
            SecretString: value,
            // Left out, AWSCURRENT would move.
            VersionStages: [AWSPENDING],
            RotationToken: rotationToken,
          }),
        ),
      );
    },

    async moveLabel(secretId, label, from, to) {
      await call('UpdateSecretVersionStage', () =>
        client.send(
          new UpdateSecretVersionStageCommand({
            SecretId: secretId,
            VersionStage: label,
            RemoveFromVersionId: from,
            MoveToVersionId: to,
          }),
        ),
      );
    },

    async tag(secretId, write, remove) {
      const tags = Object.entries(write).map(([Key, Value]) => ({ Key, Value }));
      if (tags.length > 0)
        await call('TagResource', () => client.send(new TagResourceCommand({ SecretId: secretId, Tags: tags })));
      if (remove.length > 0) {
        await call('UntagResource', () =>
          client.send(new UntagResourceCommand({ SecretId: secretId, TagKeys: [...remove] })),
        );
      }
    },
  };
}

/** What describing and listing a secret tell alike. */
export interface Described {
  readonly ARN?: string | undefined;
  readonly Name?: string | undefined;
  readonly VersionIdsToStages?: Record<string, string[]> | undefined;
  readonly Tags?: { Key?: string | undefined; Value?: string | undefined }[] | undefined;
  readonly RotationEnabled?: boolean | undefined;
  readonly DeletedDate?: Date | undefined;
  readonly CreatedDate?: Date | undefined;
}

/** @throws RotatorError AWS_CALL_FAILED when the answer lacks what every secret has */
export function facts(operation: string, described: Described): SecretFacts {
  const labels: Labels = new Map(Object.entries(described.VersionIdsToStages ?? {}));
  const tags: Record<string, string> = {};
  // Stryker disable next-line ArrayDeclaration: what is no tag has no key, and is passed over.
  for (const { Key, Value } of described.Tags ?? []) if (Key !== undefined) tags[Key] = Value ?? '';
  return {
    arn: need(operation, 'ARN', described.ARN),
    name: need(operation, 'Name', described.Name),
    labels,
    tags,
    rotationEnabled: described.RotationEnabled === true,
    scheduledForDeletion: described.DeletedDate !== undefined,
    ...(described.CreatedDate && { created: described.CreatedDate }),
  };
}
