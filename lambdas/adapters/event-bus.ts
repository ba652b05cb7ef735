/** EventBridge. */
import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { EVENT_SOURCE } from '../contract/events.ts';
import type { EventBus } from '../domain/ports.ts';
import { call } from './call.ts';
import { need } from './need.ts';

/**
 * The default bus. PutEvents takes some entries and refuses others in one and the same answer, which is no error: each entry of the answer has an
 * EventId or an ErrorCode, in the order of the request.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
export function eventBus(client: Pick<EventBridgeClient, 'send'>): EventBus {
  return {
    async put(events) {
      const answer = await call('PutEvents', () =>
        client.send(
          new PutEventsCommand({
            Entries: events.map(({ type, detail, at }) => ({
              Source: EVENT_SOURCE,
              DetailType: type,
              Detail: JSON.stringify(detail),
              Time: at,
            })),
          }),
        ),
      );
      if (need('PutEvents', 'FailedEntryCount', answer.FailedEntryCount) === 0) return events.map(() => undefined);
      const entries = need('PutEvents', 'Entries', answer.Entries);
      return events.map((_, index) => entries[index]?.ErrorCode ?? (entries[index]?.EventId ? undefined : 'Unknown'));
    },
  };
}
