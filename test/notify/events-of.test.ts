import { describe, expect, it } from 'vitest';
import type { Deployment } from '../../lambdas/contract/deployment.ts';
import { eventOf } from '../../lambdas/notify/events-of.ts';
import { DAY, deployedKey, HOUR } from '../policy.ts';

const NOW = new Date('2026-06-15T12:00:00Z');
const KEY = { secret: 'iam/app', userName: 'app', keyId: 'AKIAOLDOLDOLDOLDOLD2' };
const deployment = (more: Partial<Deployment> = {}): Deployment => ({
  formatVersion: 1,
  name: 'prod',
  maxChangesPerRun: 25,
  rotateTimeout: 120,
  keys: [deployedKey({ userName: 'app' })],
  ...more,
});
const told = (line: unknown, more: Partial<Deployment> = {}, at = NOW) =>
  eventOf({ id: 'line-1', at, text: typeof line === 'string' ? line : JSON.stringify(line) }, deployment(more));
const detailOf = (line: unknown, more: Partial<Deployment> = {}) => {
  const one = told(line, more);
  if (one.kind !== 'event') throw new Error(`${one.kind}: ${JSON.stringify(one)}`);
  return one.event.detail;
};
/** Of a hold that began so many seconds ago. */
const held = (seconds: number) => ({
  message: 'held',
  ...KEY,
  reason: 'in-use',
  observed: false,
  due: new Date(NOW.getTime() + (14 * DAY - seconds) * 1000).toISOString(),
});

describe('a line becomes an event', () => {
  it('with the id of the line, its time and the deployment', () => {
    expect(told({ message: 'minted', ...KEY })).toEqual({
      kind: 'event',
      event: {
        type: 'Key Minted',
        at: NOW,
        detail: {
          id: 'line-1',
          at: '2026-06-15T12:00:00.000Z',
          deployment: 'prod',
          message: 'Key AKIAOLDOLDOLDOLDOLD2 of user app was made.',
          secret: 'iam/app',
          user: 'app',
          keyId: 'AKIAOLDOLDOLDOLDOLD2',
          reason: 'rotation',
        },
      },
    });
  });

  it('with why a key was changed, in words, and its last use', () => {
    const lastUse = { at: '2026-06-01T00:00:00.000Z', service: 's3', region: 'us-east-1' };
    expect(detailOf({ message: 'disabled', ...KEY, reason: 'hold-over', observed: false, lastUse })).toMatchObject({
      message:
        'Key AKIAOLDOLDOLDOLDOLD2 of user app was disabled. Still in use, but held for as long as the policy allows: disabled.',
      lastUse,
    });
    expect(detailOf({ message: 'deleted', ...KEY, reason: 'recovery-over' })).not.toHaveProperty('lastUse');
  });

  it('with a reason of a later version, which this one has no words for', () => {
    const { message } = detailOf({ message: 'orphan-cleared', ...KEY, reason: 'constructor' });
    expect(message).toBe('Key AKIAOLDOLDOLDOLDOLD2 of user app was deleted.');
  });

  it('of a failed step with the secret and its user, by the configuration alone', () => {
    const details = { found: 'something.', expected: 'nothing', remedy: 'mend it' };
    const line = { message: 'rotation step failed', step: 'setSecret', error: { code: 'PENDING_KEY_GONE', details } };
    const secretId = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:iam/app-a1B2c3';
    expect(detailOf({ ...line, secretId })).toMatchObject({
      secret: 'iam/app',
      user: 'app',
      step: 'setSecret',
      code: 'PENDING_KEY_GONE',
      reason: 'PENDING_KEY_GONE',
      ...{ found: 'something.', expected: 'nothing', remedy: 'mend it', runbook: 'docs/runbook.md#rotation-failed' },
      message: 'The rotation of secret iam/app failed at setSecret: PENDING_KEY_GONE. Found: something.',
    });
    expect(detailOf({ ...line, secretId: 'other' })).toMatchObject({ secret: 'other' });
    expect(detailOf({ ...line, secretId: 'other' })).not.toHaveProperty('user');
    expect(detailOf({ message: line.message, error: line.error })).not.toHaveProperty('secret');
  });

  it.each([
    { code: 'ENOENT', details: { found: 'x', expected: 'x', remedy: 'x' } },
    { code: 'constructor', details: { found: 'x', expected: 'x', remedy: 'x' } },
    { name: 'SyntaxError', message: 'Unexpected token in the secret itself' },
    undefined,
  ])('of an error that is none of ours without what it quotes (%j)', (error) => {
    const detail = detailOf({ message: 'retirement failed', ...(error && { error }) });
    expect(detail).toMatchObject({
      message: 'A retire pass failed: an error that the rotator does not know.',
      remedy: "read the function's log: it has the error",
    });
    expect(JSON.stringify(detail)).not.toContain('secret itself');
  });

  it('with the runbook where the configuration has it', () => {
    const line = {
      message: 'the pass ended early; the next one goes on',
      stopped: 'change-limit',
      changes: 2,
      examined: 9,
    };
    expect(detailOf(line, { runbookUrl: 'https://wiki/keys' })).toMatchObject({
      runbook: 'https://wiki/keys#change-limit-reached',
      changes: 2,
      examined: 9,
    });
  });

  it('with a text that is not longer than an entry of PutEvents can be', () => {
    const error = { code: 'CURRENT_MISSING', details: { found: 'x'.repeat(300_000), expected: 'y', remedy: 'z' } };
    expect(JSON.stringify(detailOf({ message: 'retirement failed', error })).length).toBeLessThan(4_000);
  });

  it('without quotes, backslashes and line breaks, which would end the text of a notice', () => {
    const found = 'User: "x" is not\n\t authorized \\';
    const error = { code: 'AWS_CALL_FAILED', details: { found, expected: 'y', remedy: 'z' } };
    expect(detailOf({ message: 'retirement failed', error })).toMatchObject({
      found: "User: 'x' is not authorized '",
      message: "A retire pass failed: AWS_CALL_FAILED. Found: User: 'x' is not authorized '.",
    });
  });

  it('of an audit without findings, and of one that failed', () => {
    expect(detailOf({ message: 'audit-completed' })).toMatchObject({
      findings: {},
      message: 'The audit has 0 findings, 0 of them critical or high.',
    });
    expect(detailOf({ message: 'audit-failed' })).toMatchObject({ runbook: 'docs/runbook.md#audit-not-run' });
  });

  it('of a leak with what the line says is to be done, or else what is always right', () => {
    const leak = { keyId: KEY.keyId, signal: 'quarantine' };
    expect(detailOf({ message: 'leak-reported', ...leak })).toMatchObject({
      message: `Key ${KEY.keyId} is reported to have leaked.`,
    });
    expect(detailOf({ message: 'leak-reported', ...leak, remedy: 'run' }).remedy).toBe('run');
    expect(detailOf({ message: 'leak-contained', ...KEY, how: 'disabled', remedy: 'look', reason: 'r' })).toMatchObject(
      { remedy: 'look', reason: 'r' },
    );
    expect(detailOf({ message: 'leak-contained', keyId: KEY.keyId, how: 'disabled' }).remedy).toMatch(/CloudTrail/);
    expect(detailOf({ message: 'leak-not-contained', ...KEY, why: 'denied' })).toMatchObject({
      message: `Leaked key ${KEY.keyId} of user app is STILL USABLE: denied.`,
      remedy: expect.stringMatching(/^disable the key by hand/),
    });
  });

  it("of a leak whose key nobody knows, since AWS's quarantine names a user alone", () => {
    const who = { userName: 'app', keyId: 'unknown' };
    expect(detailOf({ message: 'leak-reported', ...who, role: 'unmanaged', signal: 'quarantine' })).toMatchObject({
      keyId: 'unknown',
      message: 'A key of user app is reported to have leaked.',
    });
    expect(detailOf({ message: 'leak-not-contained', ...who, why: 'denied', remedy: 'wait' })).toMatchObject({
      message: 'A leaked key of user app is STILL USABLE: denied.',
    });
  });
});

