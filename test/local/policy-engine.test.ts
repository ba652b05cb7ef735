import { IAMClient } from '@aws-sdk/client-iam';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { iamKeys } from '../../lambdas/adapters/iam-keys.ts';
import { secretStore } from '../../lambdas/adapters/secret-store.ts';
import { SimulatedAccount } from '../../local/account.ts';
import { judgeByPolicies } from '../../local/policy-engine.ts';

const SECRETS = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret';

/** A function whose role may list the keys of `app`, and read and tag the secret `iam/app` with tags of the ledger. */
function world() {
  const account = new SimulatedAccount();
  judgeByPolicies(account);
  for (const name of ['app', 'admin']) {
    account.createUser(name);
    account.createAccessKey(name);
    account.createSecret(`iam/${name}`, { value: '{}' });
  }
  const role = account.createRole('limited');
  role.statements.push(
    { Effect: 'Allow', Action: ['iam:ListAccessKeys'], Resource: ['arn:aws:iam::111122223333:user/app'] },
    {
      Effect: 'Allow',
      Action: ['secretsmanager:GetSecretValue'],
      Resource: [`${SECRETS}:iam/app-??????`, `${SECRETS}:iam/admin-??????`],
    },
    {
      Effect: 'Allow',
      Action: ['secretsmanager:TagResource'],
      Resource: [`${SECRETS}:iam/app-??????`],
      Condition: { 'ForAllValues:StringLike': { 'aws:TagKeys': ['iam-key-rotator:key/*'] } },
    },
  );
  const attempt = async (
    act: (iam: ReturnType<typeof iamKeys>, secrets: ReturnType<typeof secretStore>) => Promise<unknown>,
  ) => {
    const { arn } = account.functions.register({
      name: 'limited',
      timeoutSeconds: 10,
      env: {},
      roleArn: role.arn,
      load: (sandbox) => {
        const config = { ...account.clientConfig(sandbox.credentials), requestHandler: sandbox.requestHandler };
        const client = new IAMClient(config);
        return async () => void (await act(iamKeys(client, client), secretStore(new SecretsManagerClient(config))));
      },
    });
    const result = await account.clock.run(account.functions.invoke(arn, {}));
    return result.ok ? 'allowed' : /AccessDenied/.exec(result.errorMessage)?.[0];
  };
  return { account, attempt };
}

describe("a role's call is judged by its policies", () => {
  it('by action and resource', async () => {
    const { attempt } = world();
    expect(await attempt((iam) => iam.list('app'))).toBe('allowed');
    expect(await attempt((iam) => iam.list('admin'))).toBe('AccessDenied');
    expect(await attempt((iam) => iam.userId('app'))).toBe('AccessDenied');
  });

  it('by condition', async () => {
    const { attempt } = world();
    expect(await attempt((_, secrets) => secrets.tag('iam/app', { 'iam-key-rotator:key/AKIA': 'x' }, []))).toBe(
      'allowed',
    );
    expect(await attempt((_, secrets) => secrets.tag('iam/app', { 'iam-key-rotator:deployment': 'x' }, []))).toBe(
      'AccessDenied',
    );
  });

  it("and by the secret's own policy", async () => {
    const { account, attempt } = world();
    expect(await attempt((_, secrets) => secrets.read('iam/admin', {}))).toBe('allowed');
    const secret = account.findSecret('iam/admin');
    if (secret !== undefined) {
      const deny = { Effect: 'Deny', Principal: '*', Action: 'secretsmanager:GetSecretValue', Resource: '*' };
      secret.resourcePolicy = { Version: '2012-10-17', Statement: [deny] };
    }
    expect(await attempt((_, secrets) => secrets.read('iam/admin', {}))).toBe('AccessDenied');
  });

  it('and a denied call has no effect', async () => {
    const { account, attempt } = world();
    const [key] = account.users.get('app')?.keys ?? [];
    expect(await attempt((iam) => iam.disable('app', String(key?.id)))).toBe('AccessDenied');
    expect(key?.status).toBe('Active');
  });
});
