/** Configurations that can't be deployed. */
import type { ProblemCode } from '../../infra/config/problems.ts';
import { FAKE } from './row.ts';

export interface ConfigRow {
  readonly wrong: string;
  /** Each problem as its code and path. */
  readonly problem: `${ProblemCode} ${string}`;
  readonly config: unknown;
}

const key = (wrong: string, problem: ConfigRow['problem'], fields: object): ConfigRow => ({
  wrong,
  problem,
  config: { keys: [{ user: 'app', ...fields }] },
});
const READER = 'arn:aws:iam::111122223333:role/app';

export const configs: readonly ConfigRow[] = [
  { wrong: 'the file exports nothing', problem: 'missing-field the file', config: undefined },
  { wrong: 'the file exports a list', problem: 'bad-value the file', config: [] },
  { wrong: 'there is neither a list of keys nor one of targets', problem: 'keys-or-targets keys, targets', config: {} },
  { wrong: 'the list of keys is empty', problem: 'bad-value keys', config: { keys: [] } },
  { wrong: 'a key is a text', problem: 'bad-value keys[0]', config: { keys: ['app'] } },
  { wrong: 'a key is null', problem: 'bad-value keys[0]', config: { keys: [null] } },
  { wrong: 'a key names no user', problem: 'missing-field keys[0].user', config: { keys: [{ secretName: 's' }] } },
  key('a user is given by its ARN', 'bad-value keys[0].user', {
    user: 'arn:aws:iam::111122223333:user/app',
    secretName: 's',
  }),
  key('a user has a wildcard in its name', 'bad-value keys[0].user', { user: 'app*', secretName: 's' }),
  key('a path has a wildcard, which would stand for other users', 'bad-value keys[0].userPath', { userPath: '/*/' }),
  key('a path leads upwards without its slashes', 'bad-value keys[0].userPath', { userPath: '../' }),
  key('a secret name has a colon', 'bad-value keys[0].secretName', { secretName: 'arn:aws:x' }),
  key('a field is misspelt', 'unknown-field keys[0].deactivteAfter', { deactivteAfter: '3d' }),
  key('a duration has no unit', 'bad-value keys[0].deactivateAfter', { deactivateAfter: '3' }),
  key('a duration is a number', 'bad-value keys[0].deleteAfter', { deleteAfter: 7 }),
  key('a duration is negative', 'bad-value keys[0].holdAtMost', { holdAtMost: '-1d' }),
  key('a hold is longer than any date can tell, which would be no hold at all', 'bad-value keys[0].holdAtMost', {
    holdAtMost: '999999999d',
  }),
  key('a key is quiet after longer than any date can tell', 'bad-value keys[0].quietFor', { quietFor: '999999999d' }),
  ...['constructor', 'toString', 'valueOf'].map((field) =>
    key(`a field has the name ${field}, which every object has`, `unknown-field keys[0].${field}`, { [field]: 1 }),
  ),
  key('a duration is in weeks', 'bad-value keys[0].quietFor', { quietFor: '2w' }),
  key('a duration has spaces', 'bad-value keys[0].settle', { settle: '4 h' }),
  key('overlap and recovery are longer than the period', 'does-not-fit keys[0].deactivateAfter', {
    deactivateAfter: '20d',
    deleteAfter: '11d',
  }),
  key('a schedule never fires', 'bad-schedule keys[0].schedule', { schedule: { cron: 'cron(0 3 30 2 ? *)' } }),
  key('a cron expression has five fields', 'bad-schedule keys[0].schedule', { schedule: 'cron(0 3 * * ?)' }),
  key('a cron expression is of another system', 'bad-schedule keys[0].schedule', { schedule: '0 3 * * *' }),
  key('a schedule fires every hour', 'bad-schedule keys[0].schedule', { schedule: 'cron(0 * * * ? *)' }),
  key('a window reaches into the next day', 'bad-schedule keys[0].schedule', {
    schedule: { cron: 'cron(0 22 ? * SUN *)', window: '4h' },
  }),
  key('a mode does not exist', 'bad-value keys[0].mode', { mode: 'audit' }),
  key('what to do with a key in use does not exist', 'bad-value keys[0].ifInUse', { ifInUse: 'delete' }),
  key('a secret stands in the place of the adopted id', 'bad-value keys[0].adopt', { adopt: FAKE }),
  key('the only key is adopted in other letters', 'bad-value keys[0].adopt', { adopt: 'Only-Key' }),
  key('a temporary key is adopted', 'bad-value keys[0].adopt', { adopt: 'ASIAIOSFODNN7EXAMPLE' }),
  key('a reader is every role', 'bad-value keys[0].readers[0]', { readers: ['arn:aws:iam::111122223333:role/*'] }),
  key('a reader is a user', 'bad-value keys[0].readers[1]', {
    readers: [READER, 'arn:aws:iam::111122223333:user/app'],
  }),
  key('a reader is an account', 'bad-value keys[0].readers[0]', { readers: ['arn:aws:iam::111122223333:root'] }),
  key('readers are no list', 'bad-value keys[0].readers', { readers: READER }),
  key('who may read is told in words', 'bad-value keys[0].userReads', { userReads: 'yes' }),
  key('a consumer is none that is known', 'bad-value keys[0].consumers[0]', { consumers: ['external-secret'] }),
  key('a consumer is an inherited name', 'bad-value keys[0].consumers[0]', { consumers: ['constructor'] }),
  key('a consumer does not say how stale it gets', 'bad-value keys[0].consumers[1]', {
    consumers: ['caching-client', { name: 'batch' }],
  }),
  key('a consumer has a staleness without a unit', 'bad-value keys[0].consumers[0]', {
    consumers: [{ name: 'batch', staleFor: 3600 }],
  }),
  key('a consumer has a field too many', 'bad-value keys[0].consumers[0]', {
    consumers: [{ name: 'batch', staleFor: '1h', ttl: '5m' }],
  }),
  key('a consumer has no name', 'bad-value keys[0].consumers[0]', { consumers: [{ name: '', staleFor: '1h' }] }),
  key('consumers are no list', 'bad-value keys[0].consumers', { consumers: 'caching-client' }),
  key('the KMS key is an alias', 'bad-value keys[0].kmsKeyArn', { kmsKeyArn: 'alias/keys' }),
  key('a replica names no Region', 'missing-field keys[0].replicas[0].region', { replicas: [{}] }),
  key('a Region is given by its name', 'bad-value keys[0].verifyRegions[0]', { verifyRegions: ['Frankfurt'] }),
  key('an exclusive secret has no role that can repair it', 'missing-field keys[0].exclusive.breakGlassRoleArn', {
    exclusive: {},
  }),
  key('a format does not exist', 'bad-value keys[0].format', { format: 'dotenv' }),
  key('a format has the name of what every object has', 'bad-value keys[0].format', { format: 'constructor' }),
  key('a format is a list', 'bad-value keys[0].format', { format: ['env'] }),
  key('a format names no field for the secret', 'missing-field keys[0].format.secretAccessKey', {
    format: { accessKeyId: 'id' },
  }),
  key('a format names a field that nobody knows', 'unknown-field keys[0].format.sessionToken', {
    format: { accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: 'token' },
  }),
  key('a field of the secret is to have no name', 'bad-value keys[0].format.accessKeyId', {
    format: { accessKeyId: '', secretAccessKey: 'secret' },
  }),
  key('a field of the secret is to be the prototype of every object', 'bad-value keys[0].format.userName', {
    format: { accessKeyId: 'id', secretAccessKey: 'secret', userName: '__proto__' },
  }),
  key('a secret access key stands in the place of a field name', 'bad-value keys[0].format.secretAccessKey', {
    format: { accessKeyId: 'id', secretAccessKey: FAKE },
  }),
  key('id and secret are to stand in one field', 'field-clash keys[0].format.secretAccessKey', {
    format: { accessKeyId: 'key', secretAccessKey: 'key' },
  }),
  key('two fields differ only by the case of their letters', 'field-clash keys[0].format.createDate', {
    format: { accessKeyId: 'id', secretAccessKey: 'secret', userName: 'by', createDate: 'BY' },
  }),
  key('a field has the name by which a new secret is known', 'field-clash keys[0].format.userName', {
    format: { accessKeyId: 'id', secretAccessKey: 'secret', userName: 'Bootstrap' },
  }),
  key('the user is to stand where readers expect the end of a key', 'field-clash keys[0].format.userName', {
    format: { accessKeyId: 'id', secretAccessKey: 'secret', userName: 'Expiration' },
  }),
  key('the id is to stand where the built-in form has the secret', 'field-clash keys[0].format.accessKeyId', {
    format: { accessKeyId: 'AWS_SECRET_ACCESS_KEY', secretAccessKey: 'secret' },
  }),
  key('the Regions of SES are no list', 'bad-value keys[0].sesSmtp', { sesSmtp: 'eu-west-1' }),
  key('a Region of SES is given by its name', 'bad-value keys[0].sesSmtp[1]', { sesSmtp: ['eu-west-1', 'Ireland'] }),
  key('a Region of SES is an endpoint', 'bad-value keys[0].sesSmtp[0]', {
    sesSmtp: ['email-smtp.eu-west-1.amazonaws.com'],
  }),
  key('a Region of SES has only names for its fields', 'missing-field keys[0].sesSmtp[0].region', {
    sesSmtp: [{ passwordField: 'password' }],
  }),
  key('a Region of SES names a field that nobody knows', 'unknown-field keys[0].sesSmtp[0].host', {
    sesSmtp: [{ region: 'eu-west-1', host: 'smtp' }],
  }),
  key('a password of SES has a name with a blank', 'bad-value keys[0].sesSmtp[0].passwordField', {
    sesSmtp: [{ region: 'eu-west-1', passwordField: 'smtp password' }],
  }),
  key('a Region of SES is named twice', 'field-clash keys[0].sesSmtp', { sesSmtp: ['eu-west-1', 'eu-west-1'] }),
  key('the passwords of two Regions are to stand in one field', 'field-clash keys[0].sesSmtp', {
    sesSmtp: ['eu-west-1', 'us-east-1'].map((region) => ({ region, passwordField: 'smtp_password' })),
  }),
  key('an SMTP password is to stand where the secret does', 'field-clash keys[0].sesSmtp', {
    format: 'env',
    sesSmtp: [{ region: 'eu-west-1', passwordField: 'AWS_SECRET_ACCESS_KEY' }],
  }),
  {
    wrong: "the SMTP password of the defaults has the name that a key's own format uses",
    problem: 'field-clash keys[0].sesSmtp',
    config: {
      defaults: { sesSmtp: [{ region: 'eu-west-1', passwordField: 'secret' }] },
      keys: [{ user: 'app', format: { accessKeyId: 'id', secretAccessKey: 'secret' } }],
    },
  },
  {
    wrong: 'two secrets are for one user',
    problem: 'duplicate-user keys[1].user',
    config: { keys: [{ user: 'app' }, { user: 'APP', secretName: 'other' }] },
  },
  {
    wrong: 'one secret is for two users',
    problem: 'duplicate-secret keys[1].secretName',
    config: {
      keys: [
        { user: 'a', secretName: 's' },
        { user: 'b', secretName: 's' },
      ],
    },
  },
  {
    wrong: 'the defaults name a user',
    problem: 'unknown-field defaults.user',
    config: { defaults: { user: 'app' }, keys: [{ user: 'app' }] },
  },
  ...(
    [
      ['notices go to a name', 'bad-value notices.emails[0]', { notices: { emails: ['Team <team@example.com>'] } }],
      ['notices go to one address that is no list', 'bad-value notices.emails', { notices: { emails: 'a@b.example' } }],
      [
        'notices go to a queue',
        'bad-value notices.topicArn',
        { notices: { topicArn: 'arn:aws:sqs:eu-central-1:111122223333:q' } },
      ],
      [
        'notices go to a FIFO topic',
        'bad-value notices.topicArn',
        { notices: { topicArn: 'arn:aws:sns:eu-central-1:111122223333:t.fifo' } },
      ],
      [
        'notices go to a topic of the team and to addresses of the stack',
        'bad-value notices',
        { notices: { topicArn: 'arn:aws:sns:eu-central-1:111122223333:t', emails: ['a@b.example'] } },
      ],
      ['notices have a field that does not exist', 'unknown-field notices.slack', { notices: { slack: '#keys' } }],
      ['notices are a text', 'bad-value notices', { notices: 'a@b.example' }],
      ['a margin has no unit', 'bad-value alarms.overdueMargin', { alarms: { overdueMargin: 2 } }],
      ['an alarm is raised by any hold', 'bad-value alarms.holdLongerThan', { alarms: { holdLongerThan: '59m' } }],
      ['a hold is told in words', 'bad-value alarms.holdLongerThan', { alarms: { holdLongerThan: 'a week' } }],
      ['an action of alarms is no topic', 'bad-value alarms.actions[0]', { alarms: { actions: ['arn:aws:lambda:x'] } }],
      [
        'the runbook is given with a section',
        'bad-value runbookUrl',
        { runbookUrl: 'https://wiki.example.com/keys#top' },
      ],
    ] as const
  ).map(([wrong, problem, fields]): ConfigRow => ({ wrong, problem, config: { ...fields, keys: [{ user: 'app' }] } })),
  {
    wrong: 'no key may be changed',
    problem: 'bad-value maxChangesPerRun',
    config: { maxChangesPerRun: 0, keys: [{ user: 'app' }] },
  },
  {
    wrong: 'a pass is to run every minute',
    problem: 'bad-value retireEvery',
    config: { retireEvery: '1m', keys: [{ user: 'app' }] },
  },
  {
    wrong: 'an audit is to run every hour, for which IAM makes no report',
    problem: 'bad-value audit.every',
    config: { audit: { every: '1h' }, keys: [{ user: 'app' }] },
  },
  {
    wrong: 'the oldest age of a key is no whole number of days',
    problem: 'bad-value audit.maxKeyAge',
    config: { audit: { maxKeyAge: '36h' }, keys: [{ user: 'app' }] },
  },
  {
    wrong: 'the audit has a field that nobody knows',
    problem: 'unknown-field audit.bucket',
    config: { audit: { bucket: 'mine' }, keys: [{ user: 'app' }] },
  },
  {
    wrong: 'the audit is switched off by a word',
    problem: 'bad-value audit',
    config: { audit: false, keys: [{ user: 'app' }] },
  },
  {
    wrong: 'two stacks have one name',
    problem: 'duplicate-target targets[1].name',
    config: {
      targets: [
        { name: 'a', keys: [{ user: 'u' }] },
        { name: 'a', keys: [{ user: 'v' }] },
      ],
    },
  },
  {
    wrong: 'an account id has lost its quotes',
    problem: 'bad-value targets[0].account',
    config: { targets: [{ name: 'a', account: 111122223333, keys: [{ user: 'u' }] }] },
  },
  {
    wrong: 'a reader of another account can not get at the key that encrypts',
    problem: 'reader-needs-key targets[0].keys[0].readers[0]',
    config: { targets: [{ name: 'a', account: '444455556666', keys: [{ user: 'u', readers: [READER] }] }] },
  },
  {
    wrong: 'a stack has more keys than its policies hold',
    problem: 'too-many-keys keys',
    config: { keys: Array.from({ length: 60 }, (_, n) => ({ user: `service-user-${n}` })) },
  },
];
