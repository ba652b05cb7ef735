import { describe, expect, it } from 'vitest';
import { type DerivedField, FORMATS, type SecretFormat } from '../../lambdas/contract/formats.ts';
import { BOOTSTRAP_VALUE } from '../../lambdas/contract/names.ts';
import type { ErrorCode } from '../../lambdas/domain/errors.ts';
import {
  assertFits,
  keyIdWithin,
  MAX_VALUE_BYTES,
  parseValue,
  renderValue,
} from '../../lambdas/domain/secret-value.ts';
import { deployedKey } from '../policy.ts';
import { key as listed, NEW, NOW, OTHER } from './world.ts';

const SECRET = 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYAB';
const key = { id: NEW, secret: SECRET, created: NOW };
const policy = deployedKey({ userName: 'app' });
const render = (others: Record<string, unknown>) => renderValue(key, policy, others, () => '');

describe("the secret's value", () => {
  it('is a credential_process document with the user and the creation date', () => {
    expect(JSON.parse(render({}))).toEqual({
      Version: 1,
      AccessKeyId: NEW,
      SecretAccessKey: SECRET,
      UserName: 'app',
      CreateDate: '2026-06-15T12:00:00Z',
    });
  });

  it('keeps fields that the team put there', () => {
    const others = { Endpoint: 'https://example.test', Nested: { a: [1, null] } };
    const value = parseValue(render(others), policy);
    expect(value).toEqual({ kind: 'key', keyId: NEW, secret: SECRET, others });
  });

  it('drops what would make the next key temporary or expired for whoever reads it as credentials', () => {
    const temporary = { SessionToken: 'x', Expiration: '2026-01-01T00:00:00Z' };
    const value = JSON.stringify({ ...JSON.parse(render({ Team: 'a' })), ...temporary });
    expect(parseValue(value, policy)).toMatchObject({ kind: 'key', others: { Team: 'a' } });
    expect(Object.keys(parseValue(value, policy).others)).toEqual(['Team']);
  });

  it('is recognised as holding no key yet while it is the bootstrap value', () => {
    expect(parseValue(BOOTSTRAP_VALUE, policy)).toEqual({ kind: 'bootstrap', others: {} });
  });

  it('keeps what a team added to the bootstrap value, and drops the bootstrap mark', () => {
    expect(parseValue('{"Bootstrap":"x","Team":"a"}', policy)).toEqual({ kind: 'bootstrap', others: { Team: 'a' } });
    expect(parseValue(render({}).replace('{', '{"Bootstrap":"x",'), policy)).toMatchObject({
      kind: 'key',
      others: {},
    });
  });

  const valid = { Version: 1, AccessKeyId: NEW, SecretAccessKey: SECRET, UserName: 'app' };
  const NOT_JSON = 'the value is not JSON';
  const NO_OBJECT = 'the value is not a JSON object';
  const NO_VERSION = "the field 'Version' is not 1";
  const NO_ID = "the field 'AccessKeyId' is not the id of an access key";
  const NO_SECRET = "the field 'SecretAccessKey' is not a text";
  it.each<[string, string, string]>([
    ['text that is not JSON', `{${SECRET}`, NOT_JSON],
    ['a list', '[]', NO_OBJECT],
    ['null', 'null', NO_OBJECT],
    ['a number', '7', NO_OBJECT],
    ['an empty object', '{}', NO_VERSION],
    ['a bootstrap value with the id of a key', `{"Bootstrap":"x","AccessKeyId":"${NEW}"}`, NO_VERSION],
    ['a bootstrap value with a secret', `{"Bootstrap":"x","SecretAccessKey":"${SECRET}"}`, NO_VERSION],
    ['another version of the document', JSON.stringify({ ...valid, Version: 2 }), NO_VERSION],
    ['a key id that is a number', JSON.stringify({ ...valid, AccessKeyId: 1234567890123456 }), NO_ID],
    ['a key id in small letters', JSON.stringify({ ...valid, AccessKeyId: NEW.toLowerCase() }), NO_ID],
    ['a key id with something before it', JSON.stringify({ ...valid, AccessKeyId: `id:${NEW}` }), NO_ID],
    ['a key id with something after it', JSON.stringify({ ...valid, AccessKeyId: `${NEW}\n` }), NO_ID],
    ['a key id that is too short', JSON.stringify({ ...valid, AccessKeyId: NEW.slice(0, 15) }), NO_ID],
    ['no secret', JSON.stringify({ ...valid, SecretAccessKey: undefined }), NO_SECRET],
    ['a secret that is a number', JSON.stringify({ ...valid, SecretAccessKey: 7 }), NO_SECRET],
    ['an empty secret', JSON.stringify({ ...valid, SecretAccessKey: '' }), NO_SECRET],
  ])('is refused when it holds %s, and the refusal shows nothing of it', (_, value, found) => {
    expectRefusal(
      value,
      'VALUE_MALFORMED',
      `VALUE_MALFORMED: ${found}. ` +
        'Expected: a JSON object with Version 1, AccessKeyId, SecretAccessKey and UserName, or the bootstrap value of a new secret. ' +
        'To do: put a value of that form back (an older version has one: aws secretsmanager list-secret-version-ids), then rotate again.',
    );
  });

  it.each<[string, string | undefined, string]>([
    ['no user', undefined, "the value has no field 'UserName'"],
    ['another user', 'admin', "the value's UserName is another one"],
    ['a user in other letters', 'App', "the value's UserName is another one"],
  ])('is refused when it names %s, and the refusal shows nothing of it', (_, UserName, found) => {
    expectRefusal(
      JSON.stringify({ ...valid, UserName }),
      'VALUE_OTHER_USER',
      `VALUE_OTHER_USER: ${found}. ` +
        "Expected: UserName 'app', the user that the deployed configuration binds this secret to. " +
        'To do: find out who changed the value; put the bound UserName back, or bind the secret to the other user in ' +
        'rotator.config.ts and deploy.',
    );
  });

  /** The message is compared whole, and is one of this file's: so nothing of the value is in it. */
  function expectRefusal(value: string, code: ErrorCode, message: string) {
    let error: unknown;
    try {
      parseValue(value, policy);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code, message });
    expect(String(error)).not.toContain(SECRET);
    expect(error).not.toHaveProperty('cause');
  }

  it('is refused one byte past what Secrets Manager takes, counted in bytes and not in letters', () => {
    const fill = (count: number) => () => render({ Fill: 'x'.repeat(count) });
    const empty = new TextEncoder().encode(fill(0)()).length;
    expect(fill(MAX_VALUE_BYTES - empty)).not.toThrow();
    expect(fill(MAX_VALUE_BYTES - empty + 1)).toThrow(
      'VALUE_TOO_LARGE: the next value would have 65537 bytes. Expected: at most 65536, what Secrets Manager takes. ' +
        'To do: make the fields smaller that were added to the value.',
    );
    expect(() => render({ Fill: 'ä'.repeat(MAX_VALUE_BYTES - empty - 10) })).toThrow('VALUE_TOO_LARGE');
  });

  it.each(['Version', 'AccessKeyId', 'SecretAccessKey', 'UserName', 'CreateDate', 'SessionToken', 'Expiration'])(
    'keeps no field %s in other letters, and what else a team has added',
    (name) => {
      const own = { Version: 1, AccessKeyId: 'AKIAIOSFODNN7EXAMPLE', SecretAccessKey: 's', UserName: 'app' };
      const value = JSON.stringify({ ...own, [name.toUpperCase()]: 'x', [name.toLowerCase()]: 'y', [`${name}s`]: 'z' });
      expect(parseValue(value, policy)).toMatchObject({ others: { [`${name}s`]: 'z' } });
      expect(Object.keys(parseValue(value, policy).others)).toHaveLength(1);
    },
  );
});

