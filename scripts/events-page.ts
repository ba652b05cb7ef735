/** docs/events.md and docs/events.schema.json, made of the schemas; the examples are made of lines of a log by the function that makes the events. */
import { toJsonSchema } from '@valibot/to-json-schema';
import type { Deployment } from '../lambdas/contract/deployment.ts';
import { type BusEvent, EVENT_DETAILS, EVENT_SOURCE, EVENT_TYPES, type EventType } from '../lambdas/contract/events.ts';
import { DEFAULT_FORMAT } from '../lambdas/contract/formats.ts';
import { eventOf } from '../lambdas/notify/events-of.ts';

const AT = new Date('2026-06-15T12:00:00Z');
const WHO = { secret: 'iam-key-rotator/deploy-prod', userName: 'deploy-prod' };
const KEY = { ...WHO, keyId: 'AKIAIOSFODNN7EXAMPLE' };
const DETAILS = {
  found: 'a key of the user that the rotator did not make, and no free slot',
  expected: 'a free slot for the new key',
  remedy: 'delete the key if nobody uses it, or adopt it',
};

const DEPLOYMENT: Deployment = {
  formatVersion: 1,
  name: 'iam-key-rotator',
  maxChangesPerRun: 25,
  rotateTimeout: 120,
  keys: [
    {
      ...{ secretName: WHO.secret, userName: WHO.userName, mode: 'enforce', ifInUse: 'hold', verifyRegions: [] },
      ...{ deactivateAfter: 259_200, settle: 14_400, holdAtMost: 1_209_600, quietFor: 691_200, deleteAfter: 604_800 },
      ...{ rotateEvery: 2_678_400, onLeak: 'rotate-then-disable', format: DEFAULT_FORMAT },
    },
  ],
};

/** When each event is sent, and a line that becomes one. */
export const SAMPLES: Readonly<Record<EventType, { readonly when: string; readonly line: object }>> = {
  'Key Minted': {
    when: 'createSecret has made a key and stored it as AWSPENDING.',
    line: { message: 'minted', ...KEY },
  },
  'Key Promoted': {
    when: 'finishSecret has moved AWSCURRENT: applications read the new key from now on.',
    line: { message: 'promoted', ...KEY },
  },
  'Key Held': {
    when:
      'A superseded key is due, but still used. Passes see that each hour; the event is sent in the first pass of each day of the hold (`day`), and people are told of ' +
      'day 0. Should that very pass fail, that day goes untold.',
    line: {
      message: 'held',
      ...KEY,
      reason: 'in-use',
      due: '2026-06-29T11:30:00.000Z',
      lastUse: { at: '2026-06-15T10:45:00.000Z', service: 's3', region: 'eu-central-1' },
      observed: false,
    },
  },
  'Key Disabled': {
    when: 'A superseded key was set Inactive, by the retire pass, or by finishSecret with an overlap of zero.',
    line: { message: 'disabled', ...KEY, reason: 'overlap-over', observed: false },
  },
  'Key Deleted': {
    when: 'A key was deleted after its recovery time.',
    line: { message: 'deleted', ...KEY, reason: 'recovery-over', observed: false },
  },
  'Orphan Cleared': {
    when: 'A key was deleted that a crash had left behind, in no version and never used.',
    line: { message: 'orphan-cleared', ...KEY, reason: 'orphan-never-used', observed: false },
  },
  'Key Rolled Back': {
    when: 'A retire pass found AWSCURRENT on a key that another one had superseded: somebody moved the label back.',
    line: { message: 'rolled-back', ...KEY },
  },
  'Rotation Refused': {
    when:
      'A step of a rotation failed. `code` is one of [errors.md](errors.md); `AWS_CALL_FAILED` is a call that failed and may pass, anything else a refusal of the rotator. Of a ' +
      'process that was stopped no line tells, and so no event.',
    line: {
      message: 'rotation step failed',
      secretId: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:iam-key-rotator/deploy-prod-a1B2c3',
      step: 'createSecret',
      error: { code: 'STRANGERS_HOLD_SLOTS', details: DETAILS },
    },
  },
  'Retirement Failed': {
    when: 'A retire pass failed for a secret; without `secret`: for all of them.',
    line: {
      message: 'retirement failed',
      secret: WHO.secret,
      error: {
        code: 'CURRENT_MISSING',
        details: {
          found: 'no version labelled AWSCURRENT',
          expected: 'one, as Secrets Manager guarantees',
          remedy: 'put the label on the version that applications are to read',
        },
      },
    },
  },
  'Change Limit Reached': {
    when: 'A retire pass changed `maxChangesPerRun` keys, and left more to the next one.',
    line: {
      message: 'the pass ended early; the next one goes on',
      stopped: 'change-limit',
      changes: 25,
      examined: 31,
    },
  },
  'Leak Reported': {
    when: 'A key is said to have leaked: by AWS Health, by a quarantine policy on its user, or by an operator.',
    line: { message: 'leak-reported', ...KEY, role: 'current', signal: 'health' },
  },
  'Leak Contained': {
    when: "A leaked key can't be used any more.",
    line: { message: 'leak-contained', ...KEY, how: 'disabled' },
  },
  'Leak Not Contained': {
    when: 'A leaked key is still usable.',
    line: {
      message: 'leak-not-contained',
      keyId: KEY.keyId,
      why: 'its user is not under rotation',
      remedy: 'disable it by hand',
    },
  },
  'Audit Completed': {
    when: 'An audit has written its report.',
    line: {
      message: 'audit-completed',
      findings: { critical: 0, high: 1, medium: 4, low: 2, info: 7 },
      report: 's3://reports/2026/06/15/report.json',
    },
  },
  'Audit Failed': {
    when: 'An audit has ended without a report.',
    line: {
      message: 'audit-failed',
      error: {
        code: 'AWS_CALL_FAILED',
        details: {
          found: 'GetCredentialReport failed with ReportInProgress',
          expected: 'the call to succeed',
          remedy: 'nothing if it was passing, the next run repeats it',
        },
      },
    },
  },
};

