/** A client of the experiment, as it is driven: a process of its own, or one for each call. */
import * as z from 'zod';

export const CLIENT_NAMES = ['js', 'boto3', 'cli'] as const;
export type ClientName = (typeof CLIENT_NAMES)[number];

/** Where the key comes from: the provider of `iam-key-rotator/client`, or a `credential_process`. */
export const SOURCES = { js: 'provider', boto3: 'process', cli: 'process' } as const satisfies Record<
  ClientName,
  'provider' | 'process'
>;

/** A call that failed, by the name of its error. */
export const failureSchema = z.object({ code: z.string(), message: z.string() });
export type CallFailure = z.infer<typeof failureSchema>;

export interface Client {
  readonly name: ClientName;
  /** Its idea of the time, in ms since 1970. */
  time(): Promise<number>;
  /** Calls so often, one call after the other; the calls that failed. */
  call(times: number): Promise<readonly CallFailure[]>;
  /** How often the application was told that it had retried with a fresh key; undefined where nobody tells. */
  retriedFresh(): number | undefined;
  /** Ends its process. */
  close(): Promise<void>;
}

/** A client can't take part; the message says why. */
export class ClientUnavailableError extends Error {
  override readonly name = 'ClientUnavailableError';
  readonly code = 'CLIENT_UNAVAILABLE';
}
