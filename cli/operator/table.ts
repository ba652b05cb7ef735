/** Tables for terminals: columns that can be left out, and blocks of lines where not even the most needed ones fit. Pure. */
import { type Colour, type Page, wrap } from './page.ts';

/** One way to show a row: each column has a heading, and what it says of a row. */
export interface Column<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => string;
  readonly right?: boolean;
  readonly colour?: (row: Row) => Colour | undefined;
}

/** Spaces between columns: as few as make a fuller layout fit. */
const GAPS = [2, 1] as const;

/**
 * Lines of a table by the first of the layouts that fits into the page; where none does, of blocks.
 *
 * @param layouts the fullest first
 */
export function table<Row>(
  rows: readonly Row[],
  layouts: readonly (readonly Column<Row>[])[],
  block: (row: Row) => readonly string[],
  page: Page,
): string[] {
  for (const columns of layouts) {
    const widths = columns.map(({ heading, cell }) =>
      rows.reduce((width, row) => Math.max(width, cell(row).length), heading.length),
    );
    const total = widths.reduce((sum, width) => sum + width, 0);
    const gap = GAPS.find((spaces) => total + spaces * (widths.length - 1) <= page.width);
    if (gap !== undefined) return drawn(rows, columns, widths, ' '.repeat(gap), page);
  }
  return rows.flatMap((row) => block(row).flatMap((line) => wrap(line, page.width, indentOf(line) + 2)));
}

const indentOf = (line: string) => line.length - line.trimStart().length;

function drawn<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  widths: readonly number[],
  gap: string,
  { paint }: Page,
): string[] {
  const line = (cells: readonly string[], colours: readonly (Colour | undefined)[]) =>
    cells
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        const last = index === cells.length - 1;
        const text = columns[index]?.right ? cell.padStart(width) : last ? cell : cell.padEnd(width);
        const colour = colours[index];
        return colour === undefined || text.trim() === '' ? text : paint(colour, text);
      })
      .join(gap)
      .trimEnd();
  const headings = columns.map(({ heading }) => heading);
  return [
    line(
      headings,
      headings.map(() => 'dim'),
    ),
    ...rows.map((row) =>
      line(
        columns.map(({ cell }) => cell(row)),
        columns.map(({ colour }) => colour?.(row)),
      ),
    ),
  ];
}
