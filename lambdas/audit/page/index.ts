/** The report as one HTML page, which needs nothing but a browser: no network, and no script for reading. */
import type { AuditReport } from '../report.ts';
import { checksTable } from './checks-table.ts';
import { page, type Section } from './document.ts';
import { html } from './escape.ts';
import { findingsTable } from './findings-table.ts';
import { histogram } from './histogram.ts';
import { facts, summary } from './summary.ts';
import { timeline } from './timeline.ts';
import { date } from './words.ts';

/** @returns a whole HTML document in UTF-8; the same bytes for the same report */
export function renderPage(report: AuditReport): string {
  const sections: Section[] = [
    { id: 'summary', title: 'Summary', body: summary(report) },
    { id: 'ages', title: 'Age of active keys', body: histogram(report) },
    { id: 'lifecycle', title: 'Keys under rotation', body: timeline(report) },
    { id: 'checks', title: 'Checks', body: checksTable(report) },
    { id: 'findings', title: 'Findings', body: findingsTable(report) },
  ];
  const footer = html`<p>Made by iam-key-rotator from its audit of ${date(report.at)}. Ages are in days at that time; all dates are in UTC.</p>`;
  return page(`Access keys of account ${report.account}`, facts(report), sections, footer);
}
