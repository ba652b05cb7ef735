/** testSecret: STS says whose the pending key is, several times in a row, in every Region that the policy names. Invariant 2. */
import { RotatorError } from '../domain/errors.ts';
import { assertBoundUser } from '../domain/identity.ts';
import { evidenceTag } from '../domain/ledger.ts';
import type { Identity } from '../domain/model.ts';
import type { KeyValue } from '../domain/secret-value.ts';
import { readPending } from './pending.ts';
import type { Rotation, RotationWorld } from './rotation.ts';

/** A new key has failed after one success (rhyeal/aws-rotate-iam-keys#81), so one proves little. */
export const SUCCESSES_IN_A_ROW = 3;
/** Between two successes, so that they are likely to reach different hosts. */
const PAUSE_MS = 1000;
/** While the key is unknown: seen to take 2 to 20 seconds. */
const FIRST_BACKOFF_MS = 1000;
const LONGEST_BACKOFF_MS = 8000;
/** Left for the rest of the step before Lambda stops the function. */
const RESERVE_MS = 10_000;

export async function testSecret(rotation: Rotation, world: RotationWorld): Promise<void> {
  const { policy, secret, token } = rotation;
  const value = await readPending(rotation, world);
  if (value === undefined) return;
  if (value.kind === 'bootstrap') {
    // RotateImmediately=false tests the existing value, and a new secret's holds no key.
    world.report({
      what: 'nothing-to-do',
      secret: secret.name,
      userName: policy.userName,
      step: 'testSecret',
      why: 'the secret has no key yet',
    });
    return;
  }
  let identified: Identified | undefined;
  for (const region of new Set([secret.region, ...policy.verifyRegions])) {
    identified = await identifySeveralTimes(value, region, rotation, world);
  }
  // Stryker disable next-line ConditionalExpression: the secret's own Region is always among those asked; the comparison is for the compiler.
  if (identified === undefined) return;
  const { account, userId } = identified.identity;
  const evidence = { token, keyId: value.keyId, account, userId, at: identified.askedAt };
  await world.secrets.tag(secret.arn, evidenceTag(evidence), []);
  world.report({ what: 'verified', secret: secret.name, userName: policy.userName, keyId: value.keyId });
}

interface Identified {
  readonly identity: Identity;
  /** When STS was asked for the last time: an answer may come late, and the key be disabled by then. */
  readonly askedAt: Date;
}

async function identifySeveralTimes(
  value: KeyValue,
  region: string,
  rotation: Rotation,
  world: RotationWorld,
): Promise<Identified> {
  let inARow = 0;
  let asked = 0;
  let backoff = FIRST_BACKOFF_MS;
  for (;;) {
    const askedAt = world.now();
    const answer = await world.identities.identify(value, region);
    asked += 1;
    let pause = PAUSE_MS;
    if (answer.kind === 'identified') {
      assertBoundUser(answer.identity, rotation.secret, rotation.policy);
      inARow += 1;
      if (inARow >= SUCCESSES_IN_A_ROW) return { identity: answer.identity, askedAt };
    } else {
      inARow = 0;
      pause = backoff;
      backoff = Math.min(backoff * 2, LONGEST_BACKOFF_MS);
    }
    if (world.now().getTime() + pause + RESERVE_MS > world.deadline.getTime()) {
      throw new RotatorError('KEY_NOT_USABLE', {
        found:
          `STS in ${region} was asked ${asked} times about the key ${value.keyId}; its last answer was ` +
          (answer.kind === 'identified' ? 'a success' : answer.awsCode),
        expected: `${SUCCESSES_IN_A_ROW} successes in a row before the function's time is up`,
        remedy:
          'nothing if the key is new, Secrets Manager repeats the rotation; if this lasts, see whether STS is in reach and the key Active',
      });
    }
    await world.sleep(pause);
  }
}
