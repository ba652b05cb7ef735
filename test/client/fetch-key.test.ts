import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { HttpResponse } from '@smithy/protocol-http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fetchKey } from '../../client/fetch-key.ts';
import { Application, codeOf, SECRET } from './world.ts';

let application: Application;
beforeEach(() => {
  application = Application.withKey();
});
afterEach(() => vi.unstubAllGlobals());

describe('reading a key', () => {
  it('gives the current one', async () => {
    const { accessKeyId, secretAccessKey } = application.promote();
    expect(await fetchKey(application.secrets(), SECRET)).toEqual({ accessKeyId, secretAccessKey });
  });

  it.each([
    ['AccessDeniedException', 400, 'SECRET_UNREADABLE'],
    ['DecryptionFailure', 400, 'SECRET_UNREADABLE'],
    ['InvalidParameterException', 400, 'SECRET_UNREADABLE'],
    ['InvalidRequestException', 400, 'SECRET_UNREADABLE'],
    ['InvalidSignatureException', 400, 'SECRET_UNREADABLE'],
    ['ResourceNotFoundException', 400, 'SECRET_UNREADABLE'],
    ['ValidationException', 400, 'SECRET_UNREADABLE'],
    ['UnrecognizedClientException', 400, 'OWN_KEY_REFUSED'],
    ['InvalidClientTokenId', 403, 'OWN_KEY_REFUSED'],
    ['InternalServiceError', 500, 'SECRET_UNAVAILABLE'],
    ['ServiceUnavailable', 503, 'SECRET_UNAVAILABLE'],
    ['ThrottlingException', 400, 'SECRET_UNAVAILABLE'],
    ['RequestLimitExceeded', 429, 'SECRET_UNAVAILABLE'],
    ['ExpiredTokenException', 400, 'SECRET_UNAVAILABLE'],
    ['constructor', 400, 'SECRET_UNAVAILABLE'],
  ])('fails after %s (%s) with %s, which names the answer and the secret', async (code, status, expected) => {
    application.account.faults.add({ kind: 'refuse', error: { code, status }, match: { action: 'GetSecretValue' } });
    await expect(fetchKey(application.secrets(), SECRET)).rejects.toMatchObject({
      code: expected,
      found: `${code} from GetSecretValue of ${SECRET}`,
      remedy: expect.stringMatching(/\w/),
    });
  });

  it('fails with SECRET_UNAVAILABLE when the connection breaks, and tells how', async () => {
    application.outage();
    await expect(fetchKey(application.secrets(), SECRET)).rejects.toThrow(/^SECRET_UNAVAILABLE: ECONNRESET from/);
  });

  it('fails with SECRET_UNREADABLE for a secret that is not there, or that is to be deleted', async () => {
    expect(await codeOf(fetchKey(application.secrets(), 'other'))).toBe('SECRET_UNREADABLE');
    application.account.operate('secretsmanager', 'DeleteSecret', { SecretId: SECRET });
    expect(await codeOf(fetchKey(application.secrets(), SECRET))).toBe('SECRET_UNREADABLE');
  });

  it('fails with OWN_KEY_REFUSED with a key that was disabled', async () => {
    const key = application.promote();
    application.account.setAccessKeyStatus(key.accessKeyId, 'Inactive');
    const client = new SecretsManagerClient(application.account.clientConfig(key));
    expect(await codeOf(fetchKey(client, SECRET))).toBe('OWN_KEY_REFUSED');
  });

  it('fails with SECRET_UNAVAILABLE without credentials', async () => {
    const credentials = async () => {
      throw Object.assign(new Error('nothing found'), { name: 'CredentialsProviderError' });
    };
    const client = new SecretsManagerClient({ ...application.account.clientConfig(), credentials });
    await expect(fetchKey(client, SECRET)).rejects.toThrow(/CredentialsProviderError/);
  });

  it('ends when it is told to, also while the credentials that sign are still looked for', async () => {
    const aborted = new AbortController();
    const credentials = () => {
      aborted.abort();
      return new Promise<never>(() => {});
    };
    const client = new SecretsManagerClient({ ...application.account.clientConfig(), credentials });
    await expect(fetchKey(client, SECRET, undefined, aborted.signal)).rejects.toThrow(
      /^SECRET_UNAVAILABLE: AbortError/,
    );
  });

  it('passes on what is wrong with the value', async () => {
    application.account.operate('secretsmanager', 'PutSecretValue', { SecretId: SECRET, SecretString: '{}' });
    expect(await codeOf(fetchKey(application.secrets(), SECRET))).toBe('VALUE_MALFORMED');
  });

  it('finds the key in the fields that are named', async () => {
    application.account.operate('secretsmanager', 'PutSecretValue', {
      SecretId: SECRET,
      SecretString: '{"id":"AKIA","secret":"text"}',
    });
    const key = await fetchKey(application.secrets(), SECRET, { accessKeyId: 'id', secretAccessKey: 'secret' });
    expect(key).toEqual({ accessKeyId: 'AKIA', secretAccessKey: 'text' });
  });

  it('finds it in a built-in form too, where no rotation has written the fields that are named', async () => {
    const names = { accessKeyId: 'id', secretAccessKey: 'secret' };
    const stored = async (value: object) => {
      const SecretString = JSON.stringify(value);
      application.account.operate('secretsmanager', 'PutSecretValue', { SecretId: SECRET, SecretString });
      return (await fetchKey(application.secrets(), SECRET, names)).accessKeyId;
    };
    const standard = { AccessKeyId: 'AKIAOLD', SecretAccessKey: 'text' };
    expect(await stored(standard)).toBe('AKIAOLD');
    expect(await stored({ AWS_ACCESS_KEY_ID: 'AKIAENV', AWS_SECRET_ACCESS_KEY: 'text' })).toBe('AKIAENV');
    expect(await stored({ ...standard, id: 'AKIANEW', secret: 'text' })).toBe('AKIANEW');
  });

  it('ends with its signal, as SECRET_UNAVAILABLE: a connection that hangs must not hold up all later readings', async () => {
    const ending = new AbortController();
    const handle = (_: unknown, { abortSignal }: { abortSignal?: AbortSignal } = {}) =>
      new Promise<{ response: HttpResponse }>((_resolve, reject) => {
        abortSignal?.addEventListener('abort', () =>
          reject(Object.assign(new Error('aborted'), { name: 'AbortError' })),
        );
        ending.abort();
      });
    const client = new SecretsManagerClient({ ...application.account.clientConfig(), requestHandler: { handle } });
    await expect(fetchKey(client, SECRET, undefined, ending.signal)).rejects.toThrow(/AbortError/);
  });

  it('gives a signal that ends it by itself', async () => {
    const send = vi.spyOn(SecretsManagerClient.prototype, 'send');
    await fetchKey(application.secrets(), SECRET);
    expect(send.mock.lastCall?.[1]).toMatchObject({ abortSignal: expect.any(AbortSignal) });
  });
});
