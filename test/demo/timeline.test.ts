import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { KeyLife, KeyState } from '../../local/demo/collect.ts';
import { colourful, plain } from '../../local/demo/text.ts';
import { legend, timeline } from '../../local/demo/timeline.ts';

const DAY = 86_400_000;
const FROM = Date.UTC(2026, 0, 1);
const RANGE = { from: FROM, to: FROM + 365 * DAY };
const ID = 'AKIAIOSFODNN7EXAMPLE';

/** A life out of states and the days on which they begin; the last day ends it. */
function life(states: readonly [KeyState, number][], until: number, deleted = true): KeyLife {
  const spans = states.map(([state, from], index) => ({
    state,
    from: FROM + from * DAY,
    to: FROM + (states[index + 1]?.[1] ?? until) * DAY,
  }));
  return { id: ID, spans, ...(deleted ? { deletedAt: FROM + until * DAY } : {}) };
}

const row = (one: KeyLife, width: number, range = RANGE) => timeline([one], range, { width, paint: plain })[1];

describe('the timeline', () => {
  const whole = life(
    [
      ['pending', 30],
      ['current', 30.0002],
      ['retiring', 60],
      ['held', 63],
      ['disabled', 73],
    ],
    80,
  );

  it('draws the states of a key one after the other, and its end', () => {
    const [axis, drawn] = timeline([whole], RANGE, { width: 120, paint: plain });
    expect(axis).toBe(
      '            Jan       Feb     Mar      Apr      May      Jun      Jul      Aug      Sep      Oct      Nov      Dec',
    );
    expect(drawn).toBe('  AKIA…MPLE         ▸█████████▓◆◆◆░×');
  });

  it('puts every state where it belongs: days are cells when there are as many', () => {
    const range = { from: FROM, to: FROM + 108 * DAY };
    expect(row(whole, 120, range)).toBe(
      `  AKIA…MPLE ${' '.repeat(30)}▸${'█'.repeat(29)}▓▓▓${'◆'.repeat(10)}${'░'.repeat(7)}×`,
    );
  });

  it.each([200, 120, 80, 72, 60, 50, 40, 30])('keeps within %i columns', (width) => {
    for (const line of timeline([whole, life([['stranger', -200]], 365, false)], RANGE, { width, paint: plain })) {
      expect(line.length).toBeLessThanOrEqual(width);
    }
    for (const line of legend({ width, paint: plain })) expect(line.length).toBeLessThanOrEqual(width);
  });

  it('shows a month by its first letter, and a key by four characters, where there is little room', () => {
    const [axis, drawn] = timeline([whole], RANGE, { width: 40, paint: plain });
    expect(axis).toBe('      J  F  M  A  M  J J  A  S  O  N  D');
    expect(drawn).toBe('…MPLE   ▸██▓◆░×');
  });

  it('shows an orphan of twenty minutes, and that it was deleted', () => {
    const orphan = life([['orphan', 60]], 60 + 20 / 1440);
    for (const width of [120, 80, 60, 40]) expect(row(orphan, width)).toMatch(/ !×$/);
  });

  it('lets a short state not hide one that is seen nowhere else', () => {
    const young = life(
      [
        ['pending', 364],
        ['current', 364.0002],
      ],
      365,
      false,
    );
    expect(row(young, 80)).toMatch(/ █$/);
  });

  it('fills the row of a key that was there before and still is', () => {
    expect(row(life([['stranger', -400]], 365, false), 60)).toBe(`  …MPLE ${'═'.repeat(52)}`);
  });

  it('draws no end that comes with the end of the range, or after', () => {
    expect(row(life([['current', 0]], 365), 60)).not.toContain('×');
  });

  it('is the same text with colours', () => {
    const coloured = timeline([whole], RANGE, { width: 80, paint: colourful });
    expect(coloured[1]).toContain('\u001b[');
    expect(coloured.map(stripVTControlCharacters)).toEqual(timeline([whole], RANGE, { width: 80, paint: plain }));
  });

  it('has a legend that names every sign once', () => {
    const text = legend({ width: 80, paint: plain }).join('  ');
    expect(text.split('  ')).toEqual([
      '▸ pending',
      '█ current',
      '▓ retiring',
      '◆ held',
      '░ disabled',
      '× deleted',
      '═ stranger',
      '! orphan',
    ]);
  });
});
