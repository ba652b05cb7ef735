/** Writes the pages of docs/ that are made from the source: `npm run docs`. A test holds them up to date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKS, type Check } from '../lambdas/audit/checks/catalogue.ts';
import { ERROR_CODES } from '../lambdas/domain/errors.ts';
import { REASONS } from '../lambdas/domain/reasons.ts';
import { eventSchemas, eventsPage } from './events-page.ts';

const AUDIT_PAGE = 'docs/audit.md';

/** The pages by their path from the root. */
export function referencePages(): Readonly<Record<string, string>> {
  return {
    'docs/events.md': eventsPage(),
    'docs/events.schema.json': `${JSON.stringify(eventSchemas(), null, 2)}\n`,
    'docs/errors.md': page(
      'Errors',
      'Every error of the rotator has one of these codes. Its message says what was found, what was expected and what to do next.',
      ['code', 'meaning'],
      ERROR_CODES,
    ),
    'docs/reasons.md': page(
      'Reasons',
      'Every decision of the retire pass has one of these reasons, "nothing to do" included. Logs carry them as `reason`.',
      ['reason', 'meaning'],
      REASONS,
    ),
    [AUDIT_PAGE]: withChecks(readFileSync(join(import.meta.dirname, '..', AUDIT_PAGE), 'utf8')),
  };
}

const [BEGIN, END] = ['<!-- checks: made from the source by `npm run docs` -->', '<!-- end of checks -->'] as const;

/** The page with its table of checks as the source has them. */
function withChecks(text: string): string {
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${AUDIT_PAGE} has no place for the checks`);
  const lines = Object.entries(CHECKS).map(([name, check]: [string, Check]) => {
    const elsewhere = check.compliance.map(({ framework, version, id }) =>
      [framework, version, id].filter(Boolean).join(' '),
    );
    return `| \`${name}\` | ${check.severity} | ${check.when} | ${elsewhere.join('<br>')} |`;
  });
  const table = ['| check | severity | found is | elsewhere |', '| --- | --- | --- | --- |', ...lines].join('\n');
  return `${before}${BEGIN}\n${table}\n${END}${after}`;
}

function page(
  title: string,
  intro: string,
  [name, meaning]: readonly [string, string],
  rows: Readonly<Record<string, string>>,
): string {
  const lines = Object.entries(rows).map(([key, text]) => `| \`${key}\` | ${text} |`);
  const note = '<!-- Made from the source by `npm run docs`. -->';
  return [`# ${title}`, '', note, '', intro, '', `| ${name} | ${meaning} |`, '| --- | --- |', ...lines, ''].join('\n');
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(referencePages()))
    writeFileSync(join(import.meta.dirname, '..', path), text);
}
