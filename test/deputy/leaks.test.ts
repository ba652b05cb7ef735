/** The response to a leak as a deputy: what somebody who reports or forges leaks can have it do, and what not. */
import { afterEach, describe, expect, it } from 'vitest';
import { exposed, finishAll, leakReported } from '../simulation/world.ts';
import { BOTH, LONG_AGO, OTHER, SECRET, scene } from './world.ts';

afterEach(() => expect(finishAll()).toEqual([]));

describe.each(BOTH)('with %s in the way', (defence) => {
  it('a report ends the key that it names, has another one made, and touches nothing of anybody else', async () => {
    const s = await scene({ defence });
    const leaked = s.current;
    expect(await s.world.invoke('respond', exposed(leaked))).toMatchObject({ ok: true });
    expect(s.world.keys('app')).toMatchObject({ [leaked]: 'Inactive', [s.current]: 'Active' });
    expect(s.changedElsewhere()).toEqual([]);
  });

  it("a report of an administrator's key, who is not under rotation, changes nothing", async () => {
    const s = await scene({ defence });
    expect(await s.world.invoke('respond', leakReported(s.keyOf('admin')))).toMatchObject({
      ok: true,
      result: [{ outcome: 'reported' }],
    });
    expect([...s.changedElsewhere(), ...s.changedKeys()]).toEqual([]);
  });

  it('a report of a stranger of the user changes nothing', async () => {
    const s = await scene({ defence });
    const stranger = await s.stranger();
    expect(await s.world.invoke('respond', leakReported(stranger))).toMatchObject({ ok: true });
    expect([...s.changedElsewhere(), ...s.changedKeys()]).toEqual([]);
  });

  it("forged marks and entries of other users' keys make neither a report nor a pass change those", async () => {
    const s = await scene({ defence });
    const [ops, admin] = [String(s.world.currentKey(OTHER)), s.keyOf('admin')];
    for (const keyId of [ops, admin]) {
      s.tag(`leak/${keyId}`, `at=${LONG_AGO} signal=health`);
      s.tag(`key/${keyId}`, `version=gone superseded=${LONG_AGO} by=${s.current}`);
    }
    await s.pass();
    expect(await s.world.invoke('respond', leakReported(admin))).toMatchObject({ ok: true });
    expect(s.changedElsewhere()).toEqual([]);
  });

  it('a forged mark of the current key has a superseded one deleted by the next rotation', async () => {
    const s = await scene({ defence });
    const superseded = await s.supersede();
    s.tag(`leak/${s.current}`, `at=${LONG_AGO} signal=health`);
    expect(await s.rotate()).toBeUndefined();
    expect(s.world.keys('app')).not.toHaveProperty(superseded);
    expect(s.changedElsewhere()).toEqual([]);
  });

  it('a forged mark of the current key ends it no sooner than another one is current', async () => {
    const s = await scene({ defence, policy: { onLeak: 'disable-first' } });
    const key = s.current;
    s.tag(`leak/${key}`, `at=${LONG_AGO} signal=health`);
    await s.pass();
    expect(s.world.keys('app')).toEqual({ [key]: 'Active' });
    await s.rotate();
    expect(s.world.keys('app')).toMatchObject({ [key]: 'Inactive', [String(s.world.currentKey(SECRET))]: 'Active' });
    expect(s.changedElsewhere()).toEqual([]);
  });
});
