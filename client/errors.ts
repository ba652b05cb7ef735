/** What can go wrong while a key is read. Nothing secret is ever in a message, nor in a cause that the message quotes. */

/** Every code, and what it means. docs/consumers.md lists them. */
export const READ_ERRORS = {
  /** An option that can't be used. */
  BAD_OPTION: 'an option has a value that can not be used',
  /** Secrets Manager refused for good: no permission, no such secret, a KMS key that is closed. */
  SECRET_UNREADABLE: 'Secrets Manager refused to give the secret',
  /** Secrets Manager could not be reached, or could not answer, and no key is at hand that may still be used. */
  SECRET_UNAVAILABLE: 'the secret could not be read, and no key is at hand',
  /** The secret holds no key yet: its first rotation has not been through. */
  NO_KEY_YET: 'the secret holds no key yet',
  /** The value is not of a form that holds a key. */
  VALUE_MALFORMED: 'the value holds no key in a form that is known',
  /** The key that was to read its successor is refused: it was disabled or deleted before it was used. */
  OWN_KEY_REFUSED: 'the key that reads its own secret is refused',
  /** The file that keeps the key can't be read or written. */
  FILE_UNUSABLE: 'the file that keeps the key can not be used',
} as const;

export type ReadErrorCode = keyof typeof READ_ERRORS;

/** What was found, what was expected, and what to do next; in words. */
export interface ReadErrorDetails {
  readonly found: string;
  readonly expected: string;
  readonly remedy: string;
}

/** A key could not be read. */
export class KeyReadError extends Error {
  override readonly name = 'KeyReadError';
  readonly code: ReadErrorCode;
  readonly found: string;
  readonly expected: string;
  readonly remedy: string;

  constructor(code: ReadErrorCode, { found, expected, remedy }: ReadErrorDetails, options?: ErrorOptions) {
    super(`${code}: ${found}. Expected: ${expected}. What to do: ${remedy}.`, options);
    this.code = code;
    this.found = found;
    this.expected = expected;
    this.remedy = remedy;
  }
}
