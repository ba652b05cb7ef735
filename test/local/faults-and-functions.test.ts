import { CreateAccessKeyCommand, IAMClient } from '@aws-sdk/client-iam';
import { describe, expect, it } from 'vitest';
import type { Handler, Sandbox } from '../../local/functions.ts';
import { MINUTE, simulate } from './helpers.ts';

/** A function that mints a key for bob, and says so. */
function minter(sandbox: Sandbox): Handler {
  const config = { ...sandbox.account.clientConfig(sandbox.credentials), requestHandler: sandbox.requestHandler };
  const iam = new IAMClient(config);
  return async () => {
    sandbox.log('called');
    await iam.send(new CreateAccessKeyCommand({ UserName: 'bob' })).catch((error: Error) => {
      sandbox.log(`caught ${error.name}`);
      throw error;
    });
    sandbox.log('answered');
    return 'minted';
  };
}

function world() {
  const simulated = simulate();
  const { account, run } = simulated;
  const bob = account.createUser('bob');
  const fn = account.functions.register({ name: 'mint', load: minter, timeoutSeconds: 60 });
  return { ...simulated, bob, fn, invoke: (event: unknown = {}) => run(account.functions.invoke('mint', event)) };
}

const match = { action: 'CreateAccessKey' };

describe('a fault', () => {
  it('refuses a call before any effect, with throttling or the error it is given', async () => {
    const { account, bob, invoke } = world();
    account.faults.add({ match, kind: 'refuse' });
    expect(await invoke()).toMatchObject({ ok: false, errorType: 'ThrottlingException' });
    account.faults.add({ match, kind: 'refuse', error: { code: 'ServiceFailure', status: 500 } });
    expect(await invoke()).toMatchObject({ ok: false, errorType: 'ServiceFailureException' });
    expect(bob.keys).toHaveLength(0);
    expect(await invoke()).toEqual({ ok: true, result: 'minted' });
  });

  it('breaks the connection before the effect, or loses the answer after it', async () => {
    const { account, bob, fn, invoke } = world();
    account.faults.add({ match, kind: 'network' });
    expect(await invoke()).toMatchObject({ ok: false, errorMessage: 'socket hang up' });
    expect(bob.keys).toHaveLength(0);
    account.faults.add({ match, kind: 'lose-answer' });
    expect(await invoke()).toMatchObject({ ok: false, errorMessage: 'socket hang up' });
    expect(bob.keys).toHaveLength(1);
    expect(fn.logs).not.toContain('answered');
    const calls = account.history.filter((entry) => entry.kind === 'call' && entry.action === 'CreateAccessKey');
    expect(calls).toMatchObject([
      { fault: 'network', outcome: 'not reached' },
      { fault: 'lose-answer', outcome: 'ok' },
    ]);
  });

  it.each([
    ['crash-before', 0],
    ['crash-after', 1],
  ] as const)('of kind %s ends the process, which learns nothing, and leaves %i keys', async (kind, keys) => {
    const { account, bob, fn, invoke } = world();
    account.faults.add({ match, kind });
    expect(await invoke()).toMatchObject({ ok: false, errorType: 'Runtime.ExitError' });
    expect(bob.keys).toHaveLength(keys);
    expect(fn.logs).toEqual(['called']);
    expect((await invoke()).ok).toBe(true);
    expect(bob.keys).toHaveLength(keys + 1);
  });

  it('answers late, in virtual time', async () => {
    const { account, invoke } = world();
    const start = account.clock.nowMs;
    account.faults.add({ match, kind: 'late', ms: 7000 });
    expect((await invoke()).ok).toBe(true);
    expect(account.clock.nowMs - start).toBe(7000);
  });

  it('befalls the nth call that matches, as often as it says, and is gone when it is taken away', async () => {
    const { account, run, iam } = world();
    for (const name of ['ann', 'cy']) account.createUser(name);
    const mint = async (UserName: string) => {
      const sent = run(iam.send(new CreateAccessKeyCommand({ UserName })));
      return sent.then(
        () => 'ok',
        () => 'failed',
      );
    };
    const remove = account.faults.add({ match: { ...match, userName: 'bob', nth: 2 }, kind: 'refuse', times: 2 });
    expect([
      await mint('ann'),
      await mint('bob'),
      await mint('ann'),
      await mint('bob'),
      await mint('bob'),
      await mint('bob'),
    ]).toEqual([...['ok', 'ok', 'ok', 'failed', 'failed'], 'ok']);
    remove();
    const service = account.faults.add({ match: { predicate: ({ service }) => service === 'iam' }, kind: 'refuse' });
    service();
    expect(await mint('cy')).toBe('ok');
  });

  it('befalls calls of one function only, if it says so', async () => {
    const { account, run, iam, invoke } = world();
    account.faults.add({ match: { functionName: 'mint' }, kind: 'refuse' });
    await run(iam.send(new CreateAccessKeyCommand({ UserName: 'bob' })));
    expect((await invoke()).ok).toBe(false);
  });
});

