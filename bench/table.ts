/** Drawing the table. */
import { wrap } from '../local/demo/text.ts';
import type { Row } from './budgets.ts';

const HEAD = ['what', 'measured', 'budget', 'verdict'] as const;
const RIGHT: ReadonlySet<number> = new Set([1, 2]);

/** Columns that a line has at most. */
const WIDTH = 100;

/** The rows as lines of text, and below them how each figure came about; a verdict is a word, so that it can be read without colour. */
export function drawTable(rows: readonly Row[]): string[] {
  const cells = rows.map((row) => [
    row.what,
    `${row.measured.toFixed(row.decimals)} ${row.unit}`,
    `≤ ${row.limit} ${row.unit}`,
    row.within ? 'within' : 'PAST',
  ]);
  const widths = HEAD.map((title, column) => Math.max(title.length, ...cells.map((cell) => cell[column]?.length ?? 0)));
  const line = (cell: readonly string[]) =>
    cell
      .map((text, column) => {
        const width = widths[column] ?? 0;
        return RIGHT.has(column) ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const how = rows.filter((row) => row.how !== '').flatMap((row) => wrap(`${row.what.trim()}: ${row.how}`, WIDTH, 2));
  return [
    line(HEAD),
    line(widths.map((width) => '─'.repeat(width))),
    ...cells.map(line),
    '',
    'How they came about',
    ...how,
  ];
}

/** The last line: what the exit status says. */
export function summary(rows: readonly Row[]): string {
  const past = rows.filter((row) => !row.within);
  if (past.length === 0) return `All ${rows.length} figures are within their budgets.`;
  return `${past.length} of ${rows.length} figures past their budgets: ${past.map((row) => row.name).join(', ')}.`;
}
