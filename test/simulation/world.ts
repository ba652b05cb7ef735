/** A simulated account with the functions running from source: fast, and every call of theirs can be made to fail. */
import { IAMClient } from '@aws-sdk/client-iam';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { iamKeys } from '../../lambdas/adapters/iam-keys.ts';
import { keyIdentities } from '../../lambdas/adapters/key-identities.ts';
import { rotations } from '../../lambdas/adapters/rotations.ts';
import { secretStore } from '../../lambdas/adapters/secret-store.ts';
import { secretVersions } from '../../lambdas/adapters/secret-versions.ts';
import { sesSmtpPassword } from '../../lambdas/adapters/ses-smtp.ts';
import type { DeployedKey, Deployment } from '../../lambdas/contract/deployment.ts';
import { BOOTSTRAP_VALUE, TAGS } from '../../lambdas/contract/names.ts';
import type { Happening } from '../../lambdas/domain/happenings.ts';
import type { SmtpPassword } from '../../lambdas/domain/ports.ts';
import { respond } from '../../lambdas/respond/respond.ts';
import { type PassResult, passFailed, retirePass } from '../../lambdas/retire/pass.ts';
import { rotate } from '../../lambdas/rotate/rotate.ts';
import { SimulatedAccount } from '../../local/account.ts';
import { DirectClient, type DirectOptions } from '../../local/direct-clients.ts';
import type { Sandbox } from '../../local/functions.ts';
import { AwsError, type EventRecord } from '../../local/model.ts';
import { type Broken, type Watch, watchInvariants } from '../../local/oracle.ts';
import { storedKey } from '../../local/stored-key.ts';
import { DAY, deployedKey, HOUR } from '../policy.ts';
import { judgeAsSynthesized, withDenied } from './authorize.ts';

export interface SimulationOptions {
  readonly keys?: readonly (Partial<DeployedKey> & { readonly userName: string })[];
  readonly maxChangesPerRun?: number;
  readonly account?: ConstructorParameters<typeof SimulatedAccount>[0];
  /** Call by the SDK's clients, signed and serialized, instead of directly. @default false */
  readonly overTheWire?: boolean;
}

export const START = new Date('2026-01-01T00:00:00Z');
const ROTATE_TIMEOUT = 120;
/** As lambdas/adapters/clients.ts has it. */
const ATTEMPTS = 4;

const unjudged = new Set<Simulation>();

/** What the oracle has against the simulations begun since it was last asked. */
export function finishAll(): readonly Broken[] {
  return [...unjudged].flatMap((simulation) => simulation.oracle.finish());
}

/** Deploys the functions and one secret a key, each still with the bootstrap value. Users are not created. */
export class Simulation {
  readonly account: SimulatedAccount;
  deployment: Deployment;
  readonly happenings: (Happening & { readonly at: Date })[] = [];
  readonly passes: PassResult[] = [];
  /** Which invariants are broken: ask `finish()` when all is quiet. */
  readonly oracle: Watch;
  /** Calls that the synthesized policies of the functions' roles don't allow; the oracle reports them too. */
  readonly denied: readonly Broken[];
  readonly rotateArn: string;
  readonly #overTheWire: boolean;
  /** The key that the application of each secret holds. */
  readonly #applications = new Map<string, string | undefined>();

  constructor(options: SimulationOptions = {}) {
    this.account = new SimulatedAccount({ start: START, ...options.account });
    this.#overTheWire = options.overTheWire ?? false;
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
    this.#register('respond', 900, (adapters, event, world) =>
      respond(event, this.deployment, { ...adapters, ...world }),
    );
    for (const key of this.deployment.keys) {
      this.account.createSecret(key.secretName, {
        value: BOOTSTRAP_VALUE,
        tags: { [TAGS.deployment]: this.deployment.name },
      });
    }
    this.denied = judgeAsSynthesized(this);
    const oracle = withDenied(
      watchInvariants(
        this.account,
        () => this.deployment,
        () => JSON.stringify([this.happenings, this.passes.map(({ failures }) => failures.map(String))]),
      ),
      this.denied,
    );
    this.oracle = {
      get broken() {
        return oracle.broken;
      },
      finish: () => {
        unjudged.delete(this);
        return oracle.finish();
      },
    };
    unjudged.add(this);
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

  /** Somebody reports that the key is leaked: an event, delivered at least once, and again when the function fails. */
  reportLeak(keyId: string): void {
    void this.account.functions.invoke('respond', leakReported(keyId), { type: 'Event' });
  }

