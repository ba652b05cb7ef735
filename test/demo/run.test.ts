import { beforeAll, describe, expect, it } from 'vitest';
import { ProgressLine } from '../../local/demo/progress.ts';
import { report, type Year } from '../../local/demo/report.ts';
import { runDemo } from '../../local/demo/run.ts';
import { LEGACY_KEY } from '../../local/demo/scenario.ts';
import { plain } from '../../local/demo/text.ts';

describe('the first five days of the demo', () => {
  const page = { width: 80, paint: plain };
  const written: string[] = [];
  let days: Year;

  beforeAll(async () => {
    days = await runDemo(new ProgressLine({ isTTY: true, write: (text) => written.push(text) }, page), 5);
  });

  it('go on showing what happens, and leave nothing of it', () => {
    expect(written[0]).toContain('synthesizing');
    expect(written.join('')).toMatch(/day {3}\d of 5 .*(minted|current)/);
    expect(written.at(-1)).toBe('\r\u001b[2K');
  });

  it('hold the adopted key that is still in use', () => {
    const legacy = days.users.find(({ name }) => name === 'legacy-batch');
    expect(legacy?.notable).toMatchObject([{ what: 'held', keyId: LEGACY_KEY }]);
    expect(legacy?.keysNow).toMatchObject([{ state: 'held' }, { state: 'current' }]);
  });

  it('tell the same in words', () => {
    const text = report(days, page).join('\n');
    expect(text).toContain('AKIA…DZ3M is due, but still in use');
    expect(text).toMatch(/No invariant broken; 5 days in \d+ s: 120 retire passes/);
  });
});
