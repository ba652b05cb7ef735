import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../local/clock.ts';

const start = new Date('2026-01-01T00:00:00Z');

describe('the virtual clock', () => {
  it('fires timers in order of time, and those of one instant in the order in which they were set', async () => {
    const clock = new VirtualClock(start);
    const fired: string[] = [];
    clock.setTimeout(() => fired.push('late'), 20);
    clock.setTimeout(() => fired.push('first'), 10);
    clock.setTimeout(() => fired.push('second'), 10);
    await clock.advance(20);
    expect(fired).toEqual(['first', 'second', 'late']);
    expect(clock.nowMs).toBe(start.getTime() + 20);
  });

  it('stops at the instant asked for, and leaves later timers alone', async () => {
    const clock = new VirtualClock(start);
    let fired = 0;
    clock.setTimeout(() => fired++, 1001);
    await clock.advance(1000);
    expect(fired).toBe(0);
    await clock.advance(1);
    expect(fired).toBe(1);
  });

  it('does not fire a timer that was cleared', async () => {
    const clock = new VirtualClock(start);
    let fired = false;
    const timer = clock.setTimeout(() => {
      fired = true;
    }, 10);
    expect(clock.clearTimeout(timer)).toBe(true);
    expect(clock.clearTimeout(timer)).toBe(false);
    await clock.advance(20);
    expect(fired).toBe(false);
  });

  it('stands still while tracked work is in flight', async () => {
    const clock = new VirtualClock(start);
    const at: number[] = [];
    const work = new Promise<void>((resolve) => setTimeout(resolve, 30)).then(() => at.push(clock.nowMs));
    void clock.track(work);
    clock.setTimeout(() => at.push(clock.nowMs), 10);
    await clock.advance(10);
    expect(at).toEqual([start.getTime(), start.getTime() + 10]);
  });

  it('moves on until a promise settles, and hands on its value or its error', async () => {
    const clock = new VirtualClock(start);
    const slow = async () => {
      for (let nap = 0; nap < 3; nap++) await clock.sleep(1000);
      return 'done';
    };
    expect(await clock.run(slow())).toBe('done');
    expect(clock.nowMs).toBe(start.getTime() + 3000);
    await expect(clock.run(Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('calls it a deadlock when nothing is left that could settle the promise', async () => {
    const clock = new VirtualClock(start, 10);
    await expect(clock.run(new Promise(() => {}))).rejects.toThrow('Deadlock');
    await expect(clock.runUntil(() => false)).rejects.toThrow('Deadlock');
  });

  it('refuses to be driven from inside, and to go back', async () => {
    const clock = new VirtualClock(start);
    const inside = clock.sleep(1).then(() => clock.advance(1));
    await expect(clock.run(inside)).rejects.toThrow('driven already');
    await expect(clock.advance(-1)).rejects.toThrow('forward only');
  });

  it('gives a Date that is now without arguments and the real class otherwise', async () => {
    const clock = new VirtualClock(start);
    await clock.advance(5000);
    clock.skew = 60_000;
    expect(new clock.Date().toISOString()).toBe('2026-01-01T00:01:05.000Z');
    expect(clock.Date.now()).toBe(start.getTime() + 65_000);
    expect(new clock.Date(0).getTime()).toBe(0);
    expect(new clock.Date()).toBeInstanceOf(Date);
    expect(clock.Date.parse('1970-01-01T00:00:01Z')).toBe(1000);
  });
});
