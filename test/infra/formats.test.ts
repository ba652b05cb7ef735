import { App, Stack } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { resolveConfig } from '../../infra/config/index.ts';
import { KeyRotator } from '../../infra/key-rotator.ts';
import { RotatedAccessKey } from '../../infra/rotated-access-key.ts';
import { RotatorStack } from '../../infra/rotator-stack.ts';
import { parseDeployment } from '../../lambdas/contract/deployment.ts';

const deployment = (keys: readonly unknown[]) => ({
  formatVersion: 1,
  name: 'd',
  maxChangesPerRun: 1,
  rotateTimeout: 120,
  keys,
});

const DEFAULT = {
  fields: {
    accessKeyId: 'AccessKeyId',
    secretAccessKey: 'SecretAccessKey',
    userName: 'UserName',
    createDate: 'CreateDate',
  },
  derived: [],
};
const MAILER = {
  fields: { accessKeyId: 'id', secretAccessKey: 'secret', userName: 'UserName', createDate: 'CreateDate' },
  derived: [
    { field: 'SES_SMTP_USERNAME', is: 'ses-smtp-username' },
    { field: 'user', is: 'ses-smtp-username' },
    { field: 'SES_SMTP_PASSWORD_EU_WEST_1', is: 'ses-smtp-password', region: 'eu-west-1' },
    { field: 'SES_SMTP_PASSWORD_US_EAST_1', is: 'ses-smtp-password', region: 'us-east-1' },
    { field: 'password', is: 'ses-smtp-password', region: 'us-gov-west-1' },
  ],
};
const mailer = {
  format: { accessKeyId: 'id', secretAccessKey: 'secret' },
  sesSmtp: [
    'eu-west-1',
    { region: 'us-east-1' },
    { region: 'us-gov-west-1', usernameField: 'user', passwordField: 'password' },
  ],
} as const;

describe('the form of a secret', () => {
  test('reaches the functions as the construct is given it, and they take it', () => {
    const stack = new Stack(new App(), 'Stack');
    const keys = [
      new RotatedAccessKey(stack, 'A', { userName: 'a' }),
      new RotatedAccessKey(stack, 'B', { userName: 'b', ...mailer }),
    ].map(({ deployed }) => deployed);
    expect(keys.map(({ format }) => format)).toEqual([DEFAULT, MAILER]);
    expect(parseDeployment(deployment(keys))).toMatchObject({ ok: true });
  });

  test('is refused at synth when the functions would refuse it, also without a configuration file', () => {
    const stack = new Stack(new App(), 'Stack');
    const format = { accessKeyId: 'key', secretAccessKey: 'KEY' };
    const keys = [new RotatedAccessKey(stack, 'A', { userName: 'a', format })];
    expect(() => new KeyRotator(stack, 'Rotator', { keys })).toThrow(
      'keys.0.format: a field has the name of another one, or one that means something else',
    );
  });

  test("reaches them out of the configuration, from `defaults` and by the key's own word", () => {
    const { targets, ...config } = resolveConfig({
      defaults: mailer,
      keys: [{ user: 'a', format: 'env' }, { user: 'b' }],
    });
    const [target] = targets;
    if (target === undefined) throw new Error('no target');
    const stack = new RotatorStack(new App(), 'Stack', { target, config });
    const formats = stack.node.children.flatMap((child) =>
      child instanceof RotatedAccessKey ? [child.deployed.format] : [],
    );
    expect(formats).toMatchObject([{ fields: { accessKeyId: 'AWS_ACCESS_KEY_ID' }, derived: MAILER.derived }, MAILER]);
  });
});
