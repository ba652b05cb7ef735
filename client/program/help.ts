import { EXIT_CODES, EXIT_UNEXPECTED, MEANINGS, type ProgramErrorCode } from './exit-codes.ts';
import { OPTIONS } from './options.ts';

const WIDTH = 24;

const option = ([name, { says, ...rest }]: [string, { readonly value?: string; readonly says: string }]) =>
  `  ${`--${name}${rest.value === undefined ? '' : ` ${rest.value}`}`.padEnd(WIDTH)} ${says}`;

const exitCode = ([code, number]: [string, number]) =>
  `  ${String(number).padStart(2)}  ${code.padEnd(19)} ${MEANINGS[code as ProgramErrorCode]}`;

/** The text of `--help`. */
export const help = () => `usage: iam-key-rotator credentials --secret-id <name or ARN> [options]

Prints the current key of a rotated secret, as AWS SDKs and the AWS CLI expect it of a credential_process.

options
${Object.entries(OPTIONS).map(option).join('\n')}

TIME is a whole number and s, m, h or d.

examples
  # ~/.aws/config; every SDK and the AWS CLI ask by themselves
  [profile deploy]
  credential_process = iam-key-rotator credentials --secret-id iam-key-rotator/deploy --region eu-central-1 --profile reader

  # A machine that has no other credentials. Once, with a key that is still good in the environment:
  AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… \\
    iam-key-rotator credentials --own-key --file /var/lib/app/key.json --secret-id … --region … > /dev/null
  # and from then on:
  credential_process = iam-key-rotator credentials --own-key --file /var/lib/app/key.json --secret-id … --region …

exit codes
   0  the key is on stdout
  ${String(EXIT_UNEXPECTED).padStart(2)}  a defect of this program
${Object.entries(EXIT_CODES).map(exitCode).join('\n')}
`;
