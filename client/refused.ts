/** How AWS says that it doesn't know a key: disabled, deleted, or so new that it is not known everywhere yet. All look alike. */
const NAMES: ReadonlySet<unknown> = new Set([
  /** STS, IAM and all others of the Query protocol. */
  'InvalidClientTokenId',
  /** Secrets Manager, DynamoDB and all others of the JSON protocols. */
  'UnrecognizedClientException',
  /** S3. */
  'InvalidAccessKeyId',
  /** EC2. */
  'AuthFailure',
]);

/**
 * Whether a request failed because its key was refused. Such a request has had no effect: keys are looked at before anything else.
 *
 * @param error what a client of the SDK threw: its name is the code on the wire
 */
export function isRefusedKey(error: unknown): boolean {
  return error instanceof Error && NAMES.has(error.name);
}
