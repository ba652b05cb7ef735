/** The words of the domain as types. No AWS SDK here. */

export const AWSCURRENT = 'AWSCURRENT';
export const AWSPENDING = 'AWSPENDING';
export const AWSPREVIOUS = 'AWSPREVIOUS';

/** An access key as IAM lists it. `created` is to the second. */
export interface AccessKey {
  readonly id: string;
  readonly status: 'Active' | 'Inactive';
  readonly created: Date;
}

/** A key just minted: the only moment in which IAM tells its secret. */
export interface MintedKey {
  readonly id: string;
  readonly secret: string;
  readonly created: Date;
}

/** The last use of a key as IAM reports it. IAM records one use per 15 minutes, with an unpublished delay. */
export interface LastUse {
  readonly at: Date;
  readonly service: string;
  readonly region: string;
}

/** Labels by version id. */
export type Labels = ReadonlyMap<string, readonly string[]>;

/** A secret as ListSecrets nominates it (up to five minutes old) or as DescribeSecret tells it. */
export interface SecretFacts {
  readonly arn: string;
  readonly name: string;
  readonly labels: Labels;
  readonly tags: Readonly<Record<string, string>>;
  readonly rotationEnabled: boolean;
  readonly scheduledForDeletion: boolean;
  /** When the secret was created, as far as it was told. */
  readonly created?: Date;
}

/** One version's value. */
export interface SecretVersion {
  readonly version: string;
  readonly value: string;
}

/** Who STS says that a key belongs to. */
export interface Identity {
  readonly account: string;
  readonly arn: string;
  readonly userId: string;
}

/** The version that carries a label, if any. */
export function versionWith(labels: Labels, label: string): string | undefined {
  for (const [version, has] of labels) if (has.includes(label)) return version;
  return undefined;
}

/** True when the version carries the label. */
export function hasLabel(labels: Labels, version: string | undefined, label: string): boolean {
  return [...labels].some(([id, has]) => id === version && has.includes(label));
}

/** `date` plus a number of seconds. */
export function after(date: Date, seconds: number): Date {
  return new Date(date.getTime() + seconds * 1000);
}

/** ISO 8601 in UTC, to the second: what tags, logs and messages show. Rounded up, so that a wait never starts too early. */
export function iso(date: Date): string {
  return `${new Date(Math.ceil(date.getTime() / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}