const FORMS = {
  'credential-process': { fields: FORMATS['credential-process'], derived: [] },
  env: { fields: FORMATS.env, derived: [] },
  own: { fields: { accessKeyId: 'id', secretAccessKey: 'secret', userName: 'user', createDate: 'made' }, derived: [] },
} as const satisfies Record<string, SecretFormat>;
const SMTP: readonly DerivedField[] = [
  { field: 'SES_SMTP_USERNAME', is: 'ses-smtp-username' },
  { field: 'SES_SMTP_PASSWORD_EU_WEST_1', is: 'ses-smtp-password', region: 'eu-west-1' },
];
const smtpPassword = (secret: string, region: string) => `password of ${secret} in ${region}`;

const parseAs = (format: SecretFormat, value: object) => parseValue(JSON.stringify(value), { userName: 'app', format });
const othersAs = (format: SecretFormat, value: object) => parseAs(format, value).others;
const rendered = (format: SecretFormat, others: Record<string, unknown> = {}) =>
  JSON.parse(renderValue(key, { userName: 'app', format }, others, smtpPassword));
const errorOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return String(error);
  }
  throw new Error('nothing was refused');
};

describe('the form of the value', () => {
  it('env has the names of the environment variables', () => {
    expect(Object.entries(rendered(FORMS.env))).toEqual([
      ['AWS_ACCESS_KEY_ID', NEW],
      ['AWS_SECRET_ACCESS_KEY', SECRET],
      ['IAM_USER_NAME', 'app'],
      ['IAM_KEY_CREATE_DATE', '2026-06-15T12:00:00Z'],
    ]);
  });

  it("of one's own has the names that the configuration gives, and no Version", () => {
    expect(Object.entries(rendered(FORMS.own))).toEqual([
      ['id', NEW],
      ['secret', SECRET],
      ['user', 'app'],
      ['made', '2026-06-15T12:00:00Z'],
    ]);
  });

  it.each(['accessKeyId', 'secretAccessKey', 'userName', 'createDate'] as const)(
    'is a document for credential_process by all four names: with another one for %s it has no Version, and needs none',
    (role) => {
      const format = { fields: { ...FORMS['credential-process'].fields, [role]: 'Other' }, derived: [] };
      expect(rendered(format)).not.toHaveProperty('Version');
      expect(parseAs(format, rendered(format))).toEqual({ kind: 'key', keyId: NEW, secret: SECRET, others: {} });
    },
  );

  it('is followed by what is derived from the key, and then by what the team has added', () => {
    const value = rendered({ ...FORMS.env, derived: SMTP }, { Team: 'a' });
    expect(Object.entries(value).slice(4)).toEqual([
      ['SES_SMTP_USERNAME', NEW],
      ['SES_SMTP_PASSWORD_EU_WEST_1', `password of ${SECRET} in eu-west-1`],
      ['Team', 'a'],
    ]);
  });

  it.each(Object.entries(FORMS))('%s gives back its key, and the fields of the team', (_, format) => {
    const others = { Endpoint: 'https://example.test', Nested: { a: [1, null] }, '': 'nameless' };
    expect(parseAs(format, rendered(format, others))).toEqual({ kind: 'key', keyId: NEW, secret: SECRET, others });
  });

  const OTHER_FORMS = Object.entries(FORMS).flatMap(([name, format]) =>
    (['credential-process', 'env'] as const).flatMap((before) =>
      before === name ? [] : [[before, name, format] as const],
    ),
  );
  it.each(OTHER_FORMS)(
    'may change from %s to %s: the old key is read, and nothing of the old form is kept',
    (before, _, format) => {
      const value = { ...rendered(FORMS[before]), Team: 'a' };
      expect(parseAs(format, value)).toEqual({ kind: 'key', keyId: NEW, secret: SECRET, others: { Team: 'a' } });
    },
  );

  describe.each(['credential-process', 'env'] as const)(
    'may keep the fields of %s for the key, and change',
    (before) => {
      const { accessKeyId, secretAccessKey, userName, createDate } = FORMATS[before];
      const of = (others: { userName?: string; createDate?: string }): SecretFormat => ({
        fields: { accessKeyId, secretAccessKey, userName, createDate, ...others },
        derived: [],
      });
      const value = { ...rendered(FORMS[before]), Expiration: 'never', AWS_CREDENTIAL_EXPIRATION: 'never', Team: 'a' };
      const notOwn = before === 'env' ? { Expiration: 'never' } : { AWS_CREDENTIAL_EXPIRATION: 'never' };

      it.each([
        ['that of the user', of({ userName: 'user' })],
        ['that of the date', of({ createDate: 'made' })],
        ['both others', of({ userName: 'user', createDate: 'made' })],
      ])('%s: the old key is read, and nothing of the old form is kept', (_, format) => {
        const read = { kind: 'key', keyId: NEW, secret: SECRET, others: { ...notOwn, Team: 'a' } };
        expect(parseAs(format, value)).toEqual(read);
        expect(parseAs(format, { ...value, [format.fields.userName]: 'app' })).toEqual(read);
      });

      it('that of the user: a value that names another one under either name, or none, is refused', () => {
        const format = of({ userName: 'user' });
        for (const named of [{ user: 'admin' }, { [userName]: 'admin' }, { [userName]: undefined }])
          expect(errorOf(() => parseAs(format, { ...value, ...named }))).toContain('VALUE_OTHER_USER');
        expect(parseAs(format, { ...value, user: 'app', [userName]: 'db' }).others).toMatchObject({ [userName]: 'db' });
      });

      it('that of the user: what has no key is no value of either form, though it names the user', () => {
        const bootstrap = { Bootstrap: 'x', [userName]: 'app', user: 'x' };
        expect(parseAs(of({ userName: 'user' }), bootstrap)).toEqual({
          kind: 'bootstrap',
          others: { [userName]: 'app' },
        });
      });
    },
  );

  it("is refused when it is of names of one's own that are not configured any more, and the refusal tells what is expected", () => {
    expect(errorOf(() => parseAs(FORMS.env, rendered(FORMS.own)))).toContain(
      "VALUE_MALFORMED: the field 'AWS_ACCESS_KEY_ID' is not the id of an access key. " +
        'Expected: a JSON object with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and IAM_USER_NAME, or the bootstrap value of a new secret. ',
    );
  });

  it('is recognised as holding no key yet in each form, and keeps what the team has added', () => {
    const bootstrap = { ...JSON.parse(BOOTSTRAP_VALUE), Team: 'a', bootstrap: 'small' };
    for (const format of Object.values(FORMS))
      expect(parseAs(format, bootstrap)).toEqual({ kind: 'bootstrap', others: { Team: 'a', bootstrap: 'small' } });
  });

  it.each([
    ['AWS_ACCESS_KEY_ID', "the field 'AWS_SECRET_ACCESS_KEY' is not a text"],
    ['AWS_SECRET_ACCESS_KEY', "the field 'AWS_ACCESS_KEY_ID' is not the id of an access key"],
  ])('is refused when it has no more of a key than %s, with or without the mark of a new secret', (field, found) => {
    for (const more of [{}, { Bootstrap: 'x' }])
      for (const format of Object.values(FORMS))
        expect(errorOf(() => parseAs(format, { ...more, [field]: NEW }))).toContain(`VALUE_MALFORMED: ${found}. `);
  });

  describe('two at once', () => {
    const both = (more: object = {}) => ({ ...rendered(FORMS['credential-process']), ...rendered(FORMS.env), ...more });

    it("are accepted with one and the same key, and both are the rotator's", () => {
      for (const format of Object.values(FORMS))
        expect(parseAs(format, both({ Team: 'a' }))).toMatchObject({
          keyId: NEW,
          secret: SECRET,
          others: { Team: 'a' },
        });
    });

    it.each([
      ['AWS_ACCESS_KEY_ID', OTHER, FORMS['credential-process'], "'AccessKeyId' and 'AWS_ACCESS_KEY_ID'"],
      [
        'AWS_SECRET_ACCESS_KEY',
        'another',
        FORMS['credential-process'],
        "'SecretAccessKey' and 'AWS_SECRET_ACCESS_KEY'",
      ],
      ['AccessKeyId', OTHER, FORMS.env, "'AWS_ACCESS_KEY_ID' and 'AccessKeyId'"],
      ['SecretAccessKey', 7, FORMS.env, "'AWS_SECRET_ACCESS_KEY' and 'SecretAccessKey'"],
      ['AWS_ACCESS_KEY_ID', OTHER, FORMS.own, "'AccessKeyId' and 'AWS_ACCESS_KEY_ID'"],
    ])(
      'are refused when %s is of another key, naming the fields and nothing out of them',
      (field, other, format, fields) => {
        const error = errorOf(() => parseAs(format, both({ [field]: other })));
        expect(error).toContain(`VALUE_MALFORMED: the fields ${fields} hold two different keys. `);
        for (const text of [SECRET, NEW, OTHER, 'another']) expect(error).not.toContain(text);
      },
    );

    it('are refused when one of them is only begun, with another key', () => {
      const value = { ...rendered(FORMS['credential-process']), AWS_ACCESS_KEY_ID: OTHER };
      expect(errorOf(() => parseAs(FORMS.env, value))).toContain('hold two different keys');
      expect(parseAs(FORMS.env, { ...value, AWS_ACCESS_KEY_ID: NEW })).toMatchObject({ keyId: NEW, others: {} });
    });

    it.each(['UserName', 'IAM_USER_NAME'])('are refused when %s names another user', (field) => {
      for (const format of Object.values(FORMS))
        expect(errorOf(() => parseAs(format, both({ [field]: 'admin' })))).toContain(
          `VALUE_OTHER_USER: the value's ${field} is another one. Expected: ${field} 'app', `,
        );
    });
  });

  it.each(Object.entries(FORMS))('%s is refused when it names another user, or none', (_, format) => {
    const { userName } = format.fields;
    expect(errorOf(() => parseAs(format, { ...rendered(format), [userName]: 'admin' }))).toContain(
      `VALUE_OTHER_USER: the value's ${userName} is another one. Expected: ${userName} 'app', the user that the deployed configuration`,
    );
    expect(errorOf(() => parseAs(format, { ...rendered(format), [userName]: undefined }))).toContain(
      `VALUE_OTHER_USER: the value has no field '${userName}'. `,
    );
  });

  it("is refused when it names no user in a form that is not the configured one: another form's field does not count", () => {
    const value = { ...rendered(FORMS.env), IAM_USER_NAME: undefined, UserName: 'app', user: 'app' };
    for (const format of Object.values(FORMS))
      expect(errorOf(() => parseAs(format, value))).toContain('VALUE_OTHER_USER');
  });
});

