/** Which key made by hand the configuration adopts. */
import type { DeployedKey } from '../contract/deployment.ts';
import type { Ledger } from './ledger.ts';

/** The id of the key that the policy adopts; undefined if it adopts none. Whether the user has that key, IAM knows. */
export function adoptedKey(policy: DeployedKey, _ledger: Ledger): string | undefined {
  return policy.adopt;
}
