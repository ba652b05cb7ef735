import { describe, expect, it } from 'vitest';
import { setSecret } from '../../lambdas/rotate/set-secret.ts';
import { at, key, NEW, NOW, OLD } from '../domain/world.ts';
import {
  ARN,
  awsError,
  BOOTSTRAP,
  CURRENT,
  failureOf,
  type Given,
  Ports,
  rotationOf,
  TOKEN,
  told,
  valueWith,
  WHO,
} from './ports.ts';

const READ = ['read', ARN, { version: TOKEN, label: 'AWSPENDING' }];
const LIST = ['list', 'app'];
const ENTRY = 'iam-key-rotator:key/AKIANEWNEWNEWNEWNEW3';

const pending = (more: Given = {}) =>
  new Ports({
    labels: { [CURRENT]: ['AWSCURRENT'], [TOKEN]: ['AWSPENDING'] },
    values: { [CURRENT]: valueWith(OLD), [TOKEN]: valueWith(NEW) },
    keys: [key(OLD), key(NEW)],
    ...more,
  });
const run = (ports: Ports) => setSecret(rotationOf('setSecret'), ports.world);
const refusal = async (ports: Ports) => told(await failureOf(run(ports)));

describe('setSecret', () => {
  it("is content with a key that is Active and the user's", async () => {
    const ports = pending();
    await run(ports);
    expect(ports.calls).toEqual([READ, LIST]);
    expect(ports.happenings).toEqual([]);
  });

  it('has nothing to do while the secret has the value that a new one has', async () => {
    const ports = pending({ values: { [TOKEN]: BOOTSTRAP } });
    await run(ports);
    expect(ports.calls).toEqual([READ]);
    expect(ports.happenings).toEqual([]);
  });

  it('has nothing to do when the version is current already', async () => {
    const ports = pending({ labels: { [TOKEN]: ['AWSCURRENT'] } });
    await run(ports);
    expect(ports.calls).toEqual([READ, ['describe', ARN]]);
    expect(ports.happenings).toEqual([
      { what: 'nothing-to-do', ...WHO, step: 'setSecret', why: 'the version is current already' },
    ]);
  });

  it('refuses a key that somebody has disabled, and changes nothing', async () => {
    const ports = pending({ keys: [key(OLD), key(NEW, 'Inactive')] });
    expect(await refusal(ports)).toMatchInlineSnapshot(
      `"PENDING_KEY_INACTIVE: the pending key AKIANEWNEWNEWNEWNEW3 is Inactive: somebody has disabled it. Expected: Active. To do: if it is to be used, activate it (aws iam update-access-key) and rotate again; if not, take AWSPENDING off its version (aws secretsmanager update-secret-version-stage) and rotate again: the retire pass deletes the key in its turn."`,
    );
    expect(ports.calls).toEqual([READ, LIST]);
  });

  it('lists again, four times, until IAM lists the key', async () => {
    const ports = pending({ keys: [key(OLD)] }).before('list', (nth) => {
      if (nth === 5) ports.keys = [key(OLD), key(NEW)];
    });
    await run(ports);
    expect(ports.calls).toEqual([
      READ,
      LIST,
      ['sleep', 2000],
      LIST,
      ['sleep', 4000],
      LIST,
      ['sleep', 6000],
      LIST,
      ['sleep', 8000],
      LIST,
    ]);
  });

  it('takes the label off the version of a key that is gone', async () => {
    const ports = pending({ keys: [key(OLD)] });
    expect(await refusal(ports)).toMatchInlineSnapshot(
      `"PENDING_KEY_GONE: the pending key AKIANEWNEWNEWNEWNEW3 is not among the keys of app: somebody has deleted it, or it is not that user's. Expected: a key of the bound user. To do: rotate again (aws secretsmanager rotate-secret): the dead version has lost its label, and a new key will be minted."`,
    );
    expect(ports.of('list')).toHaveLength(5);
    expect(ports.calls.slice(-2)).toEqual([
      ['describe', ARN],
      ['moveLabel', ARN, 'AWSPENDING', TOKEN],
    ]);
  });

  it('leaves the label where it is if the key was minted just now', async () => {
    const ports = pending({ keys: [], tags: { [ENTRY]: `version=${TOKEN} minted=2026-06-15T11:59:30Z` } });
    expect(await refusal(ports)).toMatchInlineSnapshot(
      `"PENDING_KEY_GONE: the pending key AKIANEWNEWNEWNEWNEW3 is not among the keys of app: it was minted only just now. Expected: a key of the bound user. To do: nothing: Secrets Manager repeats the rotation, and IAM lists the key by then."`,
    );
    expect(ports.operations().at(-1)).toBe('describe');
  });

  it('takes a key for minted just now for 15 minutes, to the second', async () => {
    const minted = (seconds: number) => ({
      [ENTRY]: `version=${TOKEN} minted=${at(seconds).toISOString().slice(0, 19)}Z`,
    });
    // Listing five times takes 20 seconds.
    const young = pending({ keys: [], tags: minted(-900 + 21) });
    expect(await refusal(young)).toContain('it was minted only just now');
    const old = pending({ keys: [], tags: minted(-900 + 20) });
    expect(await refusal(old)).toContain('somebody has deleted it');
    expect(old.operations().at(-1)).toBe('moveLabel');
  });
});

