/** The report as one HTML page: a plain table. */
import type { AuditReport } from '../report.ts';

const asText = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** A page that needs nothing but itself. */
export function renderPage({ account, at, findings }: AuditReport): string {
  const rows = findings.map(
    ({ severity, user, keyId = '', title, evidence, remedy }) =>
      `<tr>${[severity, user, keyId, title, evidence, remedy].map((text) => `<td>${asText(text)}</td>`).join('')}</tr>`,
  );
  const head = ['Severity', 'User', 'Key', 'Finding', 'Evidence', 'Remedy']
    .map((text) => `<th scope="col">${text}</th>`)
    .join('');
  const title = `Access keys of account ${asText(account)}, ${asText(at)}`;
  return `<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>\n<table><thead><tr>${head}</tr></thead>\n<tbody>\n${rows.join('\n')}\n</tbody></table></html>\n`;
}
