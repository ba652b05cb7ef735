/**
 * The JSON that applications read: by default exactly what `credential_process` expects, plus the user and the key's creation date.
 * Fields that the rotator doesn't know are the team's, and every rotation keeps them.
 */
import { BOOTSTRAP_FIELD } from '../contract/names.ts';
import { RotatorError } from './errors.ts';
import { iso, type MintedKey } from './model.ts';

/** A value that holds a key. */
export interface KeyValue {
  readonly kind: 'key';
  readonly keyId: string;
  readonly secret: string;
  /** The fields that are not the rotator's. */
  readonly others: Readonly<Record<string, unknown>>;
}

/** The value of a secret that no rotation has filled yet. */
export interface BootstrapValue {
  readonly kind: 'bootstrap';
  readonly others: Readonly<Record<string, unknown>>;
}

/** Secrets Manager takes 65,536 bytes (quotas page). */
export const MAX_VALUE_BYTES = 65_536;

const KEY_ID = /^[A-Z0-9]{16,128}$/;

/** The rotator's fields in lower case: some parsers of JSON (Go's) ignore case, and take the last field of a name. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'version',
  'accesskeyid',
  'secretaccesskey',
  'username',
  'createdate',
  'sessiontoken',
  'expiration',
]);

/**
 * Reads a version's value.
 *
 * @param value the SecretString; appears in no error.
 * @param userName the bound user: the value must name it.
 * @throws RotatorError VALUE_MALFORMED, VALUE_OTHER_USER
 */
export function parseValue(value: string, userName: string): KeyValue | BootstrapValue {
  const parsed = parseObject(value);
  const { Version, AccessKeyId, SecretAccessKey, UserName, ...rest } = parsed;
  // What else `credential_process` gives a meaning to is no field of a team's: kept, it would make the next key temporary, or expired.
  const { CreateDate: _created, SessionToken: _session, Expiration: _ends, ...free } = rest;
  const { [BOOTSTRAP_FIELD]: bootstrap, ...added } = free;
  const others = Object.fromEntries(Object.entries(added).filter(([name]) => !OWN_FIELDS.has(name.toLowerCase())));
  if (AccessKeyId === undefined && SecretAccessKey === undefined && bootstrap !== undefined)
    return { kind: 'bootstrap', others };
  if (Version !== 1) throw malformed("the field 'Version' is not 1");
  if (typeof AccessKeyId !== 'string' || !KEY_ID.test(AccessKeyId))
    throw malformed("the field 'AccessKeyId' is not the id of an access key");
  if (typeof SecretAccessKey !== 'string' || SecretAccessKey === '')
    throw malformed("the field 'SecretAccessKey' is not a text");
  if (UserName !== userName) {
    throw new RotatorError('VALUE_OTHER_USER', {
      found: UserName === undefined ? "the value has no field 'UserName'" : "the value's UserName is another one",
      expected: `UserName '${userName}', the user that the deployed configuration binds this secret to`,
      remedy:
        'find out who changed the value; put the bound UserName back, or bind the secret to the other user in rotator.config.ts and deploy',
    });
  }
  return { kind: 'key', keyId: AccessKeyId, secret: SecretAccessKey, others };
}

/**
 * Writes the value for a key.
 *
 * @param others fields of the current value that are not the rotator's, kept as they are.
 * @throws RotatorError VALUE_TOO_LARGE; checked with a stand-in key before one is minted, so that no key is left over.
 */
export function renderValue(key: MintedKey, userName: string, others: Readonly<Record<string, unknown>>): string {
  const value = JSON.stringify({
    Version: 1,
    AccessKeyId: key.id,
    SecretAccessKey: key.secret,
    UserName: userName,
    CreateDate: iso(key.created),
    ...others,
  });
  const bytes = new TextEncoder().encode(value).length;
  if (bytes > MAX_VALUE_BYTES) {
    throw new RotatorError('VALUE_TOO_LARGE', {
      found: `the next value would have ${bytes} bytes`,
      expected: `at most ${MAX_VALUE_BYTES}, what Secrets Manager takes`,
      remedy: 'make the fields smaller that were added to the value',
    });
  }
  return value;
}

function parseObject(value: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    // No cause: the parser's message quotes the text, and the text is the secret.
    throw malformed('the value is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw malformed('the value is not a JSON object');
  return { ...parsed };
}

/** @param found in words, and nothing out of the value */
export function malformed(found: string): RotatorError {
  return new RotatorError('VALUE_MALFORMED', {
    found,
    expected:
      'a JSON object with Version 1, AccessKeyId, SecretAccessKey and UserName, or the bootstrap value of a new secret',
    remedy:
      'put a value of that form back (an older version has one: aws secretsmanager list-secret-version-ids), then rotate again',
  });
}
