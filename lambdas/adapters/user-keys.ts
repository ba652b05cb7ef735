/** The keys of any user of the account, for reading, over the AWS SDK. */
import { GetAccessKeyLastUsedCommand, type IAMClient } from '@aws-sdk/client-iam';
import type { UserKeys } from '../domain/audit.ts';
import { RotatorError } from '../domain/errors.ts';
import type { IamKeys } from '../domain/ports.ts';
import { call, isAws } from './call.ts';

/** @param iam lists keys and asks for last uses */
export function userKeys(client: IAMClient, iam: Pick<IamKeys, 'list' | 'lastUse'>): UserKeys {
  return {
    async list(userName) {
      try {
        return await iam.list(userName);
      } catch (error) {
        if (error instanceof RotatorError && error.code === 'USER_NOT_FOUND') return undefined;
        throw error;
      }
    },

    async lastUse(keyId) {
      try {
        return (await iam.lastUse(keyId)) ?? 'never';
      } catch (error) {
        if (isAws(error, 'NoSuchEntity')) return 'gone';
        throw error;
      }
    },

    async ownerOf(keyId) {
      try {
        const answer = await call('GetAccessKeyLastUsed', () =>
          client.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: keyId })),
        );
        return answer.UserName;
      } catch (error) {
        // Of a key that is gone there is no user to judge the call by, so that a refusal may come in its place.
        if (isAws(error, 'NoSuchEntity', 'AccessDenied')) return undefined;
        throw error;
      }
    },
  };
}
