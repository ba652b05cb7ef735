import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Deployment } from '../../lambdas/contract/deployment.ts';
import type { BusEvent } from '../../lambdas/contract/events.ts';
import { linesOf } from '../../lambdas/notify/log-batch.ts';
import { sendEvents } from '../../lambdas/notify/send.ts';
import { deployedKey } from '../policy.ts';
import { contextOf, deployed } from '../rotate/lambda.ts';
import { failureOf, Ports } from '../rotate/ports.ts';

const DEPLOYMENT: Deployment = {
  formatVersion: 1,
  name: 'prod',
  maxChangesPerRun: 25,
  rotateTimeout: 120,
  keys: [deployedKey({ userName: 'app' })],
};
const AT = Date.parse('2026-06-15T12:00:00Z');
const packed = (batch: unknown) => ({ awslogs: { data: gzipSync(JSON.stringify(batch)).toString('base64') } });
const batchOf = (...lines: object[]) =>
  packed({
    messageType: 'DATA_MESSAGE',
    logEvents: lines.map((line, index) => ({ id: `line-${index}`, timestamp: AT, message: JSON.stringify(line) })),
  });
const MINTED = { message: 'minted', secret: 'iam/app', userName: 'app', keyId: 'AKIANEWNEWNEWNEWNEW3' };

const event = (n: number): BusEvent => ({ type: 'Key Minted', detail: { id: `${n}` }, at: new Date(AT) });
const events = (count: number) => Array.from({ length: count }, (_, n) => event(n));
const ids = (batch: readonly BusEvent[]) => batch.map(({ detail }) => detail.id);

describe('a batch of log lines', () => {
  it('is unpacked', () => {
    expect(linesOf(batchOf(MINTED))).toEqual([{ id: 'line-0', at: new Date(AT), text: JSON.stringify(MINTED) }]);
  });

  it('of CloudWatch Logs itself, which sees whether somebody is there, has no line', () => {
    const logEvents = [{ id: '', timestamp: AT, message: 'CWL CONTROL MESSAGE: Checking health of destination.' }];
    expect(linesOf(packed({ messageType: 'CONTROL_MESSAGE', logEvents }))).toEqual([]);
  });

  it.each([
    [undefined, 'without awslogs.data'],
    [{ awslogs: {} }, 'without awslogs.data'],
    [{ awslogs: { data: 'x' } }, 'no JSON compressed by gzip'],
    [{ awslogs: { data: gzipSync('no JSON').toString('base64') } }, 'no JSON compressed by gzip'],
    [packed({ messageType: 'DATA_MESSAGE' }), 'without its messageType or logEvents'],
  ])('that is none is refused: %j', (invocation, found) => {
    expect(() => linesOf(invocation)).toThrow(new RegExp(`^LOG_BATCH_MALFORMED: .*${found}`));
  });
});

describe('sending', () => {
  const world = (answer: (batch: readonly BusEvent[], call: number) => (string | undefined)[]) => {
    const calls: unknown[][] = [];
    const waits: number[] = [];
    return {
      calls,
      waits,
      sleep: async (ms: number) => void waits.push(ms),
      bus: { put: async (batch: readonly BusEvent[]) => answer(batch, calls.push(ids(batch))) },
    };
  };
  const taken = (batch: readonly BusEvent[]) => batch.map(() => undefined);

  it.each([
    [0, []],
    [10, [10]],
    [11, [10, 1]],
    [25, [10, 10, 5]],
  ])('puts %i events ten at a time', async (count, sizes) => {
    const to = world(taken);
    await sendEvents(events(count), to);
    expect(to.calls.map((call) => call.length)).toEqual(sizes);
    expect(to.waits).toEqual([]);
  });

  it('sends again what was refused, and only that, after a wait that doubles', async () => {
    const to = world((batch, call) =>
      batch.map(({ detail }) => (call < 3 && Number(detail.id) % 2 === 1 ? 'ThrottlingException' : undefined)),
    );
    await sendEvents(events(5), to);
    expect(to.calls).toEqual([
      ['0', '1', '2', '3', '4'],
      ['1', '3'],
      ['1', '3'],
    ]);
    expect(to.waits).toEqual([250, 500]);
  });

  it('fails after four attempts, when all the other events have been sent', async () => {
    const to = world((batch) => batch.map(({ detail }) => (detail.id === '3' ? 'InternalFailure' : undefined)));
    await expect(sendEvents(events(12), to)).rejects.toThrow(
      /^EVENTS_NOT_SENT: 1 of 12 events were refused \(InternalFailure\)\./,
    );
    expect(to.calls.slice(1)).toEqual([['3'], ['3'], ['3'], ['10', '11']]);
    expect(to.waits).toEqual([250, 500, 1000]);
  });
});

describe('the notify Lambda', () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllEnvs();
    vi.doUnmock('../../lambdas/adapters/clients.ts');
  });
  async function load(put: (batch: readonly BusEvent[]) => Promise<(string | undefined)[]>) {
    const output = deployed(DEPLOYMENT, new Ports({}));
    vi.doMock('../../lambdas/adapters/clients.ts', () => ({ eventBusAdapter: () => ({ put }) }));
    const { handler } = await import('../../lambdas/notify/handler.ts');
    return { ...output, handler };
  }

  it('sends what lines tell, counts it, and tells of a line that is not in its form', async () => {
    const sent: BusEvent[] = [];
    const { handler, counted, logged } = await load(async (batch) => {
      sent.push(...batch);
      return batch.map(() => undefined);
    });
    const lines = batchOf(MINTED, { message: 'followed' }, { message: 'minted' }, { ...MINTED, message: 'promoted' });
    expect(await handler(lines, contextOf('run'))).toEqual({ sent: 2 });
    expect(sent.map(({ type }) => type)).toEqual(['Key Minted', 'Key Promoted']);
    expect(counted()).toEqual([{ EventsMalformed: 1, EventsSent: 2 }]);
    expect(logged()).toMatchObject([
      { level: 'ERROR', logEventId: 'line-2', problem: expect.stringMatching(/^Key Minted: /) },
    ]);
  });

  it('fails when events were not taken, so that Lambda invokes it again', async () => {
    const { handler, counted, logged } = await load(async (batch) => batch.map(() => 'InternalFailure'));
    const failing = failureOf(handler(batchOf(MINTED), contextOf('run')));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await failing).toMatchObject({ code: 'EVENTS_NOT_SENT' });
    expect(counted()).toEqual([{ EventsSent: 0 }]);
    expect(logged()).toMatchObject([
      { level: 'ERROR', message: 'events were not sent', error: { code: 'EVENTS_NOT_SENT' } },
    ]);
  });
});
