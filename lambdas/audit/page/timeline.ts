/** The keys of the managed secrets in time: since when each is what it is, and what comes next. */
import type { AuditReport, ManagedKey, ManagedSecret } from '../report.ts';
import { type Html, html, type Part } from './escape.ts';
import { percent } from './histogram.ts';
import { date, number } from './words.ts';

const DAY_MS = 86_400_000;
/** More secrets than these wait in a fold. */
const OPEN = 40;
/** A state of minutes is seen too. In percent. */
const THINNEST = 0.6;

const PHASES = ['pending', 'current', 'retiring', 'disabled', 'planned'] as const;
type Phase = (typeof PHASES)[number];

interface Bar {
  readonly phase: Phase;
  readonly from: number;
  readonly to: number;
}

/** What is drawn, in ms. */
interface Range {
  readonly from: number;
  readonly now: number;
  readonly to: number;
}

export function timeline(report: AuditReport): Html {
  const { secrets } = report;
  if (secrets.length === 0) return html`<p>No user is under rotation.</p>`;
  const range = rangeOf(report);
  const all = secrets.map((secret) => story(secret, range));
  const rest = all.length - OPEN;
  return html`${PATTERNS}<p>Per secret: its keys from their minting on, and until when the next thing is due. The table below has the dates.</p>
<ul class="legend">${PHASES.map((phase) => html`<li><svg width="22" height="12" aria-hidden="true"><rect class="${phase}" x="1" y="1" width="20" height="10"/></svg> ${phase}</li>`)}<li><svg width="6" height="12" aria-hidden="true"><line class="now" x1="3" x2="3" y1="0" y2="12"/></svg> now</li></ul>
<div class="lives">
<div class="life when" aria-hidden="true"><span></span><svg height="18">${axis(range)}</svg><span></span></div>
${all.slice(0, OPEN)}</div>
${rest > 0 && html`<details class="lives"><summary>${number(rest)} more</summary>${all.slice(OPEN)}</details>`}
<details><summary>The dates as a table</summary>
${dates(secrets)}
</details>`;
}

/** From the first minting, but no longer ago than twice the age that a key may have, to the last thing that is due. */
function rangeOf({ at, secrets, thresholds: { maxKeyAge } }: AuditReport): Range {
  const now = Date.parse(at);
  const keys = secrets.flatMap((secret) => secret.keys.flatMap((key) => barsOf(key, secret, now)));
  const earliest = keys.reduce((first, { from }) => Math.min(first, from), now - 7 * DAY_MS);
  const latest = keys.reduce((last, { to }) => Math.max(last, to), now + 7 * DAY_MS);
  const most = maxKeyAge * DAY_MS;
  return { from: Math.max(earliest, now - 2 * most), now, to: Math.min(latest, now + 2 * most) };
}

function barsOf(key: ManagedKey, { nextRotation }: ManagedSecret, now: number): Bar[] {
  const { minted, promoted, superseded, disabled, due, state } = key;
  // A key that was adopted was never promoted by the rotator: it was in use all the time.
  const inUse = promoted ?? (state === 'pending' ? undefined : minted);
  const next = due ?? (state === 'current' ? nextRotation : undefined);
  const bar = (phase: Phase, from: string | undefined, ...ends: readonly (string | undefined)[]): Bar[] => {
    if (from === undefined) return [];
    const end = ends.find((candidate) => candidate !== undefined);
    const span = { phase, from: Date.parse(from), to: end === undefined ? now : Date.parse(end) };
    return span.to >= span.from ? [span] : [];
  };
  return [
    ...bar('current', inUse, superseded, disabled),
    ...bar('retiring', superseded, disabled),
    ...bar('disabled', disabled),
    ...(next !== undefined && Date.parse(next) > now
      ? [{ phase: 'planned', from: now, to: Date.parse(next) } as const]
      : []),
    // The last, so that its few minutes lie above what follows.
    ...(inUse === minted ? [] : bar('pending', minted, promoted, superseded, disabled)),
  ];
}

