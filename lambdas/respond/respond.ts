/** The response to a leak without its edge: one event, the keys that it means, what became of each. */
import type { DeployedKey, Deployment } from '../contract/deployment.ts';
import { RotatorError } from '../domain/errors.ts';
import type { LeakSignal } from '../domain/ledger.ts';
import type { ChangeBudget } from '../retirement/apply.ts';
import { byHand, type Case, contain, type Meant, remember } from './contain.ts';
import { ownerOf } from './find.ts';
import { parseSignal, type Signal } from './signal.ts';
import type { Outcome, RespondWorld } from './world.ts';

/** A secret, and which of its user's keys the signal means. */
interface Target {
  readonly policy: DeployedKey;
  /** Those that the signal names. */
  readonly keyIds: readonly string[];
  readonly meant: Meant;
}

interface Failure {
  /** Absent if it could not be told whose key it is. */
  readonly policy?: DeployedKey | undefined;
  readonly keyIds: readonly string[];
  readonly error: unknown;
}

/**
 * Responds to one report of a leak. It can be repeated at any time: what is contained stays as it is.
 *
 * All keys are marked before the first is seen through, and one secret that fails doesn't keep the others waiting.
 *
 * @throws RotatorError EVENT_MALFORMED; LEAK_NOT_CONTAINED if any key was not seen through, so that Lambda tries again
 */
export async function respond(
  event: unknown,
  deployment: Deployment,
  world: RespondWorld,
): Promise<readonly Outcome[]> {
  const signal = parseSignal(event);
  if (signal.signal === 'none') return [];
  const failures: Failure[] = [];
  const fail = ({ policy, keyIds }: Pick<Failure, 'policy' | 'keyIds'>, error: unknown) => {
    failures.push({ policy, keyIds, error });
    for (const keyId of keyIds.length > 0 ? keyIds : [UNKNOWN]) {
      const who = policy && { secret: policy.secretName, userName: policy.userName };
      world.report({ what: 'leak-not-contained', ...who, keyId, ...tell(error) });
    }
  };
  const { targets, outcomes } = await targetsOf(signal, deployment, world, (keyId, error) =>
    fail({ keyIds: [keyId] }, error),
  );
  const cases: Case[] = [];
  for (const target of targets) {
    try {
      const { rotateTimeout } = deployment;
      cases.push(await remember(target.policy, signal.signal, target.keyIds, target.meant, rotateTimeout, world));
    } catch (error) {
      fail(target, error);
    }
  }
  const budget: ChangeBudget = { left: deployment.maxChangesPerRun, exceeded: false };
  const follow = async (one: Case) => {
    outcomes.push(...one.others);
    try {
      outcomes.push(...(await contain(one, budget, world)));
    } catch (error) {
      fail({ policy: one.policy, keyIds: one.leaked.map(({ keyId }) => keyId) }, error);
    }
  };
  await Promise.all(cases.map(follow));
  if (failures.length > 0) throw leakNotContained(failures);
  return outcomes;
}

/** In the place of a key's id: AWS's quarantine names a user only. */
const UNKNOWN = 'unknown';

async function targetsOf(
  signal: Exclude<Signal, { signal: 'none' }>,
  deployment: Deployment,
  world: RespondWorld,
  failed: (keyId: string, error: unknown) => void,
): Promise<{ readonly targets: readonly Target[]; readonly outcomes: Outcome[] }> {
  const outcomes: Outcome[] = [];
  if (signal.signal === 'quarantine') {
    const { userName, before } = signal;
    const policy = deployment.keys.find((key) => key.userName === userName);
    if (policy === undefined) {
      outcomes.push(unmanaged(UNKNOWN, 'quarantine', userName, world));
      return { targets: [], outcomes };
    }
    // Which key AWS has found it doesn't say. One made since can't be it: events come late, when the successor may be there.
    // Those that an earlier attempt has marked it goes on with, be they Inactive by now.
    const meant: Meant = ({ keys, ledger }) =>
      keys
        .filter((key) => key.created < before && (key.status === 'Active' || ledger.leaks.has(key.id)))
        .map((key) => key.id);
    return { targets: [{ policy, keyIds: [], meant }], outcomes };
  }
  const targets = new Map<string, Target>();
  for (const keyId of signal.keyIds) {
    let policy: DeployedKey | undefined;
    try {
      policy = await ownerOf(keyId, deployment, world);
    } catch (error) {
      failed(keyId, error);
      continue;
    }
    if (policy === undefined) outcomes.push(unmanaged(keyId, signal.signal, undefined, world));
    else {
      const keyIds = [...(targets.get(policy.secretName)?.keyIds ?? []), keyId];
      targets.set(policy.secretName, { policy, keyIds, meant: () => keyIds });
    }
  }
  return { targets: [...targets.values()], outcomes };
}

function unmanaged(keyId: string, signal: LeakSignal, user: string | undefined, world: RespondWorld): Outcome {
  const key = keyId === UNKNOWN ? `each key of ${user}` : keyId;
  const remedy = byHand(keyId === UNKNOWN ? '<id>' : keyId, user);
  const who = user === undefined ? {} : { userName: user };
  world.report({ what: 'leak-reported', ...who, keyId, role: 'unmanaged', signal, remedy });
  const why = `${key} is of no user under rotation, as far as this deployment knows`;
  return { keyId, ...(user !== undefined && { user }), outcome: 'reported', why, remedy };
}

function tell(error: unknown): { readonly why: string; readonly remedy: string } {
  if (error instanceof RotatorError) return { why: error.details.found, remedy: error.details.remedy };
  return { why: error instanceof Error ? error.message : String(error), remedy: 'report this as a defect' };
}

/** The error that fails the run at its end, so that Lambda tries again and the dead-letter queue has it at last. */
function leakNotContained(failures: readonly Failure[]): RotatorError {
  const [first] = failures;
  return new RotatorError(
    'LEAK_NOT_CONTAINED',
    {
      found: failures
        .map(({ policy, keyIds, error }) => `[${policy?.secretName ?? keyIds.join()}] ${tell(error).why}`)
        .join('; '),
      expected: 'every leaked key Inactive, and another one current',
      remedy: first === undefined ? 'nothing' : tell(first.error).remedy,
    },
    { cause: first?.error },
  );
}
