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
  readonly client?: SecretsManagerClient | undefined;
  /** Region of the secret, for the client that is made. @default that of the ARN, else what the environment says */
  readonly region?: string | undefined;
  /** More settings of the client that is made: a proxy, an endpoint. */
  readonly clientConfig?: Omit<SecretsManagerClientConfig, 'credentials' | 'region'> | undefined;
  /**
   * Seconds after which the secret is read again, in the background, when the key is asked for. Whole, at most a day; with 0 it is read each
   * time that the key is asked for, which may be more than once a request.
   *
   * @default 300
   */
  readonly ttl?: number | undefined;
  /**
   * Seconds after its reading for which a key is handed on while the secret can't be read. Whole, at least `ttl`, at most 30 days.
   *
   * @default 86,400: a day; twice the ttl if that is more
   */
  readonly keepFor?: number | undefined;
  /** Where the key stands in the value, if the rotator's configuration names fields. */
  readonly fields?: KeyFields | undefined;
  /**
   * Path of a file that keeps the key for the next start: mode 0600, replaced as a whole.
   *
   * Without `client` the secret is read with the key itself, out of this file at the start: for an application that has no other credentials.
   * With `client` it is only for a start while the secret can't be read.
   */
  readonly file?: string | undefined;
  /** Reads the secret for the first time, while `file` is not there; asked for when no other key is accepted. */
  readonly seed?: AwsCredentialIdentity | AwsCredentialIdentityProvider | undefined;
  /** Told once for every reading that failed while a key is at hand, and when the file can't be used. */
  readonly onWarning?: ((warning: KeyWarning) => void) | undefined;
  /** For tests. @default the computer's */
  readonly clock?: Pick<Clock, 'now'> | undefined;
}

/** How long a key counts as new, and how long it is handed on: in ms. */
export interface Durations {
  readonly ttl: number;
  readonly keepFor: number;
}

const DAY = 86_400;
const DEFAULT_TTL = 300;
const MAX_KEEP = 2_592_000;

/**
 * Checks the options.
 *
 * @throws KeyReadError BAD_OPTION
 */
export function checked(options: RotatedSecretOptions): Durations {
  const { secretId, client, region, clientConfig, fields, file, seed, onWarning } = options;
  text('secretId', secretId);
  if (fields) text('accessKeyId', fields.accessKeyId);
  if (fields) text('secretAccessKey', fields.secretAccessKey);
  if (region !== undefined) text('region', region);
  if (region?.match(/[^\w-]/)) throw bad('region', region, 'as eu-west-1');
  if (file !== undefined) text('file', file);
  if (onWarning && typeof onWarning !== 'function') throw bad('onWarning', typeof onWarning, 'a function');
  if (client && (region ?? clientConfig ?? seed))
    throw bad('client', 'beside region, clientConfig or seed', 'one of them');
  if (seed && !file) throw bad('file', 'none, but a seed', 'a file for the key');
  const ttl = seconds('ttl', options.ttl ?? DEFAULT_TTL, 0, DAY);
  return {
    ttl: ttl * 1000,
    keepFor: seconds('keepFor', options.keepFor ?? Math.max(DAY, 2 * ttl), ttl, MAX_KEEP) * 1000,
  };
}

/** @throws KeyReadError BAD_OPTION */
export function seconds(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw bad(name, `${value}`, `whole seconds from ${least} to ${most}`);
}

function text(name: string, value: unknown): void {
  if (typeof value !== 'string' || !value) throw bad(name, value === '' ? 'empty' : typeof value, 'a text');
}

function bad(name: string, value: string, expected: string): KeyReadError {
  return new KeyReadError('BAD_OPTION', { found: `${name}: ${value}`, expected, remedy: `change ${name}` });
}
