/** docs/configuration.md shows what the functions write. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../infra/config/index.ts';
import { secretFormat } from '../infra/config/secret-format.ts';
import { sesSmtpPassword } from '../lambdas/adapters/ses-smtp.ts';
import { renderValue } from '../lambdas/domain/secret-value.ts';

const page = readFileSync(join(import.meta.dirname, '../docs/configuration.md'), 'utf8');
const examples = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, json = '']) => json);
const KEY = {
  id: 'AKIAIOSFODNN7EXAMPLE',
  secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  created: new Date('2026-06-15T12:00:00Z'),
};

describe('the page about the configuration shows the secret as it is written', () => {
  it.each(
    [
      [{}],
      [{ format: 'env' }],
      [{ format: { accessKeyId: 'id', secretAccessKey: 'secret', userName: 'iamUser', createDate: 'created' } }],
      [{ format: 'env', sesSmtp: ['eu-west-1', 'us-east-1'] }],
    ].map(([config], n) => [config, n] as const),
  )('with %j', (config, n) => {
    const key = resolveConfig({ keys: [{ user: 'deploy-prod', ...config }] }).targets[0]?.keys[0];
    if (key === undefined) throw new Error('no key');
    const format = secretFormat(key.format, key.sesSmtp);
    const value = renderValue(KEY, { userName: 'deploy-prod', format }, {}, sesSmtpPassword);
    expect(examples[n]).toBe(`${JSON.stringify(JSON.parse(value), null, 2)}\n`);
  });

  it('in four examples', () => expect(examples).toHaveLength(4));
});
