import { describe, expect, it } from 'vitest';
import { html, trusted } from '../../lambdas/audit/page/escape.ts';
import { renderPage } from '../../lambdas/audit/page/index.ts';
import { type AuditReport, SEVERITIES, type Severity } from '../../lambdas/audit/report.ts';
import { largeReport, smallReport, wellReport } from './sample.ts';

const HOSTILE = `</td></script><script>alert(1)</script><img src=x onerror='alert("2")'>&lt;`;
const ESCAPED =
  '&lt;/td&gt;&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=&#39;alert(&quot;2&quot;)&#39;&gt;&amp;lt;';

/** The same report with another text in every place that holds one, but for dates and closed sets. */
function everyText<T>(value: T, text: string, key = ''): T {
  const kept = ['severity', 'state', 'mode', 'at', 'minted', 'promoted', 'superseded', 'disabled', 'due'];
  if (kept.includes(key)) return value;
  if (typeof value === 'string') return text as T;
  if (Array.isArray(value)) return value.map((one) => everyText(one, text)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, everyText(one, text, name)])) as T;
}

const withAges = (report: AuditReport, days: readonly number[]): AuditReport => ({
  ...report,
  ages: days.map((age) => ({ user: 'u', days: age, active: true, managed: false })),
});

/** The numbers of the histogram's table: range, under rotation, not under rotation. */
const histogramOf = (page: string) =>
  [...page.matchAll(/<th scope="row">([^<]*)<\/th><td class="num">(\d+)<\/td><td class="num">(\d+)<\/td>/g)]
    .map(([, range, managed, others]) => `${range}: ${managed} + ${others}`)
    .filter((line) => !line.endsWith(': 0 + 0'));

const withCounts = (counts: Partial<Record<Severity, number>>): AuditReport => {
  const report = smallReport();
  const none = { critical: 0, high: 0, medium: 0, low: 0, info: 0 };
  return { ...report, summary: { ...report.summary, findings: { ...none, ...counts } } };
};

/** Numbers that no drawing has. */
const BROKEN = /NaN|Infinity|(?<!tabindex)="-/;

const headlineOf = (page: string) => /class="headline">([^<]*)</.exec(page)?.[1];

describe('a template', () => {
  it('escapes what is put into it, and takes markup as it is', () => {
    expect(html`<p title="${HOSTILE}">${html`<b>${'<'}</b>`}${trusted('<i>')}</p>`.text).toBe(
      `<p title="${ESCAPED}"><b>&lt;</b><i></p>`,
    );
  });

  it('writes lists one after the other, and what is left out not at all', () => {
    expect(html`${['a', html`<b>`, ['&']]}${false}${undefined}${0}`.text).toBe('a<b>&amp;0');
  });
});

