/** The fields of the configuration: which there are, what each takes, and what to say when it is something else. */
import * as z from 'zod';
import { ADOPT, IF_IN_USE, MODES, ON_LEAK } from '../../lambdas/contract/deployment.ts';
import { FIELD_NAME, isFieldName } from '../../lambdas/contract/field-names.ts';
import { BUILT_IN_FORMS } from '../../lambdas/contract/formats.ts';
import { CONSUMER_NAMES, type Consumer, knownConsumer } from './consumers.ts';
import { DAY, HOUR, parseDuration } from './duration.ts';
import { isRefusal, type RotationSchedule, readSchedule } from './rotation-schedule.ts';
import { fieldNames, sesSmtp } from './secret-format.ts';
import type { FormatInput } from './types.ts';

const MINUTE = 60;

/** A value that passes `test`; `expected` and `fix` go into the message when it doesn't. */
const that = <T>(test: (value: unknown) => boolean, expected: string, fix: string) =>
  z.custom<T>(test, { error: expected, params: { fix } });

const text = (pattern: RegExp, expected: string, fix: string) =>
  that<string>((value) => typeof value === 'string' && pattern.test(value), expected, fix);

const flag = that<boolean>(
  (value) => typeof value === 'boolean',
  'true or false',
  'write true or false, without quotes',
);

const oneOf = <T extends string>(words: readonly T[]) =>
  that<T>(
    (value) => typeof value === 'string' && (words as readonly string[]).includes(value),
    words.map((word) => `'${word}'`).join(' or '),
    'use one of these words',
  );

const list = <T extends z.ZodType>(item: T, of: string) => z.array(item, { error: `a list of ${of}` });

const secondsIn = (value: unknown) => (typeof value === 'string' ? parseDuration(value) : undefined);

/** Seconds, written as `'30d'`, `'12h'` or `'15m'`. */
const duration = that<string>(
  (value) => secondsIn(value) !== undefined,
  "a duration: a whole number and d, h, m or s, such as '3d' or '12h', and at most ten years",
  'write it as text, without fractions or spaces',
).transform((value) => parseDuration(value) ?? 0);

const region = text(
  /^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/,
  "a Region such as 'eu-central-1'",
  "use the Region's code, not its name",
);

const roleArn = text(
  /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/,
  "the ARN of a role, such as 'arn:aws:iam::123456789012:role/app'",
  'name one role: no wildcard, no user, no account',
);

// An alias won't do: the rotator's roles are granted the key itself.
const kmsKeyArn = text(
  /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$/,
  'the ARN of a KMS key: arn:aws:kms:<Region>:<account>:key/<id>',
  "use the key's own ARN, not that of an alias",
);

const schedule = z.unknown().transform((value, context): RotationSchedule => {
  const result = readSchedule(value);
  if (!isRefusal(result)) return result;
  context.addIssue({ code: 'custom', message: result.expected, params: { fix: result.fix, schedule: true } });
  return z.NEVER;
});

const breakGlass = z.strictObject({ breakGlassRoleArn: roleArn }, { error: "{ breakGlassRoleArn: 'arn:aws:iam::…' }" });
const replica = z.strictObject(
  { region, kmsKeyArn: kmsKeyArn.optional() },
  { error: "{ region: 'eu-west-1' }, with or without kmsKeyArn" },
);

const consumer = z.unknown().transform((value, context): Consumer => {
  const known = typeof value === 'string' ? knownConsumer(value) : undefined;
  if (known !== undefined) return known;
  if (isRecord(value) && Object.keys(value).every((field) => ['name', 'staleFor'].includes(field))) {
    const { name, staleFor } = value;
    const seconds = secondsIn(staleFor);
    if (typeof name === 'string' && name !== '' && seconds !== undefined) return { name, staleFor: seconds };
  }
  context.addIssue({
    code: 'custom',
    message: "a known consumer, or { name: 'nightly batch', staleFor: '1d' }",
    params: { fix: `use one of ${CONSUMER_NAMES.map((name) => `'${name}'`).join(', ')}, or say how stale it gets` },
  });
  return z.NEVER;
});
/** An object is checked as one, anything else as what may stand in its place: so that each problem is told where it is. */
const either = <A extends z.ZodType, B extends z.ZodType>(asObject: A, otherwise: B) =>
  z.unknown().transform((value, context): z.output<A> | z.output<B> => {
    const result = (isRecord(value) ? asObject : otherwise).safeParse(value);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      const { message, path } = issue;
      if (issue.code === 'unrecognized_keys') context.addIssue({ code: issue.code, keys: issue.keys, message, path });
      else
        context.addIssue({ code: 'custom', message, path, ...(issue.code === 'custom' && { params: issue.params }) });
    }
    return z.NEVER;
  });

