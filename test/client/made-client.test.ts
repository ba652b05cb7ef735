/** The client of Secrets Manager that the provider makes for itself, on a real connection. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { fromRotatedSecret } from '../../client/index.ts';
import type { Listening } from '../../local/front-ends.ts';
import { Application, codeOf, HOUR, SECRET } from './world.ts';

let application: Application;
let listening: Listening;
beforeEach(async () => {
  application = Application.withKey();
  listening = await application.account.listen();
  vi.stubEnv('AWS_ENDPOINT_URL', listening.endpoint);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
});
afterEach(async () => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  await listening.close();
});

function stubCredentials(): void {
  const { accessKeyId, secretAccessKey, sessionToken } = application.account.operator.credentials;
  vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey);
  vi.stubEnv('AWS_SESSION_TOKEN', sessionToken);
}

/** What readings were signed for: the Region in the scope of the signature. */
function regions(): Set<string> {
  const seen = new Set<string>();
  const handle = application.account.gateway.handle.bind(application.account.gateway);
  vi.spyOn(application.account.gateway, 'handle').mockImplementation((request, ...rest) => {
    seen.add(/\/([a-z0-9-]+)\/secretsmanager\/aws4_request/.exec(request.headers.authorization ?? '')?.[1] ?? 'none');
    return handle(request, ...rest);
  });
  return seen;
}

it('finds credentials by the default chain and the Region in the environment', async () => {
  stubCredentials();
  const seen = regions();
  expect((await fromRotatedSecret({ secretId: SECRET })()).accessKeyId).toBe(application.current());
  expect([...seen]).toEqual(['us-east-1']);
});

it('takes the Region of an ARN, and before that the one that is given', async () => {
  stubCredentials();
  const secretId = application.account.findSecret(SECRET)?.arn ?? '';
  const seen = regions();
  await fromRotatedSecret({ secretId })();
  await fromRotatedSecret({ secretId, region: 'eu-west-1' })();
  expect([...seen]).toEqual(['eu-central-1', 'eu-west-1']);
});

it('reads with its own key, and with no credentials of the environment, if it has a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'client-'));
  try {
    stubCredentials();
    const key = application.promote();
    const begin = () => fromRotatedSecret({ secretId: SECRET, file: join(folder, 'key.json'), seed: key });
    await begin()();
    await application.advance(HOUR);
    const next = application.promote();
    expect((await begin()()).accessKeyId).toBe(next.accessKeyId);
    expect(application.calls('GetSecretValue').map(({ accessKeyId }) => accessKeyId)).toEqual([
      key.accessKeyId,
      key.accessKeyId,
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it('has settings of its own: an endpoint that nobody answers at, and one attempt', async () => {
  stubCredentials();
  const provider = fromRotatedSecret({
    secretId: SECRET,
    clientConfig: { endpoint: listening.endpoint, maxAttempts: 1 },
  });
  vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:9');
  expect(await codeOf(provider())).toBe('fine');
  const nowhere = fromRotatedSecret({ secretId: SECRET, clientConfig: { maxAttempts: 1 } });
  await expect(nowhere()).rejects.toThrow(/SECRET_UNAVAILABLE: ECONNREFUSED from GetSecretValue of iam\/app/);
});