describe('the page', () => {
  it('lets no text of a report become markup, wherever it stands', () => {
    const report = smallReport();
    const tagsOf = (page: string) =>
      page.replaceAll(/<style>[\s\S]*?<\/style>|<script>[\s\S]*?<\/script>/g, '').match(/<[a-z!/][a-z]*/g);
    const harmless = renderPage(everyText(report, 'text'));
    const hostile = renderPage(everyText(report, HOSTILE));
    expect(hostile).toContain(ESCAPED);
    expect(hostile).not.toContain('<script>alert');
    expect(hostile).not.toContain('<img');
    expect(tagsOf(hostile)).toEqual(tagsOf(harmless));
  });

  it('has every finding with user, key, title, evidence and remedy', () => {
    const report = largeReport(300, 10);
    const rows = renderPage(report).split('<tr role="row" data-m=').slice(1);
    expect(rows).toHaveLength(report.findings.length);
    for (const [index, { user, keyId = '', title, evidence, remedy, severity, check }] of report.findings.entries()) {
      const text = (rows[index] ?? '').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&#39;', "'");
      for (const part of [user, keyId, title, evidence, remedy, severity, check]) expect(text).toContain(part);
    }
  });

  it('has the names of each check in benchmarks and tools, with the version of a benchmark', () => {
    const page = renderPage(smallReport());
    const names = ['CIS AWS Foundations 7.0.0: 2.12', 'Security Hub: IAM.3', 'AWS Config: ACCESS_KEYS_ROTATED'];
    expect(names.filter((name) => !page.includes(`<li>${name}</li>`))).toEqual([]);
  });

  it('has the dates of every managed key', () => {
    const report = largeReport(100, 50);
    const page = renderPage(report);
    for (const { keys } of report.secrets)
      for (const { minted = '', due } of keys) {
        expect(page).toContain(`datetime="${minted}"`);
        if (due !== undefined) expect(page).toContain(`datetime="${due}"`);
      }
  });

  it('is the same to the byte for the same report', () => {
    expect(renderPage(largeReport(200, 20))).toBe(renderPage(structuredClone(largeReport(200, 20))));
  });

  it('loads nothing: no address in it but the names of XML', () => {
    const page = renderPage(largeReport(50, 20));
    expect(page.match(/\w+:\/\/[^'"&\s)]+/g)).toEqual(['http://www.w3.org/2000/svg']);
    expect(page).not.toMatch(/@import|\bfetch\(|XMLHttpRequest|\ssrc=|\son\w+="|\sstyle="/);
  });

  it('stays below 40 KB for a small account, and below 750 bytes a finding for a large one', () => {
    const large = largeReport();
    expect(large.ages.length).toBeGreaterThanOrEqual(7000);
    expect(large.findings.length).toBeGreaterThanOrEqual(8000);
    expect(renderPage(smallReport()).length).toBeLessThan(40_000);
    expect(renderPage(large).length / large.findings.length).toBeLessThan(750);
  });

  it.each<[Partial<Record<Severity, number>>, string]>([
    [{ critical: 1 }, '1 critical finding needs someone now.'],
    [{ critical: 1, high: 1200, low: 1 }, '1 critical and 1,200 high findings need someone now.'],
    [{ high: 1, medium: 3 }, '1 high finding needs someone.'],
    [{ medium: 1 }, 'Nothing is urgent. 1 medium finding is worth a look.'],
    [{ low: 4, info: 1 }, 'All is well.'],
    [{}, 'All is well.'],
  ])('says in a sentence how things stand: %j', (counts, headline) => {
    expect(headlineOf(renderPage(withCounts(counts)))).toBe(headline);
  });

  it('says so where there is nothing to show', () => {
    const empty = { ...withCounts({}), findings: [], ages: [], secrets: [] };
    const page = renderPage(empty);
    for (const sentence of [
      'No findings.',
      'No check found anything.',
      'No access key is active.',
      'No user is under rotation.',
    ])
      expect(page).toContain(sentence);
  });

  it('counts every active key in one bar, and takes a key of 90 days for not older than 90', () => {
    const report = withAges(smallReport(), [0, 15, 15.5, 90, 90.4, 91, 180, 181, 365, 730, 1825, 1826, 9999]);
    expect(histogramOf(renderPage(report))).toEqual([
      '0 to 15: 0 + 2',
      '16 to 30: 0 + 1',
      '76 to 90: 0 + 1',
      '91 to 180: 0 + 3',
      '181 to 365: 0 + 2',
      '366 to 730: 0 + 1',
      '731 to 1,825: 0 + 1',
      'over 1,825: 0 + 2',
    ]);
    expect(renderPage(report)).toContain('9 of 13 active keys are older than 90 days, none of them under rotation.');
  });

  it.each([
    [[3], 'No active key is older than 90 days.'],
    [[3, 91], '1 of 2 active keys is older than 90 days; it is not under rotation.'],
  ])('says in a sentence how many keys are too old: %j', (ages, sentence) => {
    expect(renderPage(withAges(smallReport(), ages))).toContain(`<figcaption>${sentence}</figcaption>`);
  });

  it.each([1, 7, 30, 45, 180, 365, 400, 2000])(
    'draws the line at the age that the audit allows: %s days',
    (maxKeyAge) => {
      const report = smallReport();
      const page = renderPage({ ...report, thresholds: { ...report.thresholds, maxKeyAge } });
      expect(page).toContain(`>${maxKeyAge}-day line</text>`);
      expect(page).not.toMatch(BROKEN);
    },
  );

  it('draws keys of which little is known, and dates that lie outside the drawing', () => {
    const report = wellReport();
    const secret = { secret: 's', user: 'u', mode: 'observe', rotationEnabled: false } as const;
    const keys = [
      { keyId: 'K1', state: 'current' },
      { keyId: 'K2', state: 'retiring', superseded: '2019-01-01T00:00:00Z', due: '2019-01-04T00:00:00Z' },
      { keyId: 'K3', state: 'pending', minted: '2027-01-01T01:00:00Z' },
      {
        keyId: 'K4',
        state: 'disabled',
        minted: '2001-01-01T00:00:00Z',
        disabled: '2001-02-01T00:00:00Z',
        due: '2099-01-01T00:00:00Z',
      },
      { keyId: 'K5', state: 'current', minted: 'some day', due: 'never' },
    ] as const;
    const page = renderPage({ ...report, secrets: [{ ...secret, keys }] });
    expect(page).not.toMatch(BROKEN);
    expect(page).toContain('<strong>was due</strong>');
    expect(page).toContain('<strong>only observed</strong>');
    expect(page).toContain('<strong>rotation is switched off</strong>');
    expect(page).toContain('some day');
  });

  it('has the severities in the order of the report, which the sorting goes by', () => {
    const options = /<select id="severity">(.*?)<\/select>/.exec(renderPage(smallReport()))?.[1];
    expect(options?.match(/(?<=<option>)\w+/g)).toEqual([...SEVERITIES]);
  });
});
