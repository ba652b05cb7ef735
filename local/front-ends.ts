/** The ways into the account: SDK clients of the same process, and a loopback HTTP server. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { type HttpRequest, HttpResponse } from '@smithy/protocol-http';
import type { HttpHandlerOptions, RequestHandler } from '@smithy/types';
import type { SimulatedAccount } from './account.ts';
import type { Caller } from './model.ts';

/** A smithy request handler: SDK clients that get it as `requestHandler` reach the account without a socket. */
export type InProcessHandler = RequestHandler<HttpRequest, HttpResponse, HttpHandlerOptions>;

/** Error of a connection that broke, as Node reports it; the SDK takes it for a transient one. */
export class ConnectionLost extends Error {
  override readonly name = 'Error';
  readonly code = 'ECONNRESET';
}

/**
 * @param now Clock that the clients sign by, in ms: the process's own unless told.
 * @param caller the function that the clients belong to
 */
export function requestHandler(
  account: SimulatedAccount,
  now: () => number = Date.now,
  caller?: Caller,
): InProcessHandler {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request) {
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
      );
      const { body: raw } = request;
      const body = raw instanceof Uint8Array ? new TextDecoder().decode(raw) : String(raw ?? '');
      const reply = await account.gateway.handle(
        { method: request.method, path: request.path, headers, body },
        now(),
        caller,
      );
      switch (reply.kind) {
        case 'answer': {
          const { status: statusCode } = reply;
          return {
            response: new HttpResponse({
              statusCode,
              headers: { ...reply.headers },
              body: Readable.from([Buffer.from(reply.body)]),
            }),
          };
        }
        case 'lost':
          throw new ConnectionLost('socket hang up');
        case 'silent':
          return new Promise<never>(() => {});
      }
    },
  };
}

export interface Listening {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Serves the account on a free port of the loopback interface. */
export async function listen(account: SimulatedAccount, clientsClock = () => account.clock.nowMs): Promise<Listening> {
  const server = createServer({ keepAlive: true }, (request, response) => {
    void serve(account, request, response, clientsClock());
  });
  // Clients that stop the clock for a while in real time keep their connection.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

async function serve(account: SimulatedAccount, request: IncomingMessage, response: ServerResponse, now: number) {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) headers[name] = String(value);
  const body = Buffer.concat(chunks).toString('utf8');
  const reply = await account.gateway.handle(
    { method: request.method ?? 'POST', path: request.url ?? '/', headers, body },
    now,
  );
  if (reply.kind === 'lost') request.socket.destroy();
  if (reply.kind !== 'answer') return;
  response.sendDate = false;
  response.writeHead(reply.status, { ...reply.headers, date: new Date(now).toUTCString() });
  response.end(reply.body);
}
