/** The password for the SMTP interface of SES. */
import { createHmac } from 'node:crypto';
import type { SmtpPassword } from '../domain/ports.ts';

/** The algorithm fixes all of these; the date is none. */
const DATE = '11111111';
const SERVICE = 'ses';
const TERMINAL = 'aws4_request';
const MESSAGE = 'SendRawEmail';
const VERSION = 0x04;

/**
 * Computes the SMTP password: the signing key of Signature Version 4, for a date that never changes, signs one constant message. A Region that
 * has no SMTP endpoint gets one as well: which have, AWS changes.
 *
 * @returns 44 characters of base64
 * @see https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html#smtp-credentials-convert
 */
export const sesSmtpPassword: SmtpPassword = (secretAccessKey, region) => {
  const signature = [DATE, region, SERVICE, TERMINAL, MESSAGE].reduce(
    (key: Buffer, message) => createHmac('sha256', key).update(message).digest(),
    Buffer.from(`AWS4${secretAccessKey}`),
  );
  return Buffer.concat([Buffer.of(VERSION), signature]).toString('base64');
};
