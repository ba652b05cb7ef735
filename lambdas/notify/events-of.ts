/** From a line of a function's log to the event that it becomes. Pure. */
import * as v from 'valibot';
import { DEPLOYMENT_STANDARDS, type DeployedKey, type Deployment } from '../contract/deployment.ts';
import { type BusEvent, checkEvent, type EventType } from '../contract/events.ts';
import { HAPPENING_EVENTS, LINES, RUNBOOK } from '../contract/lines.ts';
import { ERROR_CODES } from '../domain/errors.ts';
import { parseSecretArn } from '../domain/identity.ts';
import { REASONS } from '../domain/reasons.ts';
import type { LogLine } from './log-batch.ts';

/** What a line comes to. `problem` quotes nothing of the line. */
export type Told =
  | { readonly kind: 'event'; readonly event: BusEvent }
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed'; readonly problem: string };

const text = v.string();
const use = v.looseObject({ at: text, service: text, region: text });

/** What is read of a line. It may have more. */
const lineSchema = v.looseObject({
  message: text,
  secret: v.optional(text),
  /** An ARN, as Secrets Manager gives it to the rotate function. */
  secretId: v.optional(text),
  userName: v.optional(text),
  keyId: v.optional(text),
  reason: v.optional(text),
  observed: v.optional(v.boolean()),
  due: v.optional(text),
  lastUse: v.optional(use),
  step: v.optional(text),
  stopped: v.optional(text),
  changes: v.optional(v.number()),
  examined: v.optional(v.number()),
  role: v.optional(text),
  signal: v.optional(text),
  how: v.optional(text),
  why: v.optional(text),
  remedy: v.optional(text),
  findings: v.optional(v.record(text, v.number())),
  report: v.optional(text),
  error: v.optional(
    v.looseObject({
      code: v.optional(text),
      details: v.optional(v.looseObject({ found: text, expected: text, remedy: text })),
    }),
  ),
});
type Line = v.InferOutput<typeof lineSchema>;

