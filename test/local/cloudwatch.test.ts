import { describe, expect, it } from 'vitest';
import type { SimulatedAccount } from '../../local/account.ts';
import type { AlarmDefinition } from '../../local/cloudwatch.ts';
import { transform } from '../../local/events.ts';
import { parsePattern } from '../../local/log-subscriptions.ts';
import { MINUTE, simulate } from './helpers.ts';

const TOPIC = 'arn:aws:sns:eu-central-1:111122223333:notices';
const allow = (Service: string, ...Action: string[]) => ({
  Statement: [{ Effect: 'Allow', Principal: { Service }, Action }],
});

/** An alarm over the metric `m`, which is raised at 1. */
function alarm(account: SimulatedAccount, more: Partial<AlarmDefinition> = {}) {
  account.cloudWatch.put({
    ...{ name: 'a', description: 'what happened', namespace: 'n', metricName: 'm', dimensions: {}, statistic: 'Sum' },
    ...{ periodSeconds: 60, threshold: 1, comparison: 'GreaterThanOrEqualToThreshold', evaluationPeriods: 3 },
    ...{ datapointsToAlarm: 3, treatMissingData: 'notBreaching', alarmActions: [TOPIC], okActions: [TOPIC], ...more },
  });
  const [found] = account.cloudWatch.alarms.values();
  if (found === undefined) throw new Error('no alarm');
  return found;
}

describe('an alarm', () => {
  // Rows of the tables of the documentation: X breaches, 0 does not, - is missing; oldest first, of five data points three are evaluated.
  it.each([
    ['0-X-X', 3, 'notBreaching', 'OK'],
    ['0-X-X', 3, 'breaching', 'OK'],
    ['----0', 3, 'notBreaching', 'OK'],
    ['----0', 3, 'breaching', 'OK'],
    ['-----', 3, 'breaching', 'ALARM'],
    ['-----', 3, 'notBreaching', 'OK'],
    ['0XX-X', 3, 'breaching', 'ALARM'],
    ['0XX-X', 3, 'notBreaching', 'ALARM'],
    ['--X--', 3, 'breaching', 'ALARM'],
    ['--X--', 3, 'notBreaching', 'OK'],
    ['0-X-X', 2, 'notBreaching', 'ALARM'],
    ['00X-X', 2, 'notBreaching', 'ALARM'],
    ['----X', 2, 'notBreaching', 'OK'],
    ['----X', 2, 'breaching', 'ALARM'],
    ['---', 1, 'missing', 'INSUFFICIENT_DATA'],
    ['---', 1, 'ignore', 'INSUFFICIENT_DATA'],
    ['X--', 1, 'ignore', 'ALARM'],
  ] as const)(
    'over %s with %i to alarm and missing data taken as %s is %s',
    async (points, datapointsToAlarm, treatMissingData, state) => {
      const { account } = simulate();
      const evaluationPeriods = points.length - 2;
      const actions = { alarmActions: [], okActions: [] };
      const one = alarm(account, { evaluationPeriods, datapointsToAlarm, treatMissingData, ...actions });
      for (const point of points) {
        await account.clock.advance(MINUTE);
        if (point !== '-') account.cloudWatch.record('n', 'm', {}, point === 'X' ? 1 : 0);
      }
      account.cloudWatch.start();
      expect(one.state).toBe(state);
    },
  );

  it('that passes over missing data keeps its state, however long there are none', async () => {
    const { account } = simulate();
    const actions = { alarmActions: [], okActions: [] };
    const one = alarm(account, { evaluationPeriods: 1, datapointsToAlarm: 1, treatMissingData: 'ignore', ...actions });
    account.cloudWatch.record('n', 'm', {}, 1);
    account.cloudWatch.start();
    await account.clock.advance(60 * MINUTE);
    expect(one.state).toBe('ALARM');
    account.cloudWatch.record('n', 'm', {}, 0);
    await account.clock.advance(2 * MINUTE);
    expect(one.state).toBe('OK');
    expect(() => alarm(account, { treatMissingData: 'ignore' })).toThrow('are not simulated');
  });

  it('takes actions when its state changes, and only then', async () => {
    const { account } = simulate();
    account.topics.create(TOPIC);
    account.topics.get(TOPIC).policy = allow('cloudwatch.amazonaws.com', 'sns:Publish');
    alarm(account, { evaluationPeriods: 1, datapointsToAlarm: 1, treatMissingData: 'notBreaching' });
    account.cloudWatch.start();
    await account.clock.advance(2 * MINUTE);
    account.cloudWatch.record('n', 'm', {}, 1);
    await account.clock.advance(10 * MINUTE);
    const { messages } = account.topics.get(TOPIC);
    expect(messages.map(({ subject }) => subject)).toEqual(['OK: "a"', 'ALARM: "a"', 'OK: "a"']);
    expect(JSON.parse(messages[1]?.message ?? '')).toMatchObject({
      AlarmDescription: 'what happened',
      NewStateValue: 'ALARM',
    });
  });

  it.each([
    ['Sum', 5],
    ['Maximum', 4],
    ['Minimum', 1],
    ['Average', 2.5],
    ['SampleCount', 2],
  ] as const)('takes the %s of a period', async (statistic, threshold) => {
    const { account } = simulate();
    const one = (at: number) => {
      alarm(account, {
        statistic,
        threshold: at,
        evaluationPeriods: 1,
        datapointsToAlarm: 1,
        alarmActions: [],
        okActions: [],
      });
      return account.cloudWatch.alarms.get('a');
    };
    for (const value of [1, 4]) account.cloudWatch.record('n', 'm', {}, value);
    const [reached, missed] = [one(threshold), one(threshold + 0.1)];
    account.cloudWatch.alarms.set('b', { ...(reached as NonNullable<typeof reached>), name: 'b' });
    account.cloudWatch.start();
    expect([account.cloudWatch.alarms.get('b')?.state, missed?.state]).toEqual(['ALARM', 'OK']);
  });

  it('sees a metric by exactly its dimensions', () => {
    const { account } = simulate();
    account.cloudWatch.record('n', 'm', { service: 's' }, 1);
    const one = alarm(account, { evaluationPeriods: 1, datapointsToAlarm: 1, treatMissingData: 'missing' });
    account.cloudWatch.start();
    expect(one.state).toBe('INSUFFICIENT_DATA');
  });

  it('over a comparison that is not simulated is an error', () => {
    const { account } = simulate();
    account.cloudWatch.record('n', 'm', {}, 1);
    alarm(account, { comparison: 'LessThanLowerThreshold' });
    expect(() => account.cloudWatch.start()).toThrow('LessThanLowerThreshold is not simulated');
  });
});

