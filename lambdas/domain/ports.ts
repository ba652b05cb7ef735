/** What the domain needs from AWS, in its own words. Implemented by lambdas/adapters. */
import type { BusEvent } from '../contract/events.ts';
import type { VersionUse } from './follow.ts';
import type { Tags } from './ledger.ts';
import type { AccessKey, Identity, LastUse, MintedKey, SecretFacts, SecretVersion } from './model.ts';

/** The access keys of IAM users. */
export interface IamKeys {
  /** All keys of the user, read afresh. @throws RotatorError USER_NOT_FOUND */
  list(userName: string): Promise<readonly AccessKey[]>;
  /** The key's last use; undefined if IAM says that it was never used. */
  lastUse(keyId: string): Promise<LastUse | undefined>;
  /** The user's unique id (AIDA…). @throws RotatorError USER_NOT_FOUND */
  userId(userName: string): Promise<string>;
  /** Creates a key, in exactly one attempt. @throws AwsCallError, `refused` when surely nothing was created */
  mint(userName: string): Promise<MintedKey>;
  /** Sets the key Inactive; one that is gone already is no error. @returns whether the user has the key */
  disable(userName: string, keyId: string): Promise<boolean>;
  /** Deletes the key; one that is gone already is no error. */
  remove(userName: string, keyId: string): Promise<void>;
}

/** What STS answered to GetCallerIdentity. */
export type IdentifyAnswer =
  | { readonly kind: 'identified'; readonly identity: Identity }
  /** STS doesn't know the key (yet), or it is Inactive. */
  | { readonly kind: 'refused'; readonly awsCode: string }
  /** No verdict: throttled, or out of reach. */
  | { readonly kind: 'unavailable'; readonly awsCode: string };

/** The password for the SMTP interface of SES in a Region, computed from a secret access key. */
export type SmtpPassword = (secretAccessKey: string, region: string) => string;

export interface KeyIdentities {
  /** Asks STS in a Region who the key belongs to. */
  identify(key: { readonly keyId: string; readonly secret: string }, region: string): Promise<IdentifyAnswer>;
}

/** The managed secrets. */
export interface SecretStore {
  /** All secrets of a deployment, a page at a time; may be five minutes old. */
  list(deployment: string): AsyncIterable<readonly SecretFacts[]>;
  describe(secretId: string): Promise<SecretFacts>;
  /** A version's value; undefined only if Secrets Manager says that there is none. Naming both demands that the version carries the label. */
  read(
    secretId: string,
    which: { readonly version?: string; readonly label?: string },
  ): Promise<SecretVersion | undefined>;
  /** Stores the value as the version named by the token, labelled AWSPENDING and nothing else. */
  storePending(secretId: string, token: string, value: string, rotationToken?: string): Promise<void>;
  /** Moves a label away from one version, to another one or to none. */
  moveLabel(secretId: string, label: string, from: string, to?: string): Promise<void>;
  /** Writes tags, then removes others. */
  tag(secretId: string, write: Tags, remove: readonly string[]): Promise<void>;
}

/** Rotations by Secrets Manager. A port of its own: only the respond function starts one. */
export interface Rotations {
  /**
   * Starts a rotation of the secret now, or has the one taken up that is under way or failed. Turns rotation on where it is off: ask first.
   *
   * @returns without waiting for the rotation
   */
  start(secretId: string): Promise<'started' | 'taken-up'>;
}

/** Who reads the managed secrets. A port of its own: only the retire pass asks, and the rotate function's bundle does without. */
export interface SecretVersions {
  /** The versions of the secret that carry a label, and on which day each was last read. */
  list(secretId: string): Promise<readonly VersionUse[]>;
}

/** The default bus of EventBridge. */
export interface EventBus {
  /**
   * Puts at most ten events on the bus, in one call.
   * @returns for each event in its place: undefined if it was taken, or else the code with which it was refused
   * @throws AwsCallError when none was taken, or nobody knows
   */
  put(events: readonly BusEvent[]): Promise<readonly (string | undefined)[]>;
}
