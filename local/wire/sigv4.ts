/** AWS Signature Version 4, verified by signing again with the secret on record and comparing. */
import { createHash, createHmac } from 'node:crypto';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { AwsError, type Credentials } from '../model.ts';

/** A request as it comes off the wire; header names in lower case. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a request claims in its Authorization header. */
export interface Claim {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=(?<id>[^/]+)\/\d{8}\/(?<region>[^/]+)\/(?<service>[^/]+)\/aws4_request, ?SignedHeaders=(?<headers>[^,]+), ?Signature=(?<signature>[0-9a-f]{64})$/;
const MAX_SKEW_MS = 5 * 60_000;

class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = secret === undefined || typeof secret === 'string' ? secret : bytes(secret);
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', key);
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof data === 'string' ? data : bytes(data));
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

/** Reads the credential scope, so that the service and the key are known before anything is verified. */
export function claimOf(request: WireRequest): Claim {
  const { id, region, service, headers, signature } =
    AUTHORIZATION.exec(request.headers.authorization ?? '')?.groups ?? {};
  if (!id || !region || !service || !headers || !signature) {
    throw new AwsError('MissingAuthenticationToken', 'Request is missing Authentication Token', 403);
  }
  return { accessKeyId: id, region, service, signedHeaders: headers.split(';'), signature };
}

/** Throws unless the request was signed with this secret, within five minutes of `now` (ms). */
export async function verifySignature(
  request: WireRequest,
  claim: Claim,
  credentials: Credentials,
  now: number,
): Promise<void> {
  const { code } = wrongSignature(claim.service);
  const date = request.headers['x-amz-date'] ?? '';
  const signedAt = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!(Math.abs(signedAt - now) <= MAX_SKEW_MS)) {
    throw new AwsError(
      code,
      `Signature expired or not yet current: ${date} is not within 5 minutes of the server's time`,
      403,
    );
  }
  const headers: Record<string, string> = {};
  for (const name of claim.signedHeaders) headers[name] = request.headers[name] ?? '';
  const signer = new SignatureV4({
    credentials,
    region: claim.region,
    service: claim.service,
    sha256: Sha256,
    applyChecksum: false,
  });
  const signed = await signer.sign(
    new HttpRequest({ method: request.method, path: request.path, headers, body: request.body }),
    { signingDate: new Date(signedAt), signableHeaders: new Set(claim.signedHeaders) },
  );
  const hash = headers['x-amz-content-sha256'];
  const intact = hash === undefined || hash === createHash('sha256').update(request.body).digest('hex');
  if (!intact || !signed.headers.authorization?.endsWith(`Signature=${claim.signature}`)) {
    throw wrongSignature(claim.service);
  }
}

/** Services that answer in XML. */
const XML_SERVICES = ['iam', 'sts', 's3', 'sns', 'cloudformation', 'monitoring'];

/** JSON services have another name for the same error. */
export function wrongSignature(service: string): AwsError {
  const code = XML_SERVICES.includes(service) ? 'SignatureDoesNotMatch' : 'InvalidSignatureException';
  return new AwsError(code, 'The request signature we calculated does not match the signature you provided.', 403);
}

function bytes(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
