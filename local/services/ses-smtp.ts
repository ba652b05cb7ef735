/** The SMTP interface of SES, as far as a login: nothing is sent. */
import { createHmac } from 'node:crypto';
import type { SimulatedAccount } from '../account.ts';
import { recordUse } from './iam.ts';

/**
 * Logs in with an SMTP user name and password. The user name is the id of an access key; the password follows from its secret, for one Region.
 * A use by SMTP is a use of the key.
 *
 * Written apart from the functions' own derivation, which it judges.
 *
 * @returns whether the login is accepted
 * @see https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html
 */
export function smtpLogin(account: SimulatedAccount, region: string, username: string, password: string): boolean {
  const key = account.keys.get(username);
  if (key?.status !== 'Active' || account.clock.nowMs < key.usableFrom) return false;
  if (password !== passwordOf(key.secret, region)) return false;
  recordUse(account, key, 'ses', region);
  return true;
}

function passwordOf(secret: string, region: string): string {
  const sign = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const signing = sign(sign(sign(sign(`AWS4${secret}`, '11111111'), region), 'ses'), 'aws4_request');
  return Buffer.from([4, ...sign(signing, 'SendRawEmail')]).toString('base64');
}
