/** The one change of a key that the functions never make: back to Active. */
import { type IAMClient, UpdateAccessKeyCommand } from '@aws-sdk/client-iam';
import { call, isAws } from '../../lambdas/adapters/call.ts';

/** Sets keys Active; one that is gone is no error. */
export function keyActivation(client: IAMClient): (userName: string, keyId: string) => Promise<void> {
  return async (userName, keyId) => {
    try {
      await call('UpdateAccessKey', () =>
        client.send(new UpdateAccessKeyCommand({ UserName: userName, AccessKeyId: keyId, Status: 'Active' })),
      );
    } catch (error) {
      if (!isAws(error, 'NoSuchEntity')) throw error;
    }
  };
}