  /** CloudTrail tells that AWS has put the user under its quarantine policy. */
  reportQuarantine(userName: string, at = this.now): void {
    void this.account.functions.invoke('respond', quarantined(userName, at), { type: 'Event' });
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
      await this.#work(hours);
      await this.retire();
    }
  }

  /** Applications hold a key for two hours at most. */
  async #work(hours: number): Promise<void> {
    for (const [secretName, held] of this.#applications) {
      const current = this.currentKey(secretName);
      const keyId = hours > 2 ? current : (held ?? current);
      if (keyId !== undefined) await this.useDirectly(keyId);
      this.#applications.set(secretName, current);
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

  /** The id of the key in AWSCURRENT, whatever form the value has. */
  currentKey(name: string): string | undefined {
    const policy = this.deployment.keys.find(({ secretName }) => secretName === name);
    return storedKey(this.account.valueOf(name), policy?.format.fields)?.accessKeyId;
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

  /** The same without the SDK's inside. @returns whether the key was accepted */
  async useDirectly(keyId: string): Promise<boolean> {
    const { account } = this;
    const secretAccessKey = account.keys.get(keyId)?.secret ?? '';
    try {
      const call = account.gateway.ask(
        { accessKeyId: keyId, secretAccessKey },
        account.region,
        'sts',
        'GetCallerIdentity',
        {},
      );
      await account.clock.run(call);
      return true;
    } catch (error) {
      if (error instanceof AwsError) return false;
      throw error;
    }
  }

  /**
   * From now on an application of each secret works before every pass with the key that it has read, reading it anew afterwards. The oracle
   * hears when it is turned away.
   */
  startApplications(): void {
    for (const { secretName } of this.deployment.keys) this.#applications.set(secretName, undefined);
  }

  /** Deploys the configuration with an adopted key: its id, or 'only-key'. */
  adopt(userName: string, keyId: string): void {
    this.deploy(userName, { adopt: keyId });
  }

  /** Deploys a changed configuration of a user. */
  deploy(userName: string, changed: Partial<DeployedKey>): void {
    this.deployment = {
      ...this.deployment,
      keys: this.deployment.keys.map((key) => (key.userName === userName ? { ...key, ...changed } : key)),
    };
  }

  /** The event that told the end of the secret's last rotation, if one has ended since that entry of the history. */
  endOfRotation(secretName: string, since = 0): EventRecord | undefined {
    const { arn } = this.secret(secretName);
    return this.account.history
      .slice(since)
      .findLast(
        (entry): entry is EventRecord =>
          entry.kind === 'event' &&
          entry.detail.SecretId === arn &&
          (entry.name === 'RotationSucceeded' || entry.name === 'RotationFailed'),
      );
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
        const adapters = this.#overTheWire ? wired(this.account, sandbox) : direct(sandbox);
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

/** @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference.html */
export const quarantined = (userName: string, at: Date, policy = 'AWSCompromisedKeyQuarantineV3') => ({
  source: 'aws.iam',
  'detail-type': 'AWS API Call via CloudTrail',
  detail: {
    eventSource: 'iam.amazonaws.com',
    eventName: 'AttachUserPolicy',
    eventTime: `${at.toISOString().slice(0, 19)}Z`,
    requestParameters: { userName, policyArn: `arn:aws:iam::aws:policy/${policy}` },
  },
});

/** @see https://docs.aws.amazon.com/health/latest/ug/cloudwatch-events-health.html */
export const exposed = (...keyIds: readonly string[]) => ({
  source: 'aws.health',
  'detail-type': 'AWS Health Event',
  detail: {
    service: 'RISK',
    eventTypeCode: 'AWS_RISK_CREDENTIALS_EXPOSED',
    eventTypeCategory: 'issue',
    affectedEntities: keyIds.map((entityValue) => ({ entityValue })),
  },
});

/** What the CLI invokes the respond function with. */
export const leakReported = (keyId: string) => ({
  source: 'iam-key-rotator.cli',
  'detail-type': 'Leak Reported',
  detail: { keyId },
});

export interface Adapters {
  readonly iam: ReturnType<typeof iamKeys>;
  readonly secrets: ReturnType<typeof secretStore>;
  readonly versions: ReturnType<typeof secretVersions>;
  readonly rotations: ReturnType<typeof rotations>;
  readonly identities: ReturnType<typeof keyIdentities>;
  readonly smtpPassword: SmtpPassword;
}

/** The SDK's clients, on the account's wire. Retries come without a wait: the SDK would wait in real time. */
function wired(account: SimulatedAccount, sandbox: Sandbox): Adapters {
  const config = (attempts: number, more = {}) => ({
    ...account.clientConfig(sandbox.credentials),
    requestHandler: sandbox.requestHandler,
    retryStrategy: new ConfiguredRetryStrategy(attempts, () => 0),
    ...more,
  });
  return {
    iam: iamKeys(new IAMClient(config(ATTEMPTS)), new IAMClient(config(1))),
    secrets: secretStore(new SecretsManagerClient(config(ATTEMPTS))),
    versions: secretVersions(new SecretsManagerClient(config(ATTEMPTS))),
    rotations: rotations(new SecretsManagerClient(config(ATTEMPTS))),
    identities: keyIdentities((credentials, region) => new STSClient(config(1, { credentials, region }))),
    smtpPassword: sesSmtpPassword,
  };
}

/** The same adapters without the SDK's inside: many times faster. */
export function direct(sandbox: Sandbox): Adapters {
  // The adapters ask a client for nothing but `send` and `destroy`.
  const client = <T>(service: 'iam' | 'sts' | 'secretsmanager', options: DirectOptions): T =>
    new DirectClient(sandbox, service, options) as unknown as T;
  return {
    iam: iamKeys(client('iam', { attempts: ATTEMPTS }), client('iam', { attempts: 1 })),
    secrets: secretStore(client('secretsmanager', { attempts: ATTEMPTS })),
    versions: secretVersions(client('secretsmanager', { attempts: ATTEMPTS })),
    rotations: rotations(client('secretsmanager', { attempts: ATTEMPTS })),
    identities: keyIdentities((credentials, region) => client('sts', { attempts: 1, credentials, region })),
    smtpPassword: sesSmtpPassword,
  };
}

interface Edge {
  readonly now: () => Date;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly deadline: Date;
  readonly runId: string;
  readonly report: (happening: Happening) => void;
}
