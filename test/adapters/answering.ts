/** A request handler that gives fixed answers, one after the other and the last one for good, and keeps what it was asked. */
import { HttpResponse } from '@smithy/protocol-http';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export function answering(...answers: readonly [Answer, ...Answer[]]) {
  const bodies: string[] = [];
  const destroyed: true[] = [];
  return {
    bodies,
    /** One entry each time that the client was destroyed. */
    destroyed,
    async handle(request: { body?: unknown }) {
      const { body: asked } = request;
      bodies.push(asked instanceof Uint8Array ? new TextDecoder().decode(asked) : String(asked));
      const { status, body } = answers[Math.min(bodies.length, answers.length) - 1] ?? answers[0];
      const headers = { 'content-type': body.startsWith('<') ? 'text/xml' : 'application/x-amz-json-1.1' };
      return { response: new HttpResponse({ statusCode: status, headers, body: new TextEncoder().encode(body) }) };
    },
    destroy() {
      destroyed.push(true);
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
  };
}

/** An answer of IAM or STS. */
export const xml = (operation: string, result: string): Answer => ({
  status: 200,
  body: `<${operation}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><${operation}Result>${result}</${operation}Result></${operation}Response>`,
});

/** An error of IAM or STS. */
export const xmlError = (code: string, status: number): Answer => ({
  status,
  body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
});
