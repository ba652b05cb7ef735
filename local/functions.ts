/** The functions of the account: sandboxes that stay warm, time out and die; synchronous and asynchronous invocation. */
import type { SimulatedAccount } from './account.ts';
import type { VirtualTimer } from './clock.ts';
import { type InProcessHandler, requestHandler } from './front-ends.ts';
import type { Reached } from './gateway.ts';
import type { Caller, Credentials } from './model.ts';
import type { ServiceName } from './services/registry.ts';
import type { Input } from './wire/protocols.ts';

export interface InvocationContext {
  readonly awsRequestId: string;
  readonly functionName: string;
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  readonly memoryLimitInMB: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  callbackWaitsForEmptyEventLoop: boolean;
  getRemainingTimeInMillis(): number;
}

export type Handler = (event: unknown, context: InvocationContext) => unknown;

/** Makes a handler when a sandbox starts: from the sources, with what is injected, or from a bundle. */
export type Loader = (sandbox: Sandbox) => Handler | Promise<Handler>;

/** Who may invoke a function: a statement of its resource policy. */
export interface InvokePermission {
  readonly principal: string;
  readonly sourceAccount?: string;
  readonly sourceArn?: string;
}

export interface FunctionConfig {
  readonly name: string;
  readonly load: Loader;
  /** @default 60 */
  readonly timeoutSeconds?: number;
  /** @default 256 */
  readonly memoryMb?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** @default a role made for it */
  readonly roleArn?: string;
  /** @default any service may invoke it */
  readonly permissions?: InvokePermission[];
  /** Name of the log group. @default '/aws/lambda/' and its name */
  readonly logGroup?: string;
  /** Retries of an asynchronous invocation. @default 2, as in AWS */
  retryAttempts?: number;
  /** ARN of the queue for asynchronous events whose attempts have all failed. */
  onFailure?: string;
}

export interface RegisteredFunction extends FunctionConfig {
  readonly arn: string;
  readonly roleArn: string;
  readonly permissions: InvokePermission[];
  /** Lines that its invocations have written. */
  readonly logs: string[];
  readonly idle: Sandbox[];
}

export type InvokeResult =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly errorType: string; readonly errorMessage: string };

/** Waits between the attempts of an asynchronous invocation: one minute, then two. */
const ASYNC_RETRY_MS = [60_000, 120_000];

export class FunctionHost {
  readonly #account: SimulatedAccount;
  readonly #functions = new Map<string, RegisteredFunction>();
  /** How many times each invocation is delivered, at once: 2 shows what at-least-once can mean. The first result counts. */
  deliveries = 1;
  /** Messages by queue ARN: dead letters and failure destinations. */
  readonly queues = new Map<string, unknown[]>();

  constructor(account: SimulatedAccount) {
    this.#account = account;
  }

  register(config: FunctionConfig): RegisteredFunction {
    const { region, id } = this.#account;
    const arn = `arn:aws:lambda:${region}:${id}:function:${config.name}`;
    const roleArn = config.roleArn ?? this.#account.createRole(`${config.name}-role`).arn;
    const permissions = config.permissions ?? [{ principal: '*' }];
    const registered: RegisteredFunction = { ...config, arn, roleArn, permissions, logs: [], idle: [] };
    this.#functions.set(arn, registered);
    return registered;
  }

  /** A function by name or ARN. */
  find(id: string): RegisteredFunction | undefined {
    return this.#functions.get(id) ?? [...this.#functions.values()].find(({ name }) => name === id);
  }

  /** A function by name or ARN; an error if there is none. */
  get(id: string): RegisteredFunction {
    const fn = this.find(id);
    if (fn === undefined) throw new Error(`There is no function ${id}`);
    return fn;
  }

