/** STS: who signed this. */
import type { Operation } from './registry.ts';

export const stsOperations: Readonly<Record<string, Operation>> = {
  /** Needs no permission, and answers even under an explicit deny: it proves identity and nothing else. The ARN carries the user's path. */
  GetCallerIdentity: (account, _, principal) => ({ Account: account.id, Arn: principal.arn, UserId: principal.userId }),
};
