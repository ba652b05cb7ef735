/** A middleware that repeats what was refused for its key. */
import type {
  AbsoluteLocation,
  AwsCredentialIdentity,
  HandlerExecutionContext,
  InitializeHandler,
  InitializeHandlerOptions,
} from '@smithy/types';
import { type Clock, realClock } from './clock.ts';
import { tell } from './hooks.ts';
import { seconds } from './options.ts';
import { isRefusedKey } from './refused.ts';

/** A request that is sent once more. */
export interface KeyRetry {
  /** Id of the key that was refused. */
  readonly refused: string;
  /** Id of the key that the request is sent with now: after a pause it may be the same one. */
  readonly accessKeyId: string;
  /** What the refusal was. */
  readonly error: Error;
}

export interface FreshCredentialsOptions {
  /**
   * Seconds for which requests wait for a refused key's successor, or for a new key to be known, in pauses of 1, 2, 4, 8 … seconds. Whole, at
   * most 300; 0 looks for it once. It is waited only once for each key: what is refused later fails after one look.
   *
   * @default 30
   */
  readonly patience?: number | undefined;
  /** Told of each request that is sent once more. */
  readonly onRetry?: ((retry: KeyRetry) => void) | undefined;
  /** For tests. @default the computer's */
  readonly clock?: Pick<Clock, 'sleep'> | undefined;
}

type Middleware = <Input extends object, Output extends object>(
  next: InitializeHandler<Input, Output>,
  context: HandlerExecutionContext,
) => InitializeHandler<Input, Output>;

/** Any client of the SDK that signs with credentials. */
export interface SigningClient {
  readonly config: { readonly credentials: (options?: { forceRefresh?: boolean }) => Promise<AwsCredentialIdentity> };
  readonly middlewareStack: {
    add(middleware: Middleware, options: InitializeHandlerOptions & AbsoluteLocation): void;
  };
}

const NAME = 'iamKeyRotator';
const LONGEST_PATIENCE = 300;
const DEFAULT_PATIENCE = 30;

/**
 * Lets a client survive the end of its key: a request that is refused for its key is sent again, signed anew, as soon as the credentials of
 * the client are another key. If they are not yet, they are refreshed. A refused request has had no effect, so sending it again is safe.
 *
 * While there is no other key, the same one is tried again after each pause: it may be so new that it is not known everywhere yet. The key before
 * it is not: the SDK signs all requests of a client with one key, and that one may have been disabled for good reason.
 *
 * A request with a stream is not repeated, since the stream has been read; but the key is refreshed for the next one. Nor is a HEAD (HeadObject,
 * HeadBucket): its answer has no body that could say why it was refused, so that it looks like a lack of permission.
 *
 * @param client any client whose provider heeds `forceRefresh`, such as `fromRotatedSecret`'s; a second call replaces the options of the first
 * @returns the same client
 * @throws KeyReadError BAD_OPTION. The requests throw what the service answered first
 */
export function withFreshCredentials<Client extends SigningClient>(
  client: Client,
  options: FreshCredentialsOptions = {},
): Client {
  const { onRetry, clock = realClock } = options;
  const pauses = pausesOf(seconds('patience', options.patience ?? DEFAULT_PATIENCE, 0, LONGEST_PATIENCE));
  /** The newest key that was waited for in vain. */
  let givenUp: string | undefined;

  /** The id of the credentials, read anew if they are still that key; that key if there is no other. */
  async function successorOf(refused: string): Promise<string> {
    try {
      const { accessKeyId } = await client.config.credentials();
      if (accessKeyId !== refused) return accessKeyId;
      return (await client.config.credentials({ forceRefresh: true })).accessKeyId;
    } catch {
      return refused;
    }
  }

  /** The key to send again with: one that was not refused yet, or after a pause any; undefined when the patience is over. */
  async function keyAfter(refused: string, tried: Set<string>, remaining: number[]): Promise<string | undefined> {
    const successor = await successorOf(refused);
    if (!tried.has(successor)) return successor;
    const pause = givenUp === refused ? undefined : remaining.shift();
    if (pause === undefined) {
      givenUp = refused;
      return undefined;
    }
    await clock.sleep(pause);
    return successorOf(refused);
  }

  const middleware: Middleware = (next, context) => async (args) => {
    const remaining = [...pauses];
    const tried = new Set<string>();
    let first: unknown;
    for (;;) {
      try {
        return await next(args);
      } catch (error) {
        if (!isRefusedKey(error)) throw error;
        first ??= error;
        const refused = keyOf(context);
        if (refused === undefined) throw first;
        if (isSpent(args.input)) {
          await successorOf(refused);
          throw first;
        }
        tried.add(refused);
        const accessKeyId = await keyAfter(refused, tried, remaining);
        if (accessKeyId === undefined) throw first;
        tell(onRetry, { refused, accessKeyId, error });
      }
    }
  };
  client.middlewareStack.add(middleware, { step: 'initialize', priority: 'high', name: NAME, override: true });
  return client;
}

/** In ms: 1, 2, 4, 8 … seconds, which together are the patience. */
function pausesOf(patience: number): readonly number[] {
  const pauses: number[] = [];
  for (let left = patience, pause = 1; left > 0; left -= pause, pause *= 2) pauses.push(Math.min(left, pause) * 1000);
  return pauses;
}

/** The key that the SDK signed with, as it remembers it for the request. */
function keyOf(context: HandlerExecutionContext): string | undefined {
  const identity: Partial<AwsCredentialIdentity> | undefined =
    context.__smithy_context?.selectedHttpAuthScheme?.identity;
  return identity?.accessKeyId;
}

/** Whether the input holds a stream, which can be read once. Streams are members of the input itself, never deeper. */
function isSpent(input: object): boolean {
  return Object.values(input).some((member) => member?.pipe ?? member?.getReader ?? member?.[Symbol.asyncIterator]);
}
