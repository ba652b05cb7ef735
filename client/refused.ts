/**
 * How AWS says that it doesn't know a key: disabled, deleted, or so new that it is not known everywhere yet. All look alike.
 *
 * - InvalidClientTokenId: STS, IAM and all others of the Query protocol
 * - UnrecognizedClientException: Secrets Manager, DynamoDB and all others of the JSON protocols
 * - InvalidAccessKeyId: S3
 * - AuthFailure with these words: EC2. With others, such as "Not authorized for images: [ami-1]", it is about permissions.
 *
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
 */
const REFUSAL =
  /^(InvalidClientTokenId:|UnrecognizedClientException:|InvalidAccessKeyId:|AuthFailure: AWS was not able to validate)/;

/**
 * Whether a request failed because its key was refused. Such a request has had no effect: keys are looked at before anything else.
 *
 * @param error what a client of the SDK threw: its name is the code on the wire
 */
export function isRefusedKey(error: unknown): error is Error {
  return error instanceof Error && REFUSAL.test(`${error.name}: ${error.message}`);
}
