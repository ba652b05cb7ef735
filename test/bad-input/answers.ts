/** Answers of AWS that are errors, lack what the API promises, or are no answers at all. */
import { IAMClient } from '@aws-sdk/client-iam';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { iamKeys } from '../../lambdas/adapters/iam-keys.ts';
import { secretStore } from '../../lambdas/adapters/secret-store.ts';
import { secretVersions } from '../../lambdas/adapters/secret-versions.ts';
import type { ErrorCode } from '../../lambdas/domain/errors.ts';
import { answering } from '../adapters/answering.ts';
import type { Simulation } from '../simulation/world.ts';
import {
  answer,
  begin,
  type Changes,
  FAKE,
  failing,
  pass,
  type Row,
  row,
  rowOf,
  type Scene,
  SECRET,
  step,
  TOKEN,
} from './row.ts';

/** Where a call is made in: the state before it, and the step or pass that makes it. */
const CALLS: Readonly<Record<string, Scene>> = {
  DescribeSecret: createSecret(),
  GetSecretValue: createSecret(),
  ListAccessKeys: createSecret(),
  GetUser: createSecret((world) => world.account.deleteAccessKey(String(world.current(SECRET).AccessKeyId))),
  TagResource: createSecret(),
  CreateAccessKey: createSecret(),
  PutSecretValue: createSecret(),
  GetCallerIdentity: { bring: (world) => begin(world, world.current(SECRET)), run: step('testSecret') },
  UpdateSecretVersionStage: { bring: tested, run: step('finishSecret') },
  ListSecrets: { from: 'superseded', run: pass },
  GetAccessKeyLastUsed: { from: 'superseded', run: pass },
  UpdateAccessKey: { from: 'superseded', run: pass },
  DeleteAccessKey: { from: 'disabled', run: pass },
  UntagResource: { from: 'disabled', run: pass },
};

function createSecret(bring?: (world: Simulation) => unknown): Scene {
  return {
    bring: async (world) => {
      await bring?.(world);
      begin(world);
    },
    run: step('createSecret'),
  };
}

/** A rotation up to its last step. */
async function tested(world: Simulation): Promise<void> {
  begin(world);
  for (const name of ['createSecret', 'setSecret', 'testSecret']) {
    const result = await world.step(name, SECRET, TOKEN);
    if (!result.ok) throw new Error(result.errorMessage);
  }
}

