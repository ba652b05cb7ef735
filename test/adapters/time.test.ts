import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { deadlineOf, now, sleep } from '../../lambdas/adapters/time.ts';

const NOW = new Date('2026-06-15T12:00:00Z');

beforeEach(() => vi.useFakeTimers({ now: NOW }));
afterEach(() => vi.useRealTimers());

describe('time', () => {
  it('is asked for anew each time', () => {
    expect(now()).toEqual(NOW);
    vi.advanceTimersByTime(1500);
    expect(now()).toEqual(new Date('2026-06-15T12:00:01.500Z'));
  });

  it('is let pass for so many milliseconds', async () => {
    let over = false;
    void sleep(1000).then(() => {
      over = true;
    });
    await vi.advanceTimersByTimeAsync(999);
    expect(over).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(over).toBe(true);
  });

  it('is up when Lambda says how much is left', () => {
    expect(deadlineOf({ getRemainingTimeInMillis: () => 120_000 })).toEqual(new Date('2026-06-15T12:02:00Z'));
  });
});