describe('a function', () => {
  it('is killed at its timeout, in virtual time', async () => {
    const { account, run } = simulate();
    const load = (sandbox: Sandbox) => async () => sandbox.clock.sleep(10 * MINUTE).then(() => sandbox.log('went on'));
    const { logs } = account.functions.register({ name: 'slow', load, timeoutSeconds: 30 });
    const start = account.clock.nowMs;
    const result = await run(account.functions.invoke('slow', {}));
    expect(result).toMatchObject({
      ok: false,
      errorMessage: expect.stringContaining('Task timed out after 30.00 seconds'),
    });
    expect(account.clock.nowMs - start).toBe(30_000);
    await account.clock.advance(20 * MINUTE);
    expect(logs).toEqual([]);
  });

  it('that hangs without waiting for anything is killed at its timeout too', async () => {
    const { account, run } = simulate();
    account.functions.register({ name: 'hangs', load: () => () => new Promise(() => {}), timeoutSeconds: 5 });
    expect(await run(account.functions.invoke('hangs', {}))).toMatchObject({
      ok: false,
      errorType: 'Sandbox.Timedout',
    });
  });

  it('hears how much time it has left, and its calls are recorded under its name and invocation', async () => {
    const { account, fn, invoke } = world();
    const remaining: number[] = [];
    account.functions.register({
      name: 'mint',
      load: (sandbox) => async (event, context) => {
        await sandbox.clock.sleep(10_000);
        remaining.push(context.getRemainingTimeInMillis());
        return minter(sandbox)(event, context);
      },
    });
    expect((await invoke()).ok).toBe(true);
    expect(remaining).toEqual([50_000]);
    const call = account.history.findLast((entry) => entry.kind === 'call' && entry.action === 'CreateAccessKey');
    expect(call).toMatchObject({ functionName: 'mint', invocationId: expect.any(String) });
    expect(fn.arn).toBe('arn:aws:lambda:eu-central-1:111122223333:function:mint');
  });

  it('starts once and stays warm, starts anew after a crash, and runs in two processes at a time if need be', async () => {
    const { account, run } = simulate();
    let starts = 0;
    const load = (sandbox: Sandbox) => {
      starts++;
      return async () => sandbox.clock.sleep(1000);
    };
    account.functions.register({ name: 'warm', load });
    const invoke = () => account.functions.invoke('warm', {});
    await run(invoke());
    await run(invoke());
    expect(starts).toBe(1);
    await run(Promise.all([invoke(), invoke()]));
    expect(starts).toBe(2);
    account.functions.recycle();
    await run(invoke());
    expect(starts).toBe(3);
  });

  it('that fails is an error for its caller, with type and message', async () => {
    const { account, run } = simulate();
    const load = () => () => {
      throw new TypeError('bad event');
    };
    const { logs } = account.functions.register({ name: 'fails', load });
    expect(await run(account.functions.invoke('fails', {}))).toEqual({
      ok: false,
      errorType: 'TypeError',
      errorMessage: 'bad event',
    });
    expect(logs[0]).toContain('bad event');
    expect(await account.functions.invoke('none', {})).toMatchObject({
      ok: false,
      errorType: 'ResourceNotFoundException',
    });
  });

  it('invoked asynchronously is tried three times, and then goes to its failure destination', async () => {
    const { account, run } = simulate();
    const at: number[] = [];
    const load = () => () => {
      at.push(account.clock.nowMs - start);
      throw new Error('no');
    };
    const start = account.clock.nowMs;
    account.functions.register({ name: 'fails', load, onFailure: 'arn:queue' });
    expect((await run(account.functions.invoke('fails', { n: 1 }, { type: 'Event' }))).ok).toBe(true);
    await account.clock.advance(10 * MINUTE);
    expect(at).toEqual([0, MINUTE, 3 * MINUTE]);
    expect(account.functions.queues.get('arn:queue')).toMatchObject([
      { requestPayload: { n: 1 }, responsePayload: { errorMessage: 'no' } },
    ]);
  });

  it('gets a copy of the event, not the object of the one who invokes', async () => {
    const { account, run } = simulate();
    const event = { list: [1] };
    account.functions.register({
      name: 'copy',
      load: () => (received) => Object.assign(Object(received), { list: [] }),
    });
    await run(account.functions.invoke('copy', event));
    expect(event).toEqual({ list: [1] });
  });
});
