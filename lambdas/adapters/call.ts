/** Calls to AWS, with errors told in the domain's words. */
import { AwsCallError } from '../domain/errors.ts';

/** What an error of the AWS SDK for JavaScript tells. Errors that never reached AWS have neither status nor attempts. */
interface SdkError {
  readonly name: string;
  readonly message: string;
  readonly status: number | undefined;
  readonly attempts: number | undefined;
}

/**
 * Makes a call to AWS.
 *
 * @param operation the API's name for it, for messages
 * @throws AwsCallError for whatever goes wrong. `refused` is set only when AWS has answered with a 4xx that proves that no attempt took effect.
 */
export async function call<T>(operation: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    const { name, message, status, attempts } = sdkError(error);
    // Stryker disable next-line ConditionalExpression: undefined is not >= 400 either; the comparison is for the compiler.
    const answered = status !== undefined && status >= 400;
    const refused = answered && status < 500 && status !== 408 && (attempts ?? 1) <= 1;
    // What the SDK says of an answer that it couldn't read quotes the answer, and that may hold a secret.
    const tellable = answered || isSystemError(error);
    throw new AwsCallError(operation, name, refused, tellable ? message : UNTOLD, tellable ? { cause: error } : {});
  }
}

const UNTOLD = "the SDK could not make sense of AWS's answer";

/** An error of the network or of Node: no answer came. */
function isSystemError(error: unknown): boolean {
  return (
    error instanceof Error &&
    (typeof Reflect.get(error, 'code') === 'string' || error.name === 'TimeoutError') &&
    !(error instanceof SyntaxError)
  );
}

/** True for an AwsCallError with one of these wire codes. */
export function isAws(error: unknown, ...codes: readonly string[]): error is AwsCallError {
  return error instanceof AwsCallError && codes.includes(error.awsCode);
}

/** Whatever was thrown, as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

function sdkError(error: unknown): SdkError {
  if (!(error instanceof Error))
    return { name: 'Unknown', message: String(error), status: undefined, attempts: undefined };
  const metadata: unknown = Reflect.get(error, '$metadata');
  const read = (field: string): number | undefined => {
    const value: unknown = typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, field) : undefined;
    return typeof value === 'number' ? value : undefined;
  };
  // The SDK calls the quota LimitExceededException, IAM and its documentation LimitExceeded; one name for one thing.
  const name = error.name
    .replace(/^LimitExceededException$/, 'LimitExceeded')
    .replace(/^NoSuchEntityException$/, 'NoSuchEntity');
  return { name, message: error.message, status: read('httpStatusCode'), attempts: read('attempts') };
}
