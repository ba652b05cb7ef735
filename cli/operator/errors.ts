/** What keeps an operator's command from its work, in words; and what each is as an exit code. */
import { type AwsCallError, RotatorError } from '../../lambdas/domain/errors.ts';

/** Exit code of a command that did its work and has found something that needs somebody, or whose work failed. */
export const NEEDS_ATTENTION = 1;

/** Codes of operators' commands, with what each means. Codes of the rotator itself (docs/errors.md) end a command with `NEEDS_ATTENTION`. */
export const OPERATOR_ERRORS = {
  BAD_OPTION: 'an option or argument is missing or wrong',
  NO_CREDENTIALS: 'there are no AWS credentials, or they are expired or invalid',
  ACCESS_DENIED: 'the credentials may not do what the command needs',
  NO_REGION: 'no Region is given, or none that can be one',
  STACK_NOT_FOUND: 'no stack of that name, or one that is no rotator of this version',
  AWS_UNAVAILABLE: 'AWS could not be reached, throttled, or failed by itself',
  AWS_CALL_FAILED: 'AWS refused a call',
  SECRET_UNKNOWN: 'no secret, user or key of that name in this deployment',
  NOT_CONFIRMED: 'the change was not confirmed',
} as const;

export type OperatorErrorCode = keyof typeof OPERATOR_ERRORS;

/** They are an interface: a code keeps its meaning for ever. 3 to 10 are those of `credentials` (client/program/exit-codes.ts). */
export const OPERATOR_EXIT_CODES = {
  BAD_OPTION: 2,
  NO_CREDENTIALS: 11,
  ACCESS_DENIED: 12,
  NO_REGION: 13,
  STACK_NOT_FOUND: 14,
  AWS_UNAVAILABLE: 15,
  AWS_CALL_FAILED: 16,
  SECRET_UNKNOWN: 17,
  NOT_CONFIRMED: 18,
} as const satisfies Readonly<Record<OperatorErrorCode, number>>;

/** What an error tells: sentences without a full stop, and nothing secret. */
export interface Told {
  readonly code: string;
  readonly found: string;
  readonly expected: string;
  readonly remedy: string;
}

/** An error of an operator's command. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly told: Told & { readonly code: OperatorErrorCode };

  constructor(code: OperatorErrorCode, told: Omit<Told, 'code'>, options?: ErrorOptions) {
    super(`${code}: ${told.found}`, options);
    this.told = { code, ...told };
  }
}

/** What went wrong, as it is told, and the exit code that it ends the command with. */
export interface Failure extends Told {
  readonly exit: number;
}

/** Makes of whatever was thrown what is told of it. What is not known to be harmless is not quoted. */
export function failureOf(error: unknown): Failure {
  if (error instanceof OperatorError) return { ...error.told, exit: OPERATOR_EXIT_CODES[error.told.code] };
  if (isAwsCall(error)) return failureOf(ofAws(error));
  if (error instanceof RotatorError) return { code: error.code, ...error.details, exit: NEEDS_ATTENTION };
  const name = error instanceof Error ? error.name : typeof error;
  const at = error instanceof Error ? errorCode(error) : undefined;
  return {
    code: 'UNEXPECTED',
    found: at === undefined ? name : `${name} ${at}`,
    expected: 'no such error',
    remedy: 'report it as a defect',
    exit: NEEDS_ATTENTION,
  };
}

const isAwsCall = (error: unknown): error is AwsCallError => error instanceof Error && error.name === 'AwsCallError';

const NO_CREDENTIALS = /^(?:CredentialsProviderError|TokenProviderError|ProviderError)$/;
const EXPIRED =
  /^(?:ExpiredToken|ExpiredTokenException|RequestExpired|TokenRefreshRequired|UnauthorizedSSOTokenError)$/;
const INVALID =
  /^(?:InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidSignatureException|IncompleteSignature(?:Exception)?|MissingAuthenticationToken(?:Exception)?|AuthFailure)$/;
const DENIED =
  /^(?:AccessDenied|AccessDeniedException|UnauthorizedOperation|NotAuthorized|AuthorizationError(?:Exception)?)$/;
const BUSY =
  /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|PriorRequestNotComplete|ServiceUnavailable|InternalFailure|InternalError|InternalServiceError|InternalServerError/;
const NETWORK =
  /^(?:ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH|CERT_|ERR_TLS|SELF_SIGNED|UNABLE_TO)/;

/** An error of a call to AWS, in an operator's words. */
function ofAws(error: AwsCallError): OperatorError {
  const { awsCode, operation, details } = error;
  const network = networkCode(error);
  if (NO_CREDENTIALS.test(awsCode)) {
    return credentials('no usable AWS credentials were found', error);
  }
  if (EXPIRED.test(awsCode)) return credentials(`the credentials have expired (${awsCode})`, error);
  if (INVALID.test(awsCode)) {
    return credentials(`AWS does not accept the credentials (${operation} answered ${awsCode})`, error);
  }
  if (DENIED.test(awsCode)) {
    return new OperatorError(
      'ACCESS_DENIED',
      {
        found: `${operation} was denied: ${reasonOf(details.found)}`,
        expected: 'credentials with the permissions of an operator',
        remedy: 'use another --profile, or have the policy of docs/cli.md attached to this one',
      },
      { cause: error },
    );
  }
  if (network !== undefined) {
    return new OperatorError(
      'AWS_UNAVAILABLE',
      {
        found: `${operation} got no answer (${network})`,
        expected: 'AWS, or the endpoint of --endpoint-url and AWS_ENDPOINT_URL, to be reached',
        remedy: 'look at the network, the proxy, the Region and the endpoint, and try again',
      },
      { cause: error },
    );
  }
  if (BUSY.test(awsCode) || awsCode === 'TimeoutError') {
    return new OperatorError(
      'AWS_UNAVAILABLE',
      {
        found: `${operation} failed with ${awsCode} after several attempts`,
        expected: 'AWS to answer',
        remedy: 'wait a minute and try again',
      },
      { cause: error },
    );
  }
  return new OperatorError(
    'AWS_CALL_FAILED',
    {
      // What is no answer of AWS at all may be a page of a proxy.
      found:
        awsCode === 'SyntaxError' ? `${operation} was answered by something that is not AWS` : oneLine(details.found),
      expected: details.expected,
      remedy: 'mend what is named here, and try again',
    },
    { cause: error },
  );
}

const credentials = (found: string, cause: unknown) =>
  new OperatorError(
    'NO_CREDENTIALS',
    {
      found,
      expected: 'credentials that the AWS CLI would take, too: environment, profile, SSO or role',
      remedy: 'sign in (aws sso login), or name a profile by --profile; aws sts get-caller-identity shows who you are',
    },
    { cause },
  );

const LONGEST = 500;
const oneLine = (text: string) => text.replace(/\s+/g, ' ').slice(0, LONGEST);

/** `… failed with AccessDenied: <what AWS says>` */
const reasonOf = (found: string) => oneLine(found).replace(/^.*? failed with [^:]+: /, '');

/** The code of the network's error below an error. Connecting to a name with several addresses fails with one for each. */
function networkCode(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  const seen = [error, cause, ...(cause instanceof AggregateError ? cause.errors : [])];
  return seen
    .map((one) => (one instanceof Error ? errorCode(one) : undefined))
    .find((code) => NETWORK.test(code ?? ''));
}

function errorCode(error: Error): string | undefined {
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,40}$/.test(code) ? code : undefined;
}
