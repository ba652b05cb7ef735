/** The answer in ten seconds: is all well, and if not, what isn't. */
import { type AuditReport, type Finding, SEVERITIES } from '../report.ts';
import { type Html, html } from './escape.ts';
import { date, number, plural, severityMark } from './words.ts';

/** What was audited, and when. */
export function facts({ account, region, deployment, at, credentialReportAt }: AuditReport): Html {
  const fact = (name: string, value: Html | string) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  return html`<div class="title"><h1>Access keys of account <span class="num">${account}</span></h1>
<button type="button" id="theme" aria-pressed="false" hidden>Dark theme</button></div>
<dl class="facts">${[
    fact('Audited', date(at)),
    fact('Credential report of IAM', date(credentialReportAt)),
    fact('Region', region),
    fact('Deployment', deployment),
  ]}</dl>`;
}

export function summary(report: AuditReport): Html {
  const { users, keys, activeKeys, managedUsers, findings } = report.summary;
  const tile = (severity: (typeof SEVERITIES)[number]) =>
    html`<li class="tile ${severity}${findings[severity] === 0 && ' none'}"><a href="#findings" data-severity="${severity}"><b class="num">${number(findings[severity])}</b> ${severityMark(severity)}</a></li>`;
  return html`${verdict(report)}
<ul class="tiles" aria-label="Findings by severity">${SEVERITIES.map(tile)}</ul>
<p class="scope">${plural(users, 'user')} with ${plural(keys, 'access key')}, of which ${number(activeKeys)} active. ${number(managedUsers)} of the users ${managedUsers === 1 ? 'is' : 'are'} under rotation.</p>`;
}

function verdict({ summary: { findings: counts }, findings }: AuditReport): Html {
  const { critical, high, medium } = counts;
  if (critical + high > 0) {
    const found = [critical > 0 && `${number(critical)} critical`, high > 0 && `${number(high)} high`];
    const count = `${found.filter(Boolean).join(' and ')} ${critical + high === 1 ? 'finding needs' : 'findings need'}`;
    return banner('act', `${count} someone${critical > 0 ? ' now' : ''}.`, gravest(findings));
  }
  if (medium > 0) {
    const count = plural(medium, 'medium finding is', 'medium findings are');
    return banner('look', `Nothing is urgent. ${count} worth a look.`, gravest(findings));
  }
  const rest = counts.low + counts.info;
  const note =
    rest === 0 ? 'No check found anything.' : `${plural(rest, 'finding')} of low severity or for information.`;
  return banner('well', 'All is well.', html`<p>${note}</p>`);
}

const banner = (level: 'act' | 'look' | 'well', headline: string, more: Html): Html =>
  html`<div class="verdict ${level}"><p class="headline">${headline}</p>${more}</div>`;

/** The three gravest matters, each by its first finding. */
function gravest(findings: readonly Finding[]): Html {
  const byCheck = Map.groupBy(findings, ({ severity, check }) => `${severity} ${check}`);
  const lines = [...byCheck.values()].slice(0, 3).flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const more =
      others.length > 0 &&
      html`, <a href="#findings" data-check="${first.check}" data-severity="${first.severity}">and ${number(others.length)} more of <code>${first.check}</code></a>`;
    return [
      html`<li>${severityMark(first.severity)} <span><b class="who">${first.user}</b>${first.title}${more}</span></li>`,
    ];
  });
  return html`<ul>${lines}</ul>`;
}
