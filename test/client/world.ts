/** An application beside a simulated account: the same virtual time for both, the SDK's own look at the clock included. */
import { Readable } from 'node:stream';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { HttpResponse } from '@smithy/protocol-http';
import type { AwsCredentialIdentityProvider, HttpRequest } from '@smithy/types';
import { vi } from 'vitest';
import { fromRotatedSecret, type KeyWarning, type RotatedSecretOptions } from '../../client/index.ts';
import { BOOTSTRAP_VALUE } from '../../lambdas/contract/names.ts';
import { type AccountOptions, SimulatedAccount } from '../../local/account.ts';
import type { CallRecord, Credentials } from '../../local/model.ts';

export const SECRET = 'iam/app';
export const USER = 'app';
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** What a test needs of an application and of those who rotate its key. Unstub the globals after each test. */
export class Application {
  readonly account: SimulatedAccount;
  readonly warnings: KeyWarning[] = [];

  constructor(account = new SimulatedAccount()) {
    this.account = account;
    vi.stubGlobal('Date', account.clock.Date);
  }

  /** With a user and a secret that holds its first key. New keys are known at once unless told otherwise. */
  static withKey(options: AccountOptions = {}): Application {
    const application = new Application(new SimulatedAccount({ activationDelay: 0, ...options }));
    application.account.createUser(USER);
    application.account.createSecret(SECRET, { value: BOOTSTRAP_VALUE });
    application.promote();
    return application;
  }

  get clock() {
    const { clock } = this.account;
    return { now: () => clock.nowMs, sleep: (ms: number) => clock.sleep(ms) };
  }

  /** Makes a new key the current one; the older keys stay as they are. */
  promote(): Credentials {
    const key = this.account.createAccessKey(USER, { force: true });
    const SecretString = JSON.stringify({ AccessKeyId: key.accessKeyId, SecretAccessKey: key.secretAccessKey });
    this.account.operate('secretsmanager', 'PutSecretValue', { SecretId: SECRET, SecretString });
    return key;
  }

  /** Id of the current key. */
  current(): string {
    return JSON.parse(this.account.valueOf(SECRET) ?? '{}').AccessKeyId;
  }

  secrets(): SecretsManagerClient {
    return new SecretsManagerClient(this.account.clientConfig());
  }

  provider(options: Partial<RotatedSecretOptions> = {}): AwsCredentialIdentityProvider {
    const reader = options.file === undefined ? { client: this.secrets() } : {};
    return fromRotatedSecret({
      secretId: SECRET,
      ...reader,
      onWarning: (warning) => this.warnings.push(warning),
      ...options,
    });
  }

  /** A client of STS: what the application works with. */
  sts(credentials: AwsCredentialIdentityProvider): STSClient {
    return new STSClient({ ...this.account.clientConfig(), credentials });
  }

  /**
   * A client of STS that is answered at once, by nobody, and so need not sign: for more requests than the account could look at. It asks for
   * its credentials as any other does.
   */
  unheardSts(credentials: AwsCredentialIdentityProvider): STSClient {
    const body = '<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>';
    const handle = async () => ({
      response: new HttpResponse({ statusCode: 200, body: Readable.from([Buffer.from(body)]) }),
    });
    const signer = { sign: async (request: HttpRequest) => request };
    return new STSClient({ region: this.account.region, credentials, signer, requestHandler: { handle } });
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.account.clock.run(promise);
  }

  advance(ms: number): Promise<void> {
    return this.account.clock.advance(ms);
  }

  calls(action: string): CallRecord[] {
    return this.account.history.filter((entry) => entry.kind === 'call').filter((call) => call.action === action);
  }

  /** Readings of the secret that were tried. */
  fetches(): number {
    return this.calls('GetSecretValue').length;
  }

  /** Takes Secrets Manager away; the function returned brings it back. */
  outage(): () => void {
    return this.account.faults.add({
      kind: 'network',
      match: { action: 'GetSecretValue' },
      times: Number.POSITIVE_INFINITY,
    });
  }
}

export const identify = (client: STSClient) => client.send(new GetCallerIdentityCommand({}));

/** How a promise ended, in a word. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'fine';
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  }
}
