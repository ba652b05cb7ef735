import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { renderPage } from '../../lambdas/audit/page/index.ts';
import { type AuditReport, type Finding, SEVERITIES } from '../../lambdas/audit/report.ts';
import { findChromium, launch } from './chromium.ts';
import { largeReport, smallReport, wellReport } from './sample.ts';

const CHROMIUM = findChromium();
const REQUIRED = process.env.REQUIRE_BROWSER === '1';
const WHY = 'there is no Chromium: install it (Debian: apt-get install chromium), or give its path in CHROMIUM';
const COLUMNS = ['Severity', 'User', 'Key', 'Check', 'Finding'] as const;

/** Defines `axe` in a page. */
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8');
const MIDDLE = largeReport(60, 8);
const REPORTS = { small: smallReport(), well: wellReport(), middle: MIDDLE, large: largeReport() };

if (CHROMIUM === undefined && !REQUIRED) console.warn(`The page is not tried in a browser: ${WHY}.`);

it.runIf(CHROMIUM === undefined && REQUIRED)('a browser is required here (REQUIRE_BROWSER=1)', () => {
  expect.fail(WHY);
});

describe.skipIf(CHROMIUM === undefined)('the page in a browser', () => {
  let folder: string;
  let browser: Browser;
  /** What the open page has asked for, but for itself, and what it complained of. */
  let requests: string[];
  let complaints: string[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'iam-key-rotator-page-'));
    for (const [name, report] of Object.entries(REPORTS))
      writeFileSync(join(folder, `${name}.html`), renderPage(report));
    browser = await launch(CHROMIUM ?? '');
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    expect({ requests, complaints }).toEqual({ requests: [], complaints: [] });
  });

  async function open(name: keyof typeof REPORTS, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      reducedMotion: 'reduce',
      ...options,
    });
    const page = await context.newPage();
    const address = pathToFileURL(join(folder, `${name}.html`)).href;
    requests = [];
    complaints = [];
    page.on('request', (request) => request.url().split('#')[0] !== address && requests.push(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(address);
    return page;
  }

  /** The text of a column's cells, of the rows that are shown. */
  const cells = (page: Page, column: number) =>
    page.evaluate<string[]>(
      `[...document.querySelectorAll('#table tbody tr:not([hidden])')].map((row) => (row.cells[${column}].firstChild?.textContent ?? ''))`,
    );
  const shown = (page: Page) => page.locator('#shown').textContent();

  it.each([
    ['small', 1280, 'light'],
    ['small', 360, 'dark'],
    ['well', 320, 'light'],
  ] as const)('has nothing that axe-core finds fault with: %s report, %s px, %s', async (name, width, colorScheme) => {
    const page = await open(name, { viewport: { width, height: 900 }, colorScheme });
    await page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true");
    await page.evaluate(AXE);
    const { violations, passes } = await page.evaluate<AxeResults>(
      "axe.run({ resultTypes: ['violations', 'passes'] })",
    );
    const told = violations.map(
      ({ id, help, nodes }) =>
        `${id}: ${help}: ${nodes
          .slice(0, 3)
          .map((node) => node.html)
          .join(' ')}`,
    );
    expect(told).toEqual([]);
    expect(passes.map(({ id }) => id)).toEqual(expect.arrayContaining(['color-contrast', 'button-name', 'region']));
    const [wide, given] = await page.evaluate<number[]>('[document.documentElement.scrollWidth, innerWidth]');
    expect(wide).toBeLessThanOrEqual(given ?? 0);
  });

  it('sorts by each column, up and down, and says so in the heading', async () => {
    const page = await open('middle');
    for (const [index, name] of COLUMNS.entries()) {
      const heading = page.getByRole('columnheader', { name }).last();
      // The first is how the report comes.
      if (index > 0) await heading.getByRole('button').click();
      expect(await heading.getAttribute('aria-sort')).toBe('ascending');
      expect(await page.locator('th[aria-sort]').count()).toBe(1);
      const up = await cells(page, index);
      const order = (text: string) =>
        index === 0
          ? String(SEVERITIES.indexOf(text as never))
          : text.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(9, '0'));
      const sorted = up.map(order).sort();
      expect(up.map(order)).toEqual(sorted);
      expect(up).toHaveLength(MIDDLE.findings.length);
      await heading.getByRole('button').press('Enter');
      expect(await heading.getAttribute('aria-sort')).toBe('descending');
      expect((await cells(page, index)).map(order)).toEqual(sorted.reverse());
    }
  });

  it('filters by text, severity, check and rotation, says how many are left, and clears', async () => {
    const page = await open('middle');
    const managed = new Set(MIDDLE.secrets.map(({ user }) => user));
    const count = (which: (finding: Finding) => boolean) => MIDDLE.findings.filter(which).length;
    const all = MIDDLE.findings.length;
    const expectShown = async (left: number) => {
      await expect.poll(() => shown(page)).toBe(left === all ? `${all} findings` : `${left} of ${all} findings`);
      expect(await cells(page, 0)).toHaveLength(left);
      expect(left).toBeGreaterThan(0);
    };
    expect(await shown(page)).toBe(`${all} findings`);
    await page.getByLabel('Text').fill('MAIL  created');
    await expectShown(count(({ user, evidence }) => user.includes('mail') && evidence.includes('created')));
    await page.locator('#severity').selectOption('high');
    await expectShown(
      count(
        ({ user, evidence, severity }) => user.includes('mail') && evidence.includes('created') && severity === 'high',
      ),
    );
    await page.getByRole('button', { name: 'Clear' }).click();
    await expectShown(all);
    await page.getByLabel('Text').fill('iam.22');
    await expectShown(count(({ check }) => check === 'key-unused'));
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByLabel('Users').selectOption('not under rotation');
    await expectShown(count(({ user }) => !managed.has(user)));
    const old = count(({ check, severity }) => check === 'key-older-than' && severity === 'high');
    await page
      .getByRole('link', { name: /more of key-older-than/ })
      .first()
      .click();
    await expectShown(old);
    expect(await page.getByLabel('Users').inputValue()).toBe('');
    await page.getByRole('button', { name: 'User', exact: true }).click();
    expect(await cells(page, 0)).toHaveLength(old);
  });

  it('prints every row, in light colours, whatever is filtered and however dark the screen is', async () => {
    const page = await open('small', { colorScheme: 'dark' });
    await page.getByLabel('Text').fill('no such thing');
    await page.getByLabel('Without remedies').check();
    await expect.poll(() => cells(page, 0)).toEqual([]);
    await page.emulateMedia({ media: 'print' });
    for (const part of [
      page.locator('#table tbody tr'),
      page.locator('#table .do'),
      page.locator('figure + details tbody tr'),
    ]) {
      const visible = await Promise.all((await part.all()).map((one) => one.isVisible()));
      expect(visible.length).toBeGreaterThan(0);
      expect(visible).not.toContain(false);
    }
    for (const part of ['#controls', '#theme', 'nav', '#shown'])
      expect(await page.locator(part).isVisible()).toBe(false);
    const style = (of: string) => page.evaluate<string>(`getComputedStyle(${of})`.concat('.backgroundColor'));
    expect(await style('document.body')).toBe('rgb(255, 255, 255)');
    expect((await page.pdf()).subarray(0, 5).toString()).toBe('%PDF-');
  });

  it('can be read without its script, and then shows no control that would do nothing', async () => {
    const page = await open('small', { javaScriptEnabled: false });
    expect(await page.locator('#table tbody tr').count()).toBe(REPORTS.small.findings.length);
    expect(await page.locator('#table tbody tr').last().isVisible()).toBe(true);
    for (const control of await page.locator('button, input, select').all())
      expect(await control.isVisible()).toBe(false);
  });

  it('leads the keyboard past everything to the findings, and changes between dark and light', async () => {
    const page = await open('small', { colorScheme: 'dark' });
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').textContent()).toBe('Skip to the findings');
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').getAttribute('aria-pressed')).toBe('true');
    const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    const dark = await background();
    await page.keyboard.press('Enter');
    expect(await page.locator('#theme').getAttribute('aria-pressed')).toBe('false');
    expect(await background()).not.toBe(dark);
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').getAttribute('id')).toBe('text');
  });

  it('refuses, by its policy, what it did not bring: other scripts, styles, pictures and addresses', async () => {
    const page = await open('small');
    const refused = await page.evaluate<string[]>(`(async () => {
      const seen = [];
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
        seen.push(effectiveDirective);
      });
      for (const [tag, text] of [['script', 'window.intruder = true'], ['style', 'body { color: red }']]) {
        const element = document.createElement(tag);
        element.textContent = text;
        document.head.append(element);
      }
      const picture = new Image();
      picture.src = 'http://127.0.0.1:9/';
      await picture.decode().catch(() => {});
      await fetch('http://127.0.0.1:9/').catch(() => {});
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      return seen.sort();
    })()`);
    expect(refused).toEqual(['connect-src', 'img-src', 'script-src-elem', 'style-src-elem']);
    expect(await page.evaluate('window.intruder')).toBeUndefined();
    expect(complaints.filter((text) => !text.includes('Content Security Policy'))).toEqual([]);
    complaints = [];
    requests = requests.filter((address) => !address.startsWith('http://127.0.0.1:9/'));
  });

  it('sorts and filters 5,000 users with 7,000 keys while one waits', async () => {
    const page = await open('large');
    const { findings }: AuditReport = REPORTS.large;
    const took = await page.evaluate<number>(`(() => {
      const began = performance.now();
      for (const column of [0, 1]) document.querySelectorAll('#table th button')[column].click();
      document.body.offsetHeight;
      return performance.now() - began;
    })()`);
    // Two sorts take a quarter of a second; moved row by row, the second alone took fifteen.
    expect(took).toBeLessThan(5000);
    await page.getByLabel('Text').fill('mail-ci-1 key-older');
    const left = findings.filter(
      ({ user, check }) => user.startsWith('mail-ci-1') && check === 'key-older-than',
    ).length;
    await expect.poll(() => shown(page)).toBe(`${left} of ${findings.length.toLocaleString('en-US')} findings`);
  });
});
