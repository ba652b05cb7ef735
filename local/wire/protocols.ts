/** The two wire protocols: Query (form in, XML out: IAM, STS) and JSON 1.1 (Secrets Manager and others). */
import { XMLBuilder } from 'fast-xml-parser';
import { AwsError } from '../model.ts';
import type { WireRequest } from './sigv4.ts';

export type Input = Readonly<Record<string, unknown>>;
export type Output = Readonly<Record<string, unknown>>;

export interface WireResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Protocol {
  parse(request: WireRequest): { readonly action: string; readonly input: Input };
  answer(action: string, output: Output, requestId: string): WireResponse;
  refuse(error: AwsError, requestId: string): WireResponse;
}

const xml = new XMLBuilder({ ignoreAttributes: false });

/** The Query protocol under the XML namespace of a service. */
export function queryProtocol(namespace: string): Protocol {
  const respond = (status: number, document: unknown, requestId: string): WireResponse => ({
    status,
    headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
    body: String(xml.build(document)),
  });
  return {
    parse(request) {
      const { Action = '', Version: _, ...input } = Object.fromEntries(new URLSearchParams(request.body));
      return { action: Action, input };
    },
    answer: (action, output, requestId) =>
      respond(
        200,
        {
          [`${action}Response`]: {
            '@_xmlns': namespace,
            [`${action}Result`]: members(output),
            ResponseMetadata: { RequestId: requestId },
          },
        },
        requestId,
      ),
    refuse(error, requestId) {
      const Type = error.status < 500 ? 'Sender' : 'Receiver';
      const document = {
        ErrorResponse: {
          '@_xmlns': namespace,
          Error: { Type, Code: error.code, Message: error.message },
          RequestId: requestId,
        },
      };
      return respond(error.status, document, requestId);
    },
  };
}

const json = (status: number, body: unknown, requestId: string): WireResponse => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': requestId },
  body: JSON.stringify(body),
});

export const jsonProtocol: Protocol = {
  parse(request) {
    const input = parseJson(request.body || '{}');
    if (!isRecord(input)) throw new AwsError('SerializationException', 'The body is not a JSON object');
    return { action: (request.headers['x-amz-target'] ?? '').replace(/^.*\./, ''), input };
  },
  answer: (_, output, requestId) => json(200, output, requestId),
  refuse: (error, requestId) => json(error.status, { __type: error.code, message: error.message }, requestId),
};

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Lists are `<member>` elements in the Query protocol. */
function members(value: unknown): unknown {
  if (Array.isArray(value)) return { member: value.map(members) };
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, members(item)]));
}
