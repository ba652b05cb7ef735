import { describe, expect, it } from 'vitest';
import { collectUser, type WatchedUser } from '../../local/demo/collect.ts';
import type { Change } from '../../local/model.ts';
import { day, HandMade } from './history.ts';

const ARN = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:app/key-AbCdEf';
const USER: WatchedUser = {
  userName: 'app',
  secretName: 'app/key',
  secretArn: ARN,
  keyOfVersion: new Map(),
  application: { calls: 0, failures: 0 },
};

const minted = (keyId: string, userName = 'app'): Change => ({ what: 'key-minted', userName, keyId });
const deleted = (keyId: string): Change => ({ what: 'key-deleted', userName: 'app', keyId });
const inactive = (keyId: string): Change => ({ what: 'key-status', userName: 'app', keyId, status: 'Inactive' });
const promoted = (to: string, from: string): Change => ({
  what: 'label-moved',
  secret: 'app/key',
  label: 'AWSCURRENT',
  from,
  to,
});

function collect(history: HandMade, user: Partial<WatchedUser> = {}) {
  const { entries, logs } = history;
  return collectUser({ ...USER, ...user }, { history: entries, logs, rotateFunction: 'rotate', until: day(100) });
}

describe('the figures of a user', () => {
  it('follow a key from its minting to its deletion', () => {
    const history = new HandMade();
    history.call(0, 'CreateAccessKey', 'rotate', minted('K1'));
    history.call(1, 'UpdateSecretVersionStage', 'rotate', promoted('v1', 'v0'));
    history.call(30, 'CreateAccessKey', 'rotate', minted('K2'));
    history.call(31, 'UpdateSecretVersionStage', 'rotate', promoted('v2', 'v1'));
    history.log(34, 'held', { userName: 'app', keyId: 'K1', lastUse: { at: '2026-02-03T00:00:00.000Z' } });
    history.log(35, 'held', { userName: 'app', keyId: 'K1' });
    history.call(40, 'UpdateAccessKey', 'retire', inactive('K1'));
    history.log(40, 'disabled', { userName: 'app', keyId: 'K1', reason: 'overlap-over' });
    history.call(47, 'DeleteAccessKey', 'retire', deleted('K1'));
    const keyOfVersion = new Map([
      ['v1', 'K1'],
      ['v2', 'K2'],
    ]);
    const application = { calls: 7, failures: 1 };
    const { lives, ...figures } = collect(history, { keyOfVersion, application });
    expect(figures).toEqual({
      name: 'app',
      rotations: 2,
      applicationCalls: 7,
      applicationFailures: 1,
      keysMinted: 2,
      keysDeleted: 1,
      orphansCleared: 0,
      strangersTouched: 0,
      keysNow: [{ id: 'K2', state: 'current' }],
      refusals: [],
      notable: [
        { what: 'held', at: day(34), keyId: 'K1', lastUse: Date.UTC(2026, 1, 3) },
        { what: 'hold-ended', at: day(40), keyId: 'K1', reason: 'overlap-over' },
      ],
    });
    expect(lives).toEqual([
      {
        id: 'K1',
        deletedAt: day(47),
        spans: [
          { state: 'pending', from: day(0), to: day(1) },
          { state: 'current', from: day(1), to: day(31) },
          { state: 'retiring', from: day(31), to: day(34) },
          { state: 'held', from: day(34), to: day(40) },
          { state: 'disabled', from: day(40), to: day(47) },
        ],
      },
      {
        id: 'K2',
        spans: [
          { state: 'pending', from: day(30), to: day(31) },
          { state: 'current', from: day(31), to: day(100) },
        ],
      },
    ]);
  });

  it('take an adopted key for superseded from the first promotion on, and other hand-made ones for strangers', () => {
    const history = new HandMade();
    history.call(-9, 'CreateAccessKey', undefined, minted('OLD'));
    history.call(-8, 'CreateAccessKey', undefined, minted('OTHER'));
    history.call(0, 'CreateAccessKey', 'rotate', minted('K1'));
    history.call(1, 'UpdateSecretVersionStage', 'rotate', promoted('v1', 'v0'));
    const user = { adopt: 'OLD', keyOfVersion: new Map([['v1', 'K1']]) };
    const { lives, keysNow, keysMinted } = collect(history, user);
    expect(keysMinted).toBe(1);
    expect(keysNow).toEqual([
      { id: 'OLD', state: 'retiring' },
      { id: 'OTHER', state: 'stranger' },
      { id: 'K1', state: 'current' },
    ]);
    expect(lives[0]?.spans[0]).toEqual({ state: 'stranger', from: day(-9), to: day(1) });
  });

  it.each([
    [1, ['retiring']],
    [2, ['stranger', 'stranger']],
  ])('take the only key for superseded by the first promotion, and neither of two (%s)', (keys, states) => {
    const history = new HandMade();
    const old = Array.from({ length: keys }, (_, index) => `OLD${index}`);
    history.call(-9, 'CreateAccessKey', undefined, minted('GONE'));
    history.call(-8, 'DeleteAccessKey', undefined, { what: 'key-deleted', userName: 'app', keyId: 'GONE' });
    for (const id of old) history.call(-7, 'CreateAccessKey', undefined, minted(id));
    history.call(0, 'CreateAccessKey', 'rotate', minted('K1'));
    history.call(0.5, 'CreateAccessKey', undefined, minted('LATER'));
    history.call(1, 'UpdateSecretVersionStage', 'rotate', promoted('v1', 'v0'));
    const { lives } = collect(history, { adopt: 'only-key', keyOfVersion: new Map([['v1', 'K1']]) });
    const last = (id: string) => lives.find((life) => life.id === id)?.spans.at(-1)?.state;
    expect(old.map(last)).toEqual(states);
    expect(last('LATER')).toBe('stranger');
  });

  it('count every call that would have changed a stranger, and none that changed an adopted key', () => {
    const history = new HandMade();
    history.call(-9, 'CreateAccessKey', undefined, minted('OLD'));
    history.call(-9, 'CreateAccessKey', undefined, minted('OTHER'));
    history.call(2, 'UpdateAccessKey', 'retire', inactive('OLD'));
    history.call(3, 'UpdateAccessKey', 'retire', inactive('OTHER'));
    history.call(4, 'DeleteAccessKey', 'retire', deleted('OTHER'));
    history.call(5, 'DeleteAccessKey', undefined, deleted('OLD'));
    expect(collect(history, { adopt: 'OLD' })).toMatchObject({ strangersTouched: 2, keysDeleted: 1, keysNow: [] });
  });

  it('tell an orphan, which no version ever held, and who left it behind', () => {
    const history = new HandMade();
    history.call(10, 'CreateAccessKey', 'rotate', minted('LOST'));
    history.failed(10, ARN, 'RequestId: 4711 Error: Runtime exited with error: signal: killed');
    history.call(11, 'DeleteAccessKey', 'rotate', deleted('LOST'));
    history.log(11, 'orphan-cleared', { userName: 'app', keyId: 'LOST', reason: 'orphan-never-used' });
    expect(collect(history)).toMatchObject({
      keysMinted: 1,
      keysDeleted: 1,
      orphansCleared: 1,
      refusals: [],
      lives: [{ id: 'LOST', spans: [{ state: 'orphan', from: day(10), to: day(11) }] }],
      notable: [
        { what: 'died', step: 'createSecret', error: 'Runtime exited with error: signal: killed', orphan: 'LOST' },
        { what: 'orphan-cleared', keyId: 'LOST' },
      ],
    });
  });

  it('tell refusals once a code, with the first message and how often', () => {
    const history = new HandMade();
    history.failed(1, ARN, 'STRANGERS_HOLD_SLOTS: first.');
    history.failed(2, ARN, 'STRANGERS_HOLD_SLOTS: second.');
    history.failed(3, ARN, 'KEY_NOT_USABLE: third.');
    history.failed(3, 'arn:of:another:secret', 'MINT_REFUSED: not ours.');
    expect(collect(history).refusals).toEqual([
      { code: 'STRANGERS_HOLD_SLOTS', message: 'STRANGERS_HOLD_SLOTS: first.', at: day(1), times: 2 },
      { code: 'KEY_NOT_USABLE', message: 'KEY_NOT_USABLE: third.', at: day(3), times: 1 },
    ]);
  });

  it('count only rotations of the rotate function, and only of this secret', () => {
    const history = new HandMade();
    history.call(1, 'UpdateSecretVersionStage', undefined, promoted('v1', 'v0'));
    history.call(2, 'UpdateSecretVersionStage', 'retire', promoted('v2', 'v1'));
    history.call(3, 'UpdateSecretVersionStage', 'rotate', { ...promoted('v3', 'v2'), secret: 'other/key' } as Change);
    history.call(4, 'UpdateSecretVersionStage', 'rotate', promoted('v4', 'v2'));
    history.call(5, 'CreateAccessKey', 'rotate', minted('K9', 'another'));
    expect(collect(history)).toMatchObject({ rotations: 1, keysMinted: 0, lives: [] });
  });

  it('give a key that is activated again the state that it had before', () => {
    const history = new HandMade();
    history.call(-1, 'CreateAccessKey', undefined, minted('K'));
    history.call(1, 'UpdateAccessKey', undefined, inactive('K'));
    history.call(2, 'UpdateAccessKey', undefined, {
      what: 'key-status',
      userName: 'app',
      keyId: 'K',
      status: 'Active',
    });
    expect(collect(history).lives[0]?.spans.map(({ state }) => state)).toEqual(['stranger', 'disabled', 'stranger']);
  });
});
