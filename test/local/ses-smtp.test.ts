import { beforeEach, describe, expect, it } from 'vitest';
import { sesSmtpPassword } from '../../lambdas/adapters/ses-smtp.ts';
import { SimulatedAccount } from '../../local/account.ts';
import type { Credentials } from '../../local/model.ts';
import { smtpLogin } from '../../local/services/ses-smtp.ts';

const REGION = 'eu-west-1';

describe('a login to SES by SMTP', () => {
  let account: SimulatedAccount;
  let key: Credentials;

  const login = (password: string, username = key.accessKeyId, region = REGION) =>
    smtpLogin(account, region, username, password);

  beforeEach(async () => {
    account = new SimulatedAccount();
    account.createUser('mailer');
    key = account.createAccessKey('mailer');
    await account.clock.advance(8000);
  });

  it('takes the password that belongs to the key and the Region, and no other', () => {
    const password = sesSmtpPassword(key.secretAccessKey, REGION);
    expect(login(password)).toBe(true);
    expect(login(password, key.accessKeyId, 'us-east-1')).toBe(false);
    expect(login(key.secretAccessKey)).toBe(false);
    expect(login('')).toBe(false);
    expect(login(password, '')).toBe(false);
  });

  it('is refused for a key that is Inactive, deleted, or not known everywhere yet', () => {
    const password = sesSmtpPassword(key.secretAccessKey, REGION);
    account.setAccessKeyStatus(key.accessKeyId, 'Inactive');
    expect(login(password)).toBe(false);
    account.deleteAccessKey(key.accessKeyId);
    expect(login(password)).toBe(false);
    const fresh = account.createAccessKey('mailer');
    expect(login(sesSmtpPassword(fresh.secretAccessKey, REGION), fresh.accessKeyId)).toBe(false);
  });

  it('is a use of the key, which IAM reports', () => {
    login('wrong');
    expect(account.keys.get(key.accessKeyId)?.uses).toEqual([]);
    login(sesSmtpPassword(key.secretAccessKey, REGION));
    expect(account.keys.get(key.accessKeyId)?.uses).toMatchObject([{ service: 'ses', region: REGION }]);
  });
});
