/** Every finding, in a table that can be read without the script, and sorted and filtered with it. */
import { type AuditReport, type Finding, SEVERITIES } from '../report.ts';
import { type Html, html } from './escape.ts';
import { plural, severityMark } from './words.ts';

const COLUMNS = ['Severity', 'User', 'Key', 'Check', 'Finding'] as const;

export function findingsTable(report: AuditReport): Html {
  const { findings } = report;
  if (findings.length === 0) return html`<p>No findings.</p>`;
  const managed = managedUsers(report);
  const heading = (name: string, index: number) =>
    html`<th role="columnheader" scope="col"${index === 0 && html` aria-sort="ascending"`}>${name}</th>`;
  // The roles are the elements' own. A narrow screen lays the rows out as blocks, and some browsers then forget them.
  return html`${controls(findings)}
<p id="shown" role="status">${plural(findings.length, 'finding')}</p>
<table id="table" class="findings" role="table">
<caption>Findings with what was seen and what to do, the gravest first</caption>
<thead role="rowgroup"><tr role="row">${COLUMNS.map(heading)}</tr></thead>
<tbody role="rowgroup">
${findings.map((finding) => row(finding, finding.secret !== undefined || managed.has(finding.user)))}</tbody>
</table>`;
}

function managedUsers({ secrets, ages }: AuditReport): ReadonlySet<string> {
  return new Set([...secrets, ...ages.filter(({ managed }) => managed)].map(({ user }) => user));
}

/** Shown by the script, without which they would do nothing. */
function controls(findings: readonly Finding[]): Html {
  const checks = [...new Set(findings.map(({ check }) => check))].sort();
  const options = (all: string, names: readonly string[]) =>
    html`<option value="">${all}</option>${names.map((name) => html`<option>${name}</option>`)}`;
  return html`<div role="search" aria-label="Findings" id="controls" hidden>
<label>Text <input type="search" id="text" autocomplete="off" spellcheck="false" placeholder="user, key, words …"></label>
<label>Severity <select id="severity">${options('all', SEVERITIES)}</select></label>
<label>Check <select id="check">${options('all', checks)}</select></label>
<label>Users <select id="managed"><option value="">all</option><option value="1">under rotation</option><option value="0">not under rotation</option></select></label>
<label class="tick"><input type="checkbox" id="brief"> Without remedies</label>
<button type="button" id="clear">Clear</button>
</div>`;
}

function row({ severity, user, keyId, secret, check, title, evidence, remedy }: Finding, managed: boolean): Html {
  const under = managed && html`<small>${secret === undefined ? 'under rotation' : html`secret ${secret}`}</small>`;
  return html`<tr role="row" data-m="${managed ? 1 : 0}"><td role="cell">${severityMark(severity)}</td><td role="cell">${user}${under}</td><td role="cell">${keyId === undefined ? html`<span class="soft">–</span>` : html`<code>${keyId}</code>`}</td><td role="cell"><a href="#check-${check}"><code>${check}</code></a></td><td role="cell"><b>${title}</b><p class="seen">${evidence}</p><p class="do">${remedy}</p></td></tr>
`;
}
