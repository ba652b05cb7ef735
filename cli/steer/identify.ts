/** STS says whose a key is, several times in a row: invariant 2, for a label that an operator has moved. */
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { RotatorError } from '../../lambdas/domain/errors.ts';
import { isBoundUser, parseSecretArn } from '../../lambdas/domain/identity.ts';
import { type Identity, iso } from '../../lambdas/domain/model.ts';
import type { KeyIdentities } from '../../lambdas/domain/ports.ts';
import { userRecreated } from '../../lambdas/domain/refusals.ts';

/** As testSecret has it: a key has failed after one success. */
const SUCCESSES_IN_A_ROW = 3;
/** Between two successes, so that they are likely to reach different hosts. */
const PAUSE_MS = 1000;
/** A key that was just activated may be unknown for some seconds, as a new one is. */
const FIRST_BACKOFF_MS = 1000;
const LONGEST_BACKOFF_MS = 8000;
/** Nobody waits in front of a terminal for longer, and what was looked at before is to hold. */
const PATIENCE_MS = 120_000;

export interface IdentifyWorld {
  readonly identities: KeyIdentities;
  readonly now: () => Date;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/**
 * Asks in the secret's Region and in those that the policy names.
 *
 * @param pinned the unique id of the user, if it is pinned
 * @returns when STS was asked for the last time
 * @throws RotatorError IDENTITY_MISMATCH, USER_RECREATED, KEY_NOT_USABLE
 */
export async function identifyKey(
  key: { readonly keyId: string; readonly secret: string },
  secretArn: string,
  pinned: string | undefined,
  policy: DeployedKey,
  world: IdentifyWorld,
): Promise<Date> {
  const { region = '' } = parseSecretArn(secretArn) ?? {};
  let askedAt = world.now();
  const until = askedAt.getTime() + PATIENCE_MS;
  for (const where of new Set([region, ...policy.verifyRegions])) {
    askedAt = await identifyIn(
      where,
      key,
      until,
      (identity) => check(identity, key.keyId, secretArn, pinned, policy),
      world,
    );
  }
  return askedAt;
}

async function identifyIn(
  region: string,
  key: { readonly keyId: string; readonly secret: string },
  until: number,
  assert: (identity: Identity) => void,
  { identities, now, sleep }: IdentifyWorld,
): Promise<Date> {
  let inARow = 0;
  let backoff = FIRST_BACKOFF_MS;
  for (;;) {
    const askedAt = now();
    const answer = await identities.identify(key, region);
    let pause = PAUSE_MS;
    if (answer.kind === 'identified') {
      assert(answer.identity);
      inARow += 1;
      if (inARow >= SUCCESSES_IN_A_ROW) return askedAt;
    } else {
      inARow = 0;
      pause = backoff;
      backoff = Math.min(backoff * 2, LONGEST_BACKOFF_MS);
    }
    if (now().getTime() + pause > until) {
      throw new RotatorError('KEY_NOT_USABLE', {
        found: `STS in ${region} did not accept ${key.keyId} until ${iso(now())}; its last answer was ${
          answer.kind === 'identified' ? 'a success' : answer.awsCode
        }`,
        expected: `${SUCCESSES_IN_A_ROW} successes in a row within ${PATIENCE_MS / 1000} seconds`,
        remedy: 'try again; if this lasts, see whether STS is in reach (a proxy?) and the key Active',
      });
    }
    await sleep(pause);
  }
}

function check(
  identity: Identity,
  keyId: string,
  secretArn: string,
  pinned: string | undefined,
  policy: DeployedKey,
): void {
  const secret = parseSecretArn(secretArn);
  if (secret === undefined || !isBoundUser(identity, secret, policy)) {
    throw new RotatorError('IDENTITY_MISMATCH', {
      found: `${keyId} belongs to ${identity.arn}`,
      expected: `the user ${policy.userName} of account ${secret?.account}, whom the deployed configuration binds the secret to`,
      remedy: 'find out who changed the value of that version; AWSCURRENT was left where it is',
    });
  }
  if (pinned !== undefined && identity.userId !== pinned)
    throw userRecreated(`${keyId} belongs to a user ${policy.userName} with`, identity.userId, pinned).error;
}
