/** Nothing that an application is told holds a secret: no error, no cause, no warning, no retry. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { HttpResponse } from '@smithy/protocol-http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fetchKey } from '../../client/fetch-key.ts';
import { withFreshCredentials } from '../../client/index.ts';
import { secretsFound } from '../../local/oracle.ts';
import { Application, HOUR, identify, SECOND, SECRET } from './world.ts';

let application: Application;
beforeEach(() => {
  application = Application.withKey();
});
afterEach(() => vi.unstubAllGlobals());

/** All that there is to see of a thing, hidden fields and causes too. */
const text = (thing: unknown) =>
  inspect(thing, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null });

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return expect.unreachable(`it was to fail, and gave ${typeof (await promise)}`);
  } catch (error) {
    return error;
  }
}

function expectNoSecret(...told: readonly unknown[]): void {
  expect(secretsFound(application.account, told.map(text).join('\n'))).toEqual([]);
}

/** A client that is answered with the value in a form that can't be read. */
function answered(body: (value: string) => string, statusCode = 200): SecretsManagerClient {
  const value = application.account.valueOf(SECRET) ?? '';
  const handle = async () => ({
    response: new HttpResponse({ statusCode, body: Readable.from([Buffer.from(body(value))]) }),
  });
  return new SecretsManagerClient({ ...application.account.clientConfig(), requestHandler: { handle } });
}

describe('an error of a reading', () => {
  it.each([
    ['that is cut off', (value: string) => JSON.stringify({ SecretString: value }).slice(0, -20)],
    ['that is no JSON', (value: string) => value.slice(1)],
    ['whose value is no JSON', (value: string) => JSON.stringify({ SecretString: `text: ${value}` })],
    ['whose value is cut off', (value: string) => JSON.stringify({ SecretString: value.slice(0, -2) })],
    [
      'whose value has other fields',
      (value: string) => JSON.stringify({ SecretString: value.replace('SecretAccessKey', 'Key') }),
    ],
    ['whose value is a list', (value: string) => JSON.stringify({ SecretString: `[${value}]` })],
  ])('does not quote an answer %s', async (_, body) => {
    const error = await errorOf(fetchKey(answered(body), SECRET));
    expect(String(error)).toMatch(/^KeyReadError: (VALUE_MALFORMED|SECRET_UNAVAILABLE): /);
    expectNoSecret(error);
  });

  it('does not quote an error page that echoes the value', async () => {
    expectNoSecret(
      await errorOf(
        fetchKey(
          answered((value) => value, 500),
          SECRET,
        ),
      ),
    );
  });

  it('does not quote what AWS quotes of a wrong signature: it may hold a token of a session', async () => {
    const key = application.promote();
    const message = `The Canonical String should have been ... x-amz-security-token:${key.secretAccessKey}`;
    const error = { code: 'InvalidSignatureException', message };
    application.account.faults.add({ kind: 'refuse', error, match: { action: 'GetSecretValue' } });
    expectNoSecret(await errorOf(fetchKey(application.secrets(), SECRET)));
  });
});

describe('what a life with every trouble tells', () => {
  it('holds no secret', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'client-'));
    const told: unknown[] = [application.warnings];
    try {
      const file = join(folder, 'key.json');
      const { credentials: _, ...clientConfig } = application.account.clientConfig();
      const begin = (more = {}) => application.provider({ file, clientConfig, keepFor: 7200, ...more });
      told.push(await errorOf(begin()()));
      const seed = JSON.parse(application.account.valueOf(SECRET) ?? '{}');
      const first = { accessKeyId: seed.AccessKeyId, secretAccessKey: seed.SecretAccessKey };
      const provider = begin({ seed: first });
      const client = withFreshCredentials(application.sts(provider), {
        clock: application.clock,
        patience: 3,
        onRetry: (retry) => told.push(retry),
      });
      await identify(client);
      const end = application.outage();
      await application.advance(HOUR);
      await identify(client);
      end();
      await application.advance(HOUR);
      told.push(await errorOf(begin({ secretId: 'other' })()));
      await identify(client);
      const old = application.current();
      application.promote();
      application.account.setAccessKeyStatus(old, 'Inactive');
      told.push(await errorOf(application.run(identify(client))));
      await application.advance(2 * HOUR);
      told.push(await errorOf(provider()));
      await writeFile(file, `{"accessKeyId":"${seed.AccessKeyId}","secretAccessKey":"${seed.SecretAccessKey}`);
      told.push(await errorOf(begin()()));
      // A folder can't be replaced by a file.
      await rm(file);
      await mkdir(file);
      application.account.setAccessKeyStatus(old, 'Active');
      await application.advance(SECOND);
      await provider();
      expect(new Set(application.warnings.map(({ code }) => code))).toEqual(
        new Set(['SECRET_UNAVAILABLE', 'OWN_KEY_REFUSED', 'FILE_UNUSABLE']),
      );
      // The warnings, five errors and two retries.
      expect(told).toHaveLength(1 + 5 + 2);
      expectNoSecret(...told);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('would be noticed if it did: plainly, hidden in an error, and in base64 of a longer text', () => {
    const [secret = ''] = application.account.mintedSecrets;
    for (const leak of [
      secret,
      new Error('outer', { cause: new Error(secret) }),
      Buffer.from(`a ${secret} b`).toString('base64'),
    ]) {
      expect(() => expectNoSecret(leak)).toThrow();
    }
  });
});
