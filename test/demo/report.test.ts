import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { UserYear } from '../../local/demo/collect.ts';
import { ProgressLine } from '../../local/demo/progress.ts';
import { report, type Year } from '../../local/demo/report.ts';
import { colourful, plain } from '../../local/demo/text.ts';
import { day } from './history.ts';

const MESSAGE =
  'STRANGERS_HOLD_SLOTS: user two-keys has 2 access keys: AKIAIOSFODNN7EXAMPL1 (stranger) and AKIAIOSFODNN7EXAMPL2 (stranger). ' +
  'Expected: a free slot. To do: free one by hand.';
const FIGURES = {
  rotations: 13,
  applicationCalls: 2190,
  applicationFailures: 0,
  keysMinted: 14,
  keysDeleted: 12,
  orphansCleared: 1,
  strangersTouched: 0,
};

function year(more: Partial<Year> = {}): Year {
  const lives = [
    { id: 'AKIAIOSFODNN7EXAMPLE', spans: [{ state: 'current' as const, from: day(0), to: day(365) }] },
    { id: 'AKIAIOSFODNN7EXAMPLF', spans: [{ state: 'disabled' as const, from: day(0), to: day(365) }] },
  ];
  const user = (name: string, others: Partial<UserYear> = {}): UserYear => ({
    name,
    ...FIGURES,
    keysNow: [{ id: 'AKIAIOSFODNN7EXAMPLE', state: 'current' }],
    refusals: [],
    lives,
    notable: [],
    ...others,
  });
  const users = [
    user('legacy-batch', {
      notable: [
        { at: day(3), what: 'held', keyId: 'AKIAIOSFODNN7EXAMPLE', lastUse: day(2) },
        { at: day(45), what: 'switched' },
        { at: day(53), what: 'hold-ended', keyId: 'AKIAIOSFODNN7EXAMPLE', reason: 'overlap-over' },
      ],
    }),
    user('two-keys', {
      refusals: [{ code: 'STRANGERS_HOLD_SLOTS', message: MESSAGE, at: day(0), times: 39 }],
    }),
    user('crashy', {
      notable: [
        { at: day(60), what: 'died', step: 'createSecret', error: 'signal: killed', orphan: 'AKIAIOSFODNN7EXAMPLE' },
        { at: day(60), what: 'orphan-cleared', keyId: 'AKIAIOSFODNN7EXAMPLE' },
      ],
    }),
    user('deploy-prod'),
  ];
  const stories = { 'two-keys': 'both slots are taken', crashy: 'the function dies' };
  const range = { from: day(0), to: day(365) };
  return { range, users, stories, broken: [], passes: 8760, calls: 26_000, seconds: 25.4, ...more };
}

const text = (width: number, of = year()) => report(of, { width, paint: plain }).join('\n');

describe('the report', () => {
  it('tells of holds, crashes, orphans and refusals on their day', () => {
    const told = text(120);
    expect(told).toContain('  day   3   4 Jan 00:00  AKIA…MPLE is due, but still in use (last use 3 Jan 00:00): held');
    expect(told).toContain('  day  45  15 Feb 00:00  its application reads the secret from now on');
    expect(told).toContain('  day  53  23 Feb 00:00  AKIA…MPLE has been quiet: disabled (overlap-over)');
    expect(told).toContain(
      'the function died in createSecret (signal: killed); AKIA…MPLE is minted, and stored nowhere',
    );
    expect(told).toContain('the next run clears the orphan AKIA…MPLE, which was never used');
    expect(told).toContain('refused: STRANGERS_HOLD_SLOTS, the first of 39 times');
  });

  it('quotes the whole refusal with the whole ids, in paragraphs', () => {
    const told = text(120);
    expect(told).toContain(
      '  │ user two-keys has 2 access keys: AKIAIOSFODNN7EXAMPL1 (stranger) and AKIAIOSFODNN7EXAMPL2',
    );
    expect(told).toContain('\n  │ Expected: a free slot.\n  │ To do: free one by hand.\n');
  });

  it('ends with the verdict', () => {
    expect(text(120)).toMatch(/\nNo invariant broken; a year in 25 s: 8,760 retire passes, 26,000 signed calls$/);
    const broken = [{ invariant: 4, at: '2026-02-01T00:00:00.000Z', what: 'the stranger AKIA was deleted', call: 99 }];
    expect(text(120, year({ broken }))).toMatch(
      /\n1 invariant broken; a year in .*\n2026-02-01T00:00:00.000Z: invariant 4: the stranger AKIA was deleted \(call 99\)$/,
    );
  });

  it.each([120, 80, 60, 50, 40])('keeps within %i columns', (width) => {
    for (const line of report(year(), { width, paint: plain })) expect(line.length).toBeLessThanOrEqual(width);
  });

  it("says where the audit's report is, if there is one", () => {
    expect(report(year({ page: 'demo-report/report.html' }), { width: 80, paint: plain }).at(-1)).toBe(
      "The audit's report: demo-report/report.html",
    );
    expect(report(year(), { width: 80, paint: plain }).at(-1)).toMatch(/^No invariant broken/);
  });

  it('has a table with a column a user, or a list a user where that is too wide', () => {
    expect(text(60)).toMatch(/^ +legacy-batch two-keys crashy deploy-prod$/m);
    expect(text(60)).toMatch(/^application calls +2,190 +2,190 +2,190 +2,190$/m);
    expect(text(40)).toMatch(/^crashy\n {2}rotations {9}13\n {2}application calls 2,190$/m);
  });

  it('is the same text with colours, and has none without', () => {
    const coloured = report(year(), { width: 80, paint: colourful });
    expect(coloured.map(stripVTControlCharacters)).toEqual(report(year(), { width: 80, paint: plain }));
    expect(text(80)).not.toContain('\u001b');
  });
});

describe('the progress line', () => {
  const page = { width: 40, paint: plain };
  const written: string[] = [];
  const write = (chunk: string) => written.push(chunk);

  it('is rewritten in place, is never wider than the terminal, and goes away', () => {
    const line = new ProgressLine({ isTTY: true, write }, page);
    line.say('synthesizing');
    line.note('deploy-prod: AKIA…MPLE minted and more than fits');
    line.day(3, 365, 1000);
    line.day(4, 365, 1001);
    line.clear();
    expect(written).toEqual([
      '\r\u001b[2Ksynthesizing',
      '\r\u001b[2Kday   3 of 365 deploy-prod: AKIA…MPLE …',
      '\r\u001b[2K',
    ]);
    for (const chunk of written) expect(stripVTControlCharacters(chunk).length).toBeLessThan(41);
  });

  it('is not there without a terminal', () => {
    written.length = 0;
    const line = new ProgressLine({ write }, page);
    line.say('synthesizing');
    line.day(3, 365);
    line.clear();
    expect(written).toEqual([]);
  });
});
