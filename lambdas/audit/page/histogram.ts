/** How old the active keys are, against the age that they may have. */
import type { AuditReport, KeyAge } from '../report.ts';
import { type Html, html } from './escape.ts';
import { number, plural } from './words.ts';

/** Keys older than `from` days, up to `to` days. */
interface Bin {
  readonly from: number;
  readonly to: number;
  readonly managed: number;
  readonly others: number;
}

/** Steps up to the line; beyond it they grow. */
const STEPS = 6;
const YEARS = [365, 730, 1825] as const;

/** Where the axis begins and ends, in px from the top. */
const TOP = 40;
const BASE = 190;

export function histogram({ ages, thresholds: { maxKeyAge } }: AuditReport): Html {
  const active = ages.filter((age) => age.active);
  if (active.length === 0) return html`<p>No access key is active.</p>`;
  const bins = binsOf(active, maxKeyAge);
  const old = active.filter(({ days }) => days > maxKeyAge);
  const sentence = `${inWords(old, active.length, maxKeyAge)}.`;
  return html`<figure>
<figcaption>${sentence}</figcaption>
<ul class="legend" aria-hidden="true"><li>${swatch('managed')} under rotation</li><li>${swatch('others')} not under rotation</li></ul>
<svg class="histogram" height="${BASE + 44}" role="img" aria-label="Histogram of ages. ${sentence} The table below has the numbers.">${drawing(bins, maxKeyAge)}</svg>
</figure>
<details><summary>The ages as a table</summary>
<table class="numbers"><caption>Active keys by age</caption>
<thead><tr><th scope="col">Age in days</th><th scope="col">Under rotation</th><th scope="col">Not under rotation</th></tr></thead>
<tbody>${bins.map((bin) => html`<tr><th scope="row">${rangeOf(bin)}</th><td class="num">${number(bin.managed)}</td><td class="num">${number(bin.others)}</td></tr>`)}</tbody></table>
</details>`;
}

function inWords(old: readonly KeyAge[], active: number, maxKeyAge: number): string {
  if (old.length === 0) return `No active key is older than ${maxKeyAge} days`;
  const managed = old.filter((age) => age.managed).length;
  const count = `${number(old.length)} of ${plural(active, 'active key')}`;
  if (old.length === 1)
    return `${count} is older than ${maxKeyAge} days; it is ${managed === 1 ? '' : 'not '}under rotation`;
  return `${count} are older than ${maxKeyAge} days, ${managed === 0 ? 'none' : number(managed)} of them under rotation`;
}

const swatch = (name: string): Html =>
  html`<svg width="14" height="14"><rect class="${name}" width="14" height="14" rx="2"/></svg>`;

/** `76 to 90`; a key of 90 days and a bit is older than 90 days. */
function rangeOf({ from, to }: Bin): string {
  if (to === Number.POSITIVE_INFINITY) return `over ${number(from)}`;
  return `${number(from === 0 ? 0 : from + 1)} to ${number(to)}`;
}

function binsOf(ages: readonly KeyAge[], maxKeyAge: number): Bin[] {
  const within = Array.from({ length: STEPS }, (_, step) => Math.round((maxKeyAge * (step + 1)) / STEPS));
  const ends = [...new Set([...within, 2 * maxKeyAge, ...YEARS.filter((days) => days > 2 * maxKeyAge)])];
  return [...ends, Number.POSITIVE_INFINITY].map((to, index) => {
    const from = ends[index - 1] ?? 0;
    const inside = ages.filter(({ days }) => (days > from || index === 0) && days <= to);
    const managed = inside.filter((age) => age.managed).length;
    return { from, to, managed, others: inside.length - managed };
  });
}

function drawing(bins: readonly Bin[], maxKeyAge: number): Html {
  const most = Math.max(...bins.map(({ managed, others }) => managed + others));
  const width = 100 / bins.length;
  const height = (count: number) => (count === 0 ? 0 : Math.max(2, Math.round(((BASE - TOP) * count) / most)));
  const bars = bins.map(({ managed, others }, index) => {
    const bar = (name: string, top: number, tall: number) =>
      tall > 0 &&
      html`<rect class="${name}" x="${percent(width * (index + 0.08))}" y="${top}" width="${percent(width * 0.84)}" height="${tall}"/>`;
    const low = height(managed);
    const tall = low + height(others);
    const count = managed + others;
    return html`${bar('managed', BASE - low, low)}${bar('others', BASE - tall, tall - low)}${count > 0 && html`<text x="${percent(width * (index + 0.5))}" y="${BASE - tall - 5}" text-anchor="middle">${number(count)}</text>`}`;
  });
  const ticks = bins.map(
    ({ from }, index) =>
      html`<text class="tick" x="${percent(width * index)}" y="${BASE + 17}" text-anchor="${index === 0 ? 'start' : 'middle'}">${tickOf(from)}</text>`,
  );
  const line = percent(width * bins.findIndex(({ from }) => from === maxKeyAge));
  return html`<defs><pattern id="grey" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="paper" width="5" height="5"/><rect class="mark" width="2.5" height="5"/></pattern></defs>${bars}<line class="axis" x1="0" x2="100%" y1="${BASE}" y2="${BASE}"/>${ticks}<text class="tick" x="100%" y="${BASE + 37}" text-anchor="end">age in days (y: years)</text>
<line class="limit" x1="${line}" x2="${line}" y1="4" y2="${BASE}"/><text class="limit" x="${line}" dx="6" y="14">${maxKeyAge}-day line</text>`;
}

const tickOf = (days: number): string => (days >= 365 && days % 365 === 0 ? `${days / 365}y` : `${days}`);

export const percent = (value: number): string => `${Number(value.toFixed(3))}%`;