describe('metrics', () => {
  it('are taken out of lines in the embedded metric format, one value or many', () => {
    const { account } = simulate();
    const Metrics = [{ Name: 'Count', Unit: 'Count' }];
    const _aws = { Timestamp: 1, CloudWatchMetrics: [{ Namespace: 'n', Dimensions: [['service']], Metrics }] };
    account.cloudWatch.logged(JSON.stringify({ _aws, service: 's', Count: [1, 2] }));
    account.cloudWatch.logged('{"_awsome": no JSON');
    expect(account.cloudWatch.valuesOf('n', 'Count', { service: 's' })).toEqual([1, 2]);
  });

  it('of Lambda tell of each invocation whether it failed', async () => {
    const { account, run } = simulate();
    const load = () => (event: unknown) => {
      if (event === 'fail') throw new Error('failed');
    };
    account.functions.register({ name: 'f', load });
    for (const event of ['fail', 'work']) await run(account.functions.invoke('f', event));
    expect(account.cloudWatch.valuesOf('AWS/Lambda', 'Errors', { FunctionName: 'f' })).toEqual([1, 0]);
  });
});

describe('a topic', () => {
  it('takes nothing from a service that its policy, or its key, does not name', () => {
    const { account } = simulate();
    const { topics } = account;
    topics.create(TOPIC, 'key');
    topics.publish(TOPIC, 'events.amazonaws.com', '1');
    topics.get(TOPIC).policy = allow('events.amazonaws.com', 'sns:Publish');
    topics.publish(TOPIC, 'events.amazonaws.com', '2');
    topics.keyPolicies.set('key', allow('events.amazonaws.com', 'kms:Decrypt'));
    topics.publish(TOPIC, 'events.amazonaws.com', '3');
    topics.keyPolicies.set('key', allow('events.amazonaws.com', 'kms:Decrypt', 'kms:GenerateDataKey'));
    topics.publish(TOPIC, 'events.amazonaws.com', '4');
    topics.publish(TOPIC, 'cloudwatch.amazonaws.com', '5');
    expect(topics.get(TOPIC).messages.map(({ message }) => message)).toEqual(['4']);
    expect(topics.refused).toHaveLength(4);
  });
});

