/** Leaves the demo's account running after its year: its clock then goes with the real one, and other processes reach it on a port. */
import type { SimulatedAccount } from '../account.ts';
import type { Page } from './text.ts';

export interface KeptAccount {
  /** The environment that points an SDK, the AWS CLI or this project's at the account, as its administrator. */
  readonly env: Readonly<Record<string, string>>;
  /** Resolves when somebody has pressed Ctrl-C, or the process was told to end. */
  untilStopped(): Promise<void>;
  close(): Promise<void>;
}

/** Virtual days before an account is kept: so long after the last scheduled rotation that another one finds a free slot. */
export const KEPT_DAYS = 372;

/** Real ms between two steps of the virtual clock. */
const STEP = 100;

/** From now on the account's clock follows the real one. */
export async function keepAccount(account: SimulatedAccount): Promise<KeptAccount> {
  const { endpoint, close } = await account.listen(Date.now);
  const { accessKeyId, secretAccessKey, sessionToken = '' } = account.operator.credentials;
  const { clock } = account;
  const follow = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      await clock.advanceTo(new Date(Math.max(clock.nowMs, Date.now())));
      await new Promise((resolve) => setTimeout(resolve, STEP));
    }
  };
  return {
    close,
    env: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: account.region,
      // What the AWS CLI and boto3 read: https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html
      AWS_DEFAULT_REGION: account.region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
    },
    async untilStopped() {
      const stop = new AbortController();
      const following = follow(stop.signal);
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        // In the place of the handler that ends a run half way.
        process.removeAllListeners(signal);
        process.once(signal, () => stop.abort());
      }
      await following;
      await close();
      process.exit();
    },
  };
}

/** What to type in another terminal. */
export function howToReach({ env }: Pick<KeptAccount, 'env'>, { paint }: Page): string[] {
  const commands = [
    'status',
    'plan --within 30d',
    'doctor',
    'rotate deploy-prod',
    'status',
    'rollback deploy-prod',
    'audit --open',
  ];
  return [
    paint('bold', 'The account lives on, and its clock goes with yours. In another terminal, in this folder:'),
    '',
    ...Object.entries(env).map(([name, value]) => `  export ${name}=${value}`),
    '',
    ...commands.map((command) => `  npx iam-key-rotator ${command}`),
    '',
    paint('dim', 'Ctrl-C ends it.'),
  ];
}
