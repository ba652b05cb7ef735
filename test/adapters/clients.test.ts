import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, expect, it, vi } from 'vitest';
import { iamAdapter } from '../../lambdas/adapters/clients.ts';
import { AwsCallError } from '../../lambdas/domain/errors.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

it('a mint that gets no answer fails after 10 seconds, in one attempt, and may have taken effect', async () => {
  const requests: unknown[] = [];
  const silent = createServer((request) => void requests.push(request.method)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no address');
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${address.port}`);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });

  let failure: unknown;
  const minting = iamAdapter('eu-central-1')
    .mint('app')
    .catch((error: unknown) => {
      failure = error;
    });
  await once(silent, 'request');
  await vi.advanceTimersByTimeAsync(9_999);
  expect(failure).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1);
  await minting;
  expect(failure).toBeInstanceOf(AwsCallError);
  expect(failure).toMatchObject({ operation: 'CreateAccessKey', awsCode: 'TimeoutError', refused: false });
  expect(requests).toEqual(['POST']);
  silent.closeAllConnections();
  silent.close();
});
