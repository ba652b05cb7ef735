/** Whose key it is, over STS. */
import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import { AwsCallError } from '../domain/errors.ts';
import type { KeyIdentities } from '../domain/ports.ts';
import { call, isAws } from './call.ts';
import { need } from './need.ts';

/** Credentials of the key in question, never the function's own. */
export interface KeyCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/**
 * GetCallerIdentity answers even under an explicit deny: it proves identity, not permissions (STS API reference).
 *
 * @param clientFor makes a client for a Region that signs with the given key
 */
export function keyIdentities(clientFor: (credentials: KeyCredentials, region: string) => STSClient): KeyIdentities {
  return {
    async identify({ keyId, secret }, region) {
      const client = clientFor({ accessKeyId: keyId, secretAccessKey: secret }, region);
      try {
        // Stryker disable next-line StringLiteral: the name is for a message, and of this call's errors only the code is told.
        const answer = await call('GetCallerIdentity', () => client.send(new GetCallerIdentityCommand({})));
        const identity = {
          account: need('GetCallerIdentity', 'Account', answer.Account),
          arn: need('GetCallerIdentity', 'Arn', answer.Arn),
          userId: need('GetCallerIdentity', 'UserId', answer.UserId),
        };
        return { kind: 'identified', identity };
      } catch (error) {
        // A key that is new, Inactive or deleted (InvalidClientTokenId), or whose secret is another one (SignatureDoesNotMatch).
        if (isAws(error, 'InvalidClientTokenId', 'SignatureDoesNotMatch'))
          return { kind: 'refused', awsCode: error.awsCode };
        if (error instanceof AwsCallError) return { kind: 'unavailable', awsCode: error.awsCode };
        throw error;
      } finally {
        client.destroy();
      }
    },
  };
}
