import type { ReadErrorDetails } from '../errors.ts';
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

export const ASKS_ITSELF = 'ASKS_ITSELF' satisfies keyof typeof PROGRAM_ERRORS;

/** A profile's credential_process is this program, which would need that profile to answer. */
export const asksItself = () =>
  new ProgramError(ASKS_ITSELF, {
    found: 'the credentials that are to read the secret come from a credential_process that reads the same secret',
    expected: 'other credentials to read the secret with',
    remedy:
      'name a profile with credentials of its own by --profile, or, where there are none but the rotated ones, use --own-key',
  });