const fieldName = that<string>(
  (value) => typeof value === 'string' && isFieldName(value),
  FIELD_NAME,
  'name the field as the application reads it',
);

const BUILT_IN = BUILT_IN_FORMS.map(({ name }) => name);
const format = either(
  z
    .strictObject(
      {
        accessKeyId: fieldName,
        secretAccessKey: fieldName,
        userName: fieldName.optional(),
        createDate: fieldName.optional(),
      },
      { error: 'accessKeyId, secretAccessKey, userName or createDate' },
    )
    .transform(fieldNames),
  that<FormatInput>(
    (value) => BUILT_IN.some((name) => name === value),
    `${BUILT_IN.map((name) => `'${name}'`).join(', ')} or { accessKeyId: '…', secretAccessKey: '…' }`,
    'use one of these words, or name the fields',
  ).transform(fieldNames),
);

const smtp = either(
  z
    .strictObject(
      { region, usernameField: fieldName.optional(), passwordField: fieldName.optional() },
      { error: 'region, usernameField or passwordField' },
    )
    .transform(sesSmtp),
  region.transform(sesSmtp),
);

/** What `defaults` and each key may say. */
export const policyFields = {
  schedule,
  deactivateAfter: duration,
  settle: duration,
  ifInUse: oneOf(IF_IN_USE),
  holdAtMost: duration,
  quietFor: duration,
  deleteAfter: duration,
  mode: oneOf(MODES),
  verifyRegions: list(region, 'Regions'),
  onLeak: oneOf(ON_LEAK),
  rotateOnDeploy: flag,
  // No * or ?: the path becomes part of the user's ARN in the roles' policies, where they would stand for other users.
  userPath: text(
    /^\/([\w+=,.@-]+\/)*$/,
    "an IAM path that begins and ends with a slash, such as '/service/'",
    "write it as in the user's ARN, between 'user' and the name",
  ),
  createUser: flag,
  readers: list(roleArn, 'role ARNs'),
  userReads: flag,
  consumers: list(consumer, 'consumers'),
  ledgerOperators: list(roleArn, 'role ARNs'),
  kmsKeyArn,
  replicas: list(replica, '{ region, kmsKeyArn? }'),
  exclusive: breakGlass,
  format,
  sesSmtp: list(smtp, "Regions, or { region: 'eu-west-1', usernameField?, passwordField? }"),
};

/** What each key may say. */
export const keyFields = {
  user: text(
    /^[\w+=,.@-]{1,64}$/,
    'the name of an IAM user: up to 64 letters, digits and + = , . @ _ -',
    "use the user's name, without its path or ARN",
  ),
  secretName: text(
    /^[\w/+=.@-]{1,512}$/,
    'the name of a secret: up to 512 letters, digits and / _ + = . @ -',
    'choose a secretName of these characters',
  ),
  adopt: text(
    ADOPT,
    "'only-key' or an access key id: AKIA and 16 more letters and digits",
    "copy the id of the hand-made key, never its secret; or say 'only-key' if the user has no other",
  ),
  ...policyFields,
};

const name = text(
  /^[A-Za-z][A-Za-z0-9-]{0,63}$/,
  'a name of up to 64 letters, digits and hyphens that begins with a letter',
  'it becomes part of the name of a CloudFormation stack: leave out all else',
);

