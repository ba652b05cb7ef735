/** The form of a secret's value: what the configuration leaves open, and what the functions are told. */
import {
  type DerivedField,
  type FieldNames,
  FORMATS,
  SES_SMTP_USERNAME,
  type SecretFormat,
  sesSmtpPasswordField,
} from '../../lambdas/contract/formats.ts';
import type { FormatInput, SesSmtpInput } from './types.ts';

/** One Region whose SMTP password is derived, with nothing left open. */
export interface SesSmtp {
  readonly region: string;
  readonly usernameField: string;
  readonly passwordField: string;
}

/** The names of the four fields. Of names of one's own, those that are left open are the default's. */
export function fieldNames(format: FormatInput): FieldNames {
  if (typeof format === 'string') return { ...FORMATS[format] };
  const { userName, createDate } = FORMATS['credential-process'];
  const { accessKeyId, secretAccessKey } = format;
  return {
    accessKeyId,
    secretAccessKey,
    userName: format.userName ?? userName,
    createDate: format.createDate ?? createDate,
  };
}

export function sesSmtp(given: SesSmtpInput): SesSmtp {
  const { region, usernameField, passwordField } = typeof given === 'string' ? { region: given } : given;
  return {
    region,
    usernameField: usernameField ?? SES_SMTP_USERNAME,
    passwordField: passwordField ?? sesSmtpPasswordField(region),
  };
}

/** What the functions are told. Regions may share the field for the user name, which is the same in all. */
export function secretFormat(format: FormatInput, smtp: readonly SesSmtpInput[]): SecretFormat {
  const regions = smtp.map(sesSmtp);
  const userNames = [...new Set(regions.map(({ usernameField }) => usernameField))];
  const derived: DerivedField[] = [
    ...userNames.map((field) => ({ field, is: 'ses-smtp-username' }) as const),
    ...regions.map(({ region, passwordField }) => ({ field: passwordField, is: 'ses-smtp-password', region }) as const),
  ];
  return { fields: fieldNames(format), derived };
}
