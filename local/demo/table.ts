/** A table of figures: one column a user. Where that is too wide, one list a user. Pure. */
import type { Page } from './text.ts';

export interface TableRow {
  readonly label: string;
  /** One a column. */
  readonly cells: readonly string[];
  /** Set apart: something is wrong with this row's figures. By column. */
  readonly alarming?: readonly boolean[];
}

/** Lines of the table; `columns` are the headings. */
export function table(columns: readonly string[], rows: readonly TableRow[], page: Page): string[] {
  const labelWidth = Math.max(...rows.map(({ label }) => label.length));
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map(({ cells }) => (cells[index] ?? '').length)),
  );
  const natural = (gap: number) => labelWidth + widths.reduce((sum, width) => sum + gap + width, 0);
  const gap = [4, 3, 2, 1].find((candidate) => natural(candidate) <= page.width);
  if (gap === undefined) return lists(columns, rows, labelWidth, page);

  const space = ' '.repeat(gap);
  const heading = columns.map((column, index) => space + page.paint('bold', column.padStart(widths[index] ?? 0)));
  return [
    ' '.repeat(labelWidth) + heading.join(''),
    page.paint('dim', '─'.repeat(natural(gap))),
    ...rows.map(
      (row) =>
        row.label.padEnd(labelWidth) +
        widths.map((width, index) => space + figure(row, index, (cell) => cell.padStart(width), page)).join(''),
    ),
  ];
}

function lists(columns: readonly string[], rows: readonly TableRow[], labelWidth: number, page: Page): string[] {
  return columns.flatMap((column, index) => [
    page.paint('bold', column),
    ...rows.map((row) => `  ${row.label.padEnd(labelWidth)} ${figure(row, index, (cell) => cell, page)}`),
  ]);
}

function figure(
  { cells, alarming }: TableRow,
  index: number,
  align: (cell: string) => string,
  { paint }: Page,
): string {
  const cell = cells[index] ?? '';
  if (alarming?.[index]) return paint(['redBright', 'bold'], align(cell));
  return cell === '0' ? paint('dim', align(cell)) : align(cell);
}
