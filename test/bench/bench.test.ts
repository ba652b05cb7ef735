import { describe, expect, it } from 'vitest';
import { BUDGETS, type Budget, type BudgetName, type Figures, judge, judgeAll } from '../../bench/budgets.ts';
import { drawTable, summary } from '../../bench/table.ts';

const budget = (more: Partial<Budget> = {}): Budget => ({
  what: 'load',
  limit: 1.3,
  unit: '×',
  decimals: 2,
  source: 'the design',
  ...more,
});
const judged = (value: number, more: Partial<Budget> = {}) => judge('load', budget(more), { value, how: '' });

describe('a verdict', () => {
  it('is within at exactly the limit, and past it one step of the last decimal above', () => {
    expect(judged(1.3)).toMatchObject({ measured: 1.3, within: true });
    expect(judged(1.31)).toMatchObject({ measured: 1.31, within: false });
    expect(judged(18, { limit: 18, decimals: 0 }).within).toBe(true);
    expect(judged(19, { limit: 18, decimals: 0 }).within).toBe(false);
  });

  it('is about the figure as printed, which is rounded up: never printed as the limit and called past it', () => {
    expect(judged(1.3001)).toMatchObject({ measured: 1.31, within: false });
    expect(judged(1.291)).toMatchObject({ measured: 1.3, within: true });
  });

  it('is not led astray by binary fractions', () => {
    expect(judged(1.1).measured).toBe(1.1);
    expect(judged(0.57).measured).toBe(0.57);
  });
});

describe('the budgets', () => {
  it('of a retire pass come out of the formula of the design: 1,000 secrets, 10 keys due', () => {
    expect(BUDGETS.disablePass.limit).toBe(70);
    expect(BUDGETS.deletePass.limit).toBe(70);
    expect(BUDGETS.followPass.limit).toBe(30);
  });

  it('are all judged, in their order', () => {
    const names = Object.keys(BUDGETS) as BudgetName[];
    const figures = Object.fromEntries(names.map((name) => [name, { value: 1, how: 'counted' }])) as unknown as Figures;
    expect(judgeAll(figures).map(({ name, within }) => [name, within])).toEqual(names.map((name) => [name, true]));
  });
});

describe('the table', () => {
  const rows = [
    judge('size', budget({ what: 'bundle', limit: 450, unit: 'KB', decimals: 1 }), { value: 431.55, how: 'index.js' }),
    judge('calls', budget({ what: 'rotation', limit: 18, unit: 'calls', decimals: 0 }), { value: 22, how: '' }),
  ];

  it('has the budget and the verdict beside each figure, units included', () => {
    expect(drawTable(rows)).toEqual([
      'what      measured      budget  verdict',
      '────────  ────────  ──────────  ───────',
      'bundle    431.6 KB    ≤ 450 KB  within',
      'rotation  22 calls  ≤ 18 calls  PAST',
      '',
      'How they came about',
      'bundle: index.js',
    ]);
  });

  it('ends with what is past its budget', () => {
    expect(summary(rows)).toBe('1 of 2 figures past their budgets: calls.');
    expect(summary(rows.slice(0, 1))).toBe('All 1 figures are within their budgets.');
  });
});
