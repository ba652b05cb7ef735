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
const event = { Step: 'createSecret', SecretId: arn('iam/app'), ClientRequestToken: 'token' };

describe('a rotation event', () => {
  it.each(['createSecret', 'create_secret'])('is bound to its user by the deployed configuration, step %s', (Step) => {
    expect(parseRotation({ ...event, Step, RotationToken: 'r', UserName: 'admin' }, deployment)).toMatchObject({
      step: 'createSecret',
      token: 'token',
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

describe('the log', () => {
  it('tells the secret and the step of an event, and nothing else of it', () => {
    expect(tellEvent({ ...event, RotationToken: 'hidden' })).toEqual({
      secretId: event.SecretId,
      step: 'createSecret',
    });
    expect(tellEvent({ Step: 7, SecretId: 'x'.repeat(300) })).toEqual({ secretId: 'x'.repeat(256) });
    expect(tellEvent(undefined)).toEqual({});
    expect(tellEvent('text')).toEqual({});
  });
});
