/** Writes the pages of docs/ that are made from the source: `npm run docs`. A test holds them up to date. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES } from '../lambdas/domain/errors.ts';
import { REASONS } from '../lambdas/domain/reasons.ts';
import { eventSchemas, eventsPage } from './events-page.ts';

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
  };
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
