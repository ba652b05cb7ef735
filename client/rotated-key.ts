/** The key in a secret's value. */
import { BOOTSTRAP_FIELD, FORMATS } from '../lambdas/contract/formats.ts';
import { KeyReadError } from './errors.ts';

/** The current key of an IAM user, as the secret holds it. */
export interface RotatedKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The fields of the value that hold the key, for a secret with `fields` in the rotator's configuration. */
export interface KeyFields {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/**
 * Finds the key in a value.
 *
 * @param value the SecretString; in no error
 * @param fields where to look first; then in those of each built-in form, which the value has until the first rotation after a change of names
 * @throws KeyReadError VALUE_MALFORMED, NO_KEY_YET
 */
export function keyIn(value: string | undefined, fields?: KeyFields): RotatedKey {
  const parsed = parseObject(value);
  for (const form of [fields, ...Object.values(FORMATS)]) {
    const accessKeyId = form && parsed[form.accessKeyId];
    const secretAccessKey = form && parsed[form.secretAccessKey];
    if (isText(accessKeyId) && isText(secretAccessKey)) return { accessKeyId, secretAccessKey };
  }
  if (parsed[BOOTSTRAP_FIELD] !== undefined) {
    throw new KeyReadError('NO_KEY_YET', {
      found: 'the value of a new secret',
      expected: 'a key',
      remedy: 'rotate it; if that fails, see the log of the rotate function',
    });
  }
  throw malformed('no field that is known to hold a key');
}

/** Whether it is a text that says something. */
export const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

function parseObject(value: string | undefined): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value ?? '');
  } catch {
    // No cause: the parser's message quotes the text, and the text is the secret.
    throw malformed(value === undefined ? 'no text' : 'a text that is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw malformed('JSON, but no object');
  return { ...parsed };
}

const malformed = (found: string) =>
  new KeyReadError('VALUE_MALFORMED', {
    found,
    expected: 'JSON with AccessKeyId and SecretAccessKey, or with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    remedy: "see that the secret is one of the rotator's, and that fields of its own are named",
  });
