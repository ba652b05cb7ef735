/**
 * Requests to AWS without a client of the SDK: signed by its own signer, sent by its own HTTP handler, repeated as it would. For services of which a
 * function needs one operation or two, and whose client would be a third of the bundle (docs/adr/0020-audit.md has the figures).
 */
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { AwsCallError } from '../domain/errors.ts';

/** What a client of the SDK has in its `config`. */
export interface SignerConfig {
  readonly credentials: ConstructorParameters<typeof SignatureV4>[0]['credentials'];
  readonly sha256: ConstructorParameters<typeof SignatureV4>[0]['sha256'];
  readonly requestHandler: {
    handle(
      request: HttpRequest,
      options?: { readonly requestTimeout?: number },
    ): Promise<{ readonly response: Answered }>;
  };
}

interface Answered {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: AsyncIterable<Uint8Array>;
}

/** One call. It must do no harm twice: an answer that is lost is asked for again. */
export interface Call {
  /** The API's name for it, for messages. */
  readonly operation: string;
  /** Name that requests are signed for. */
  readonly service: string;
  readonly region: string;
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

const ATTEMPTS = 4;
/** In ms; doubled with each attempt. */
const FIRST_WAIT = 200;
const TIMEOUT = 30_000;

/**
 * Makes a call.
 *
 * @param sleep waits for a number of milliseconds
 * @throws AwsCallError for every answer that is no success, and if none comes
 */
export async function send(call: Call, config: SignerConfig, sleep: (ms: number) => Promise<void>): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptOnce(call, config);
    if ('status' in outcome && outcome.status < 300) return outcome;
    const passing = !('status' in outcome) || outcome.status >= 500 || outcome.status === 429;
    if (!passing || attempt === ATTEMPTS) throw failed(call.operation, outcome, attempt);
    await sleep(FIRST_WAIT * 2 ** (attempt - 1));
  }
}

type Outcome = Answer | { readonly lost: unknown };

async function attemptOnce(call: Call, { credentials, sha256, requestHandler }: SignerConfig): Promise<Outcome> {
  const { service, region, method, url } = call;
  // Once, and not again for the hash and for the wire: a report is some megabytes.
  const body = Buffer.from(call.body ?? '');
  const request = new HttpRequest({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port !== '' && { port: Number(url.port) }),
    path: url.pathname,
    headers: { ...call.headers, host: url.host, 'content-length': String(body.byteLength) },
    body,
  });
  // Outside of the attempt that may be lost: credentials that can't be had are no matter of the network. S3 escapes a path once, others twice.
  const signer = new SignatureV4({ credentials, region, service, sha256, uriEscapePath: service !== 's3' });
  const signed = HttpRequest.clone(await signer.sign(request));
  try {
    const { response } = await requestHandler.handle(signed, { requestTimeout: TIMEOUT });
    return { status: response.statusCode, body: await textOf(response.body) };
  } catch (lost) {
    return { lost };
  }
}

async function textOf(body: AsyncIterable<Uint8Array> | undefined): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function failed(operation: string, outcome: Outcome, attempts: number): AwsCallError {
  if ('lost' in outcome) {
    const { lost } = outcome;
    const [name, message] = lost instanceof Error ? [lost.name, lost.message] : ['Unknown', String(lost)];
    return new AwsCallError(operation, name, false, message, { cause: lost });
  }
  const { status, body } = outcome;
  // Errors of S3 are XML; the others' are JSON, in one of two spellings.
  const [, code = `HTTP ${status}`] =
    /<Code>([^<]{1,100})<\/Code>/.exec(body) ??
    /"(?:__type|code|Code)"\s*:\s*"(?:[^"]*#)?([^"]{1,100})"/.exec(body) ??
    [];
  const [, message = 'without a message'] =
    /<Message>([^<]{1,500})<\/Message>/.exec(body) ?? /"[Mm]essage"\s*:\s*"([^"]{1,500})"/.exec(body) ?? [];
  return new AwsCallError(operation, code, status < 500 && attempts === 1, message);
}
