/** Values that are no key, or not the bound user's. */
import { DEFAULT_FORMAT } from '../../lambdas/contract/formats.ts';
import type { ErrorCode } from '../../lambdas/domain/errors.ts';
import type { Simulation } from '../simulation/world.ts';
import {
  answer,
  begin,
  changedValue,
  currentKey,
  FAKE,
  goodValue,
  pass,
  type Row,
  row,
  SECRET,
  setCurrent,
  step,
} from './row.ts';

type Value = (world: Simulation) => unknown;

const envValue = () => ({
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: FAKE,
  IAM_USER_NAME: 'app',
});

const CURRENT: readonly (readonly [string, ErrorCode, Value])[] = [
  ['is not JSON', 'VALUE_MALFORMED', () => `AccessKeyId=AKIAIOSFODNN7EXAMPLE SecretAccessKey=${FAKE}`],
  ['is cut off in the middle', 'VALUE_MALFORMED', () => JSON.stringify(goodValue()).slice(0, -20)],
  ['is a list', 'VALUE_MALFORMED', () => [goodValue()]],
  ['is null', 'VALUE_MALFORMED', () => 'null'],
  ['is a number', 'VALUE_MALFORMED', () => '7'],
  ['is a text', 'VALUE_MALFORMED', () => JSON.stringify(FAKE)],
  ['is an empty object', 'VALUE_MALFORMED', () => ({})],
  ['is of Version 2', 'VALUE_MALFORMED', () => goodValue({ Version: 2 })],
  ['has its Version as a text', 'VALUE_MALFORMED', () => goodValue({ Version: '1' })],
  ['has no Version', 'VALUE_MALFORMED', () => goodValue({ Version: undefined })],
  ['has no AccessKeyId', 'VALUE_MALFORMED', () => goodValue({ AccessKeyId: undefined })],
  ['has a number as AccessKeyId', 'VALUE_MALFORMED', () => goodValue({ AccessKeyId: 7 })],
  ['has an AccessKeyId in small letters', 'VALUE_MALFORMED', () => goodValue({ AccessKeyId: 'akiaiosfodnn7example' })],
  ['has the secret in the place of the id', 'VALUE_MALFORMED', () => goodValue({ AccessKeyId: FAKE })],
  ['has no SecretAccessKey', 'VALUE_MALFORMED', () => goodValue({ SecretAccessKey: undefined })],
  ['has an empty SecretAccessKey', 'VALUE_MALFORMED', () => goodValue({ SecretAccessKey: '' })],
  ['has a list as SecretAccessKey', 'VALUE_MALFORMED', () => goodValue({ SecretAccessKey: [FAKE] })],
  ['names its fields in small letters', 'VALUE_MALFORMED', () => ({ version: 1, accesskeyid: 'AKIA', secret: FAKE })],
  [
    'has a key and the field of the bootstrap value, but no secret',
    'VALUE_MALFORMED',
    () => goodValue({ Bootstrap: 'x', SecretAccessKey: undefined }),
  ],
  ['names no user', 'VALUE_OTHER_USER', () => goodValue({ UserName: undefined })],
  ['names another user', 'VALUE_OTHER_USER', () => goodValue({ UserName: 'admin' })],
  ['names the user in other letters', 'VALUE_OTHER_USER', () => goodValue({ UserName: 'App' })],
  ['names a list of users', 'VALUE_OTHER_USER', () => goodValue({ UserName: ['app'] })],
  ['has only an id in the env form', 'VALUE_MALFORMED', () => ({ AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE' })],
  ['is of the env form and names no user', 'VALUE_OTHER_USER', () => ({ ...envValue(), IAM_USER_NAME: undefined })],
  ['is of the env form and names another user', 'VALUE_OTHER_USER', () => ({ ...envValue(), IAM_USER_NAME: 'admin' })],
  [
    'is of the env form and has the bound user where the default form has it',
    'VALUE_OTHER_USER',
    () => ({ ...envValue(), IAM_USER_NAME: undefined, UserName: 'app' }),
  ],
  [
    'has another key in the env form',
    'VALUE_MALFORMED',
    (world) => ({ ...changedValue(world, {}), ...envValue(), AWS_ACCESS_KEY_ID: 'AKIAI44QH8DHBEXAMPLE' }),
  ],
  [
    'has another secret in the env form',
    'VALUE_MALFORMED',
    (world) => changedValue(world, { AWS_ACCESS_KEY_ID: currentKey(world), AWS_SECRET_ACCESS_KEY: FAKE }),
  ],
  [
    'has the same key in the env form, with another user',
    'VALUE_OTHER_USER',
    () => goodValue({ ...envValue(), IAM_USER_NAME: 'admin' }),
  ],
  [
    "is of names of one's own that the configuration does not have",
    'VALUE_MALFORMED',
    () => ({ id: 'AKIAIOSFODNN7EXAMPLE', secret: FAKE, user: 'app' }),
  ],
];

const PENDING: readonly (readonly [string, string, ErrorCode, Value])[] = [
  ['createSecret', 'is not JSON', 'VALUE_MALFORMED', () => FAKE],
  ['createSecret', 'names another user', 'VALUE_OTHER_USER', () => goodValue({ UserName: 'admin' })],
  ['setSecret', 'is not JSON', 'VALUE_MALFORMED', () => FAKE],
  ['setSecret', 'names another user', 'VALUE_OTHER_USER', () => goodValue({ UserName: 'admin' })],
  ['testSecret', 'is a list', 'VALUE_MALFORMED', () => [goodValue()]],
  ['testSecret', 'names another user', 'VALUE_OTHER_USER', () => goodValue({ UserName: 'admin' })],
  ['testSecret', 'names a key that nobody has', 'KEY_NOT_USABLE', () => goodValue()],
  [
    'testSecret',
    'has another secret than the key',
    'KEY_NOT_USABLE',
    (world) => changedValue(world, { SecretAccessKey: FAKE }),
  ],
  ['testSecret', 'has a key of another user under the bound name', 'IDENTITY_MISMATCH', keyOf('admin')],
  ['finishSecret', 'has no key, being the bootstrap value', 'NOT_VERIFIED', () => ({ Bootstrap: 'none yet' })],
];

export const values: readonly Row[] = [
  ...CURRENT.map(([what, code, value]) =>
    row(`the current value ${what}`, code, {
      bring: (world) => {
        setCurrent(world, value(world));
        begin(world);
      },
      run: step('createSecret'),
    }),
  ),
  ...PENDING.map(([name, what, code, value]) =>
    row(
      `the pending value ${what}, and ${name} comes`,
      code,
      { bring: async (world) => begin(world, await value(world)), run: step(name) },
      name === 'createSecret'
        ? { why: 'a version that can never be promoted loses its label', lines: [/^- label AWSPENDING of iam\/app: /] }
        : undefined,
    ),
  ),
  row('the current value has so many other fields that the next one would be too large', 'VALUE_TOO_LARGE', {
    bring: (world) => {
      setCurrent(world, changedValue(world, { Notes: 'x'.repeat(65_536 - 300) }));
      begin(world);
    },
    run: step('createSecret'),
  }),
  row('what is to be derived makes the next value too large', 'VALUE_TOO_LARGE', {
    bring: (world) => {
      setCurrent(world, changedValue(world, { Notes: 'x'.repeat(65_536 - 600) }));
      world.deploy('app', { format: { ...DEFAULT_FORMAT, derived: manyPasswords(10) } });
      begin(world);
    },
    run: step('createSecret'),
  }),
  row(
    'the pending key is not one of the user',
    'PENDING_KEY_GONE',
    { bring: (world) => begin(world, goodValue()), run: step('setSecret') },
    { why: 'a version that can never be promoted loses its label', lines: [/^- label AWSPENDING of iam\/app: /] },
  ),
  row('the pending key is Inactive', 'PENDING_KEY_INACTIVE', {
    bring: (world) => {
      const { accessKeyId, secretAccessKey } = world.account.createAccessKey('app');
      world.account.setAccessKeyStatus(accessKeyId, 'Inactive');
      begin(world, goodValue({ AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey }));
    },
    run: step('setSecret'),
  }),
  row('the current value is not JSON, and a key is to be retired', 'VALUE_MALFORMED', {
    from: 'superseded',
    bring: (world) => setCurrent(world, FAKE),
    run: pass,
  }),
  row('the current value names another user, and a key is to be retired', 'VALUE_OTHER_USER', {
    from: 'superseded',
    bring: (world) => setCurrent(world, changedValue(world, { UserName: 'admin' })),
    run: pass,
  }),
  row('the pending value is a list, and a key is to be retired', 'VALUE_MALFORMED', {
    from: 'superseded',
    bring: (world) => begin(world, [goodValue()]),
    run: pass,
  }),
  row('no version is current, and a key is to be retired', 'CURRENT_MISSING', {
    from: 'superseded',
    bring: (world) => world.secret(SECRET).labels.delete('AWSCURRENT'),
    run: pass,
  }),
  row('the current value is binary', 'VALUE_MALFORMED', {
    bring: (world) => {
      begin(world);
      answer('GetSecretValue', ({ SecretString: _, ...real }) => ({ ...real, SecretBinary: 'AA==' }));
    },
    run: step('createSecret'),
  }),
];

const manyPasswords = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ field: `p${n}`, is: 'ses-smtp-password', region: 'eu-west-1' }) as const);

function keyOf(userName: string): Value {
  return async (world) => {
    world.account.createUser(userName);
    const { accessKeyId, secretAccessKey } = world.account.createAccessKey(userName);
    await world.advance(60);
    if (accessKeyId === currentKey(world)) throw new Error('the key is to be another one');
    return goodValue({ AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey });
  };
}
