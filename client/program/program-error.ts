import { codeOf } from '../code-of.ts';
import { KeyReadError, type ReadErrorDetails } from '../errors.ts';
import type { PROGRAM_ERRORS } from './exit-codes.ts';

/** What keeps the program from its work, and has nothing to do with the key. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  readonly code: keyof typeof PROGRAM_ERRORS;

  constructor(code: keyof typeof PROGRAM_ERRORS, { found, expected, remedy }: ReadErrorDetails) {
    super(`${code}: ${found}. Expected: ${expected}. What to do: ${remedy}.`);
    this.code = code;
  }
}

/** What may be told of an error: of one that is not this package's not its message, which may quote anything. */
export const saidOf = (error: unknown): string =>
  error instanceof KeyReadError || error instanceof ProgramError
    ? error.message
    : `UNEXPECTED: ${codeOf(error)}. Expected: no such error. What to do: report it as a defect.`;

export const ASKS_ITSELF = 'ASKS_ITSELF' satisfies keyof typeof PROGRAM_ERRORS;

/** A profile's credential_process is this program, which would need that profile to answer. */
export const asksItself = () =>
  new ProgramError(ASKS_ITSELF, {
    found: 'the credentials that are to read the secret come from a credential_process that reads the same secret',
    expected: 'other credentials to read the secret with',
    remedy:
      'name a profile with credentials of its own by --profile, or, where there are none but the rotated ones, use --own-key',
  });
