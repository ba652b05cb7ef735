/** The options of the provider: each checked before anything is done. */
import type { SecretsManagerClient, SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from '@smithy/types';
import type { Clock } from './clock.ts';
import { KeyReadError } from './errors.ts';
import type { KeyWarning } from './hooks.ts';
import type { KeyFields } from './rotated-key.ts';

export interface RotatedSecretOptions {
  /** Name or ARN of the secret. */
  readonly secretId: string;
  /**
   * Reads the secret.
   *
   * @default one that is made: with the key itself if there is a `file`, else with what the default chain finds
   */
  readonly client?: SecretsManagerClient;
  /** Region of the secret, for the client that is made. @default that of the ARN, else what the environment says */
  readonly region?: string;
  /** More settings of the client that is made: a proxy, an endpoint. */
  readonly clientConfig?: Omit<SecretsManagerClientConfig, 'credentials' | 'region'>;
  /**
   * Seconds after which the secret is read again, in the background, when the key is asked for. Whole, at most a day; with 0 it is read each
   * time that the key is asked for, which may be more than once a request.
   *
   * @default 300
   */
  readonly ttl?: number;
  /**
   * Seconds after its reading for which a key is handed on while the secret can't be read. Whole, at least `ttl`, at most 30 days.
   *
   * @default 86,400, or `ttl` if that is more
   */
  readonly keepFor?: number;
  /** Where the key stands in the value, if the rotator's configuration names fields. */
  readonly fields?: KeyFields;
  /**
   * Path of a file that keeps the key for the next start: mode 0600, replaced as a whole.
   *
   * Without `client` the secret is read with the key itself, out of this file at the start: for an application that has no other credentials.
   * With `client` it is only for a start while the secret can't be read.
   */
  readonly file?: string;
  /** Reads the secret for the first time, while `file` is not there; asked for when no other key is accepted. */
  readonly seed?: AwsCredentialIdentity | AwsCredentialIdentityProvider;
  /** Told once for every reading that failed while a key is at hand, and when the file can't be used. */
  readonly onWarning?: (warning: KeyWarning) => void;
  /** For tests. @default the computer's */
  readonly clock?: Pick<Clock, 'now'>;
}

/** The same, in milliseconds and with the defaults. */
export interface Durations {
  readonly ttl: number;
  readonly keepFor: number;
}

const DAY = 86_400;
const MAX_KEEP = 30 * DAY;
const DEFAULT_TTL = 300;

/**
 * Checks the options.
 *
 * @throws KeyReadError BAD_OPTION
 */
export function checked(options: RotatedSecretOptions): Durations {
  const { secretId, client, region, clientConfig, fields, file, seed, onWarning } = options;
  text('secretId', secretId);
  for (const [name, value] of Object.entries({ region, file })) if (value !== undefined) text(name, value);
  if (fields !== undefined) {
    text('fields.accessKeyId', fields.accessKeyId);
    text('fields.secretAccessKey', fields.secretAccessKey);
  }
  if (client !== undefined && typeof client?.send !== 'function')
    throw bad('client', 'no client', 'a SecretsManagerClient');
  if (onWarning !== undefined && typeof onWarning !== 'function')
    throw bad('onWarning', typeof onWarning, 'a function');
  for (const [name, value] of Object.entries({ region, clientConfig, seed })) {
    if (client !== undefined && value !== undefined) throw bad(name, `${name} beside client`, 'one of the two');
  }
  if (seed !== undefined && file === undefined) throw bad('seed', 'a seed without file', 'a file, which keeps the key');
  const ttl = seconds('ttl', options.ttl ?? DEFAULT_TTL, 0, DAY);
  const keepFor = seconds('keepFor', options.keepFor ?? Math.max(DAY, ttl), ttl, MAX_KEEP);
  return { ttl: ttl * 1000, keepFor: keepFor * 1000 };
}

/** @throws KeyReadError BAD_OPTION */
export function seconds(name: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  const found = typeof value === 'number' ? String(value) : typeof value;
  throw bad(name, found, `whole seconds from ${least} to ${most}`);
}

function text(name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '')
    throw bad(name, value === '' ? 'an empty text' : typeof value, 'a text');
}

function bad(name: string, found: string, expected: string): KeyReadError {
  return new KeyReadError('BAD_OPTION', {
    found: `option ${name}: ${found}`,
    expected,
    remedy: `change or omit ${name}`,
  });
}
