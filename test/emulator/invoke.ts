/**
 * A Lambda environment for one invocation, in a process of its own: loads the bundle in LAMBDA_TASK_ROOT, calls its handler with the event
 * that the parent sends, and sends back how it ended.
 */
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** What the parent sends. */
export interface Invocation {
  readonly event: unknown;
  readonly timeoutMs: number;
}

/** What it gets back. */
export type InvocationResult = { readonly ok: true } | { readonly ok: false; readonly error: string };

type Handler = (event: unknown, context: unknown) => Promise<unknown>;

process.once('message', async ({ event, timeoutMs }: Invocation) => {
  const result = await invoke(event, timeoutMs);
  process.send?.(result, () => process.disconnect());
});

async function invoke(event: unknown, timeoutMs: number): Promise<InvocationResult> {
  const end = Date.now() + timeoutMs;
  const context = {
    awsRequestId: randomUUID(),
    functionName: 'rotate',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:rotate',
    memoryLimitInMB: '256',
    logGroupName: 'rotate',
    logStreamName: 'rotate',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => end - Date.now(),
  };
  try {
    const bundle: { handler: Handler } = createRequire(import.meta.url)(
      join(process.env.LAMBDA_TASK_ROOT ?? '', 'index.js'),
    );
    await bundle.handler(event, context);
    return { ok: true };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
