/**
 * Clients that take the SDK's commands straight to the account: no serialization, signature or middleware, so a call costs a tenth. What the
 * SDK would make of an answer (dates, errors, retries) is made here; test/local/direct-clients.test.ts holds the two against each other.
 */
import { ConnectionLost } from './front-ends.ts';
import type { Sandbox } from './functions.ts';
import { AwsError, type Credentials } from './model.ts';
import type { ServiceName } from './services/registry.ts';
import { isRecord, type Output } from './wire/protocols.ts';

/** What the adapters need of a command of the SDK. */
export interface Command {
  readonly input: object;
}

export interface DirectOptions {
  /** Attempts at a call that is throttled, fails with a 5xx or loses its connection. */
  readonly attempts: number;
  /** @default those of the function */
  readonly credentials?: Credentials;
  readonly region?: string;
}

/** The answer as the SDK would throw it. */
class DirectError extends Error {
  override readonly name: string;
  readonly $metadata: { readonly httpStatusCode: number; readonly attempts: number };

  constructor({ code, message, status }: AwsError, attempts: number) {
    super(message);
    this.name = code;
    this.$metadata = { httpStatusCode: status, attempts };
  }
}

export class DirectClient {
  readonly #sandbox: Sandbox;
  readonly #service: ServiceName;
  readonly #options: DirectOptions;

  constructor(sandbox: Sandbox, service: ServiceName, options: DirectOptions) {
    this.#sandbox = sandbox;
    this.#service = service;
    this.#options = options;
  }

  async send(command: Command): Promise<Output> {
    const action = command.constructor.name.replace(/Command$/, '');
    const input = Object.fromEntries(Object.entries(command.input).filter(([, value]) => value !== undefined));
    const { attempts, credentials, region } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const reached = await this.#sandbox.ask(this.#service, action, input, credentials, region);
        if (reached.kind === 'done') return withDates(reached.output);
        if (reached.kind === 'silent') return await new Promise<never>(() => {});
        if (attempt >= attempts) throw new ConnectionLost('socket hang up');
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        if (attempt >= attempts || !isTransient(error)) throw new DirectError(error, attempt);
      }
    }
  }

  destroy(): void {}
}

/** What the SDK's standard mode repeats. */
function isTransient({ code, status }: AwsError): boolean {
  return status >= 500 || status === 429 || /Throttl|TooManyRequests|RequestTimeout/.test(code);
}

/** Dates are text in the Query protocol and seconds in JSON; the SDK makes Dates of both. */
function withDates(output: Output): Output {
  return Object.fromEntries(Object.entries(output).map(([name, value]) => [name, converted(name, value)]));
}

function converted(name: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map((item) => (isRecord(item) ? withDates(item) : item));
  if (value instanceof Uint8Array) return value;
  if (isRecord(value)) return withDates(value);
  // The one blob among the answers, in Base64 on the wire.
  if (name === 'Content') return new Uint8Array(Buffer.from(String(value), 'base64'));
  if (!name.endsWith('Date') && name !== 'GeneratedTime') return value;
  return typeof value === 'number' ? new Date(value * 1000) : new Date(String(value));
}
