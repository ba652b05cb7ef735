/** The secrets of all deployments of the account and Region, over the AWS SDK. */
import {
  DescribeSecretCommand,
  ListSecretsCommand,
  type SecretListEntry,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { TAGS } from '../contract/names.ts';
import type { ListedSecret, SecretListing } from '../domain/audit.ts';
import { call, isAws } from './call.ts';
import { need } from './need.ts';
import { pages } from './paging.ts';
import { type Described, facts } from './secret-store.ts';

/** The most that ListSecrets gives at once (API reference). */
const PAGE = 100;

export function secretListing(client: SecretsManagerClient): SecretListing {
  return {
    list() {
      return pages('ListSecrets', async (NextToken) => {
        const answer = await call('ListSecrets', () =>
          client.send(
            new ListSecretsCommand({
              MaxResults: PAGE,
              NextToken,
              // Left out by default; that a secret is to be deleted is what somebody must know.
              IncludePlannedDeletion: true,
              Filters: [{ Key: 'tag-key', Values: [TAGS.deployment] }],
            }),
          ),
        );
        const items = need('ListSecrets', 'SecretList', answer.SecretList)
          .map(listEntry)
          // The filter matches by prefix.
          .filter((entry) => entry.tags[TAGS.deployment] !== undefined);
        return { items, next: answer.NextToken };
      });
    },

    async describe(secretName) {
      try {
        const answer = await call('DescribeSecret', () =>
          client.send(new DescribeSecretCommand({ SecretId: secretName })),
        );
        return listed('DescribeSecret', answer);
      } catch (error) {
        if (isAws(error, 'ResourceNotFoundException')) return undefined;
        throw error;
      }
    },
  };
}

/** A secret of ListSecrets, which has its own name for the labels. */
export const listEntry = (entry: SecretListEntry): ListedSecret =>
  listed('ListSecrets', { ...entry, VersionIdsToStages: entry.SecretVersionsToStages });

interface Dated extends Described {
  readonly LastChangedDate?: Date | undefined;
  readonly LastRotatedDate?: Date | undefined;
  readonly NextRotationDate?: Date | undefined;
}

function listed(operation: string, entry: Dated): ListedSecret {
  return {
    ...facts(operation, entry),
    ...(entry.LastChangedDate && { lastChanged: entry.LastChangedDate }),
    ...(entry.LastRotatedDate && { lastRotated: entry.LastRotatedDate }),
    ...(entry.NextRotationDate && { nextRotation: entry.NextRotationDate }),
    ...(entry.DeletedDate && { deleted: entry.DeletedDate }),
  };
}
