/**
 * The JSON that applications read: by default exactly what `credential_process` expects, plus the user and the key's creation date.
 * Fields that the rotator doesn't know are the team's, and every rotation keeps them. docs/adr/0014-forms-of-the-value.md.
 */
import type { DeployedKey } from '../contract/deployment.ts';
import {
  BUILT_IN_FORMS,
  DEFAULT_FORMAT,
  type FieldNames,
  SES_SMTP_USERNAME,
  type SecretFormat,
  sesSmtpPasswordField,
} from '../contract/formats.ts';
import { BOOTSTRAP_FIELD } from '../contract/names.ts';
import { RotatorError } from './errors.ts';
import { type AccessKey, iso, type MintedKey } from './model.ts';
import type { SmtpPassword } from './ports.ts';

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

/** Whose key a value must hold, and in which form the next one is written. */
export type ValuePolicy = Pick<DeployedKey, 'userName' | 'format'>;

/** Secrets Manager takes 65,536 bytes (quotas page). */
export const MAX_VALUE_BYTES = 65_536;

const KEY_ID = /^[A-Z0-9]{16,128}$/;

/**
 * Reads a version's value: in the form that is configured or, if it has none of that, in a built-in one, so that changing the form strands no
 * key. The next rotation writes the configured one.
 *
 * @param value the SecretString; appears in no error.
 * @param policy the bound user, whom the value must name in whatever form
 * @throws RotatorError VALUE_MALFORMED, VALUE_OTHER_USER
 */
export function parseValue(value: string, policy: ValuePolicy): KeyValue | BootstrapValue {
  const { userName, format } = policy;
  const stored = parseObject(value, format);
  const forms = formsIn(stored, policy);
  if (forms.length === 0 && stored.has(BOOTSTRAP_FIELD))
    return { kind: 'bootstrap', others: othersOf(stored, policy, undefined) };
  const whole = forms.find((fields) => keyFields(fields).every((name) => stored.has(name)));
  const fields = whole ?? forms[0] ?? format.fields;
  const key = keyIn(stored, fields, format);
  assertUser(stored, namingUser(stored, fields, forms), userName);
  for (const other of forms) {
    assertSameKey(stored, key, fields, other, format);
    if (stored.has(other.userName)) assertUser(stored, other, userName);
  }
  return { kind: 'key', ...key, others: othersOf(stored, policy, key) };
}

/**
 * The id of the key that a value holds which can't be read, as one under names that are configured no more: the one that it repeats of these, if
 * it repeats one alone. Good for knowing that the key is stored, and for nothing else.
 *
 * @param keys those that the value may hold
 */
export function keyIdWithin(value: string, keys: readonly AccessKey[]): string | undefined {
  const [key, ...more] = keys.filter(({ id }) => value.includes(`"${id}"`));
  return more.length === 0 ? key?.id : undefined;
}

/**
 * Writes the value for a key: the fields of the configured form, those derived from the key, and the team's.
 *
 * @param others fields of the current value that are not the rotator's, kept as they are.
 * @throws RotatorError VALUE_TOO_LARGE
 */
