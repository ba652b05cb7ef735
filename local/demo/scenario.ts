/** The four users of the demo: what was there before the rotator came, what their applications do, and what goes wrong. */
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { DeployedKey, Deployment } from '../../lambdas/contract/deployment.ts';
import type { SimulatedAccount } from '../account.ts';
import type { Credentials } from '../model.ts';
import { Application } from './application.ts';

export const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** When the rotator is deployed. */
export const DEPLOYED_AT = new Date('2026-01-01T00:00:00Z');
/** When the account began: the hand-made keys are older than the rotator. */
export const ACCOUNT_BEGINS = new Date('2024-11-18T09:30:00Z');
/** Until this day the application of `legacy-batch` uses the key in its settings. */
const LEGACY_SWITCHES_ON_DAY = 45;
/** The rotation of `crashy` in which the function dies, counted from 1. */
const CRASH_IN_ROTATION = 3;

/** Each user's story, in the order in which they are shown. */
export const STORIES = {
  'deploy-prod': 'new, without a key; its application follows the secret',
  'legacy-batch': `every 90 days; until day ${LEGACY_SWITCHES_ON_DAY} its application keeps the user's only key, hand-made, which is adopted; from then on it also sends mail by SMTP`,
  'two-keys': 'both slots are taken by keys that the rotator does not know',
  crashy: `in rotation ${CRASH_IN_ROTATION} the function dies between minting and storing; its secret has fields with names of its own`,
} as const;

/** The key that the configuration adopts without naming it. */
export const LEGACY_KEY = 'AKIAVB7QFOXW2L5TDZ3M';

/**
 * Fills the account as the rotator will find it, and lets time pass up to the deployment.
 *
 * @param shift ms by which all of it happens later than the dates above say
 */
export async function livesBefore(
  account: SimulatedAccount,
  deployment: Deployment,
  shift = 0,
): Promise<Application[]> {
  const { clock } = account;
  const at = (date: string) => new Date(Date.parse(date) + shift);
  const deployedAt = DEPLOYED_AT.getTime() + shift;
  account.createUser('crashy');
  account.createUser('legacy-batch');
  const adopted = account.createAccessKey('legacy-batch', { id: LEGACY_KEY });

  await clock.advanceTo(at('2025-03-03T14:05:00Z'));
  account.createUser('two-keys');
  const used = account.createAccessKey('two-keys');
  await clock.advanceTo(at('2025-08-11T16:40:00Z'));
  const forgotten = account.createAccessKey('two-keys');
  await clock.advanceTo(at('2025-09-30T07:12:00Z'));
  await useOnce(account, forgotten);

  const switchesAt = deployedAt + LEGACY_SWITCHES_ON_DAY * DAY_MS;
  const follows = (userName: string, from = deployedAt) => {
    const { secretName, format } = keyOf(deployment, userName);
    return { follows: { secretName, format, from } };
  };
  const applications = [
    new Application(account, { userName: 'deploy-prod', ...follows('deploy-prod') }),
    new Application(account, { userName: 'legacy-batch', key: adopted, ...follows('legacy-batch', switchesAt) }),
    new Application(account, { userName: 'two-keys', key: used }),
    new Application(account, { userName: 'crashy', ...follows('crashy') }),
  ];
  await clock.advanceTo(new Date(deployedAt - 40 * MINUTE_MS));
  for (const { options } of applications) {
    if (options.key !== undefined) await useOnce(account, options.key);
  }
  await clock.advanceTo(new Date(deployedAt));
  return applications;
}

/** Sets going what happens during the year besides the rotator: the applications, at different minutes, and the crash. */
export function livesDuring(account: SimulatedAccount, applications: readonly Application[]): void {
  for (const [index, application] of applications.entries()) application.start((15 + index * 10) * MINUTE_MS);
  account.faults.add({
    match: { service: 'iam', action: 'CreateAccessKey', userName: 'crashy', nth: CRASH_IN_ROTATION },
    kind: 'crash-after',
  });
}

/** A use of the key that no year counts. */
async function useOnce(account: SimulatedAccount, key: Credentials): Promise<void> {
  const sts = new STSClient(account.clientConfig(key));
  await account.clock.run(sts.send(new GetCallerIdentityCommand({})));
}

function keyOf({ keys }: Deployment, userName: string): DeployedKey {
  const key = keys.find((candidate) => candidate.userName === userName);
  if (key === undefined) throw new Error(`The configuration of the demo lists no user ${userName}`);
  return key;
}