function story(secret: ManagedSecret, range: Range): Html {
  const { secret: name, user, mode, rotationEnabled, nextRotation } = secret;
  const next: Part = !rotationEnabled
    ? html`<strong>rotation is switched off</strong>`
    : nextRotation !== undefined && html`next rotation ${date(nextRotation)}`;
  const keys = secret.keys.map((key) => {
    const overdue = key.due !== undefined && Date.parse(key.due) <= range.now;
    const due = key.due !== undefined && html`${overdue ? html`<strong>was due</strong>` : 'due'} ${date(key.due)}`;
    return html`<div class="life"><span><code>${key.keyId}</code> ${key.state}</span><svg height="16" aria-hidden="true">${drawn(barsOf(key, secret, range.now), range)}</svg><span class="soft">${due}</span></div>
`;
  });
  return html`<section class="story"><h3>${name}</h3><p>user ${user}${mode === 'observe' && html`, <strong>only observed</strong>`}${next && html`, ${next}`}</p>
${keys.length === 0 ? html`<p class="soft">No key yet.</p>` : keys}</section>
`;
}

const placeOf = ({ from, to }: Range, at: number): number =>
  (100 * (Math.min(Math.max(at, from), to) - from)) / (to - from);

function drawn(bars: readonly Bar[], range: Range): Html {
  const rects = bars.flatMap(({ phase, from, to }) => {
    const begin = placeOf(range, from);
    const width = Math.max(placeOf(range, to) - begin, THINNEST);
    return to < range.from
      ? []
      : [html`<rect class="${phase}" x="${percent(begin)}" y="2" width="${percent(width)}" height="12"/>`];
  });
  const now = percent(placeOf(range, range.now));
  return html`<line class="ground" x1="0" x2="100%" y1="8" y2="8"/>${rects}<line class="now" x1="${now}" x2="${now}" y1="0" y2="16"/>`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** About six dates: beginnings of months, or of weeks in a short range. */
function axis(range: Range): Html[] {
  const days = (range.to - range.from) / DAY_MS;
  const step = days > 75 ? Math.ceil(days / 30 / 6) : 0;
  const week = 7 * Math.ceil(days / 7 / 6) * DAY_MS;
  const first = new Date(range.from);
  const ticks: { at: number; label: string }[] = [];
  for (let index = 0; index < 12; index += 1) {
    const at =
      step > 0 ? Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1 + index * step) : range.from + index * week;
    const day = new Date(at);
    const month = MONTHS[day.getUTCMonth()] ?? '';
    const label = day.getUTCMonth() === 0 && step > 0 ? `${day.getUTCFullYear()}` : month;
    ticks.push({ at, label: step > 0 ? label : `${day.getUTCDate()} ${month}` });
  }
  return ticks
    .filter(({ at }) => placeOf(range, at) < 90 && at <= range.to)
    .map(({ at, label }) => html`<text class="tick" x="${percent(placeOf(range, at))}" y="13">${label}</text>`);
}

function dates(secrets: readonly ManagedSecret[]): Html {
  const cell = (iso: string | undefined) =>
    html`<td>${iso === undefined ? html`<span class="soft">–</span>` : date(iso)}</td>`;
  const rows = secrets.flatMap(({ secret, keys }) =>
    keys.map(
      ({
        keyId,
        state,
        minted,
        promoted,
        superseded,
        disabled,
        due,
      }) => html`<tr><th scope="row">${secret}</th><td><code>${keyId}</code></td><td>${state}</td>${[minted, promoted, superseded, disabled, due].map(cell)}</tr>
`,
    ),
  );
  const names = ['Secret', 'Key', 'State', 'Minted', 'Promoted', 'Superseded', 'Disabled', 'Due'];
  return html`<div class="scroll" role="region" tabindex="0" aria-label="Dates of the managed keys"><table><caption>Dates of the managed keys</caption>
<thead><tr>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** Hatches, so that a state is told by more than its colour. */
const PATTERNS = html`<svg class="patterns" width="0" height="0" aria-hidden="true"><defs>
<pattern id="stripes" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="paper" width="6" height="6"/><rect class="mark" width="3" height="6"/></pattern>
<pattern id="dots" width="5" height="5" patternUnits="userSpaceOnUse"><rect class="paper" width="5" height="5"/><circle class="mark" cx="2.5" cy="2.5" r="1.1"/></pattern>
</defs></svg>`;
