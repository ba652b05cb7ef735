/** EventBridge: putting events on the default bus. */
import { AwsError } from '../model.ts';
import { optionalText, records, text } from '../wire/input.ts';
import { type Input, isRecord } from '../wire/protocols.ts';
import type { Operation } from './registry.ts';

const MOST_ENTRIES = 10;
const MOST_BYTES = 256 * 1024;

export const eventsOperations: Readonly<Record<string, Operation>> = {
  /**
   * Takes up to ten entries, of 256 KB together. An entry without source, detail-type or detail, or whose detail is no JSON object, is refused by itself,
   * and the others are taken.
   *
   * @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
   */
  PutEvents(account, input) {
    const entries = records(input, 'Entries') ?? [];
    if (entries.length === 0 || entries.length > MOST_ENTRIES)
      throw new AwsError('ValidationException', `1 to ${MOST_ENTRIES} entries are taken, not ${entries.length}`);
    if (Buffer.byteLength(JSON.stringify(entries)) > MOST_BYTES)
      throw new AwsError('ValidationException', 'Total size of the entries in the request is over the limit.');
    const answers = entries.map((entry) => {
      const detail = detailOf(entry);
      if (detail === undefined) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
      const time = new Date(typeof entry.Time === 'number' ? entry.Time * 1000 : account.clock.nowMs).toISOString();
      const EventId = account.random.uuid();
      account.events.put({
        id: EventId,
        time,
        source: text(entry, 'Source'),
        'detail-type': text(entry, 'DetailType'),
        detail,
      });
      return { EventId };
    });
    return { FailedEntryCount: answers.filter((answer) => 'ErrorCode' in answer).length, Entries: answers };
  },
};

function detailOf(entry: Input): Readonly<Record<string, unknown>> | undefined {
  try {
    const detail: unknown = JSON.parse(optionalText(entry, 'Detail') ?? '');
    return isRecord(detail) ? detail : undefined;
  } catch {
    return undefined;
  }
}

/** Sources that a call names, as `events:source` has them in a policy. */
export const sourcesOf = (input: Input): string[] =>
  (records(input, 'Entries') ?? []).map((entry) => String(entry.Source));
