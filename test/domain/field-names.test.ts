import { describe, expect, it } from 'vitest';
import { isFieldName, nameClash } from '../../lambdas/contract/field-names.ts';
import { type DerivedField, type FieldNames, FORMATS, sesSmtpPasswordField } from '../../lambdas/contract/formats.ts';

const OWN = { accessKeyId: 'id', secretAccessKey: 'secret', userName: 'user', createDate: 'created' };
const clash = (fields: Partial<FieldNames>, derived: readonly DerivedField[] = []) =>
  nameClash({ fields: { ...OWN, ...fields }, derived });
const username = (field: string) => ({ field, is: 'ses-smtp-username' }) as const;

describe('the name of a field', () => {
  it.each(['a', '0', '_id', 'AWS_ACCESS_KEY_ID', 'smtp.password', 'access-key', 'x'.repeat(128)])('may be %s', (name) =>
    expect(isFieldName(name)).toBe(true),
  );

  it.each([
    '',
    ' a',
    'a b',
    'a\n',
    '-a',
    '.a',
    'ä',
    'a/b',
    'x'.repeat(129),
    '__proto__',
    'constructor',
    'toString',
    'valueOf',
  ])('may not be %j', (name) => expect(isFieldName(name)).toBe(false));

  it('that holds the SMTP password of a Region is that of an environment variable too', () => {
    expect(sesSmtpPasswordField('us-gov-west-1')).toBe('SES_SMTP_PASSWORD_US_GOV_WEST_1');
  });
});

describe('the names of a form', () => {
  it.each(Object.entries(FORMATS))('are in order when they are those of %s', (_, fields) => {
    expect(nameClash({ fields, derived: [username('SES_SMTP_USERNAME')] })).toBeUndefined();
  });

  it("are in order when they are names of one's own, also those of a built-in form in their own meaning, whatever the letters", () => {
    expect(clash({})).toBeUndefined();
    expect(clash({ accessKeyId: 'accessKeyId', secretAccessKey: 'aws_secret_access_key' })).toBeUndefined();
    expect(clash({ userName: 'CreateDate', createDate: 'UserName' })).toBeUndefined();
    expect(clash({}, [username('UserName'), username('IAM_USER_NAME')])).toBeUndefined();
  });

  it.each<[string, Partial<FieldNames>, keyof FieldNames, string]>([
    ['two names are the same', { secretAccessKey: 'id' }, 'secretAccessKey', 'accessKeyId'],
    ['two names differ only by the case of their letters', { createDate: 'USER' }, 'createDate', 'userName'],
    [
      'the id stands where the secret of a built-in form does',
      { accessKeyId: 'SecretAccessKey' },
      'accessKeyId',
      "the form 'credential-process', where it means something else",
    ],
    [
      'the secret stands where the id of a built-in form does',
      { secretAccessKey: 'aws_access_key_id' },
      'secretAccessKey',
      "the form 'env', where it means something else",
    ],
    [
      'the user stands where a session token does',
      { userName: 'AWS_SESSION_TOKEN' },
      'userName',
      "the form 'env', where it means something else",
    ],
    [
      'the date stands where the version does',
      { createDate: 'version' },
      'createDate',
      "the form 'credential-process', where it means something else",
    ],
    [
      'a name is the mark of a new secret',
      { userName: 'bootstrap' },
      'userName',
      'the mark of a secret that has no key yet',
    ],
  ])('clash when %s', (_, fields, where, takenBy) => {
    expect(clash(fields)).toEqual({ where, name: fields[where], takenBy });
  });

  it('clash when a derived field has the name of a field, of another derived one, or of a key', () => {
    expect(clash({}, [username('ID')])).toEqual({ where: 0, name: 'ID', takenBy: 'accessKeyId' });
    expect(clash({}, [username('a'), username('A')])).toEqual({
      where: 1,
      name: 'A',
      takenBy: 'another derived field',
    });
    const [one] = [clash({}, [username('AccessKeyId')])];
    expect(one).toMatchObject({ where: 0, takenBy: "the form 'credential-process', where it means something else" });
  });
});
