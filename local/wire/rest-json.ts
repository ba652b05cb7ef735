/** The REST protocol of services such as Lambda and Scheduler: what is asked for stands in method and path, the rest in a body of JSON. */
import { AwsError } from '../model.ts';
import type { Input, Output, Protocol, WireResponse } from './protocols.ts';
import { isRecord } from './protocols.ts';
import type { WireRequest } from './sigv4.ts';

export interface Route {
  readonly method: string;
  /** Groups with names are parameters of the call. */
  readonly path: RegExp;
  /** Further parameters. @default the body, as JSON */
  readonly input?: (request: WireRequest) => Input;
  /** @default the output as JSON, with status 200 */
  readonly answer?: (output: Output) => WireResponse;
}

const json = (status: number, body: unknown, headers: Readonly<Record<string, string>>): WireResponse => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

/** @param routes by the name of the operation */
export function restJsonProtocol(routes: Readonly<Record<string, Route>>): Protocol {
  return {
    parse(request) {
      const path = decodeURIComponent(request.path.split('?')[0] ?? '');
      for (const [action, { method, path: pattern, input = bodyOf }] of Object.entries(routes)) {
        const found = method === request.method ? pattern.exec(path) : null;
        if (found !== null) return { action, input: { ...input(request), ...found.groups } };
      }
      throw new AwsError('UnknownOperationException', `The simulated account has no ${request.method} ${path}`, 404);
    },
    answer(action, output, requestId) {
      const { status, headers, body } = routes[action]?.answer?.(output) ?? json(200, output, {});
      return { status, headers: { ...headers, 'x-amzn-requestid': requestId }, body };
    },
    refuse: ({ code, message, status }, requestId) =>
      json(status, { message }, { 'x-amzn-errortype': code, 'x-amzn-requestid': requestId }),
  };
}

function bodyOf({ body }: WireRequest): Input {
  if (body === '') return {};
  const input: unknown = JSON.parse(body);
  return isRecord(input) ? input : {};
}
