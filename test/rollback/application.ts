/** An application that reads AWSCURRENT every few seconds, and works with what it has just read: it must never be turned away. */
import { AwsError } from '../../local/model.ts';
import { storedKey } from '../../local/stored-key.ts';
import type { Simulation } from '../simulation/world.ts';
import { SECRET } from './scenes.ts';

const EVERY_MS = 3000;
/** When all that matters is over: the changes are watched, each of them. */
const SLOWLY_MS = 3600_000;

export interface Watched {
  /** What went wrong, each with its moment. */
  readonly wrong: readonly string[];
  slow(): void;
  stop(): void;
}

/** From now on, and at every single change of the account: the key in AWSCURRENT is Active. */
export function watchApplication({ account }: Simulation): Watched {
  const wrong: string[] = [];
  let running = true;
  let everyMs = EVERY_MS;
  const say = (what: string) => wrong.push(`${account.clock.now().toISOString()}: ${what}`);
  const current = () => storedKey(account.valueOf(SECRET));
  account.onChange(() => {
    const { accessKeyId = '' } = current() ?? {};
    const status = account.keys.get(accessKeyId)?.status;
    if (running && status !== 'Active') say(`the key in AWSCURRENT, ${accessKeyId}, is ${status ?? 'deleted'}`);
  });
  const work = async () => {
    if (!running) return;
    account.clock.setTimeout(work, everyMs);
    const { accessKeyId = '', secretAccessKey = '' } = current() ?? {};
    try {
      await account.gateway.ask({ accessKeyId, secretAccessKey }, account.region, 'sts', 'GetCallerIdentity', {});
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      say(`an application was turned away with ${accessKeyId}`);
    }
  };
  account.clock.setTimeout(work, 0);
  return {
    wrong,
    slow() {
      everyMs = SLOWLY_MS;
    },
    stop() {
      running = false;
    },
  };
}