describe('a hold is told', () => {
  it.each([
    [0, 0],
    [HOUR, 0],
    [HOUR + 299, 0],
    [HOUR + 300, undefined],
    [DAY - 1, undefined],
    [DAY, 1],
    [13 * DAY + 10, 13],
  ])('in the first pass of each day: %i seconds after its beginning, as day %s', (seconds, day) => {
    const one = told(held(seconds));
    expect(one.kind === 'event' ? one.event.detail.day : undefined).toBe(day);
  });

  it('by how often passes run', () => {
    expect(told(held(1_200), { retireEvery: 900 }).kind).toBe('none');
    expect(told(held(7_200), { retireEvery: 2 * HOUR }).kind).toBe('event');
  });

  it('at once where nobody knows when it began', () => {
    expect(detailOf(held(5 * HOUR), { keys: [] })).toMatchObject({ day: 0 });
  });

  it('with its last use, if the line has it', () => {
    const lastUse = { at: '2026-06-15T10:00:00.000Z', service: 's3', region: 'us-east-1' };
    expect(detailOf({ ...held(0), lastUse }).message).toContain(
      'still used, last by s3 in us-east-1 at 2026-06-15T10:00:00.000Z:',
    );
  });
});

describe('a line becomes no event', () => {
  it.each([
    { message: 'disabled', ...KEY, reason: 'overlap-over', observed: true },
    { message: 'followed', ...KEY },
    { message: 'constructor' },
    { message: 'the pass ended early; the next one goes on', stopped: 'time', changes: 0, examined: 1 },
  ])('that tells of nothing that changed: %j', (line) => {
    expect(told(line)).toEqual({ kind: 'none' });
  });

  it.each<[unknown, string]>([
    ['no JSON', 'no JSON object'],
    ['[]', 'message'],
    [{ level: 'INFO' }, 'message'],
    [{ message: 'minted', ...KEY, keyId: 7 }, 'keyId'],
    [{ message: 'minted', userName: 'app', keyId: KEY.keyId }, 'Key Minted: secret: '],
    [{ message: 'minted', ...KEY, keyId: 'wJalrXUtnFEMI/K7MDENG' }, 'Key Minted: keyId: regex'],
    [{ message: 'leak-reported', ...KEY, signal: 'rumour' }, 'Leak Reported: signal: picklist'],
  ])('that is not in its form, and says what is wrong without quoting it: %j', (line, problem) => {
    const one = told(line);
    expect(one).toEqual({ kind: 'malformed', problem: expect.stringContaining(problem) });
    expect(JSON.stringify(one)).not.toMatch(/wJalr|rumour/);
  });
});