export const targetFields = {
  name,
  account: text(/^\d{12}$/, 'an account id: 12 digits, as text', "put quotes around it, such as '123456789012'"),
  region,
  keys: that<unknown[]>(isFilledList, 'a list of at least one key', "write keys: [{ user: 'deploy-prod' }]"),
};

/** Whole units between two bounds, in seconds. */
const between = (least: number, most: number, unit: number, expected: string, fix: string) =>
  duration.refine((value) => value >= least && value <= most && value % unit === 0, {
    error: expected,
    params: { fix },
  });

const wholeDays = (example: string) => between(DAY, 3650 * DAY, DAY, "whole days, at least '1d'", `use '${example}'`);

const auditFields = z.strictObject(
  {
    // An alarm of CloudWatch looks back a week at most: it could not tell that one which comes each week is late.
    every: between(
      6 * HOUR,
      6 * DAY,
      HOUR,
      "whole hours from '6h' to '6d'",
      "use '1d' unless there is a reason",
    ).optional(),
    maxKeyAge: wholeDays('90d').optional(),
    unusedFor: wholeDays('45d').optional(),
    neverUsedFor: wholeDays('45d').optional(),
    securityHub: flag.optional(),
    keepReportsFor: between(7 * DAY, 3650 * DAY, DAY, "whole days, at least '7d'", "use '365d'").optional(),
  },
  { error: '{ every?, maxKeyAge?, unusedFor?, neverUsedFor?, securityHub?, keepReportsFor? }' },
);

// One topic: what is published to another Region's would not arrive.
const topicArn = text(
  /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/,
  "the ARN of an SNS topic, such as 'arn:aws:sns:eu-central-1:123456789012:on-call'",
  'name the topic, not a subscription; a FIFO topic takes no notices',
);
const email = text(
  /^[^\s@]+@[^\s@]+\.[^\s@]+$/,
  "an e-mail address, such as 'team@example.com'",
  'write the address alone, without a name',
);
const notices = z
  .strictObject(
    { emails: list(email, 'e-mail addresses').optional(), topicArn: topicArn.optional() },
    {
      error: "{ emails: ['team@example.com'] } or { topicArn: 'arn:aws:sns:…' }",
    },
  )
  .refine(({ emails = [], topicArn: given }) => emails.length === 0 || given === undefined, {
    error: "either 'emails' or 'topicArn'",
    params: { fix: 'subscribe the addresses to your own topic, and remove them here' },
  });
const alarms = z.strictObject(
  {
    overdueMargin: duration.optional(),
    // Of no time at all, it would be raised for good.
    holdLongerThan: duration
      .refine((value) => value >= HOUR, { error: "'1h' or more", params: { fix: "use '7d' unless there is a reason" } })
      .optional(),
    actions: list(topicArn, 'ARNs of SNS topics').optional(),
  },
  { error: "{ overdueMargin: '2d' }, with or without holdLongerThan and actions" },
);

export const rootFields = {
  name,
  maxChangesPerRun: that<number>(
    (value) => typeof value === 'number' && Number.isSafeInteger(value) && value > 0,
    'a whole number of 1 or more',
    "to change nothing at all, use mode 'observe'",
  ),
  // A pass may take the 15 minutes that Lambda allows: more often, and two would run side by side.
  retireEvery: duration.refine((value) => value >= 15 * MINUTE && value <= DAY && value % MINUTE === 0, {
    error: "whole minutes from '15m' to '1d'",
    params: { fix: "use '1h' unless there is a reason" },
  }),
  audit: auditFields,
  notices,
  alarms,
  runbookUrl: text(
    /^[^\s#]{1,300}$/,
    "an address or a path without '#', such as 'https://wiki.example.com/iam-key-rotator'",
    'leave out the section: each alarm adds its own',
  ),
  defaults: that<Record<string, unknown>>(isRecord, 'an object', 'write defaults: { … }'),
  keys: targetFields.keys,
  targets: that<unknown[]>(
    isFilledList,
    'a list of at least one target',
    "write targets: [{ name: 'prod', keys: […] }]",
  ),
};

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFilledList(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > 0;
}
