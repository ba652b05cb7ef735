/** Telling who has not switched: two reads a retiring key at most, and no change of anything. */
import type { DeployedKey } from '../contract/deployment.ts';
import { AwsCallError } from '../domain/errors.ts';
import { judgeSwitch, type RetiringKey } from '../domain/follow.ts';
import type { LastUse } from '../domain/model.ts';
import type { Reason } from '../domain/reasons.ts';
import type { RetireWorld } from './pass.ts';

/** A retiring key that is to be told about. */
export interface Followed {
  readonly key: RetiringKey;
  readonly arn: string;
  readonly policy: DeployedKey;
  readonly reason: Extract<Reason, 'in-overlap' | 'in-use'>;
  readonly due: Date;
  /** The last use, if this pass has read it already. */
  readonly lastUse?: LastUse;
}

/** Reads what AWS knows about the use of a retiring key, and reports it. @throws AwsCallError */
export async function follow({ key, arn, policy, reason, due, ...known }: Followed, world: RetireWorld): Promise<void> {
  const { keyId } = key;
  const use = known.lastUse === undefined ? await readLastUse(keyId, policy, world) : { lastUse: known.lastUse };
  if (use === 'gone') return;
  const { lastUse } = use;
  const facts = judgeSwitch(key, lastUse, await world.versions.list(arn), policy, world.now());
  const who = { secret: policy.secretName, userName: policy.userName };
  world.report({
    what: 'followed',
    ...who,
    keyId,
    reason,
    due,
    ...(lastUse && { lastUse }),
    since: key.since,
    ...facts,
  });
}

/** An error of AWS about a key that somebody has deleted by hand is none: there is nothing to follow any more. */
async function readLastUse(
  keyId: string,
  { userName }: DeployedKey,
  world: RetireWorld,
): Promise<{ readonly lastUse: LastUse | undefined } | 'gone'> {
  try {
    return { lastUse: await world.iam.lastUse(keyId) };
  } catch (error) {
    if (!(error instanceof AwsCallError && error.refused)) throw error;
    const keys = await world.iam.list(userName);
    if (keys.some((key) => key.id === keyId)) throw error;
    return 'gone';
  }
}