const FIELDS: Readonly<Record<string, string>> = {
  id: 'of the log line that told it: the same whenever the event comes again',
  at: 'when it happened; ISO 8601 in UTC, as all dates',
  deployment: 'name of the deployment',
  message: 'all of it in a sentence',
  secret: 'name of the secret',
  user: 'name of the IAM user',
  keyId: 'id of the access key, never its secret; `unknown` where AWS tells of a leak by its user alone',
  reason:
    'why: one of [reasons.md](reasons.md) where a pass decided, the code where something failed, and otherwise a word',
  remedy: 'what somebody should do',
  runbook: 'where that is explained',
  lastUse: 'last use of the key as IAM tells it: `at`, `service`, `region`; absent: never, or not asked',
  day: 'whole days since the hold began',
  due: 'when the hold ends',
  step: 'step of the rotation',
  code: 'error code; absent where the error is none of the rotator',
  found: 'what was found',
  expected: 'what was expected',
  changes: 'keys that the pass changed',
  examined: 'secrets that the pass looked at',
  role: 'what the key is to its secret',
  signal: '`health`, `quarantine` or `operator`',
  how: 'how it was contained',
  why: 'why it was not',
  findings: 'numbers by severity',
  report: 'where the report lies',
};

/** The event of a sample. */
export function sampleOf(type: EventType): BusEvent {
  const told = eventOf({ id: `3${'7'.repeat(55)}`, at: AT, text: JSON.stringify(SAMPLES[type].line) }, DEPLOYMENT);
  if (told.kind !== 'event' || told.event.type !== type) throw new Error(`the sample of ${type} becomes ${told.kind}`);
  return told.event;
}

/** Of each detail by its detail-type. */
export function eventSchemas(): Readonly<Record<string, unknown>> {
  const defs = EVENT_TYPES.map((type) => {
    const { $schema: _, ...schema } = toJsonSchema(EVENT_DETAILS[type], { target: 'draft-2020-12' });
    return [type, schema];
  });
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', $defs: Object.fromEntries(defs) };
}

export function eventsPage(): string {
  return [
    '# Events',
    '',
    '<!-- Made from the source by `npm run docs`. -->',
    '',
    `Every change of a key and every refusal is an event on the default bus of EventBridge, with \`source: ${EVENT_SOURCE}\`. No event carries secret material: its detail is closed, and what is not`,
    'listed here is refused before it is sent. JSON Schemas of the details: [events.schema.json](events.schema.json).',
    '',
    '- **At least once.** An event may come twice, with the same `detail.id`; drop the second one.',
    '- **In no order.** EventBridge keeps none. Order by `detail.at`, to the millisecond, of one secret.',
    '- **Late by seconds to minutes.** Events are made of the lines that the functions log ([ADR 18](adr/0018-events-from-the-log.md)). What a function could not log, since it was stopped, is in no event: alarms cover that.',
    "- **Nothing is sent for keys in mode `observe`**: nothing happens to them. What would happen is in the retire function's log.",
    '- People are told, by the SNS topic, of the events with a `remedy`, but for `Rotation Refused` with `AWS_CALL_FAILED`, which may pass and of which Secrets Manager tells if it fails the rotation, and `Key Held` after its first day.',
    '',
    'A rule for all that happens to the keys of one user:',
    '',
    '```json',
    JSON.stringify({ source: [EVENT_SOURCE], detail: { user: ['deploy-prod'] } }, null, 2),
    '```',
    '',
    'And for what was refused in one deployment:',
    '',
    '```json',
    JSON.stringify(
      {
        source: [EVENT_SOURCE],
        'detail-type': ['Rotation Refused'],
        detail: { deployment: ['iam-key-rotator'], reason: [{ 'anything-but': ['AWS_CALL_FAILED'] }] },
      },
      null,
      2,
    ),
    '```',
    '',
    '## Fields',
    '',
    '| field | meaning |',
    '| --- | --- |',
    ...Object.entries(FIELDS).map(([field, meaning]) => `| \`${field}\` | ${meaning} |`),
    ...EVENT_TYPES.flatMap(sectionOf),
    '',
  ].join('\n');
}

function sectionOf(type: EventType): string[] {
  const { properties = {}, required = [] } = toJsonSchema(EVENT_DETAILS[type]);
  const fields = Object.keys(properties);
  const unknown = fields.filter((field) => FIELDS[field] === undefined);
  if (unknown.length > 0) throw new Error(`docs/events.md says nothing of ${unknown.join(', ')}`);
  const listed = fields.map((field) => `\`${field}\`${required.includes(field) ? '' : '?'}`).join(', ');
  const example = JSON.stringify(sampleOf(type).detail, null, 2);
  return ['', `## ${type}`, '', SAMPLES[type].when, '', `Fields: ${listed}.`, '', '```json', example, '```'];
}