describe('the pending version', () => {
  it('is read again, three times, while it has no value', async () => {
    const ports = pending({ values: {} }).before('read', (nth) => {
      if (nth === 4) ports.values[TOKEN] = valueWith(NEW);
    });
    await run(ports);
    const DESCRIBE = ['describe', ARN];
    expect(ports.calls).toEqual([
      READ,
      DESCRIBE,
      ['sleep', 1000],
      READ,
      DESCRIBE,
      ['sleep', 2000],
      READ,
      DESCRIBE,
      ['sleep', 3000],
      READ,
      LIST,
    ]);
    expect(ports.time).toEqual(new Date(NOW.getTime() + 6000));
  });

  it('is missed when it has no value then', async () => {
    const ports = pending({ values: {} });
    expect(await refusal(ports)).toMatchInlineSnapshot(
      `"PENDING_VALUE_MISSING: no value in a version 11111111-2222-3333-4444-555555555555 labelled AWSPENDING. Expected: the key that createSecret stored there. To do: nothing: Secrets Manager repeats the rotation from createSecret on; if it does not, start one (aws secretsmanager rotate-secret)."`,
    );
    expect(ports.operations()).toEqual([
      ...['read', 'describe', 'sleep'],
      ...['read', 'describe', 'sleep'],
      ...['read', 'describe', 'sleep'],
      ...['read', 'describe'],
    ]);
  });

  it('is missed as well when its label was taken off', async () => {
    const ports = pending({ labels: { [CURRENT]: ['AWSCURRENT'] } });
    expect(await refusal(ports)).toMatch(/^PENDING_VALUE_MISSING/);
    expect(ports.of('read')).toHaveLength(4);
  });

  it('is not waited for when the secret is scheduled for deletion', async () => {
    const ports = pending({ values: {}, scheduledForDeletion: true });
    expect(await refusal(ports)).toMatch(/^SECRET_NOT_USABLE: the secret iam\/app is scheduled for deletion/);
    expect(ports.operations()).toEqual(['read', 'describe']);
  });

  it.each([
    ['a call that AWS refuses for another reason', awsError('GetSecretValue', 'AccessDeniedException')],
    ['an error that is not one of AWS', Object.assign(new Error('damaged'), { awsCode: 'InvalidRequestException' })],
  ])('is not taken for missing after %s', async (_, error) => {
    const ports = pending().before('read', () => {
      throw error;
    });
    expect(await failureOf(run(ports))).toBe(error);
    expect(ports.operations()).toEqual(['read']);
  });

  it("is refused with another user's value", async () => {
    const ports = pending({ values: { [TOKEN]: valueWith(NEW, { UserName: 'ops' }) } });
    expect(await refusal(ports)).toMatch(/^VALUE_OTHER_USER: .*Expected: UserName 'app'/);
  });
});
