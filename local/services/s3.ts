/** S3: putting and getting whole objects in buckets of the template. */
import type { SimulatedAccount } from '../account.ts';
import { AwsError } from '../model.ts';
import { text } from '../wire/input.ts';
import type { Input, Protocol, WireResponse } from '../wire/protocols.ts';
import type { Judged, Operation } from './registry.ts';

export interface StoredObject {
  readonly body: string;
  readonly contentType: string;
  readonly at: number;
}

export interface Bucket {
  readonly name: string;
  readonly versioned: boolean;
  /** Of each key, the oldest version first. Only the last is kept where there is no versioning. */
  readonly objects: Map<string, StoredObject[]>;
}

export const s3Operations: Readonly<Record<string, Operation>> = {
  /**
   * An object is stored whole or not at all, and the next read sees it.
   *
   * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
   */
  PutObject(account, input) {
    const { objects, versioned } = bucketOf(account, input);
    const key = text(input, 'Key');
    const object = {
      body: String(input.Body ?? ''),
      contentType: String(input.ContentType ?? ''),
      at: account.clock.nowMs,
    };
    objects.set(key, [...(versioned ? (objects.get(key) ?? []) : []), object]);
    return {};
  },

  GetObject(account, input) {
    const object = bucketOf(account, input).objects.get(text(input, 'Key'))?.at(-1);
    if (object === undefined) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
    return { Body: object.body, ContentType: object.contentType };
  },
};

/**
 * That an object is not there is told to who may list the bucket; others are refused.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
export function judgeS3(account: SimulatedAccount, action: string, input: Input): Judged {
  const bucket = account.buckets.get(String(input.Bucket));
  if (action === 'GetObject' && bucket?.objects.has(String(input.Key)) === false)
    return { action: 's3:ListBucket', resource: `arn:aws:s3:::${bucket.name}` };
  return { resource: `arn:aws:s3:::${String(input.Bucket)}/${String(input.Key)}` };
}

/** REST with XML errors. The bucket is the first part of the path: nobody resolves names of buckets here. */
export const s3Protocol: Protocol = {
  parse(request) {
    const [Bucket = '', ...key] = decodeURIComponent(request.path.replace(/\?.*$/, '').slice(1)).split('/');
    const action = { PUT: 'PutObject', GET: 'GetObject' }[request.method] ?? request.method;
    const sent =
      action === 'PutObject' ? { Body: request.body, ContentType: request.headers['content-type'] ?? '' } : {};
    return { action, input: { Bucket, Key: key.join('/'), ...sent } };
  },
  answer: (_, { Body = '', ContentType }, requestId) =>
    respond(200, String(Body), ContentType === undefined ? 'application/xml' : String(ContentType), requestId),
  refuse: ({ status, code, message }, requestId) =>
    respond(
      status,
      `<Error><Code>${code}</Code><Message>${message.replaceAll('<', '&lt;')}</Message></Error>`,
      'application/xml',
      requestId,
    ),
};

const respond = (status: number, body: string, type: string, requestId: string): WireResponse => ({
  status,
  headers: { 'content-type': type, 'x-amz-request-id': requestId },
  body,
});

function bucketOf(account: SimulatedAccount, input: Input): Bucket {
  const bucket = account.buckets.get(text(input, 'Bucket'));
  if (bucket === undefined) throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404);
  return bucket;
}
