/** What an audit needs of AWS, in its own words. Implemented by lambdas/adapters. */
import type { AccessKey, LastUse, SecretFacts } from './model.ts';

/** A credential report as IAM made it. */
export interface CredentialReport {
  /** CSV, one row a user and one for the root user. */
  readonly content: string;
  /** When IAM made it: up to four hours ago, since it makes none more often. */
  readonly at: Date;
}

/** The account's credential report. Making one takes seconds to minutes. */
export interface CredentialReports {
  /** Has a report made, unless the latest one is younger than four hours. `throttled`: ask again later. */
  request(): Promise<'ready' | 'started' | 'throttled'>;
  /** The latest report; `absent` if there is none or it has expired. */
  fetch(): Promise<CredentialReport | 'in-progress' | 'absent' | 'throttled'>;
}

/** The keys of any user of the account, read afresh. */
export interface UserKeys {
  /** All keys of the user; undefined if there is no such user (any more). */
  list(userName: string): Promise<readonly AccessKey[] | undefined>;
  /** The key's last use; `gone` if there is no such key (any more), `never` if IAM has no use on record. */
  lastUse(keyId: string): Promise<LastUse | 'never' | 'gone'>;
  /** Name of the user that has the key; undefined if IAM doesn't tell. */
  ownerOf(keyId: string): Promise<string | undefined>;
}

/** A secret as ListSecrets tells it: up to five minutes old. */
export interface ListedSecret extends SecretFacts {
  readonly lastChanged?: Date;
  readonly lastRotated?: Date;
  readonly nextRotation?: Date;
  /** When it was scheduled for deletion, if it is. */
  readonly deleted?: Date;
}

/** Every secret of the account and Region that a deployment of the rotator manages, this one's or another's; a page at a time. */
export interface SecretListing {
  list(): AsyncIterable<readonly ListedSecret[]>;
  /** One by its name; undefined only if Secrets Manager says that there is none. */
  describe(secretName: string): Promise<ListedSecret | undefined>;
}

/** Where reports are kept. Names are relative to it. */
export interface ReportStore {
  /** Writes an object, whole or not at all. */
  put(name: string, contentType: string, body: string): Promise<void>;
  /** An object's content; undefined only if the store says that there is none. */
  get(name: string): Promise<string | undefined>;
}

/** Where findings are shown beside those of other tools. */
export interface FindingSink {
  /** Imports findings in the AWS Security Finding Format, all of them or throws. */
  send(findings: readonly unknown[]): Promise<void>;
}
