/**
 * The events that the rotator puts on the default bus of EventBridge. A detail is closed: it has no field that could carry secret material, and
 * one that is not listed here is refused. Documented in docs/events.md, which is made from this.
 */
import * as v from 'valibot';
import { PROJECT } from './names.ts';

/** `source` of every event. */
export const EVENT_SOURCE = PROJECT;

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(2_000));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const date = v.pipe(v.string(), v.isoTimestamp());
const keyId = v.pipe(v.string(), v.regex(/^[A-Z0-9]{4,128}$/));
/** AWS's quarantine names a user and no key: the respond function then says 'unknown'. */
const leakedKeyId = v.pipe(v.string(), v.regex(/^(?:[A-Z0-9]{4,128}|unknown)$/));

/** What every detail has. */
const every = {
  /** Of the log line that told it: the same if the event comes twice. */
  id: text,
  /** When it happened. */
  at: date,
  /** Name of the deployment. */
  deployment: text,
  /** All of it in a sentence. */
  message: text,
};
/** Whom it is about. */
const who = { secret: text, user: text };
const maybeWho = { secret: v.optional(text), user: v.optional(text) };
/** What somebody should do, and where that is explained. */
const needsSomeone = { remedy: text, runbook: text };
const lastUse = v.optional(v.strictObject({ at: date, service: text, region: text }));
const failure = { reason: text, code: v.optional(text), found: v.optional(text), expected: v.optional(text) };

const ofKey = v.strictObject({ ...every, ...who, keyId, reason: text });
const changedKey = v.strictObject({ ...every, ...who, keyId, reason: text, lastUse });

/** The detail of each event, by its detail-type. */
export const EVENT_DETAILS = {
  'Key Minted': ofKey,
  'Key Promoted': ofKey,
  'Key Held': v.strictObject({
    ...every,
    ...who,
    keyId,
    reason: text,
    /** Whole days since the end of the overlap: 0 with the first one. */
    day: count,
    /** When the hold ends. */
    due: date,
    lastUse,
    ...needsSomeone,
  }),
  'Key Disabled': changedKey,
  'Key Deleted': changedKey,
  'Orphan Cleared': changedKey,
  'Key Rolled Back': v.strictObject({ ...every, ...who, keyId, reason: text, ...needsSomeone }),
  'Rotation Refused': v.strictObject({
    ...every,
    ...maybeWho,
    ...failure,
    step: v.optional(text),
    ...needsSomeone,
  }),
  'Retirement Failed': v.strictObject({ ...every, ...maybeWho, ...failure, ...needsSomeone }),
  'Change Limit Reached': v.strictObject({ ...every, reason: text, changes: count, examined: count, ...needsSomeone }),
  'Leak Reported': v.strictObject({
    ...every,
    ...maybeWho,
    keyId: leakedKeyId,
    reason: text,
    /** What the key is to its secret. */
    role: v.optional(text),
    /** Who said so. */
    signal: v.picklist(['health', 'quarantine', 'operator']),
    ...needsSomeone,
  }),
  'Leak Contained': v.strictObject({
    ...every,
    ...maybeWho,
    keyId: leakedKeyId,
    reason: text,
    how: text,
    ...needsSomeone,
  }),
  'Leak Not Contained': v.strictObject({
    ...every,
    ...maybeWho,
    keyId: leakedKeyId,
    reason: text,
    why: text,
    ...needsSomeone,
  }),
  'Audit Completed': v.strictObject({
    ...every,
    reason: text,
    /** Numbers by severity. */
    findings: v.record(text, count),
    /** Where the report lies. */
    report: v.optional(text),
  }),
  'Audit Failed': v.strictObject({ ...every, ...failure, ...needsSomeone }),
} as const;

export type EventType = keyof typeof EVENT_DETAILS;
export type EventDetail<Type extends EventType> = v.InferOutput<(typeof EVENT_DETAILS)[Type]>;

export const EVENT_TYPES = Object.keys(EVENT_DETAILS) as readonly EventType[];

/** An event as it goes to the bus. */
export interface BusEvent {
  readonly type: EventType;
  /** Checked by its schema. */
  readonly detail: Readonly<Record<string, unknown>>;
  readonly at: Date;
}

/** What was checked: an event, or what is wrong with its fields. */
export type CheckedEvent =
  | { readonly ok: true; readonly event: BusEvent }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Checks a detail by the schema of its event. The problems name fields and never quote what stands in them. */
export function checkEvent(type: EventType, detail: Readonly<Record<string, unknown>>, at: Date): CheckedEvent {
  const { success, output, issues } = v.safeParse(EVENT_DETAILS[type], detail);
  if (success) return { ok: true, event: { type, detail: output, at } };
  return { ok: false, problems: issues.map((issue) => `${v.getDotPath(issue) ?? 'the whole'}: ${issue.type}`) };
}
