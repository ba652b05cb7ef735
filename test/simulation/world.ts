/** A simulated account with the functions running from source: fast, and every call of theirs can be made to fail. */
import { IAMClient } from '@aws-sdk/client-iam';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { iamKeys } from '../../lambdas/adapters/iam-keys.ts';
import { keyIdentities } from '../../lambdas/adapters/key-identities.ts';
import { secretStore } from '../../lambdas/adapters/secret-store.ts';
import type { DeployedKey, Deployment } from '../../lambdas/contract/deployment.ts';
import { BOOTSTRAP_VALUE, TAGS } from '../../lambdas/contract/names.ts';
import type { Happening } from '../../lambdas/domain/happenings.ts';
import { type PassResult, passFailed, retirePass } from '../../lambdas/retire/pass.ts';
import { rotate } from '../../lambdas/rotate/rotate.ts';
import { SimulatedAccount } from '../../local/account.ts';
import { type Broken, type Watch, watchInvariants } from '../../local/oracle.ts';
import { DAY, deployedKey, HOUR } from '../policy.ts';

export interface SimulationOptions {
  readonly keys?: readonly (Partial<DeployedKey> & { readonly userName: string })[];
  readonly maxChangesPerRun?: number;
  readonly account?: ConstructorParameters<typeof SimulatedAccount>[0];
}

export const START = new Date('2026-01-01T00:00:00Z');
const ROTATE_TIMEOUT = 120;

const unjudged: Simulation[] = [];

/** What the oracle has against the simulations begun since it was last asked. */
export function finishAll(): readonly Broken[] {
  return unjudged.splice(0).flatMap((simulation) => simulation.oracle.finish());
}

/** Deploys the functions and one secret a key, each still with the bootstrap value. Users are not created. */
export class Simulation {
  readonly account: SimulatedAccount;
  deployment: Deployment;
  readonly happenings: (Happening & { readonly at: Date })[] = [];
  readonly passes: PassResult[] = [];
  /** Which invariants are broken: ask `finish()` when all is quiet. */
  readonly oracle: Watch;
  readonly rotateArn: string;