export function renderValue(
  key: MintedKey,
  { userName, format: { fields, derived } }: ValuePolicy,
  others: Readonly<Record<string, unknown>>,
  smtpPassword: SmtpPassword,
): string {
  const value = JSON.stringify({
    ...(isDocument(fields) && { Version: 1 }),
    [fields.accessKeyId]: key.id,
    [fields.secretAccessKey]: key.secret,
    [fields.userName]: userName,
    [fields.createDate]: iso(key.created),
    ...Object.fromEntries(
      derived.map((one) => [one.field, one.is === 'ses-smtp-username' ? key.id : smtpPassword(key.secret, one.region)]),
    ),
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

/** SMTP passwords of SES have 44 characters: a version byte and 32 bytes, in base64. */
const STAND_IN_PASSWORD: SmtpPassword = () => 'p'.repeat(44);

/**
 * Refuses a value that would be too large while nothing is minted yet, so that no key is left over.
 *
 * @throws RotatorError VALUE_TOO_LARGE
 */
export function assertFits(policy: ValuePolicy, others: Readonly<Record<string, unknown>>, now: Date): void {
  // Ids have 20 characters today, and 128 at most by the API.
  renderValue({ id: 'A'.repeat(128), secret: 's'.repeat(128), created: now }, policy, others, STAND_IN_PASSWORD);
}

type Stored = ReadonlyMap<string, unknown>;
type Key = Pick<KeyValue, 'keyId' | 'secret'>;

const keyFields = ({ accessKeyId, secretAccessKey }: FieldNames): readonly string[] => [accessKeyId, secretAccessKey];

/**
 * The forms of which the value has the key, or a part of it; the configured one first. A field that the configured form shares with a
 * built-in one is no sign of that; if they share both, it is the bound user's name under the name that the built-in one has for it.
 */
function formsIn(stored: Stored, { userName, format: { fields } }: ValuePolicy): readonly FieldNames[] {
  const configured = keyFields(fields);
  const builtIn = BUILT_IN_FORMS.filter(({ fields: form }) => {
    const there = keyFields(form).filter((name) => stored.has(name));
    if (!sharesKey(form, fields)) return there.some((name) => !configured.includes(name));
    return there.length > 0 && !isSame(form, fields) && stored.get(form.userName) === userName;
  });
  return [...(configured.some((name) => stored.has(name)) ? [fields] : []), ...builtIn.map((form) => form.fields)];
}

/** The form that says whose the key is: the one that the key is read in or, if that has no user yet, another one of the same fields for the key. */
function namingUser(stored: Stored, fields: FieldNames, forms: readonly FieldNames[]): FieldNames {
  const other = stored.has(fields.userName)
    ? undefined
    : forms.find((form) => form !== fields && sharesKey(form, fields));
  return other ?? fields;
}

const sharesKey = (one: FieldNames, other: FieldNames): boolean =>
  one.accessKeyId === other.accessKeyId && one.secretAccessKey === other.secretAccessKey;

const isSame = (one: FieldNames, other: FieldNames): boolean =>
  sharesKey(one, other) && one.userName === other.userName && one.createDate === other.createDate;

/** Whether the value is a document for `credential_process`, which has a version. */
const isDocument = (fields: FieldNames): boolean => isSame(fields, DEFAULT_FORMAT.fields);

function keyIn(stored: Stored, fields: FieldNames, format: SecretFormat): Key {
  if (isDocument(fields) && stored.get('Version') !== 1) throw malformed("the field 'Version' is not 1", format);
  const keyId = stored.get(fields.accessKeyId);
  const secret = stored.get(fields.secretAccessKey);
  if (typeof keyId !== 'string' || !KEY_ID.test(keyId))
    throw malformed(`the field '${fields.accessKeyId}' is not the id of an access key`, format);
  if (typeof secret !== 'string' || secret === '')
    throw malformed(`the field '${fields.secretAccessKey}' is not a text`, format);
  return { keyId, secret };
}

/** Applications may read either of two forms: with two keys nobody could tell which one is in use. */
function assertSameKey(stored: Stored, key: Key, fields: FieldNames, other: FieldNames, format: SecretFormat): void {
  for (const [role, expected] of [
    ['accessKeyId', key.keyId],
    ['secretAccessKey', key.secret],
  ] as const) {
    const found = stored.get(other[role]);
    if (found !== undefined && found !== expected)
      throw malformed(`the fields '${fields[role]}' and '${other[role]}' hold two different keys`, format);
  }
}

function assertUser(stored: Stored, fields: FieldNames, userName: string): void {
  const found = stored.get(fields.userName);
  if (found === userName) return;
  throw new RotatorError('VALUE_OTHER_USER', {
    found:
      found === undefined
        ? `the value has no field '${fields.userName}'`
        : `the value's ${fields.userName} is another one`,
    expected: `${fields.userName} '${userName}', the user that the deployed configuration binds this secret to`,
    remedy: `find out who changed the value; put the bound ${fields.userName} back, or bind the secret to the other user in rotator.config.ts and deploy`,
  });
}

/**
 * The fields that are the team's. Not theirs is what would go stale with the key, or be taken for a part of it: kept, it would make the next key
 * another one, temporary, or expired.
 *
 * @param key what the value holds now, if anything
 */
function othersOf(stored: Stored, policy: ValuePolicy, key: Key | undefined): Record<string, unknown> {
  const isOwn = ownFields(stored, policy, key);
  const isCopy = (value: unknown) => key !== undefined && (value === key.keyId || value === key.secret);
  return Object.fromEntries(
    [...stored].filter(([name, value]) => name !== BOOTSTRAP_FIELD && !isOwn(folded(name)) && !isCopy(value)),
  );
}

/** Go's parser of JSON takes two letters for the same that Unicode folds to one: `ſ` is an `s` to it, and the Kelvin sign a `k`. */
const folded = (name: string): string => name.toUpperCase().toLowerCase();

/**
 * Whether a field is the rotator's, by its name folded: some parsers of JSON (Go's) ignore case, and take the last field of a name. A
 * built-in form's names for a key are always its own. Its names with a wider meaning, such as UserName, are a team's unless the form is
 * the configured one, or its key is in the value.
 */
function ownFields(stored: Stored, policy: ValuePolicy, key: Key | undefined): (name: string) => boolean {
  const { fields, derived } = policy.format;
  const own = [...Object.values(fields), ...derived.map(({ field }) => field)];
  const there = formsIn(stored, policy);
  for (const { fields: builtIn, tokens, marks } of BUILT_IN_FORMS) {
    own.push(...keyFields(builtIn), ...tokens);
    if (isSame(builtIn, fields) || there.includes(builtIn)) own.push(...Object.values(builtIn), ...marks);
  }
  const names = new Set(own.map(folded));
  // What an earlier configuration has derived, under the names that it has by itself.
  const sesSmtp = derived.length > 0 || (key !== undefined && stored.get(SES_SMTP_USERNAME) === key.keyId);
  const password = folded(sesSmtpPasswordField(''));
  return (name) => names.has(name) || (sesSmtp && (name === folded(SES_SMTP_USERNAME) || name.startsWith(password)));
}

function parseObject(value: string, format: SecretFormat): Stored {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    // No cause: the parser's message quotes the text, and the text is the secret.
    throw malformed('the value is not JSON', format);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw malformed('the value is not a JSON object', format);
  return new Map(Object.entries(parsed));
}

/** @param found in words, and nothing out of the value */
export function malformed(found: string, { fields }: SecretFormat = DEFAULT_FORMAT): RotatorError {
  const { accessKeyId, secretAccessKey, userName } = fields;
  return new RotatorError('VALUE_MALFORMED', {
    found,
    expected: `a JSON object with ${isDocument(fields) ? 'Version 1, ' : ''}${accessKeyId}, ${secretAccessKey} and ${userName}, or the bootstrap value of a new secret`,
    remedy:
      'put a value of that form back (an older version has one: aws secretsmanager list-secret-version-ids), then rotate again',
  });
}
