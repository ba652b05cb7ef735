import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { fromRotatedSecret, KeyReadError } from '../../client/index.ts';
import { checked } from '../../client/options.ts';

const client = new SecretsManagerClient({ region: 'eu-central-1' });
const seed = { accessKeyId: 'AKIA', secretAccessKey: 'in no message' };

/** What comes of options that TypeScript would not allow, too. */
function problem(options: object): unknown {
  try {
    Reflect.apply(fromRotatedSecret, undefined, [options]);
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('an option that can not be used is an error at once', () => {
  it.each([
    ['secretId', {}],
    ['secretId', { secretId: '' }],
    ['secretId', { secretId: 7 }],
    ['region', { secretId: 's', region: '' }],
    ['region', { secretId: 's', region: null }],
    ['region', { secretId: 's', region: 'Frankfurt am Main' }],
    ['file', { secretId: 's', file: '' }],
    ['file', { secretId: 's', file: 7 }],
    ['accessKeyId', { secretId: 's', fields: {} }],
    ['secretAccessKey', { secretId: 's', fields: { accessKeyId: 'id' } }],
    ['onWarning', { secretId: 's', onWarning: 'log' }],
    ['ttl', { secretId: 's', ttl: -1 }],
    ['ttl', { secretId: 's', ttl: 0.5 }],
    ['ttl', { secretId: 's', ttl: Number.NaN }],
    ['ttl', { secretId: 's', ttl: Number.POSITIVE_INFINITY }],
    ['ttl', { secretId: 's', ttl: '300' }],
    ['ttl', { secretId: 's', ttl: 86_401 }],
    ['keepFor', { secretId: 's', keepFor: -1 }],
    ['keepFor', { secretId: 's', keepFor: 299 }],
    ['keepFor', { secretId: 's', ttl: 3600, keepFor: 3599 }],
    ['keepFor', { secretId: 's', keepFor: 30 * 86_400 + 1 }],
    ['keepFor', { secretId: 's', keepFor: Number.NaN }],
    ['client', { secretId: 's', client, region: 'eu-central-1' }],
    ['client', { secretId: 's', client, clientConfig: {} }],
    ['client', { secretId: 's', client, file: 'key.json', seed }],
    ['file', { secretId: 's', seed }],
  ])('%s in %j', (name, options) => {
    const error = problem(options);
    expect(error).toBeInstanceOf(KeyReadError);
    expect(error).toMatchObject({ code: 'BAD_OPTION', found: expect.stringMatching(`^${name}: `) });
    expect(String(error)).not.toContain(seed.secretAccessKey);
  });

  it.each([
    { secretId: 's' },
    { secretId: 's', client },
    { secretId: 's', client, file: 'key.json' },
    { secretId: 's', region: 'eu-central-1', clientConfig: { maxAttempts: 1 } },
    { secretId: 's', file: 'key.json', seed },
    { secretId: 's', ttl: 0, keepFor: 0 },
    { secretId: 's', ttl: 86_400 },
    { secretId: 's', keepFor: 300 },
    { secretId: 's', keepFor: 30 * 86_400 },
    { secretId: 's', fields: { accessKeyId: 'id', secretAccessKey: 'secret' }, onWarning: () => {} },
    { secretId: 's', region: undefined, ttl: undefined, keepFor: undefined, file: undefined, fields: undefined },
  ])('%j is fine', (options) => {
    expect(problem(options)).toBeUndefined();
  });
});

it('a key counts as new for 5 minutes, and is handed on for a day or twice as long as it counts as new', () => {
  expect(checked({ secretId: 's' })).toEqual({ ttl: 300_000, keepFor: 86_400_000 });
  expect(checked({ secretId: 's', ttl: 43_201 }).keepFor).toBe(86_402_000);
});
