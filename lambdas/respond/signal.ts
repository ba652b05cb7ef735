/** What says that a key is leaked: an event of AWS Health, AWS's quarantine of a user as CloudTrail tells it, or an operator. */
import * as v from 'valibot';
import { RotatorError } from '../domain/errors.ts';

/** A checked signal. `before`: later keys can't be meant. */
export type Signal =
  | { readonly signal: 'health' | 'operator'; readonly keyIds: readonly string[] }
  | { readonly signal: 'quarantine'; readonly userName: string; readonly before: Date }
  /** Nothing has leaked: the quarantine that the event tells of was refused. */
  | { readonly signal: 'none' };

/**
 * Types of AWS Health's events about access keys. The first is documented; the others are seen in accounts, and a key that is only suspected is
 * rotated as well: that costs nothing but the overlap.
 *
 * @see https://docs.aws.amazon.com/health/latest/ug/cloudwatch-events-health.html
 */
const HEALTH_CODES = [
  'AWS_RISK_CREDENTIALS_EXPOSED',
  'AWS_RISK_CREDENTIALS_EXPOSURE_SUSPECTED',
  'AWS_RISK_CREDENTIALS_COMPROMISED',
  'AWS_RISK_CREDENTIALS_COMPROMISE_SUSPECTED',
] as const;

/** Keys of users; 16 to 128 characters (IAM API reference). Temporary ones (ASIA…) are no user's. */
const KEY_ID = /^AKIA[A-Z0-9]{12,124}$/;
/** The name of AWS's policy begins so; its versions end in V2, V3, … It is never detached here. */
const QUARANTINE = /^arn:[\w-]+:iam::aws:policy\/(?:[\w+=,.@-]+\/)*AWSCompromisedKeyQuarantine/;
/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html */
const USER_NAME = /^[\w+=,.@-]{1,64}$/;

// Unknown fields are let through: AWS adds some.
const health = v.looseObject({
  source: v.literal('aws.health'),
  detail: v.looseObject({
    service: v.literal('RISK'),
    eventTypeCode: v.picklist(HEALTH_CODES),
    affectedEntities: v.array(v.looseObject({ entityValue: v.string() })),
  }),
});
const quarantine = v.looseObject({
  source: v.literal('aws.iam'),
  detail: v.looseObject({
    eventSource: v.literal('iam.amazonaws.com'),
    eventName: v.literal('AttachUserPolicy'),
    eventTime: v.pipe(v.string(), v.isoTimestamp()),
    errorCode: v.optional(v.string()),
    requestParameters: v.looseObject({
      userName: v.pipe(v.string(), v.regex(USER_NAME)),
      policyArn: v.pipe(v.string(), v.regex(QUARANTINE)),
    }),
  }),
});
const operator = v.looseObject({
  source: v.literal('iam-key-rotator.cli'),
  'detail-type': v.literal('Leak Reported'),
  detail: v.looseObject({ keyId: v.pipe(v.string(), v.regex(KEY_ID)) }),
});
const event = v.variant('source', [health, quarantine, operator]);

/**
 * Checks an event.
 *
 * @throws RotatorError EVENT_MALFORMED: nothing was changed
 */
export function parseSignal(given: unknown): Signal {
  const parsed = v.safeParse(event, given);
  if (!parsed.success) {
    const fields = parsed.issues.map((issue) => v.getDotPath(issue) ?? 'event');
    throw malformed(`the fields ${[...new Set(fields)].join(', ')} are missing or wrong`);
  }
  const { source, detail } = parsed.output;
  switch (source) {
    case 'aws.health': {
      // One event may name other things too, which are passed over.
      const keyIds = [...new Set(detail.affectedEntities.map(({ entityValue }) => entityValue))];
      const known = keyIds.filter((keyId) => KEY_ID.test(keyId));
      if (known.length === 0) throw malformed('an event of AWS Health that names no access key of a user');
      return { signal: 'health', keyIds: known };
    }
    case 'aws.iam':
      if (detail.errorCode !== undefined) return { signal: 'none' };
      return {
        signal: 'quarantine',
        userName: detail.requestParameters.userName,
        before: new Date(detail.eventTime),
      };
    case 'iam-key-rotator.cli':
      return { signal: 'operator', keyIds: [detail.keyId] };
  }
}

function malformed(found: string): RotatorError {
  return new RotatorError('EVENT_MALFORMED', {
    found,
    expected:
      "an event of AWS Health about exposed credentials, CloudTrail's event of AttachUserPolicy with AWSCompromisedKeyQuarantine…, or " +
      "{ source: 'iam-key-rotator.cli', 'detail-type': 'Leak Reported', detail: { keyId: 'AKIA…' } }",
    remedy: 'report the leak with npx iam-key-rotator revoke <key id>; if AWS sent this event, its form has changed',
  });
}
