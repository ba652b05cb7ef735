import { describe, expect, it } from 'vitest';
import {
  DAY_ENDS_AT,
  DAY_MS,
  EMERGENCY_AT,
  HOUR_MS,
  MINUTE_MS,
  OUTAGE_MS,
  OUTAGES,
  planDays,
  stopsOf,
  stopsOfOutage,
} from '../../local/experiment/plan.ts';

const CALM = { emergency: false };

describe('the days of the experiment', () => {
  it('are as many as the rotations, with every emergency and outage on a day of its own', () => {
    const days = planDays({ rotations: 100, emergencies: 10, outages: 5 });
    expect(days).toHaveLength(100);
    expect(days.filter(({ emergency }) => emergency)).toHaveLength(10);
    expect(days.filter(({ outage }) => outage !== undefined)).toHaveLength(5);
    expect(days.filter(({ emergency, outage }) => emergency && outage !== undefined)).toEqual([]);
  });

  it('have every kind of outage once in five, and both ways to be away', () => {
    const outages = planDays({ rotations: 100, emergencies: 10, outages: 5 }).flatMap(({ outage }) => outage ?? []);
    expect(new Set(outages.map(({ name }) => name)).size).toBe(OUTAGES.length);
    expect(new Set(outages.map(({ way }) => way))).toEqual(new Set(['unavailable', 'unreachable']));
  });

  it('spread emergencies over the whole time', () => {
    const days = planDays({ rotations: 100, emergencies: 10, outages: 0 });
    const at = days.flatMap(({ emergency }, day) => (emergency ? [day] : []));
    expect(at).toEqual([5, 15, 25, 35, 45, 55, 65, 75, 85, 95]);
  });

  it('can all be disturbed, but no day twice', () => {
    const days = planDays({ rotations: 4, emergencies: 2, outages: 2 });
    expect(days.every(({ emergency, outage }) => emergency !== (outage !== undefined))).toBe(true);
    expect(() => planDays({ rotations: 3, emergencies: 2, outages: 2 })).toThrow(RangeError);
  });
});

describe('the stops of a day', () => {
  it('come in order, and before the next day begins', () => {
    for (let index = 0; index < 50; index += 1) {
      const at = stopsOf({ emergency: true }, index, 7).map((stop) => stop.at);
      expect(at).toEqual(at.toSorted((a, b) => a - b));
      expect(Math.max(...at)).toBeLessThan(DAY_ENDS_AT);
      expect(Math.max(...at)).toBeLessThan(DAY_MS + (stopsOf(CALM, index + 1, 7)[0]?.at ?? 0));
    }
  });

  it('are the same for the same day and seed, and others for another day', () => {
    expect(stopsOf(CALM, 3, 1)).toEqual(stopsOf(CALM, 3, 1));
    expect(stopsOf(CALM, 3, 1)).not.toEqual(stopsOf(CALM, 4, 1));
  });

  it('fill a cache at every distance to the rotation, from a moment to five minutes before', () => {
    const filled = Array.from({ length: 100 }, (_, index) => {
      const before = stopsOf(CALM, index, 1).filter(({ at, cli }) => cli && Math.abs(at) < HOUR_MS);
      return -(before[0]?.at ?? Number.NaN) / MINUTE_MS;
    });
    expect(Math.min(...filled)).toBeLessThan(0.2);
    expect(Math.max(...filled)).toBeGreaterThan(4.5);
  });

  it('let the AWS CLI call a second before its cache ends, and a second after', () => {
    const cli = stopsOf(CALM, 0, 1).filter(({ at, cli }) => cli && Math.abs(at) < HOUR_MS);
    const [filled = 0, ...later] = cli.map(({ at }) => at);
    expect(later.map((at) => (at - filled) / 1000)).toEqual([299, 301]);
  });

  it('surround an emergency only on its day', () => {
    const near = (emergency: boolean) =>
      stopsOf({ emergency }, 0, 1).filter(({ at }) => Math.abs(at - EMERGENCY_AT) < 15 * MINUTE_MS).length;
    expect(near(true)).toBeGreaterThan(13);
    expect(near(false)).toBe(0);
  });
});

describe('the stops of an outage', () => {
  it('come after clients have been at work', () => {
    const begins = Math.min(...OUTAGES.map(({ from }) => (from === 'promotion' ? 0 : from)));
    expect(stopsOf(CALM, 0, 1)[0]).toMatchObject({ cli: true });
    expect(stopsOf(CALM, 0, 1)[0]?.at).toBeLessThan(begins);
  });

  it('reach from its beginning over its last second to minutes after its end', () => {
    const at = stopsOfOutage(5).map((stop) => stop.at - 5);
    expect(at).toContain(0);
    expect(at).toContain(OUTAGE_MS - 1000);
    expect(Math.max(...at)).toBeGreaterThan(OUTAGE_MS + 5 * MINUTE_MS);
  });
});
