import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { describe, expect, it } from 'vitest';
import { eventBus } from '../../lambdas/adapters/event-bus.ts';
import { SimulatedAccount } from '../../local/account.ts';

const AT = new Date('2026-06-15T12:00:00Z');
const event = (detail: Readonly<Record<string, unknown>>) => ({ type: 'Key Minted', detail, at: AT }) as const;
const answering = (answer: object) => eventBus({ send: async () => answer } as never);

describe('the bus', () => {
  it('takes events under the source of the project, by the SDK and over the wire', async () => {
    const account = new SimulatedAccount();
    const bus = eventBus(new EventBridgeClient(account.clientConfig()));
    expect(await account.clock.run(bus.put([event({ id: '1' }), event({ id: '2' })]))).toEqual([undefined, undefined]);
    const common = { source: 'iam-key-rotator', 'detail-type': 'Key Minted', time: AT.toISOString() };
    expect(account.events.seen).toMatchObject([
      { ...common, detail: { id: '1' } },
      { ...common, detail: { id: '2' } },
    ]);
  });

  it('tells of each event in its place whether it was refused', async () => {
    const Entries = [{ EventId: '1' }, { ErrorCode: 'ThrottlingException' }, {}];
    const bus = answering({ FailedEntryCount: 2, Entries });
    expect(await bus.put([event({}), event({}), event({}), event({})])).toEqual([
      undefined,
      'ThrottlingException',
      'Unknown',
      'Unknown',
    ]);
  });

  it('never takes a damaged answer for a good one', async () => {
    await expect(answering({}).put([event({})])).rejects.toThrow(/without FailedEntryCount/);
    await expect(answering({ FailedEntryCount: 1 }).put([event({})])).rejects.toThrow(/without Entries/);
  });

  it('tells of a call that failed', async () => {
    const account = new SimulatedAccount();
    const bus = eventBus(new EventBridgeClient(account.clientConfig()));
    const many = Array.from({ length: 11 }, () => event({}));
    await expect(account.clock.run(bus.put(many))).rejects.toMatchObject({
      code: 'AWS_CALL_FAILED',
      operation: 'PutEvents',
    });
  });
});
