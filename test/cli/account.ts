/** A simulated account with a deployed stack and lived-in secrets, without functions that run: what commands look at, in milliseconds. */
import { promoteNewKey } from '../../bench/lived-in.ts';
import type { DeployedKey, Deployment } from '../../lambdas/contract/deployment.ts';
import { BOOTSTRAP_VALUE, TAGS } from '../../lambdas/contract/names.ts';
import { SimulatedAccount } from '../../local/account.ts';
import { stackArn } from '../../local/services/cloudformation.ts';
import { DAY, deployedKey } from '../policy.ts';
import { deployStack } from './world.ts';

export const START = new Date('2026-01-01T00:00:00Z');

export type KeyOf = Partial<DeployedKey> & { readonly userName: string };

export class LivedInAccount {
  readonly account = new SimulatedAccount({ start: START, activationDelay: 0 });
  readonly deployment: Deployment;

  constructor(keys: readonly KeyOf[], maxChangesPerRun = 25) {
    const { account } = this;
    const load = () => async () => ({});
    const rotate = account.functions.register({ name: 'rotate', timeoutSeconds: 120, env: {}, load });
    const retire = account.functions.register({ name: 'retire', timeoutSeconds: 900, env: {}, load });
    account.scheduler.schedules.push({ name: 'hourly', expression: 'rate(1 hour)', targetArn: retire.arn });
    this.deployment = {
      formatVersion: 1,
      name: 'iam-key-rotator',
      maxChangesPerRun,
      rotateTimeout: 120,
      keys: keys.map(deployedKey),
    };
    for (const { secretName, userName, mode } of this.deployment.keys) {
      account.createUser(userName);
      const secret = account.createSecret(secretName, {
        value: BOOTSTRAP_VALUE,
        tags: { [TAGS.deployment]: this.deployment.name },
      });
      if (mode === 'observe') continue;
      secret.rotation = { enabled: true, lambdaArn: rotate.arn, rules: { AutomaticallyAfterDays: 30 } };
      secret.nextRotationAt = START.getTime() + 30 * DAY * 1000;
    }
    deployStack(this, {}, [
      { logicalId: 'Rotate', type: 'AWS::Lambda::Function', physicalId: 'rotate' },
      { logicalId: 'Schedule', type: 'AWS::Scheduler::Schedule', physicalId: 'hourly' },
    ]);
    const name = 'iam-key-rotator-leak-signals';
    const forwarder = {
      name,
      arn: stackArn(account, name),
      createdAt: account.clock.nowMs,
      outputs: {},
      metadata: {},
      resources: [],
    };
    account.stacks.set(name, forwarder);
  }

  secret(userName: string) {
    const secret = this.account.findSecret(`iam/${userName}`);
    if (secret === undefined) throw new Error(`no secret of ${userName}`);
    return secret;
  }

  /** The state that a rotation leaves behind. @returns the id of the key that is current now */
  rotate(...userNames: readonly string[]): void {
    for (const userName of userNames) {
      promoteNewKey(this.account, { userName, secretName: `iam/${userName}` });
      const secret = this.secret(userName);
      secret.lastRotatedAt = this.account.clock.nowMs;
      secret.nextRotationAt = this.account.clock.nowMs + 30 * DAY * 1000;
    }
  }

  /** Ids of the user's keys, the oldest first. */
  keys(userName: string): string[] {
    return (this.account.users.get(userName)?.keys ?? []).map(({ id }) => id);
  }

  /** Somebody calls with the key. */
  async use(keyId: string): Promise<void> {
    const { account } = this;
    const secretAccessKey = account.keys.get(keyId)?.secret ?? '';
    await account.gateway.ask({ accessKeyId: keyId, secretAccessKey }, account.region, 'sts', 'GetCallerIdentity', {});
  }

  /** Lets seconds pass. */
  async pass(seconds: number): Promise<void> {
    await this.account.clock.advance(seconds * 1000);
  }

  tag(userName: string, key: string, value: string): void {
    this.account.operate('secretsmanager', 'TagResource', {
      SecretId: `iam/${userName}`,
      Tags: [{ Key: key, Value: value }],
    });
  }
}
