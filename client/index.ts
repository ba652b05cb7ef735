/** `iam-key-rotator/client`: what an application imports. */
export type { Clock } from './clock.ts';
export { KeyReadError, type ReadErrorCode } from './errors.ts';
export { fromRotatedSecret } from './from-rotated-secret.ts';
export type { KeyWarning } from './hooks.ts';
export type { RotatedSecretOptions } from './options.ts';
export type { KeyFields } from './rotated-key.ts';
export {
  type FreshCredentialsOptions,
  type KeyRetry,
  type SigningClient,
  withFreshCredentials,
} from './with-fresh-credentials.ts';