describe('an input transformer', () => {
  const event = { detail: { name: 'x', count: 2 } };
  it('puts what its paths find into lines of text, and nothing where they find nothing', () => {
    const paths = { name: '$.detail.name', count: '$.detail.count', none: '$.other.name' };
    expect(transform({ paths, template: '"<name>: <count>"\n"<none>."' }, event)).toBe('x: 2\n.');
  });
  it('of JSON is not simulated', () => {
    expect(() => transform({ paths: {}, template: '{"a":<name>}' }, event)).toThrow('not simulated');
  });
});

describe('a filter pattern', () => {
  it.each([
    ['{ $.a = "x" }', true],
    ['{ $.a = "y" }', false],
    ['{ ($.a = "y") || ($.b.c = "z") }', true],
    ['{ $.a = "x" && $.b.c = "no" }', false],
    ['{ $.a = "x" || $.a = "y" && $.b.c = "no" }', true],
    ['{ ($.a = "x" || $.a = "y") && $.b.c = "no" }', false],
    ['{ $.none.of = "x" }', false],
  ])('%s', (pattern, matches) => {
    expect(parsePattern(pattern)({ a: 'x', b: { c: 'z' } })).toBe(matches);
  });

  it.each(['ERROR', '{ $.a > 1 }', '{ $.a = "x" ', '{ ($.a = "x" }', '{ $.a = "x" $.b = "y" }', '{ $.a = x* }'])(
    'that is not simulated is an error: %s',
    (pattern) => expect(() => parsePattern(pattern)).toThrow(/simulated/),
  );

  it('has at most two filters beside it on a log group, and 1,024 characters', () => {
    const { account } = simulate();
    const add = (pattern: string) => () =>
      account.logSubscriptions.add({ name: 'f', logGroup: 'g', pattern, destinationArn: 'arn' });
    expect(add(`{ $.a = "${'x'.repeat(1_020)}" }`)).toThrow('1,024');
    add('{ $.a = "x" }')();
    add('{ $.a = "y" }')();
    expect(add('{ $.a = "z" }')).toThrow('LimitExceeded');
  });

  it('hands its lines to a function that lets the log group invoke it, and to no other', async () => {
    const { account } = simulate();
    const received: unknown[] = [];
    const load = () => (event: unknown) => received.push(event);
    const permission = (sourceArn: string) => [{ principal: 'logs.amazonaws.com', sourceArn }];
    const open = account.functions.register({
      name: 'open',
      load,
      permissions: permission('arn:aws:logs:eu-central-1:111122223333:log-group:g:*'),
    });
    const closed = account.functions.register({
      name: 'closed',
      load,
      permissions: permission('arn:aws:logs:eu-central-1:111122223333:log-group:other:*'),
    });
    for (const { arn } of [open, closed])
      account.logSubscriptions.add({ name: 'f', logGroup: 'g', pattern: '{ $.a = "x" }', destinationArn: arn });
    for (const line of ['{"a":"x"}', '{"a":"y"}', 'a = x', '{"a":"x","n":2}'])
      account.logSubscriptions.written('g', line);
    account.logSubscriptions.written('other', '{"a":"x"}');
    await account.clock.advance(MINUTE);
    expect(received).toEqual([{ awslogs: { data: expect.any(String) } }]);
  });
});