/** What goes into a detail besides what every one has. */
interface Content {
  readonly type: EventType;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const DAY = 86_400;
/** Seconds by which a pass may begin later than an hour, or whatever is set, after the last one. */
const PASS_JITTER = 300;
/** The longest text that goes into a detail. An entry of PutEvents holds 256 KB; ten of them together, too. */
const LONGEST_TEXT = 1_500;

/**
 * The event that a line becomes, checked by its schema. A line that tells of nothing that changed becomes none: that of an unknown kind, one of
 * mode 'observe', and a hold that was told of already today.
 */
export function eventOf(line: LogLine, deployment: Deployment): Told {
  const parsed = v.safeParse(lineSchema, jsonOf(line.text));
  if (!parsed.success) {
    return {
      kind: 'malformed',
      problem: parsed.issues.map((issue) => v.getDotPath(issue) ?? 'no JSON object').join(', '),
    };
  }
  const told = parsed.output;
  if (told.observed === true) return { kind: 'none' };
  const content = contentOf(told, line, deployment);
  if (content === undefined) return { kind: 'none' };
  const { type, message, fields } = content;
  const detail = {
    id: line.id,
    at: line.at.toISOString(),
    deployment: deployment.name,
    message,
    ...fields,
  };
  const checked = checkEvent(type, plain(detail), line.at);
  if (!checked.ok) return { kind: 'malformed', problem: `${type}: ${checked.problems.join(', ')}` };
  return { kind: 'event', event: checked.event };
}

function contentOf(told: Line, line: LogLine, deployment: Deployment): Content | undefined {
  const { message } = told;
  if (Object.hasOwn(HAPPENING_EVENTS, message)) {
    return ofHappening(message as keyof typeof HAPPENING_EVENTS, told, line, deployment);
  }
  const link = linkInto(deployment);
  switch (message) {
    case LINES.stepFailed:
      return ofFailedStep(told, deployment, link(RUNBOOK.rotationFailed));
    case LINES.retirementFailed:
      return ofFailedRetirement(told, deployment, link(RUNBOOK.retirementFailed));
    case LINES.endedEarly:
      return told.stopped === 'change-limit' ? ofLimit(told, link(RUNBOOK.changeLimit)) : undefined;
    case LINES.auditCompleted:
      return ofAudit(told);
    case LINES.auditFailed: {
      const failure = failureOf(told);
      return {
        type: 'Audit Failed',
        message: `The audit failed: ${failure.reason}.`,
        fields: { ...failure, runbook: link(RUNBOOK.auditNotRun) },
      };
    }
    default:
      return undefined;
  }
}

function ofHappening(
  what: keyof typeof HAPPENING_EVENTS,
  told: Line,
  line: LogLine,
  deployment: Deployment,
): Content | undefined {
  const type = HAPPENING_EVENTS[what];
  const { secret, userName: user, keyId, reason, lastUse, due } = told;
  const who = { ...(secret !== undefined && { secret }), ...(user !== undefined && { user }), keyId };
  const used = lastUse && { lastUse: { at: lastUse.at, service: lastUse.service, region: lastUse.region } };
  const because = reason !== undefined && Object.hasOwn(REASONS, reason) ? REASONS[reason as keyof typeof REASONS] : '';
  const link = linkInto(deployment);
  const ofUser = `Key ${keyId} of user ${user}`;
  // AWS's quarantine says of which user, and not which key.
  const leaked = (one: string, some: string) =>
    `${keyId === 'unknown' ? some : `${one} ${keyId}`}${user === undefined ? '' : ` of user ${user}`}`;
  switch (what) {
    case 'minted':
      return { type, message: `${ofUser} was made.`, fields: { ...who, reason: 'rotation' } };
    case 'promoted':
      return {
        type,
        message: `${ofUser} is current: applications read it now.`,
        fields: { ...who, reason: 'rotation' },
      };
    case 'disabled':
      return { type, message: `${ofUser} was disabled. ${because}`.trim(), fields: { ...who, reason, ...used } };
    case 'deleted':
      return { type, message: `${ofUser} was deleted. ${because}`.trim(), fields: { ...who, reason, ...used } };
    case 'orphan-cleared':
      return { type, message: `${ofUser} was deleted. ${because}`.trim(), fields: { ...who, reason, ...used } };
    case 'held': {
      const day = dayOfHold(told, line, deployment);
      if (day === undefined) return undefined;
      const by = lastUse ? `, last by ${lastUse.service} in ${lastUse.region} at ${lastUse.at}` : '';
      return {
        type,
        message: `${ofUser} should be disabled, but is still used${by}: it is held until ${due}.`,
        fields: {
          ...who,
          reason,
          day,
          due,
          ...used,
          remedy: 'find the application that uses the key, and have it read the secret',
          runbook: link(RUNBOOK.holdTooLong),
        },
      };
    }
    case 'rolled-back':
      return {
        type,
        message: `Somebody moved secret ${secret} back to key ${keyId} of user ${user}: applications read that one again.`,
        fields: {
          ...who,
          reason: 'label-moved-back',
          remedy:
            'nothing if that was meant: the newer key is retired in its turn, and the next rotation makes another one',
          runbook: link(RUNBOOK.rotationFailed),
        },
      };
    case 'leak-reported':
      return {
        type,
        message: `${leaked('Key', 'A key')} is reported to have leaked.`,
        fields: {
          ...who,
          reason: reason ?? 'leak',
          ...(told.role !== undefined && { role: told.role }),
          signal: told.signal,
          remedy: told.remedy ?? 'see that it is contained, which another notice tells, and look what was done with it',
          runbook: link(RUNBOOK.leakNotContained),
        },
      };
    case 'leak-contained':
      return {
        type,
        message: `${leaked('Leaked key', 'A leaked key')} can't be used any more: ${told.how}.`,
        fields: {
          ...who,
          reason: reason ?? 'leak',
          how: told.how,
          remedy: told.remedy ?? 'look in CloudTrail what was done with the key, and how it got out',
          runbook: link(RUNBOOK.leakNotContained),
        },
      };
    case 'leak-not-contained':
      return {
        type,
        message: `${leaked('Leaked key', 'A leaked key')} is STILL USABLE: ${told.why}.`,
        fields: {
          ...who,
          reason: reason ?? 'leak',
          why: told.why,
          remedy: told.remedy ?? 'disable the key by hand (aws iam update-access-key --status Inactive)',
          runbook: link(RUNBOOK.leakNotContained),
        },
      };
  }
}

/**
 * Whole days since the hold began; undefined in any pass but the first of a day. A pass remembers nothing of the last one, so this goes by the time of
 * day at which the hold began: once in a while a day is told twice, and one whose first pass failed is not told.
 */
function dayOfHold(told: Line, line: LogLine, deployment: Deployment): number | undefined {
  const policy = policyOf(told.secret, deployment);
  if (policy === undefined || told.due === undefined) return 0;
  const held = (line.at.getTime() - new Date(told.due).getTime()) / 1000 + policy.holdAtMost;
  const every = (deployment.retireEvery ?? DEPLOYMENT_STANDARDS.retireEvery) + PASS_JITTER;
  return held >= 0 && held % DAY < every ? Math.floor(held / DAY) : undefined;
}

function ofFailedStep(told: Line, deployment: Deployment, runbook: string): Content {
  const secret = told.secretId === undefined ? undefined : (parseSecretArn(told.secretId)?.name ?? told.secretId);
  const who = whoOf(secret, deployment);
  const failure = failureOf(told);
  const of = secret === undefined ? 'A rotation' : `The rotation of secret ${secret}`;
  return {
    type: 'Rotation Refused',
    message: `${of} failed${told.step === undefined ? '' : ` at ${told.step}`}: ${failure.reason}.${colon(failure.found)}`,
    fields: { ...who, ...failure, ...(told.step !== undefined && { step: told.step }), runbook },
  };
}

function ofFailedRetirement(told: Line, deployment: Deployment, runbook: string): Content {
  const failure = failureOf(told);
  const of = told.secret === undefined ? 'A retire pass' : `Retiring the keys of secret ${told.secret}`;
  return {
    type: 'Retirement Failed',
    message: `${of} failed: ${failure.reason}.${colon(failure.found)}`,
    fields: { ...whoOf(told.secret, deployment), ...failure, runbook },
  };
}

function ofLimit({ changes, examined }: Line, runbook: string): Content {
  return {
    type: 'Change Limit Reached',
    message: `A retire pass changed ${changes} keys, which is all that it may, and left others that are due to the next pass.`,
    fields: {
      reason: 'change-limit',
      changes,
      examined,
      remedy: 'make sure that so many keys are due for a reason; if they are, the next passes go on',
      runbook,
    },
  };
}

function ofAudit({ findings = {}, report }: Line): Content {
  const total = Object.values(findings).reduce((sum, found) => sum + found, 0);
  const grave = (findings.critical ?? 0) + (findings.high ?? 0);
  return {
    type: 'Audit Completed',
    message: `The audit has ${total} findings, ${grave} of them critical or high.`,
    fields: { reason: 'audit', findings, ...(report !== undefined && { report }) },
  };
}

/** What an error tells. Of one that is none of ours, only that: its message may quote what it stumbled over. */
function failureOf({ error }: Line) {
  const { code, details } = error ?? {};
  if (code === undefined || details === undefined || !Object.hasOwn(ERROR_CODES, code)) {
    return { reason: 'an error that the rotator does not know', remedy: "read the function's log: it has the error" };
  }
  const { found, expected, remedy } = details;
  return { reason: code, code, found, expected, remedy };
}

const colon = (found: string | undefined): string =>
  found === undefined ? '' : ` Found: ${found.replace(/\.+$/, '')}.`;

function whoOf(secret: string | undefined, deployment: Deployment) {
  const user = policyOf(secret, deployment)?.userName;
  return { ...(secret !== undefined && { secret }), ...(user !== undefined && { user }) };
}

/** Links to sections of the runbook. */
const linkInto =
  ({ runbookUrl = DEPLOYMENT_STANDARDS.runbookUrl }: Deployment) =>
  (section: string): string =>
    `${runbookUrl}#${section}`;

function policyOf(secret: string | undefined, { keys }: Deployment): DeployedKey | undefined {
  return keys.find((key) => key.secretName === secret);
}

/**
 * Texts as a notice can have them. They stand between quotes in the template of a rule, of which no documentation says what becomes of a quote inside;
 * a notice that can't be made would be lost.
 */
function plain(detail: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(detail).map(([name, value]) => [name, typeof value === 'string' ? plainText(value) : value]),
  );
}

function plainText(given: string): string {
  const quoted = given.replace(/["\\]/g, "'").replace(/[\s\p{Cc}]+/gu, ' ');
  return quoted.length > LONGEST_TEXT ? `${quoted.slice(0, LONGEST_TEXT)}…` : quoted;
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
