import { describe, expect, it } from 'vitest';
import { SimulatedAccount } from '../../local/account.ts';
import { ClientUnavailableError } from '../../local/experiment/clients/client.ts';
import { join } from '../../local/experiment/clients/join.ts';

const place = (env: NodeJS.ProcessEnv) => ({ account: new SimulatedAccount(), said: [], environment: () => env });

describe('a client takes no part', () => {
  it.each([
    ['cli', /^aws --version can't be run: .*ENOENT/],
    ['boto3', /^python3 -c can't be run: .*ENOENT/],
  ] as const)('if it is not installed: %s', async (name, reason) => {
    const joining = join(name, place({ PATH: '/nowhere' }));
    await expect(joining).rejects.toThrow(ClientUnavailableError);
    await expect(joining).rejects.toThrow(reason);
  });

  it("if its clock is not the account's", async () => {
    const env = { ...process.env, NODE_OPTIONS: '', AWS_REGION: 'eu-central-1', EXPERIMENT_SECRET: 'a-secret' };
    const joining = join('js', place(env));
    await expect(joining).rejects.toThrow(ClientUnavailableError);
    await expect(joining).rejects.toThrow("the client's clock tells 20");
  });
});
