import { describe, expect, it } from 'vitest';
import { BOOTSTRAP_VALUE } from '../../lambdas/contract/names.ts';
import type { ErrorCode } from '../../lambdas/domain/errors.ts';
import { MAX_VALUE_BYTES, parseValue, renderValue } from '../../lambdas/domain/secret-value.ts';
import { NEW, NOW } from './world.ts';

const SECRET = 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYAB';
const key = { id: NEW, secret: SECRET, created: NOW };

describe("the secret's value", () => {
  it('is a credential_process document with the user and the creation date', () => {
    expect(JSON.parse(renderValue(key, 'app', {}))).toEqual({
      Version: 1,
      AccessKeyId: NEW,
      SecretAccessKey: SECRET,
      UserName: 'app',
      CreateDate: '2026-06-15T12:00:00Z',
    });
  });

  it('keeps fields that the team put there', () => {
    const others = { Endpoint: 'https://example.test', Nested: { a: [1, null] } };
    const value = parseValue(renderValue(key, 'app', others), 'app');
    expect(value).toEqual({ kind: 'key', keyId: NEW, secret: SECRET, others });
  });

  it('drops what would make the next key temporary or expired for whoever reads it as credentials', () => {
    const temporary = { SessionToken: 'x', Expiration: '2026-01-01T00:00:00Z' };
    const value = JSON.stringify({ ...JSON.parse(renderValue(key, 'app', { Team: 'a' })), ...temporary });
    expect(parseValue(value, 'app')).toMatchObject({ kind: 'key', others: { Team: 'a' } });
    expect(Object.keys(parseValue(value, 'app').others)).toEqual(['Team']);
  });

  it('is recognised as holding no key yet while it is the bootstrap value', () => {
    expect(parseValue(BOOTSTRAP_VALUE, 'app')).toEqual({ kind: 'bootstrap', others: {} });
  });

  it('keeps what a team added to the bootstrap value, and drops the bootstrap mark', () => {
    expect(parseValue('{"Bootstrap":"x","Team":"a"}', 'app')).toEqual({ kind: 'bootstrap', others: { Team: 'a' } });
    expect(parseValue(renderValue(key, 'app', {}).replace('{', '{"Bootstrap":"x",'), 'app')).toMatchObject({
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
      parseValue(value, 'app');
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code, message });
    expect(String(error)).not.toContain(SECRET);
    expect(error).not.toHaveProperty('cause');
  }

  it('is refused one byte past what Secrets Manager takes, counted in bytes and not in letters', () => {
    const fill = (count: number) => () => renderValue(key, 'app', { Fill: 'x'.repeat(count) });
    const empty = new TextEncoder().encode(fill(0)()).length;
    expect(fill(MAX_VALUE_BYTES - empty)).not.toThrow();
    expect(fill(MAX_VALUE_BYTES - empty + 1)).toThrow(
      'VALUE_TOO_LARGE: the next value would have 65537 bytes. Expected: at most 65536, what Secrets Manager takes. ' +
        'To do: make the fields smaller that were added to the value.',
    );
    expect(() => renderValue(key, 'app', { Fill: 'ä'.repeat(MAX_VALUE_BYTES - empty - 10) })).toThrow(
      'VALUE_TOO_LARGE',
    );
  });

  it.each(['Version', 'AccessKeyId', 'SecretAccessKey', 'UserName', 'CreateDate', 'SessionToken', 'Expiration'])(
    'keeps no field %s in other letters, and what else a team has added',
    (name) => {
      const own = { Version: 1, AccessKeyId: 'AKIAIOSFODNN7EXAMPLE', SecretAccessKey: 's', UserName: 'app' };
      const value = JSON.stringify({ ...own, [name.toUpperCase()]: 'x', [name.toLowerCase()]: 'y', [`${name}s`]: 'z' });
      expect(parseValue(value, 'app')).toMatchObject({ others: { [`${name}s`]: 'z' } });
      expect(Object.keys(parseValue(value, 'app').others)).toHaveLength(1);
    },
  );
});
