/** `npm run screenshots`: the pictures of the report in docs/images, from sample reports and by the Chromium of this machine. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { renderPage } from '../lambdas/audit/page/index.ts';
import { findChromium, launch } from '../test/page/chromium.ts';
import { largeReport, smallReport } from '../test/page/sample.ts';

const IMAGES = fileURLToPath(new URL('../docs/images', import.meta.url));
/** In bytes: a clone carries every version of them. */
const LARGEST = 150_000;

const REPORTS = { small: smallReport(), large: largeReport(400, 12) };

interface Picture {
  readonly name: string;
  readonly report: keyof typeof REPORTS;
  readonly width: number;
  readonly height: number;
  readonly colorScheme: 'light' | 'dark';
  /** Where the picture begins: a part of the page. */
  readonly from?: string;
}

const PICTURES: readonly Picture[] = [
  { name: 'report-light', report: 'small', width: 1060, height: 1500, colorScheme: 'light' },
  { name: 'report-dark', report: 'small', width: 1060, height: 1500, colorScheme: 'dark' },
  { name: 'report-findings', report: 'large', width: 1060, height: 900, colorScheme: 'light', from: '#findings' },
  { name: 'report-narrow', report: 'large', width: 360, height: 1100, colorScheme: 'light' },
];

async function take(browser: Browser, folder: string, picture: Picture): Promise<void> {
  const { name, report, width, height, colorScheme, from = 'body' } = picture;
  // As wide as a page of GitHub shows them.
  const scale = { deviceScaleFactor: width > 800 ? 0.8 : 1 };
  const page = await browser.newPage({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce', ...scale });
  await page.goto(pathToFileURL(join(folder, `${report}.html`)).href);
  await page.evaluate(`document.querySelector('${from}').scrollIntoView()`);
  const path = join(IMAGES, `${name}.png`);
  const image = await page.screenshot();
  await page.close();
  const size = image.length;
  console.log(`docs/images/${name}.png: ${Math.ceil(size / 1000)} KB`);
  if (size > LARGEST) throw new Error(`${name}.png has ${size} bytes; at most ${LARGEST} are allowed`);
  writeFileSync(path, image);
}

const program = findChromium();
if (program === undefined) throw new Error('There is no Chromium: install it, or give its path in CHROMIUM');
mkdirSync(IMAGES, { recursive: true });
const folder = mkdtempSync(join(tmpdir(), 'iam-key-rotator-screenshots-'));
const browser = await launch(program);
try {
  for (const [name, report] of Object.entries(REPORTS)) writeFileSync(join(folder, `${name}.html`), renderPage(report));
  for (const picture of PICTURES) await take(browser, folder, picture);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
