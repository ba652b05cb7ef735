/** Which checks found something, and how others call them. */
import { type AuditReport, type Finding, SEVERITIES } from '../report.ts';
import { type Html, html } from './escape.ts';
import { complianceName, number, severityMark } from './words.ts';

export function checksTable({ findings }: AuditReport): Html {
  if (findings.length === 0) return html`<p>No check found anything.</p>`;
  const checks = [...Map.groupBy(findings, ({ check }) => check)].map(([check, found]) => rowOf(check, found));
  return html`<table class="checks" role="table">
<caption>Checks that found something, the gravest first, with their names in benchmarks and tools</caption>
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Check</th><th role="columnheader" scope="col">Gravest</th><th role="columnheader" scope="col" class="count">Findings</th><th role="columnheader" scope="col">Known as</th></tr></thead>
<tbody role="rowgroup">${checks.sort((a, b) => a.rank - b.rank || b.count - a.count).map(({ row }) => row)}</tbody>
</table>`;
}

function rowOf(check: string, found: readonly Finding[]) {
  const rank = Math.min(...found.map(({ severity }) => SEVERITIES.indexOf(severity)));
  const names = [...new Set(found.flatMap(({ compliance }) => compliance.map(complianceName)))];
  const row = html`<tr role="row" id="check-${check}" data-check="${check}"><th role="rowheader" scope="row"><code>${check}</code></th><td role="cell">${SEVERITIES[rank] && severityMark(SEVERITIES[rank])}</td><td role="cell" class="count num"><a href="#findings" data-check="${check}" aria-label="${number(found.length)} of ${check}">${number(found.length)}</a></td><td role="cell" class="names">${names.length === 0 ? html`<span class="soft">no name elsewhere</span>` : html`<ul>${names.map((name) => html`<li>${name}</li>`)}</ul>`}</td></tr>
`;
  return { rank, count: found.length, row };
}