  names(): string[] {
    return [...this.#functions.values()].map(({ name }) => name);
  }

  /** Whether the resource policy lets a service invoke the function on behalf of a resource. */
  permits(fn: RegisteredFunction, service: string, sourceArn: string): boolean {
    return fn.permissions.some(
      ({ principal, sourceAccount = this.#account.id, sourceArn: pattern = '*' }) =>
        (principal === '*' || principal === service) &&
        sourceAccount === this.#account.id &&
        arnLike(pattern, sourceArn),
    );
  }

  /** Takes warm sandboxes away, so that the next invocations start cold. */
  recycle(): void {
    for (const fn of this.#functions.values()) fn.idle.length = 0;
  }

  /** Invokes a function. An `Event` is accepted at once; its attempts then follow on the clock. */
  async invoke(
    id: string,
    event: unknown,
    options: { readonly type?: 'RequestResponse' | 'Event' } = {},
  ): Promise<InvokeResult> {
    const fn = this.find(id);
    if (fn === undefined)
      return { ok: false, errorType: 'ResourceNotFoundException', errorMessage: `Function not found: ${id}` };
    if (options.type !== 'Event') return this.#deliver(fn, event);
    this.#account.clock.setTimeout(() => this.#attemptAsync(fn, event, 0), 0);
    return { ok: true, result: undefined };
  }

  async #attemptAsync(fn: RegisteredFunction, event: unknown, attempt: number): Promise<void> {
    const result = await this.#deliver(fn, event);
    if (result.ok) return;
    const wait = ASYNC_RETRY_MS[attempt];
    if (wait !== undefined && attempt < (fn.retryAttempts ?? 2)) {
      this.#account.clock.setTimeout(() => this.#attemptAsync(fn, event, attempt + 1), wait);
    } else if (fn.onFailure !== undefined) {
      const requestContext = { functionArn: fn.arn, approximateInvokeCount: attempt + 1 };
      this.send(fn.onFailure, { requestContext, requestPayload: event, responsePayload: result });
    }
  }

  /** Puts a message on a queue. `target`: what the scheduler could not deliver it to, which it tells in an attribute. */
  send(queueArn: string, message: unknown, _target?: string): void {
    this.queues.set(queueArn, [...(this.queues.get(queueArn) ?? []), message]);
  }

  async #deliver(fn: RegisteredFunction, event: unknown): Promise<InvokeResult> {
    const attempts = Array.from({ length: this.deliveries }, () => this.#attempt(fn, event));
    const [first] = await Promise.all(attempts);
    return first ?? { ok: false, errorType: 'NotDelivered', errorMessage: `${fn.name} was not invoked` };
  }

  async #attempt(fn: RegisteredFunction, event: unknown): Promise<InvokeResult> {
    const sandbox = fn.idle.pop() ?? new Sandbox(this.#account, fn);
    const result = await sandbox.run(event);
    // 1 for each invocation that fails, its end by a time-out included, and 0 for any other.
    this.#account.cloudWatch.record('AWS/Lambda', 'Errors', { FunctionName: fn.name }, result.ok ? 0 : 1);
    if (sandbox.alive) fn.idle.push(sandbox);
    return result;
  }
}

/** One process of a function: runs one invocation after another until it dies. */
export class Sandbox implements Caller {
  readonly functionName: string;
  readonly env: Readonly<Record<string, string>>;
  readonly credentials: Credentials;
  /** Time as the handler gets it injected. */
  readonly clock: { now(): Date; sleep(ms: number): Promise<void> };
  /** For SDK clients of handlers that run from source. */
  readonly requestHandler: InProcessHandler;
  readonly account: SimulatedAccount;
  readonly #fn: RegisteredFunction;
  #handler: Handler | undefined;
  #alive = true;
  #running: { readonly id: string; readonly end: (result: InvokeResult) => void } | undefined;
  #timers = 0;
  #requests = 0;
  #parked = 0;
  #computing = false;
  #frozen: (() => unknown)[] = [];

  constructor(account: SimulatedAccount, fn: RegisteredFunction) {
    this.account = account;
    this.#fn = fn;
    this.functionName = fn.name;
    const role = account.roles.get(fn.roleArn);
    const name = role?.name ?? fn.roleArn.split('/').at(-1) ?? fn.name;
    const arn = `arn:aws:sts::${account.id}:assumed-role/${name}/${fn.name}`;
    this.credentials = account.session({
      kind: 'role',
      arn,
      name,
      userId: `${role?.id ?? 'AROA'}:${fn.name}`,
      caller: this,
    });
    this.env = { AWS_REGION: account.region, AWS_LAMBDA_FUNCTION_NAME: fn.name, ...fn.env };
    this.clock = {
      now: () => new account.clock.Date(),
      sleep: (ms) => new Promise((resolve) => this.setTimeout(resolve, ms)),
    };
    const handler = requestHandler(account, Date.now, this);
    this.requestHandler = {
      ...handler,
      handle: (request, options) => this.#request(() => handler.handle(request, options)),
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  get invocationId(): string | undefined {
    return this.#running?.id;
  }

  log(line: string): void {
    this.#fn.logs.push(line);
    this.account.cloudWatch.logged(line);
    this.account.logSubscriptions.written(this.#fn.logGroup ?? `/aws/lambda/${this.#fn.name}`, line);
  }

  /** Runs one invocation; never rejects: what the function throws, and its end, are results. */
  async run(event: unknown): Promise<InvokeResult> {
    const { timeoutSeconds = 60, arn, name, memoryMb = 256 } = this.#fn;
    const id = this.account.random.uuid();
    const deadline = this.account.clock.nowMs + timeoutSeconds * 1000;
    const context: InvocationContext = {
      awsRequestId: id,
      functionName: name,
      functionVersion: '$LATEST',
      invokedFunctionArn: arn,
      memoryLimitInMB: String(memoryMb),
      logGroupName: `/aws/lambda/${name}`,
      logStreamName: 'simulated',
      callbackWaitsForEmptyEventLoop: true,
      getRemainingTimeInMillis: () => Math.max(0, deadline - this.account.clock.nowMs),
    };
    return new Promise((resolve) => {
      const end = (result: InvokeResult) => {
        if (this.#running?.id !== id) return;
        this.#running = undefined;
        this.account.clock.clearTimeout(timeout);
        this.#update();
        resolve(result);
      };
      const timeout = this.account.clock.setTimeout(() => {
        this.#die('Sandbox.Timedout', `Task timed out after ${timeoutSeconds.toFixed(2)} seconds`);
      }, timeoutSeconds * 1000);
      this.#running = { id, end };
      this.#update();
      // What was due while the process was frozen happens when it is thawed.
      for (const fire of this.#frozen.splice(0)) fire();
      this.#handle(event, context).then(
        (result) => end({ ok: true, result }),
        (error: unknown) => {
          const { name: errorType, message, stack } = error instanceof Error ? error : new Error(String(error));
          if (this.#running?.id === id)
            this.log(`${this.account.clock.now().toISOString()}\t${id}\tERROR\tInvoke Error\t${stack}`);
          end({ ok: false, errorType, errorMessage: message });
        },
      );
    });
  }

  async #handle(event: unknown, context: InvocationContext): Promise<unknown> {
    this.#handler ??= await this.#fn.load(this);
    // A payload is JSON on its way in: nothing is shared with the one who invokes.
    return this.#handler(JSON.parse(JSON.stringify(event ?? {})), context);
  }

  crash(): void {
    this.#die('Runtime.ExitError', 'Error: Runtime exited with error: signal: killed');
  }

  parked(change: 1 | -1): void {
    this.#parked += change;
    this.#update();
  }

  /** A timer of the process: lives, freezes and dies with it. */
  setTimeout(fire: () => unknown, ms: number): VirtualTimer {
    this.#timers++;
    const timer = this.account.clock.setTimeout(() => {
      this.#timers--;
      if (this.#alive && this.#running !== undefined) fire();
      else this.#frozen.push(fire);
      this.#update();
    }, ms);
    this.#update();
    return timer;
  }

  clearTimeout(timer: VirtualTimer | undefined): void {
    if (this.account.clock.clearTimeout(timer)) this.#timers--;
    this.#update();
  }

  /** Says that a request is on its way (+1) or is over (-1): time stands still meanwhile. */
  requesting(change: 1 | -1): void {
    this.#requests += change;
    this.#update();
  }

  /** A call of the process without a wire, signed by its own credentials unless told. */
  ask(
    service: ServiceName,
    action: string,
    input: Input,
    credentials = this.credentials,
    region = this.account.region,
  ): Promise<Reached> {
    return this.#request(() => this.account.gateway.ask(credentials, region, service, action, input, this));
  }

  async #request<T>(send: () => Promise<T>): Promise<T> {
    if (!this.#alive) return new Promise<never>(() => {});
    this.requesting(1);
    try {
      return await send();
    } finally {
      this.requesting(-1);
    }
  }

  #die(errorType: string, reason: string): void {
    const running = this.#running;
    this.#alive = false;
    this.#frozen = [];
    this.#update();
    running?.end({ ok: false, errorType, errorMessage: `RequestId: ${running.id} ${reason}` });
  }

  /** It computes, and time stands still, unless all it does is wait for virtual time. */
  #update(): void {
    const waiting = this.#requests === this.#parked && this.#timers + this.#parked > 0;
    const computing = this.#alive && this.#running !== undefined && !waiting;
    if (computing === this.#computing) return;
    this.#computing = computing;
    this.account.clock.computing(computing ? 1 : -1);
  }
}

/** ArnLike: six parts, of which each may have wildcards that do not reach past its colon; the last one takes the rest. */
export function arnLike(pattern: string, arn: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`).test(arn);
}
