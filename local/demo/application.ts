/** An application that lives on an access key: it calls STS all year long and may send mail, and reads the secret as applications do, with a cache. */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { DerivedField, SecretFormat } from '../../lambdas/contract/formats.ts';
import type { SimulatedAccount } from '../account.ts';
import type { Credentials } from '../model.ts';
import { smtpLogin } from '../services/ses-smtp.ts';
import { storedKey } from '../stored-key.ts';

const HOUR_MS = 3_600_000;
/** Between two calls. */
const CALL_EVERY_MS = 4 * HOUR_MS;
/** Longer than the pause between two calls, so that a call now and then is made with a key that is no longer current. */
const CACHE_MS = 5 * HOUR_MS;

export interface ApplicationOptions {
  readonly userName: string;
  /** The key in its settings, used as long as it doesn't follow the secret. */
  readonly key?: Credentials;
  /** The secret to follow, in which form, and when it begins to, in ms of virtual time. */
  readonly follows?: { readonly secretName: string; readonly format: SecretFormat; readonly from: number };
}

/** SMTP credentials for a Region, as they stand in the secret. */
interface SmtpCredentials {
  readonly region: string;
  readonly username: string;
  readonly password: string;
}

export class Application {
  readonly options: ApplicationOptions;
  /** Calls of STS and logins by SMTP made so far, and how many of them failed, reads of the secret that failed included. */
  calls = 0;
  failures = 0;
  /** When it first used a key out of the secret. */
  switchedAt: number | undefined;
  readonly #account: SimulatedAccount;
  readonly #secrets: SecretsManagerClient;
  #client: { readonly keyId: string; readonly sts: STSClient } | undefined;
  #smtp: readonly SmtpCredentials[] = [];
  #readAt = Number.NEGATIVE_INFINITY;

  /** Creates the role that the application reads its secret under. */
  constructor(account: SimulatedAccount, options: ApplicationOptions) {
    this.#account = account;
    this.options = options;
    const role = account.createRole(options.userName);
    const session = account.session({
      kind: 'role',
      name: role.name,
      userId: `${role.id}:application`,
      arn: `arn:aws:sts::${account.id}:assumed-role/${role.name}/application`,
    });
    this.#secrets = new SecretsManagerClient(account.clientConfig(session));
    if (options.key !== undefined) this.#use(options.key);
  }

  /** Calls from now on, the first time after `delay` ms, and every four hours then. */
  start(delay: number): void {
    const { clock } = this.#account;
    clock.setTimeout(() => {
      this.start(CALL_EVERY_MS);
      void clock.track(this.call());
    }, delay);
  }

  /** One call with the key that it has. Without one it is not made. */
  async call(): Promise<void> {
    const { follows } = this.options;
    const now = this.#account.clock.nowMs;
    try {
      if (follows !== undefined && now >= follows.from && now >= this.#readAt + CACHE_MS)
        await this.#read(follows.secretName, follows.format);
      if (this.#client === undefined) return;
      this.calls += 1;
      await this.#client.sts.send(new GetCallerIdentityCommand({}));
      for (const { region, username, password } of this.#smtp) {
        this.calls += 1;
        if (!smtpLogin(this.#account, region, username, password)) this.failures += 1;
      }
    } catch {
      // Whatever it was: to those who wait for the application it is one failure more.
      this.failures += 1;
    }
  }

  async #read(secretName: string, { fields, derived }: SecretFormat): Promise<void> {
    const { SecretString } = await this.#secrets.send(new GetSecretValueCommand({ SecretId: secretName }));
    this.#readAt = this.#account.clock.nowMs;
    const key = storedKey(SecretString, fields);
    // As long as it holds the bootstrap value.
    if (key?.secretAccessKey === undefined) return;
    this.switchedAt ??= this.#account.clock.nowMs;
    this.#use({ accessKeyId: key.accessKeyId, secretAccessKey: key.secretAccessKey });
    this.#smtp = smtpIn(JSON.parse(SecretString ?? '{}'), derived);
  }

  #use(key: Credentials): void {
    if (this.#client?.keyId === key.accessKeyId) return;
    this.#client = { keyId: key.accessKeyId, sts: new STSClient(this.#account.clientConfig(key)) };
  }
}

/** What the derived fields of a value hold; texts that aren't there are empty, and will be refused. */
function smtpIn(value: Readonly<Record<string, unknown>>, derived: readonly DerivedField[]): SmtpCredentials[] {
  const username = String(value[derived.find(({ is }) => is === 'ses-smtp-username')?.field ?? ''] ?? '');
  return derived.flatMap((one) =>
    one.is === 'ses-smtp-password' ? [{ region: one.region, username, password: String(value[one.field] ?? '') }] : [],
  );
}
