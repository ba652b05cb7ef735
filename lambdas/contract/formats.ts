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

/**
 * What `credential_process` expects, with `Version: 1`; the fields that it doesn't know are ignored there.
 *
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
 */
const CREDENTIAL_PROCESS = {
  accessKeyId: 'AccessKeyId',
  secretAccessKey: 'SecretAccessKey',
  userName: 'UserName',
  createDate: 'CreateDate',
} as const satisfies FieldNames;

/** The names of the environment variables that every SDK reads: for ECS, External Secrets and `envFrom`. */
const ENV = {
  accessKeyId: 'AWS_ACCESS_KEY_ID',
  secretAccessKey: 'AWS_SECRET_ACCESS_KEY',
  userName: 'IAM_USER_NAME',
  createDate: 'IAM_KEY_CREATE_DATE',
} as const satisfies FieldNames;

// By name and nowhere by property, which a bundler could not drop from the applications that don't use it.
/** The built-in forms. */
export const FORMATS = { 'credential-process': CREDENTIAL_PROCESS, env: ENV } as const;

/** The field that marks the value of a new secret, which holds no key yet. */
export const BOOTSTRAP_FIELD = 'Bootstrap';

export type FormatName = keyof typeof FORMATS;

/** A field that is computed from each new key. The SMTP user name of SES is the key's id; its password belongs to one Region. */
export type DerivedField =
  | { readonly field: string; readonly is: 'ses-smtp-username' }
  | { readonly field: string; readonly is: 'ses-smtp-password'; readonly region: string };

/** What the rotator writes into a secret, but for the fields of the team. */
export interface SecretFormat {
  readonly fields: FieldNames;
  readonly derived: readonly DerivedField[];
}

/** What a secret has whose configuration says nothing of its form: a document for `credential_process`. */
export const DEFAULT_FORMAT: SecretFormat = { fields: CREDENTIAL_PROCESS, derived: [] };

/** A built-in form, and what else its readers give a meaning to. */
export interface BuiltInForm {
  readonly name: FormatName;
  readonly fields: FieldNames;
  /** They make a key temporary; a key of a user has none. */
  readonly tokens: readonly string[];
  readonly marks: readonly string[];
}

export const BUILT_IN_FORMS: readonly BuiltInForm[] = [
  {
    name: 'credential-process',
    fields: CREDENTIAL_PROCESS,
    tokens: ['SessionToken'],
    marks: ['Version', 'Expiration'],
  },
  {
    name: 'env',
    fields: ENV,
    tokens: ['AWS_SESSION_TOKEN', 'AWS_SECURITY_TOKEN'],
    marks: ['AWS_CREDENTIAL_EXPIRATION'],
  },
];

/** Names of the derived fields that the configuration doesn't name: also names of environment variables, and of files. */
export const SES_SMTP_USERNAME = 'SES_SMTP_USERNAME';
/** Of one Region: `SES_SMTP_PASSWORD_EU_WEST_1`. */
export const sesSmtpPasswordField = (region: string): string =>
  `SES_SMTP_PASSWORD_${region.toUpperCase().replaceAll('-', '_')}`;