/** Calls that end otherwise than in AWS_CALL_FAILED with nothing changed. */
const SPECIAL: Readonly<Record<string, { readonly code?: ErrorCode; readonly changes?: Changes }>> = {
  'CreateAccessKey 403': { code: 'MINT_REFUSED' },
  'CreateAccessKey 500': {
    changes: {
      why: 'the announcement says that a key may have come of it',
      lines: [/^\+ tag iam-key-rotator:intent\//],
    },
  },
  'PutSecretValue 403': { code: 'STORE_FAILED' },
  'PutSecretValue 500': {
    changes: {
      why: 'the value may have been stored: the next run looks, and clears the key if it was not',
      lines: [/^\+ tag iam-key-rotator:intent\//, /^\+ key AKIA\w+ of app: Active/],
    },
  },
  'GetCallerIdentity 403': { code: 'KEY_NOT_USABLE' },
  'GetCallerIdentity 500': { code: 'KEY_NOT_USABLE' },
  ...Object.fromEntries(
    [403, 500].map((status) => [
      `UntagResource ${status}`,
      {
        changes: {
          why: 'the key was deleted in its turn; the next pass removes its entry',
          lines: [/^- key AKIA\w+ of app: Inactive/],
        },
      },
    ]),
  ),
};

const refused = Object.entries(CALLS).flatMap(([action, scene]) =>
  (
    [
      ['AccessDenied', 403],
      ['InternalFailure', 500],
    ] as const
  ).map(([code, status]) => {
    const special = SPECIAL[`${action} ${status}`];
    return row(
      `${action} is answered with ${status} ${code}`,
      special?.code ?? 'AWS_CALL_FAILED',
      {
        ...scene,
        bring: async (world) => {
          await scene.bring?.(world);
          failing(world, action, code, status);
        },
      },
      special?.changes,
    );
  }),
);

type Fields = Record<string, unknown>;
const without =
  (...names: string[]) =>
  (real: Fields) =>
    Object.fromEntries(Object.entries(real).filter(([name]) => !names.includes(name)));
/** The one structure of an answer, changed. */
const inside = (name: string, change: (inner: Fields) => Fields) => (real: Fields) => {
  const inner = real[name];
  const changed = Array.isArray(inner) ? inner.map(change) : change({ ...Object(inner) });
  return { ...real, [name]: changed };
};

const MINTED: Changes = {
  why: 'a key was minted whose secret nobody knows; the announcement tells the next run to clear it',
  lines: [/^\+ tag iam-key-rotator:intent\//, /^\+ key AKIA\w+ of app: Active/],
};

const DAMAGED: readonly (readonly [string, string, (real: Fields) => object, Changes?])[] = [
  ['has no AccessKeyMetadata', 'ListAccessKeys', without('AccessKeyMetadata')],
  ['lists a key without its id', 'ListAccessKeys', inside('AccessKeyMetadata', without('AccessKeyId'))],
  ['lists a key without its status', 'ListAccessKeys', inside('AccessKeyMetadata', without('Status'))],
  [
    'lists a key with a status that nobody knows',
    'ListAccessKeys',
    inside('AccessKeyMetadata', (key) => ({ ...key, Status: 'Suspended' })),
  ],
  ['lists a key without its date', 'ListAccessKeys', inside('AccessKeyMetadata', without('CreateDate'))],
  ['says that there is more and not where', 'ListAccessKeys', (real) => ({ ...real, IsTruncated: true })],
  ['has no AccessKeyLastUsed', 'GetAccessKeyLastUsed', without('AccessKeyLastUsed')],
  ['has no User', 'GetUser', without('User')],
  ['has a user without its UserId', 'GetUser', inside('User', without('UserId'))],
  ['has no AccessKey', 'CreateAccessKey', without('AccessKey'), MINTED],
  ['has a key without its secret', 'CreateAccessKey', inside('AccessKey', without('SecretAccessKey')), MINTED],
  ['has a key without its id', 'CreateAccessKey', inside('AccessKey', without('AccessKeyId')), MINTED],
  ['has no Account', 'GetCallerIdentity', without('Account')],
  ['has no Arn', 'GetCallerIdentity', without('Arn')],
  ['has no UserId', 'GetCallerIdentity', without('UserId')],
  ['has no ARN', 'DescribeSecret', without('ARN')],
  ['has no Name', 'DescribeSecret', without('Name')],
  ['has no VersionId', 'GetSecretValue', without('VersionId')],
  ['has no SecretString', 'GetSecretValue', without('SecretString')],
  ['has no SecretList', 'ListSecrets', without('SecretList')],
  ['lists a secret without its name', 'ListSecrets', inside('SecretList', without('Name'))],
];

const damaged = DAMAGED.map(([what, action, change, changes]) =>
  row(
    `the answer of ${action} ${what}`,
    'AWS_CALL_FAILED',
    {
      ...CALLS[action],
      run: CALLS[action]?.run ?? pass,
      bring: async (world) => {
        await CALLS[action]?.bring?.(world);
        answer(action, change);
      },
    },
    changes,
  ),
);

const looping = [
  row('ListAccessKeys answers the same page token again and again', 'LISTING_LOOPS', {
    from: 'superseded',
    bring: () => answer('ListAccessKeys', (real) => ({ ...real, IsTruncated: true, Marker: '0' })),
    run: pass,
  }),
  row(
    'ListSecrets answers the same page token again and again',
    'LISTING_LOOPS',
    {
      from: 'superseded',
      bring: () => answer('ListSecrets', (real) => ({ ...real, NextToken: '0' })),
      run: pass,
    },
    {
      why: 'a secret is served as soon as it is listed: before a change it is read afresh',
      lines: [/^~ key /, /^~ tag iam-key-rotator:key\//, /^- tag iam-key-rotator:intent\//, /^- label AWSPENDING /],
    },
  ),
];

const credentials = { region: 'eu-central-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' }, maxAttempts: 1 };
const iam = (status: number, body: string) => {
  const client = new IAMClient({ ...credentials, requestHandler: answering({ status, body }) });
  return iamKeys(client, client);
};
const secrets = (status: number, body: string) =>
  secretStore(new SecretsManagerClient({ ...credentials, requestHandler: answering({ status, body }) }));

const versions = (status: number, body: string) =>
  secretVersions(new SecretsManagerClient({ ...credentials, requestHandler: answering({ status, body }) }));

const listed = async (status: number, body: string) => {
  for await (const _ of secrets(status, body).list('iam-key-rotator'));
};

const garbled = [
  rowOf('IAM answers a listing with a web page', 'AWS_CALL_FAILED', () =>
    iam(200, `<html><body>${FAKE}</body></html>`).list('app'),
  ),
  rowOf('IAM answers a listing with nothing', 'AWS_CALL_FAILED', () => iam(200, '').list('app')),
  rowOf('IAM answers a new key with XML that ends too early', 'AWS_CALL_FAILED', () =>
    iam(200, `<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><SecretAccessKey>${FAKE}`).mint('app'),
  ),
  rowOf('IAM answers a new key with JSON', 'AWS_CALL_FAILED', () =>
    iam(200, JSON.stringify({ AccessKey: { SecretAccessKey: FAKE } })).mint('app'),
  ),
  rowOf('IAM answers with an error that is not XML', 'AWS_CALL_FAILED', () => iam(503, 'busy').list('app')),
  rowOf('a key has a date that is none', 'AWS_CALL_FAILED', () =>
    iam(
      200,
      '<ListAccessKeysResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListAccessKeysResult><AccessKeyMetadata><member>' +
        '<AccessKeyId>AKIAIOSFODNN7EXAMPLE</AccessKeyId><Status>Active</Status><CreateDate>lately</CreateDate>' +
        '</member></AccessKeyMetadata></ListAccessKeysResult></ListAccessKeysResponse>',
    ).list('app'),
  ),
  rowOf('Secrets Manager answers a value that is not JSON', 'AWS_CALL_FAILED', () =>
    secrets(200, `SecretString: ${FAKE}`).read('s', {}),
  ),
  rowOf('Secrets Manager answers a value with JSON that ends too early', 'AWS_CALL_FAILED', () =>
    secrets(200, `{"VersionId":"v","SecretString":"${FAKE}`).read('s', {}),
  ),
  rowOf('Secrets Manager answers a value with a list', 'AWS_CALL_FAILED', () => secrets(200, '[]').read('s', {})),
  rowOf('Secrets Manager answers a listing with nothing', 'AWS_CALL_FAILED', () => listed(200, '')),
  rowOf('Secrets Manager answers the versions of a secret with nothing', 'AWS_CALL_FAILED', () =>
    versions(200, '{}').list('s'),
  ),
  rowOf('Secrets Manager answers with an error that is not JSON', 'AWS_CALL_FAILED', () =>
    secrets(503, '<html>busy</html>').describe('s'),
  ),
];

/** Answers that come late: what was read before them may no longer be so. */
const late = ['GetAccessKeyLastUsed', 'DescribeSecret'].map((action) =>
  row(`${action} is answered so late that a change could rest on what is no longer so`, 'READ_STALE', {
    from: 'superseded',
    bring: (world) => world.account.faults.add({ match: { action, functionName: 'retire' }, kind: 'late', ms: 60_000 }),
    run: pass,
  }),
);

export const answers: readonly Row[] = [...late, ...refused, ...damaged, ...looping, ...garbled];
