/**
 * The forms that a secret's value can have: which field of its JSON holds what. The rotator writes by them, and what reads a secret
 * (`client/`) tells them apart.
 */

/** Which field holds what. */
export interface FieldNames {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Holds the name of the bound user: a value that names another one is refused (invariant 8). */
  readonly userName: string;
  /** Holds the date of the key's creation, ISO 8601 in UTC. */
  readonly createDate: string;
}

/** The built-in forms. */
export const FORMATS = {
  /**
   * What `credential_process` expects, with `Version: 1`; the fields that it doesn't know are ignored there.
   *
   * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
   */
  'credential-process': {
    accessKeyId: 'AccessKeyId',
    secretAccessKey: 'SecretAccessKey',
    userName: 'UserName',
    createDate: 'CreateDate',
  },
  /** The names of the environment variables that every SDK reads: for ECS, External Secrets and `envFrom`. */
  env: {
    accessKeyId: 'AWS_ACCESS_KEY_ID',
    secretAccessKey: 'AWS_SECRET_ACCESS_KEY',
    userName: 'IAM_USER_NAME',
    createDate: 'IAM_KEY_CREATE_DATE',
  },
} as const satisfies Record<string, FieldNames>;

export type FormatName = keyof typeof FORMATS;
