/** What CloudWatch Logs sends to a function that subscribes to a log group. */
import { gunzipSync } from 'node:zlib';
import * as v from 'valibot';
import { RotatorError } from '../domain/errors.ts';

/** One line of a log, as CloudWatch Logs keeps it. */
export interface LogLine {
  /** Of CloudWatch Logs: the same whenever the line is delivered again. */
  readonly id: string;
  readonly at: Date;
  readonly text: string;
}

const invocation = v.looseObject({ awslogs: v.looseObject({ data: v.string() }) });
const batch = v.looseObject({
  messageType: v.string(),
  logEvents: v.array(v.looseObject({ id: v.string(), timestamp: v.number(), message: v.string() })),
});

/**
 * The lines of an invocation: base64, and in it JSON compressed by gzip. CONTROL_MESSAGE is how CloudWatch Logs sees whether the function can be
 * reached: it has no line of ours.
 *
 * @throws RotatorError LOG_BATCH_MALFORMED
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-cloudwatchlogs.html
 */
export function linesOf(event: unknown): readonly LogLine[] {
  const outer = v.safeParse(invocation, event);
  if (!outer.success) throw malformed('an event without awslogs.data');
  const inner = v.safeParse(batch, unpacked(outer.output.awslogs.data));
  if (!inner.success) throw malformed('a batch without its messageType or logEvents');
  const { messageType, logEvents } = inner.output;
  if (messageType !== 'DATA_MESSAGE') return [];
  return logEvents.map(({ id, timestamp, message }) => ({ id, at: new Date(timestamp), text: message }));
}

function unpacked(data: string): unknown {
  try {
    return JSON.parse(gunzipSync(Buffer.from(data, 'base64')).toString('utf8'));
  } catch {
    throw malformed('data that is no JSON compressed by gzip');
  }
}

function malformed(found: string): RotatorError {
  return new RotatorError('LOG_BATCH_MALFORMED', {
    found,
    expected: 'a batch of log lines from a subscription of CloudWatch Logs',
    remedy: "don't invoke this function by hand",
  });
}
