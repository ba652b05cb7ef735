/** Policies for tests, in seconds. */
import type { DeployedKey } from '../lambdas/contract/deployment.ts';
import { DEFAULT_FORMAT } from '../lambdas/contract/formats.ts';

export const MINUTE = 60;
export const HOUR = 3600;
export const DAY = 86_400;

/** A deployed key with the defaults of design, but for what is given. */
export function deployedKey(key: Partial<DeployedKey> & { readonly userName: string }): DeployedKey {
  return {
    secretName: `iam/${key.userName}`,
    mode: 'enforce',
    deactivateAfter: 3 * DAY,
    settle: 4 * HOUR,
    ifInUse: 'hold',
    holdAtMost: 14 * DAY,
    quietFor: 8 * DAY,
    deleteAfter: 7 * DAY,
    verifyRegions: [],
    rotateEvery: 31 * DAY,
    onLeak: 'rotate-then-disable',
    format: DEFAULT_FORMAT,
    ...key,
  };
}
