/** What the simulated account is made of: its state, its errors, and its record of what happened. */

/** An error that AWS would answer: its wire code, message and HTTP status. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export type KeyStatus = 'Active' | 'Inactive';

export interface KeyUse {
  readonly at: number;
  readonly service: string;
  readonly region: string;
}

export interface AccessKey {
  readonly id: string;
  readonly secret: string;
  readonly userName: string;
  readonly createdAt: number;
  /** When the key has propagated: before, it is as unknown as a key that never existed. */
  usableFrom: number;
  status: KeyStatus;
  /** When its status was last changed, if it was. */
  changedAt?: number;
  /** Recorded uses, oldest first; those that a later visible one has replaced are dropped. */
  uses: KeyUse[];
}

export interface User {
  readonly name: string;
  readonly path: string;
  readonly id: string;
  readonly arn: string;
  readonly createdAt: number;
  /** In the order in which they were minted. */
  readonly keys: AccessKey[];
  /** ARNs of the managed policies that are attached to the user. @default none */
  attachedPolicies?: readonly string[];
}

export interface Role {
  readonly name: string;
  readonly arn: string;
  readonly id: string;
  /** Statements of all policies of the role, resolved. */
  readonly statements: unknown[];
  readonly managedPolicies: string[];
}

export interface RotationRules {
  readonly AutomaticallyAfterDays?: number;
  readonly ScheduleExpression?: string;
  readonly Duration?: string;
}

export interface Rotation {
  enabled: boolean;
  lambdaArn: string;
  rules: RotationRules;
}

export interface SecretVersion {
  readonly id: string;
  readonly createdAt: number;
  /** Absent while the version is the empty pending one of a rotation. */
  value?: string;
  /** Beginning of the UTC day of the last read, in ms. */
  readOn?: number;
}

export interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly createdAt: number;
  readonly versions: Map<string, SecretVersion>;
  /** Version id by staging label: a label is on one version at a time. */
  readonly labels: Map<string, string>;
  readonly tags: Map<string, string>;
  kmsKeyId?: string;
  replicaRegions: string[];
  resourcePolicy?: unknown;
  rotation?: Rotation;
  lastChangedAt: number;
  lastRotatedAt?: number;
  nextRotationAt?: number;
  deletedAt?: number;
}

/** Who calls. `caller` is the running function, if it is one. */
export interface Principal {
  /** 'unknown' if it failed to authenticate: then the ARN is the access key's id. */
  readonly kind: 'user' | 'role' | 'operator' | 'unknown';
  readonly arn: string;
  readonly userId: string;
  /** Name of the user or role. */
  readonly name: string;
  /** The access key of a user that signed. */
  readonly accessKeyId?: string;
  readonly caller?: Caller;
}

/** The process of a function, as the account sees it. */
export interface Caller {
  readonly functionName: string;
  readonly invocationId: string | undefined;
  readonly alive: boolean;
  /** The process is gone: nothing it does afterwards reaches the account. */
  crash(): void;
  /** Says that the caller waits (+1) or no longer waits (-1) for virtual time, inside a request. */
  parked(change: 1 | -1): void;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A change of the account's state. */
export type Change =
  | { readonly what: 'user-created' | 'user-deleted'; readonly userName: string }
  | { readonly what: 'key-minted' | 'key-deleted'; readonly userName: string; readonly keyId: string }
  | { readonly what: 'key-status'; readonly userName: string; readonly keyId: string; readonly status: KeyStatus }
  | {
      readonly what: 'secret-created' | 'secret-deleted' | 'secret-restored' | 'rotation-configured';
      readonly secret: string;
    }
  | {
      readonly what: 'version-created' | 'version-filled' | 'version-removed';
      readonly secret: string;
      readonly version: string;
    }
  | {
      readonly what: 'label-moved';
      readonly secret: string;
      readonly label: string;
      readonly from?: string;
      readonly to?: string;
    }
  | { readonly what: 'tag-set' | 'tag-removed'; readonly secret: string; readonly key: string };

/** One call as it happened. `outcome` is what the account did; `fault`, if any, is what came between. */
export interface CallRecord {
  readonly kind: 'call';
  readonly seq: number;
  readonly at: string;
  readonly principal: string;
  /** The access key of a user that signed, or failed to. */
  readonly accessKeyId?: string;
  readonly functionName?: string;
  readonly invocationId?: string;
  /** Name of the IAM user that the call is about or, failing that, is made by. */
  readonly userName?: string;
  readonly secretName?: string;
  readonly service: string;
  readonly action: string;
  /** Without secret strings and tokens of rotation. */
  readonly parameters: Readonly<Record<string, unknown>>;
  outcome: 'pending' | 'not reached' | 'ok' | { readonly code: string; readonly message: string };
  fault?: string;
}

export interface ChangeRecord {
  readonly kind: 'change';
  readonly seq: number;
  readonly at: string;
  /** `seq` of the call that caused it; absent if the service itself did it. */
  readonly cause?: number;
  readonly change: Change;
}

/** An event that a service put on the event bus. */
export interface EventRecord {
  readonly kind: 'event';
  readonly seq: number;
  readonly at: string;
  readonly source: string;
  readonly name: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export type HistoryEntry = CallRecord | ChangeRecord | EventRecord;
