import { describe, expect, it } from 'vitest';
import type { Deployment } from '../../lambdas/contract/deployment.ts';
import { parseRotation, tellEvent } from '../../lambdas/rotate/rotation.ts';
import { deployedKey } from '../policy.ts';

const deployment: Deployment = {
  formatVersion: 1,
  name: 'iam-key-rotator',
  maxChangesPerRun: 25,
  rotateTimeout: 120,
  keys: [deployedKey({ userName: 'app' }), deployedKey({ userName: 'watched', mode: 'observe' })],
};
const arn = (name: string) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-a1B2c3`;
const event = {
  Step: 'createSecret',
  SecretId: arn('iam/app'),
  ClientRequestToken: '11111111-2222-3333-4444-555555555555',
};

describe('a rotation event', () => {
  it.each(['createSecret', 'create_secret'])('is bound to its user by the deployed configuration, step %s', (Step) => {
    expect(parseRotation({ ...event, Step, RotationToken: 'r', UserName: 'admin' }, deployment)).toMatchObject({
      step: 'createSecret',
      token: event.ClientRequestToken,
      rotationToken: 'r',
      policy: { userName: 'app' },
      secret: { name: 'iam/app', account: '111122223333', region: 'eu-central-1' },
    });
    expect(parseRotation(event, deployment)).not.toHaveProperty('rotationToken');
  });

  it.each([
    ['nothing', undefined, 'EVENT_MALFORMED'],
    ['a text', 'createSecret', 'EVENT_MALFORMED'],
    ['no step', { ...event, Step: undefined }, 'EVENT_MALFORMED'],
    ['a step that does not exist', { ...event, Step: 'deleteSecret' }, 'EVENT_MALFORMED'],
    ['a step in other letters', { ...event, Step: 'CREATESECRET' }, 'EVENT_MALFORMED'],
    [
      'a token with words of the ledger',
      { ...event, ClientRequestToken: `${'a'.repeat(30)} disabled=x` },
      'EVENT_MALFORMED',
    ],
    ['an empty token', { ...event, ClientRequestToken: '' }, 'EVENT_MALFORMED'],
    ['a token that is a number', { ...event, ClientRequestToken: 1 }, 'EVENT_MALFORMED'],
    ['a name instead of an ARN', { ...event, SecretId: 'iam/app' }, 'EVENT_MALFORMED'],
    ['a RotationToken that is a number', { ...event, RotationToken: 1 }, 'EVENT_MALFORMED'],
    ['a secret that nobody configured', { ...event, SecretId: arn('iam/admin') }, 'SECRET_NOT_BOUND'],
    [
      'a secret whose name only begins like a configured one',
      { ...event, SecretId: arn('iam/app-admin') },
      'SECRET_NOT_BOUND',
    ],
    ["a key in mode 'observe'", { ...event, SecretId: arn('iam/watched') }, 'OBSERVE_MODE'],
  ])('is refused with %s', (_, given, code) => {
    expect(() => parseRotation(given, deployment)).toThrow(new RegExp(`^${code}: `));
  });
});

describe('the refusal of a rotation event', () => {
  it.each([
    [
      'names every field that is wrong',
      { Step: 1, ClientRequestToken: 'short' },
      'the fields Step, SecretId, ClientRequestToken are missing or wrong',
    ],
    ['says so if it is none at all', null, 'the fields event are missing or wrong'],
    [
      'quotes forty characters of a step that does not exist',
      { ...event, Step: `delete_${'x'.repeat(60)}` },
      `the step 'delete_${'x'.repeat(33)}'`,
    ],
    ['wants a full ARN', { ...event, SecretId: 'iam/app' }, "a SecretId that is not a secret's full ARN"],
  ])('%s', (_, given, found) => {
    expect(() => parseRotation(given, deployment)).toThrow(
      `EVENT_MALFORMED: ${found}. Expected: an event of Secrets Manager with Step, SecretId and ClientRequestToken. ` +
        "To do: don't invoke this function by hand: start a rotation (aws secretsmanager rotate-secret).",
    );
  });

  it('says what to do with a secret that nobody configured', () => {
    const given = { ...event, SecretId: arn('iam/admin') };
    expect(() => parseRotation(given, deployment)).toThrowErrorMatchingInlineSnapshot(
      `[RotatorError: SECRET_NOT_BOUND: the secret iam/admin. Expected: a secret that deployment iam-key-rotator binds to a user. To do: list the user in rotator.config.ts and deploy, or take this function off the secret (aws secretsmanager cancel-rotate-secret).]`,
    );
  });

  it("says what to do with a key in mode 'observe'", () => {
    const given = { ...event, SecretId: arn('iam/watched') };
    expect(() => parseRotation(given, deployment)).toThrowErrorMatchingInlineSnapshot(
      `[RotatorError: OBSERVE_MODE: createSecret for iam/watched, whose mode is 'observe'. Expected: mode 'enforce' for a rotation. To do: set mode: 'enforce' for this key in rotator.config.ts and deploy.]`,
    );
  });
});

describe('the token of a rotation event', () => {
  const tokenOf = (ClientRequestToken: string) => parseRotation({ ...event, ClientRequestToken }, deployment).token;

  it.each([[32], [64]])('may have %i characters', (length) => {
    expect(tokenOf('a'.repeat(length))).toBe('a'.repeat(length));
  });

  it.each([
    ['31 characters', 'a'.repeat(31)],
    ['65 characters', 'a'.repeat(65)],
    ['another character before', `.${'a'.repeat(40)}`],
    ['another character after', `${'a'.repeat(40)}.`],
  ])('may not have %s', (_, token) => {
    expect(() => tokenOf(token)).toThrow('the fields ClientRequestToken are missing or wrong');
  });
});

describe('a rotation', () => {
  it('is what the event and the deployment say together', () => {
    expect(parseRotation(event, deployment)).toEqual({
      step: 'createSecret',
      secret: { arn: event.SecretId, name: 'iam/app', account: '111122223333', region: 'eu-central-1' },
      token: event.ClientRequestToken,
      policy: deployment.keys[0],
      rotateTimeout: 120,
    });
  });

  it.each(['setSecret', 'test_secret', 'finishSecret'])('has the step %s', (Step) => {
    expect(parseRotation({ ...event, Step }, deployment).step).toBe(Step.replace('_s', 'S'));
  });
});

describe('the log', () => {
  it('tells the secret and the step of an event, and nothing else of it', () => {
    expect(tellEvent({ ...event, RotationToken: 'hidden' })).toEqual({
      secretId: event.SecretId,
      step: 'createSecret',
    });
    expect(tellEvent({ Step: 7, SecretId: 'x'.repeat(300) })).toStrictEqual({ secretId: 'x'.repeat(256) });
    expect(tellEvent({ Step: 'setSecret' })).toStrictEqual({ step: 'setSecret' });
    expect(tellEvent({ Step: 'y'.repeat(256) })).toStrictEqual({ step: 'y'.repeat(256) });
    expect(tellEvent(null)).toStrictEqual({});
    expect(tellEvent(undefined)).toEqual({});
    expect(tellEvent(() => {})).toEqual({});
    expect(tellEvent('text')).toEqual({});
  });
});
