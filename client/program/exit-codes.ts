/** What the program's exit codes mean. They are an interface: a code keeps its meaning for ever. */
import { READ_ERRORS, type ReadErrorCode } from '../errors.ts';

/** Codes of the program's own, beside those of reading a key. */
export const PROGRAM_ERRORS = {
  /** The credentials that were to read the secret come from this very program. */
  ASKS_ITSELF: 'reading the secret needs credentials that only this program could give',
  /** The AWS SDK, which the package leaves to the application to bring, isn't there. */
  SDK_MISSING: 'the AWS SDK is not installed',
} as const;

export type ProgramErrorCode = ReadErrorCode | keyof typeof PROGRAM_ERRORS;

export const EXIT_CODES = {
  BAD_OPTION: 2,
  SECRET_UNREADABLE: 3,
  SECRET_UNAVAILABLE: 4,
  NO_KEY_YET: 5,
  VALUE_MALFORMED: 6,
  OWN_KEY_REFUSED: 7,
  FILE_UNUSABLE: 8,
  ASKS_ITSELF: 9,
  SDK_MISSING: 10,
} as const satisfies Readonly<Record<ProgramErrorCode, number>>;

/** A defect of the program: nothing else ends with it. */
export const EXIT_UNEXPECTED = 1;

/** What each code says. */
export const MEANINGS: Readonly<Record<ProgramErrorCode, string>> = { ...READ_ERRORS, ...PROGRAM_ERRORS };
