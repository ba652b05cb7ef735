import { describe, expect, it } from 'vitest';
import { plain } from '../../local/demo/text.ts';
import { duration, report } from '../../local/experiment/report.ts';
import { experimentOf, failed, figuresOf } from './figures.ts';

const page = (width: number) => ({ width, paint: plain });
const three = [
  figuresOf('js', { retriedFresh: 2 }),
  figuresOf('boto3', { failed: [{ ...failed('emergency', 'InvalidClientTokenId'), sinceMs: 61_000 }] }),
  figuresOf('cli'),
];

describe('the report', () => {
  it.each([80, 120])('fits into %d columns, with a column a client', (width) => {
    const lines = report(experimentOf(three), page(width));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    expect(lines.filter((line) => /^ +JS SDK +boto3 +AWS CLI$/.test(line))).toHaveLength(1);
    expect(lines.find((line) => line.startsWith('failures'))).toMatch(/ 0 +1 +0$/);
    expect(lines.find((line) => line.startsWith('stalest key'))).toMatch(/4 min 50 s/);
  });

  it('says what is inevitable and why, and that every promise held', () => {
    const text = report(experimentOf(three), page(120)).join('\n');
    expect(text).toContain('boto3: 1 call failed in emergencies with InvalidClientTokenId; inevitable: nothing tells');
    expect(text).toContain('Every promise held, and no invariant was broken; 12 s');
  });

  it('says that the clients are unmodified, and that their clock is set', () => {
    expect(report(experimentOf(three), page(120)).join(' ')).toContain('unmodified');
    expect(report(experimentOf(three), page(120)).join(' ')).toContain('only its clock is set');
  });

  it('names a client that took no part, with the reason', () => {
    const leftOut = [{ client: 'cli' as const, why: "aws --version can't be run: spawn aws ENOENT" }];
    expect(report({ ...experimentOf(three.slice(0, 2)), leftOut }, page(120))).toContain(
      "AWS CLI took no part: aws --version can't be run: spawn aws ENOENT",
    );
  });

  it('lists what was broken, with the message of the first failure', () => {
    const text = report(experimentOf([figuresOf('js', { failed: [failed('outage', 'Oops')] })]), page(120)).join('\n');
    expect(text).toContain('JS SDK: 1 call failed in outages with Oops; it was Oops');
    expect(text).toContain('1 promise broken; 12 s\njs: 1 failed in outages with Oops');
  });

  it.each([
    [0, '0 s'],
    [59_000, '59 s'],
    [60_000, '1 min 0 s'],
    [3_605_000, '1 h 0 min 5 s'],
  ])('tells %d ms as %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});
