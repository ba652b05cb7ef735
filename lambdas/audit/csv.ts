/** Comma-separated values, read and written as RFC 4180 has them. */

/** A quote is not where one may be, or is never closed. */
export class NotCsv extends Error {}

/**
 * Reads records of fields, one after the other. A field may be quoted, with quotes doubled inside; lines end with LF or CRLF, the last one with or
 * without.
 *
 * @throws NotCsv
 */
export function* parseCsv(text: string): Generator<string[]> {
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  while (at < text.length) {
    const record: string[] = [];
    for (;;) {
      const field = text[at] === '"' ? quotedField(text, at) : plainField(text, at);
      if (field === undefined) throw new NotCsv();
      record.push(field.value);
      at = field.end;
      if (text[at] !== ',') break;
      at += 1;
    }
    if (text[at] === '\r' && text[at + 1] === '\n') at += 1;
    if (at < text.length && text[at] !== '\n') throw new NotCsv();
    at += 1;
    yield record;
  }
}

interface Field {
  readonly value: string;
  /** Where the text goes on. */
  readonly end: number;
}

const PLAIN = /[^,"\r\n]*/y;

function plainField(text: string, start: number): Field {
  PLAIN.lastIndex = start;
  const [value = ''] = PLAIN.exec(text) ?? [];
  return { value, end: start + value.length };
}

function quotedField(text: string, start: number): Field | undefined {
  let value = '';
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return undefined;
    value += text.slice(at, quote);
    if (text[quote + 1] !== '"') return { value, end: quote + 1 };
    value += '"';
    at = quote + 2;
  }
}

/**
 * Writes one record, with CRLF at its end. A field that a spreadsheet would take for a formula gets an apostrophe in front: names of users and secrets
 * are other people's words.
 *
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
export function csvRecord(fields: readonly string[]): string {
  return `${fields.map(csvField).join(',')}\r\n`;
}

function csvField(field: string): string {
  const safe = /^[=+\-@\t\r]/.test(field) ? `'${field}` : field;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
