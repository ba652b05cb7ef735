/** Each alarm has its section in the runbook, and each section its alarm. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { RUNBOOK } from '../../lambdas/contract/lines.ts';
import { templateOf, UNCHECKED } from '../infra/synth.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/runbook.md'), 'utf8');
const sections = page.split(/^## /m).slice(1);
/** As GitHub and most others make the anchor of a heading. */
const anchorOf = (section: string) => (section.split('\n')[0] ?? '').toLowerCase().replace(/ /g, '-');

interface Alarm {
  readonly AlarmDescription: string;
  readonly AlarmActions: readonly unknown[];
  readonly OKActions: readonly unknown[];
}

describe('the runbook', () => {
  let alarms: readonly Alarm[] = [];
  beforeAll(() => {
    const runbookUrl = 'https://wiki.example.com/keys';
    const actions = ['arn:aws:sns:eu-central-1:123456789012:pager'];
    const template = templateOf({ keys: [{ user: 'app' }], runbookUrl, alarms: { actions } }, UNCHECKED);
    alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties);
  });

  it('has a section for every alarm, and an alarm for every section', () => {
    const linked = alarms.map(
      ({ AlarmDescription }) => /https:\/\/wiki\.example\.com\/keys#([\w-]+)$/.exec(AlarmDescription)?.[1],
    );
    expect(linked.sort()).toEqual(sections.map(anchorOf).sort());
    expect(new Set(linked).size).toBe(alarms.length);
    expect(linked).toEqual(Object.values(RUNBOOK).sort());
  });

  it('says in each section what it means, how to look and how to mend', () => {
    for (const section of sections) {
      for (const part of ['**It means**', '**Look:**', '```sh', '**Mend**']) expect(section).toContain(part);
    }
  });

  it('is linked by alarms that say in a sentence what happened, and tell everyone of their beginning and their end', () => {
    for (const { AlarmDescription, AlarmActions, OKActions } of alarms) {
      expect(AlarmDescription).toMatch(/^(A|No|The) .{30,}\. What it means/);
      expect(AlarmActions).toHaveLength(2);
      expect(OKActions).toEqual(AlarmActions);
    }
  });

  it('names only sections of its own and pages that are there', () => {
    const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link);
    const inside = links.filter((link) => link.startsWith('#')).map((link) => link.slice(1));
    expect(inside.filter((anchor) => !sections.map(anchorOf).includes(anchor))).toEqual([]);
    for (const link of links.filter((one) => !one.startsWith('#')))
      readFileSync(join(import.meta.dirname, '../../docs', link));
  });
});
