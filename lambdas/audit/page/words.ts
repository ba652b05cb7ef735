/** Numbers, dates and names as the page shows them. */
import type { ComplianceName, Severity } from '../report.ts';
import { type Html, html } from './escape.ts';

export const number = (value: number): string => value.toLocaleString('en-US');

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`;

/** A date as it was given, to the minute, with its time zone said. What is no ISO date in UTC is shown as it is. */
export function date(iso: string): Html {
  const [, day, minute] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[\d:.]*Z$/.exec(iso) ?? [];
  return day === undefined ? html`${iso}` : html`<time datetime="${iso}">${day} ${minute} UTC</time>`;
}

/** `CIS AWS Foundations 3.0.0: 1.14`. */
export const complianceName = ({ framework, version, id }: ComplianceName): string =>
  `${framework}${version === undefined ? '' : ` ${version}`}: ${id}`;

/** The word of a severity. Its shape comes from the style sheet, so that neither needs a colour. */
export const severityMark = (severity: Severity): Html => html`<span class="sev ${severity}">${severity}</span>`;
