/** A request handler that gives one fixed answer and keeps what it was asked. */
import { HttpResponse } from '@smithy/protocol-http';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export function answering({ status, body }: Answer) {
  const bodies: string[] = [];
  return {
    bodies,
    async handle(request: { body?: unknown }) {
      bodies.push(String(request.body));
      const headers = { 'content-type': body.startsWith('<') ? 'text/xml' : 'application/x-amz-json-1.1' };
      return { response: new HttpResponse({ statusCode: status, headers, body: new TextEncoder().encode(body) }) };
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
  };
}