  constructor(options: SimulationOptions = {}) {
    this.account = new SimulatedAccount({ start: START, ...options.account });
    this.deployment = {
      formatVersion: 1,
      name: 'iam-key-rotator',
      maxChangesPerRun: options.maxChangesPerRun ?? 25,
      rotateTimeout: ROTATE_TIMEOUT,
      keys: (options.keys ?? [{ userName: 'app' }]).map(deployedKey),
    };
    this.rotateArn = this.#register('rotate', ROTATE_TIMEOUT, async (adapters, event, world) =>
      rotate(event, this.deployment, { ...adapters, ...world }),
    );
    this.#register('retire', 900, async (adapters, _event, world) => {
      const result = await retirePass(this.deployment, { ...adapters, ...world });
      this.passes.push(result);
      if (result.failures.length > 0) throw passFailed(result.failures);
      return result;
    });
    for (const key of this.deployment.keys) {
      this.account.createSecret(key.secretName, {
        value: BOOTSTRAP_VALUE,
        tags: { [TAGS.deployment]: this.deployment.name },
      });
    }
    this.oracle = watchInvariants(this.account, () => this.deployment);
    unjudged.push(this);
  }

  get now(): Date {
    return this.account.clock.now();
  }

  /** Turns rotation on, every `days` days, and runs what starts at once. */
  async schedule(secretName: string, days: number): Promise<void> {
    this.account.operate('secretsmanager', 'RotateSecret', {
      SecretId: secretName,
      RotationLambdaARN: this.rotateArn,
      RotationRules: { AutomaticallyAfterDays: days },
    });
    await this.advance(10 * 60);
  }

  /** Starts a rotation by hand, as an operator would, and gives it ten minutes. One that was left unfinished is taken up instead. */
  async rotate(secretName: string): Promise<'started' | 'taken up'> {
    let begun: 'started' | 'taken up' = 'started';
    try {
      this.account.operate('secretsmanager', 'RotateSecret', {
        SecretId: secretName,
        RotationLambdaARN: this.rotateArn,
      });
    } catch (error) {
      if (!String(error).includes('That rotation will be reattempted')) throw error;
      begun = 'taken up';
    }
    await this.advance(10 * 60);
    return begun;
  }

  /** Invokes one step directly. */
  step(step: string, secretName: string, token: string, more: Record<string, unknown> = {}) {
    const SecretId = this.secret(secretName).arn;
    return this.invoke('rotate', { Step: step, SecretId, ClientRequestToken: token, ...more });
  }

  invoke(name: string, event: unknown) {
    return this.account.clock.run(this.account.functions.invoke(name, event));
  }

  /** One retire pass. */
  retire() {
    return this.invoke('retire', {});
  }

  /** Lets time pass, in seconds, with a retire pass every hour. */
  async advance(seconds: number): Promise<void> {
    await this.account.clock.advance(seconds * 1000);
  }

  /** Lets days pass, with a retire pass every `hours`. */
  async advanceWithPasses(days: number, hours = 1): Promise<void> {
    const end = this.now.getTime() + days * DAY * 1000;
    while (this.now.getTime() < end) {
      await this.advance(hours * HOUR);
      await this.retire();
    }
  }

  secret(name: string) {
    const secret = this.account.findSecret(name);
    if (secret === undefined) throw new Error(`no secret ${name}`);
    return secret;
  }

  /** The parsed value in AWSCURRENT. */
  current(name: string): Record<string, unknown> {
    return JSON.parse(this.account.valueOf(name) ?? '{}');
  }

  /** The ledger and other tags. */
  tags(name: string): Record<string, string> {
    return Object.fromEntries(this.secret(name).tags);
  }

  /** Status by key id. */
  keys(userName: string): Record<string, string> {
    const user = this.account.users.get(userName);
    return Object.fromEntries([...(user?.keys ?? [])].map((key) => [key.id, key.status]));
  }

  /** Calls STS as an application that has the key. */
  useKey(keyId: string): Promise<unknown> {
    const key = this.account.keys.get(keyId);
    if (key === undefined) throw new Error(`no key ${keyId}`);
    const credentials = { accessKeyId: key.id, secretAccessKey: key.secret };
    return new STSClient(this.account.clientConfig(credentials)).send(new GetCallerIdentityCommand({}));
  }

  /** Deploys the configuration with an adopted key. */
  adopt(userName: string, keyId: string): void {
    this.deployment = {
      ...this.deployment,
      keys: this.deployment.keys.map((key) => (key.userName === userName ? { ...key, adopt: keyId } : key)),
    };
  }

  /** Errors of the rotations that failed, oldest first. */
  rotationErrors(): string[] {
    return this.account.history.flatMap((entry) =>
      entry.kind === 'event' && entry.name === 'RotationFailed' ? [String(entry.detail.errorMessage)] : [],
    );
  }

  what(): string[] {
    return this.happenings.map((happening) => happening.what);
  }

  #register(
    name: string,
    timeoutSeconds: number,
    run: (adapters: Adapters, event: unknown, world: Edge) => Promise<unknown>,
  ): string {
    const { arn } = this.account.functions.register({
      name,
      timeoutSeconds,
      env: {},
      load: (sandbox) => {
        const base = (more = {}) => ({
          ...this.account.clientConfig(sandbox.credentials),
          requestHandler: sandbox.requestHandler,
          // Retries without a wait: the SDK would wait in real time.
          retryStrategy: new ConfiguredRetryStrategy(4, () => 0),
          ...more,
        });
        const once = { retryStrategy: new ConfiguredRetryStrategy(1, () => 0) };
        const adapters: Adapters = {
          iam: iamKeys(new IAMClient(base()), new IAMClient(base(once))),
          secrets: secretStore(new SecretsManagerClient(base())),
          identities: keyIdentities((credentials, region) => new STSClient(base({ ...once, credentials, region }))),
        };
        return (event, context) =>
          run(adapters, event, {
            now: () => sandbox.clock.now(),
            sleep: (milliseconds) => sandbox.clock.sleep(milliseconds),
            deadline: new Date(sandbox.clock.now().getTime() + context.getRemainingTimeInMillis()),
            runId: context.awsRequestId,
            report: (happening) => this.happenings.push({ ...happening, at: sandbox.clock.now() }),
          });
      },
    });
    return arn;
  }
}

interface Adapters {
  readonly iam: ReturnType<typeof iamKeys>;
  readonly secrets: ReturnType<typeof secretStore>;
  readonly identities: ReturnType<typeof keyIdentities>;
}

interface Edge {
  readonly now: () => Date;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly deadline: Date;
  readonly runId: string;
  readonly report: (happening: Happening) => void;
}
