/** Access keys of IAM users, over the AWS SDK. */
import {
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  GetAccessKeyLastUsedCommand,
  GetUserCommand,
  type IAMClient,
  ListAccessKeysCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import { RotatorError } from '../domain/errors.ts';
import type { AccessKey } from '../domain/model.ts';
import type { IamKeys } from '../domain/ports.ts';
import { call, isAws } from './call.ts';
import { need } from './need.ts';
import { pages } from './paging.ts';

const STATUSES = ['Active', 'Inactive'] as const;

/**
 * @param client for everything that may be repeated
 * @param mintClient for CreateAccessKey alone, with `maxAttempts: 1`: the call has no idempotency token, so a retry after a lost answer would
 *   mint a second key, and the SDK retries the quota error as if it were throttling
 */
export function iamKeys(client: IAMClient, mintClient: IAMClient): IamKeys {
  return {
    async list(userName) {
      const read = async (Marker: string | undefined) => {
        const answer = await ofUser(userName, () =>
          call('ListAccessKeys', () => client.send(new ListAccessKeysCommand({ UserName: userName, Marker }))),
        );
        const items = need('ListAccessKeys', 'AccessKeyMetadata', answer.AccessKeyMetadata).map(
          (key): AccessKey => ({
            id: need('ListAccessKeys', 'AccessKeyId', key.AccessKeyId),
            status: need(
              'ListAccessKeys',
              'Status of Active or Inactive',
              STATUSES.find((known) => known === key.Status),
            ),
            created: need('ListAccessKeys', 'CreateDate', key.CreateDate),
          }),
        );
        return {
          items,
          next: answer.IsTruncated === true ? need('ListAccessKeys', 'Marker', answer.Marker) : undefined,
        };
      };
      const keys: AccessKey[] = [];
      for await (const page of pages('ListAccessKeys', read)) keys.push(...page);
      return keys;
    },

    async lastUse(keyId) {
      const answer = await call('GetAccessKeyLastUsed', () =>
        client.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: keyId })),
      );
      // Without a date the key was never used. Without the whole structure the answer is damaged, and that is not "never".
      const { LastUsedDate, ServiceName, Region } = need(
        'GetAccessKeyLastUsed',
        'AccessKeyLastUsed',
        answer.AccessKeyLastUsed,
      );
      if (LastUsedDate === undefined) return undefined;
      return { at: LastUsedDate, service: ServiceName ?? 'N/A', region: Region ?? 'N/A' };
    },

    async userId(userName) {
      const answer = await ofUser(userName, () =>
        call('GetUser', () => client.send(new GetUserCommand({ UserName: userName }))),
      );
      return need('GetUser', 'User.UserId', answer.User?.UserId);
    },

    async mint(userName) {
      const answer = await call('CreateAccessKey', () =>
        mintClient.send(new CreateAccessKeyCommand({ UserName: userName })),
      );
      const key = need('CreateAccessKey', 'AccessKey', answer.AccessKey);
      return {
        id: need('CreateAccessKey', 'AccessKeyId', key.AccessKeyId),
        secret: need('CreateAccessKey', 'SecretAccessKey', key.SecretAccessKey),
        created: need('CreateAccessKey', 'CreateDate', key.CreateDate),
      };
    },

    async disable(userName, keyId) {
      return unlessGone(() =>
        call('UpdateAccessKey', () =>
          client.send(new UpdateAccessKeyCommand({ UserName: userName, AccessKeyId: keyId, Status: 'Inactive' })),
        ),
      );
    },

    async remove(userName, keyId) {
      await unlessGone(() =>
        call('DeleteAccessKey', () =>
          client.send(new DeleteAccessKeyCommand({ UserName: userName, AccessKeyId: keyId })),
        ),
      );
    },
  };
}

/** @returns false if there is nothing to change */
async function unlessGone(change: () => Promise<unknown>): Promise<boolean> {
  try {
    await change();
    return true;
  } catch (error) {
    if (!isAws(error, 'NoSuchEntity')) throw error;
    return false;
  }
}

async function ofUser<T>(userName: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isAws(error, 'NoSuchEntity')) throw error;
    throw new RotatorError(
      'USER_NOT_FOUND',
      {
        found: `IAM has no user ${userName}`,
        expected: 'the user that rotator.config.ts lists',
        remedy: 'create the user, or correct or remove it in rotator.config.ts and deploy',
      },
      { cause: error },
    );
  }
}
