import { describe, expect, it } from 'vitest';
import type { SimulatedAccount } from '../../local/account.ts';
import { matchesPattern } from '../../local/events.ts';
import { parseSchedule } from '../../local/schedule-expression.ts';
import { DAY, HOUR, rotator, simulate } from './helpers.ts';

/** A function that keeps what it is given and when. */
function recorder(account: SimulatedAccount) {
  const received: { at: string; event: unknown }[] = [];
  const load = () => (event: unknown) => received.push({ at: account.clock.now().toISOString(), event });
  return { received, ...account.functions.register({ name: 'record', load }) };
}

describe('schedules', () => {
  it('with a rate count from their creation', async () => {
    const { account } = simulate({ start: new Date('2026-01-01T00:30:00Z') });
    const { arn, received } = recorder(account);
    account.scheduler.add({ name: 'hourly', expression: 'rate(1 hour)', targetArn: arn, input: '{"n":1}' });
    await account.clock.advance(3 * HOUR);
    expect(received.map(({ at }) => at.slice(11, 16))).toEqual(['01:30', '02:30', '03:30']);
    expect(received[0]?.event).toEqual({ n: 1 });
  });

  it('with cron follow the calendar, and put the time into the input', async () => {
    const { account } = simulate({ start: new Date('2026-01-01T12:00:00Z') });
    const { arn, received } = recorder(account);
    const input = '{"time":"<aws.scheduler.scheduled-time>"}';
    account.scheduler.add({ name: 'mondays', expression: 'cron(15 6 ? * 2 *)', targetArn: arn, input });
    await account.clock.advance(14 * DAY);
    expect(received.map(({ event }) => event)).toEqual([
      { time: '2026-01-05T06:15:00.000Z' },
      { time: '2026-01-12T06:15:00.000Z' },
    ]);
  });

  it('that can not deliver retry, and then use their dead-letter queue', async () => {
    const { account } = simulate();
    const dead = { retryAttempts: 2, deadLetterArn: 'arn:dlq' };
    account.scheduler.add({
      name: 'lost',
      expression: 'rate(1 day)',
      targetArn: 'arn:nowhere',
      input: '{"n":1}',
      ...dead,
    });
    await account.clock.advance(DAY + 90_000);
    expect(account.functions.queues.get('arn:dlq')).toBeUndefined();
    await account.clock.advance(30_000);
    expect(account.functions.queues.get('arn:dlq')).toEqual([{ n: 1 }]);
  });

  it('are judged by the role that invokes', async () => {
    const { account } = simulate();
    const { arn, received } = recorder(account);
    const asked: string[] = [];
    account.authorize = ({ action, resource }) => {
      asked.push(`${action} ${resource}`);
      return { allowed: false, reason: '' };
    };
    account.scheduler.add({
      name: 'denied',
      expression: 'rate(1 day)',
      targetArn: arn,
      roleArn: 'arn:role',
      retryAttempts: 0,
    });
    await account.clock.advance(DAY);
    expect(asked).toEqual([`lambda:InvokeFunction ${arn}`]);
    expect(received).toEqual([]);
  });

  it.each([
    'rate(0 days)',
    'rate(1 week)',
    'cron(0 4 * * *)',
    'cron(0 25 * * ? *)',
    'cron(0 4 * * ? 2027)',
    'at(2026-01-01T00:00:00)',
  ])('refuse %s', (expression) => {
    expect(() => parseSchedule(expression)).toThrow();
  });
});

describe('the event bus', () => {
  it('hands what a rotation reports to the rules that match', async () => {
    const { account } = simulate();
    const { arn, received } = recorder(account);
    const pattern = { source: ['aws.secretsmanager'], detail: { eventName: [{ prefix: 'RotationS' }] } };
    account.events.rules.push({ name: 'rotations', pattern, targets: [arn] });
    const secret = account.createSecret('s', { value: 'old' });
    const { arn: RotationLambdaARN } = account.functions.register({ name: 'rotate', load: rotator() });
    account.operate('secretsmanager', 'RotateSecret', { SecretId: 's', RotationLambdaARN });
    await account.clock.advance(HOUR);
    const details = ['RotationStarted', 'RotationSucceeded'].map((eventName) => ({
      event: { account: account.id, detail: { eventName, additionalEventData: { SecretId: secret.arn } } },
    }));
    expect(received).toMatchObject(details);
  });

  it('delivers nothing to a function that does not permit it', async () => {
    const { account } = simulate();
    const fn = recorder(account);
    account.events.rules.push({ name: 'all', pattern: {}, targets: [fn.arn] });
    fn.permissions.splice(0, 1, { principal: 'events.amazonaws.com', sourceArn: 'arn:aws:events:*:*:rule/other' });
    account.events.put({ source: 'test', 'detail-type': 'x' });
    await account.clock.advance(HOUR);
    expect(fn.received).toEqual([]);
    fn.permissions.push({ principal: 'events.amazonaws.com', sourceArn: 'arn:aws:events:*:*:rule/all' });
    account.events.put({ source: 'test', 'detail-type': 'x' });
    await account.clock.advance(HOUR);
    expect(fn.received).toHaveLength(1);
  });

  it.each([
    [{ source: ['a', 'b'] }, true],
    [{ source: ['b'] }, false],
    [{ detail: { id: [{ 'anything-but': ['x'] }] } }, true],
    [{ detail: { id: [{ 'anything-but': 'AKIA1' }] } }, false],
    [{ detail: { id: [{ prefix: 'AKIA' }] } }, true],
    [{ detail: { none: [{ exists: false }] } }, true],
    [{ detail: { id: [{ exists: false }] } }, false],
    [{ resources: ['two'] }, true],
    [{ detail: { id: { deeper: ['x'] } } }, false],
  ])('matches %j: %j', (pattern, expected) => {
    expect(matchesPattern(pattern, { source: 'a', detail: { id: 'AKIA1' }, resources: ['one', 'two'] })).toBe(expected);
  });

  it('names a condition that it does not have', () => {
    expect(() => matchesPattern({ source: [{ cidr: 'x' }] }, { source: 'a' })).toThrow('cidr is not simulated');
  });
});