describe('the key within a value that can not be read', () => {
  const within = (value: string) => keyIdWithin(value, [listed(NEW), listed(OTHER)]);

  it('is the one of these that it has, under whatever name', () => {
    expect(within(JSON.stringify(rendered(FORMS.own)))).toBe(NEW);
    expect(within(`{"Keys":[{"id":"${OTHER}"}]}`)).toBe(OTHER);
  });

  it.each([
    ['it has none', '{"id":"AKIAIOSFODNN7EXAMPLE"}'],
    ['it has two', JSON.stringify([NEW, OTHER])],
    ['the id is a part of a longer text', `{"id":"of ${NEW}"}`],
    ['the id goes on', `{"id":"${NEW}2"}`],
  ])('is none if %s', (_, value) => expect(within(value)).toBeUndefined());
});

describe('a field of the team', () => {
  const team = (format: SecretFormat, fields: object) => othersAs(format, { ...rendered(format), ...fields });

  it.each(['SessionToken', 'AWS_SESSION_TOKEN', 'AWS_SECURITY_TOKEN'])('is never %s, in whatever letters', (name) => {
    for (const format of Object.values(FORMS))
      expect(team(format, { [name]: 1, [name.toLowerCase()]: 2, [name.toUpperCase()]: 3 })).toEqual({});
  });

  it.each(['AccessKeyId', 'SecretAccessKey', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])(
    'is never %s in other letters, whatever the form',
    (name) => {
      for (const format of Object.values(FORMS)) expect(team(format, { [name.toLowerCase()]: 'stale' })).toEqual({});
    },
  );

  it("is never one that Go's parser takes for a field of the key: it folds letters that only look like others", () => {
    const looksLike = { SecretAcce\u017F\u017FKey: 'x', AWS_ACCESS_\u212AEY_ID: 'x', SecretAcce\u017FKey: 'other' };
    for (const format of Object.values(FORMS))
      expect(team(format, looksLike)).toEqual({ SecretAcce\u017FKey: 'other' });
  });

  const WIDER = { UserName: 'db', username: 'db', CreateDate: 'x', VERSION: '2.3', Expiration: 'never' };
  const WIDER_ENV = { IAM_USER_NAME: 'x', iam_key_create_date: 'x', AWS_CREDENTIAL_EXPIRATION: 'x' };

  it("may have a name of wider meaning that another form uses: UserName may be a database's", () => {
    expect(team(FORMS.own, { ...WIDER, ...WIDER_ENV })).toEqual({ ...WIDER, ...WIDER_ENV });
    expect(team(FORMS.env, WIDER)).toEqual(WIDER);
    expect(team(FORMS['credential-process'], WIDER_ENV)).toEqual(WIDER_ENV);
  });

  it('is none that the configured form uses, whatever the letters, also in a value of another form', () => {
    expect(othersAs(FORMS.env, { ...rendered(FORMS['credential-process']), ...WIDER_ENV })).toEqual({});
    expect(team(FORMS['credential-process'], { ...WIDER, UserName: 'app' })).toEqual({});
    expect(team(FORMS.own, { ID: 1, Secret: 2, USER: 3, Made: 4 })).toEqual({});
    expect(othersAs(FORMS['credential-process'], { Bootstrap: 'x', expiration: 'x' })).toEqual({});
  });

  it('is none that goes with a key of another form in the value', () => {
    const env = rendered(FORMS.env);
    expect(othersAs(FORMS.own, { ...env, ...WIDER_ENV, IAM_USER_NAME: 'app', ...WIDER })).toEqual(WIDER);
  });

  it("stays one when only the configured form's own names look like another form", () => {
    const fields = { ...FORMS.own.fields, accessKeyId: 'AccessKeyId' };
    expect(team({ fields, derived: [] }, { UserName: 'db', Version: 2 })).toEqual({ UserName: 'db', Version: 2 });
  });

  it('is none that only repeats the key, under whatever name: it would go stale', () => {
    for (const format of Object.values(FORMS)) {
      expect(team(format, { copy: NEW, again: SECRET, nearly: `${NEW} ` })).toEqual({ nearly: `${NEW} ` });
    }
  });

  it('is none that is derived, whatever the letters', () => {
    const derived = [
      { field: 'smtpUser', is: 'ses-smtp-username' },
      { field: 'smtpPassword', is: 'ses-smtp-password', region: 'us-east-1' },
    ] as const;
    expect(team({ ...FORMS.env, derived }, { smtpuser: 'x', SMTPPASSWORD: 'y', smtp: 'z' })).toEqual({ smtp: 'z' });
  });

  it('is none that an earlier configuration has derived under its own names, once less is derived', () => {
    const value = rendered({ ...FORMS.env, derived: SMTP });
    expect(othersAs(FORMS.env, value)).toEqual({});
    expect(othersAs({ ...FORMS.env, derived: SMTP.slice(0, 1) }, value)).toEqual({});
    expect(othersAs({ ...FORMS.env, derived: SMTP.slice(0, 1) }, { ...value, SES_SMTP_USERNAME: 'x' })).toEqual({});
    expect(
      othersAs(
        { ...FORMS.env, derived: [{ field: 'u', is: 'ses-smtp-username' }] },
        { ...value, ses_smtp_username: 'x' },
      ),
    ).toEqual({});
  });

  it('may be the SMTP user and password of somebody else while nothing is derived', () => {
    const smtp = { SES_SMTP_USERNAME: OTHER, SES_SMTP_PASSWORD_EU_WEST_1: 'x' };
    expect(team(FORMS.env, smtp)).toEqual(smtp);
    expect(othersAs(FORMS.env, { Bootstrap: 'x', ...smtp })).toEqual(smtp);
    expect(othersAs(FORMS.env, { Bootstrap: 'x', SES_SMTP_PASSWORD_EU_WEST_1: 'x' })).toEqual({
      SES_SMTP_PASSWORD_EU_WEST_1: 'x',
    });
  });

  it('may be called like what every object has', () => {
    const value = JSON.stringify(rendered(FORMS.env)).replace(
      '{',
      '{"__proto__":{"id":1},"constructor":2,"toString":3,',
    );
    const { others } = parseValue(value, { userName: 'app', format: FORMS.env });
    expect(Object.entries(others)).toEqual([
      ['__proto__', { id: 1 }],
      ['constructor', 2],
      ['toString', 3],
    ]);
    const next = renderValue(key, { userName: 'app', format: FORMS.env }, others, smtpPassword);
    expect(next).toContain('"__proto__":{"id":1},"constructor":2,"toString":3');
  });
});

describe('the size of the next value', () => {
  it('is checked before there is a key, with ids as long as the API allows, and with what is derived', () => {
    const longest = { id: 'A'.repeat(128), secret: 's'.repeat(128), created: NOW };
    const format = { ...FORMS.env, derived: SMTP };
    const fits = (fill: number) => () => assertFits({ userName: 'app', format }, { Fill: 'x'.repeat(fill) }, NOW);
    const empty = renderValue(longest, { userName: 'app', format }, { Fill: '' }, () => 'p'.repeat(44)).length;
    expect(fits(MAX_VALUE_BYTES - empty)).not.toThrow();
    expect(fits(MAX_VALUE_BYTES - empty + 1)).toThrow('VALUE_TOO_LARGE: the next value would have 65537 bytes. ');
  });
});
