/** The versions of managed secrets and their last reads, over the AWS SDK. */
import { ListSecretVersionIdsCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { VersionUse } from '../domain/follow.ts';
import type { SecretVersions } from '../domain/ports.ts';
import { call } from './call.ts';
import { need } from './need.ts';
import { pages } from './paging.ts';

const OPERATION = 'ListSecretVersionIds';
/** The most that ListSecretVersionIds gives at once (API reference). A secret has some three labelled versions. */
const PAGE = 100;

export function secretVersions(client: SecretsManagerClient): SecretVersions {
  return {
    async list(secretId) {
      const read = async (NextToken: string | undefined) => {
        const answer = await call(OPERATION, () =>
          client.send(new ListSecretVersionIdsCommand({ SecretId: secretId, MaxResults: PAGE, NextToken })),
        );
        const items = need(OPERATION, 'Versions', answer.Versions).map(
          ({ VersionId, VersionStages, LastAccessedDate }): VersionUse => ({
            version: need(OPERATION, 'VersionId', VersionId),
            labels: VersionStages ?? [],
            ...(LastAccessedDate && { readOn: LastAccessedDate }),
          }),
        );
        return { items, next: answer.NextToken };
      };
      const versions: VersionUse[] = [];
      for await (const page of pages(OPERATION, read)) versions.push(...page);
      return versions;
    },
  };
}
