import { describe, expect, it } from 'vitest';
import { BOOTSTRAP_VALUE } from '../../lambdas/contract/names.ts';
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
  it.each([
    ['text that is not JSON', `{${SECRET}`, 'VALUE_MALFORMED'],
    ['a list', '[]', 'VALUE_MALFORMED'],
    ['null', 'null', 'VALUE_MALFORMED'],
    ['a number', '7', 'VALUE_MALFORMED'],
    ['an empty object', '{}', 'VALUE_MALFORMED'],
    ['another version of the document', JSON.stringify({ ...valid, Version: 2 }), 'VALUE_MALFORMED'],
    ['a key id that is a number', JSON.stringify({ ...valid, AccessKeyId: 7 }), 'VALUE_MALFORMED'],
    ['a key id in small letters', JSON.stringify({ ...valid, AccessKeyId: 'akia' }), 'VALUE_MALFORMED'],
    ['no secret', JSON.stringify({ ...valid, SecretAccessKey: undefined }), 'VALUE_MALFORMED'],
    ['a secret that is a number', JSON.stringify({ ...valid, SecretAccessKey: 7 }), 'VALUE_MALFORMED'],
    ['an empty secret', JSON.stringify({ ...valid, SecretAccessKey: '' }), 'VALUE_MALFORMED'],
    ['no user', JSON.stringify({ ...valid, UserName: undefined }), 'VALUE_OTHER_USER'],
    ['another user', JSON.stringify({ ...valid, UserName: 'admin' }), 'VALUE_OTHER_USER'],
    ['a user in other letters', JSON.stringify({ ...valid, UserName: 'App' }), 'VALUE_OTHER_USER'],
  ])('is refused when it holds %s, and the refusal shows nothing of it', (_, value, code) => {
    let error: unknown;
    try {
      parseValue(value, 'app');
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain(SECRET);
    expect(error).not.toHaveProperty('cause');
  });

  it('is refused one byte past what Secrets Manager takes, counted in bytes and not in letters', () => {
    const fill = (count: number) => () => renderValue(key, 'app', { Fill: 'x'.repeat(count) });
    const empty = new TextEncoder().encode(fill(0)()).length;
    expect(fill(MAX_VALUE_BYTES - empty)).not.toThrow();
    expect(fill(MAX_VALUE_BYTES - empty + 1)).toThrow('VALUE_TOO_LARGE');
    expect(() => renderValue(key, 'app', { Fill: 'ä'.repeat(MAX_VALUE_BYTES - empty - 10) })).toThrow(
      'VALUE_TOO_LARGE',
    );
  });
});
