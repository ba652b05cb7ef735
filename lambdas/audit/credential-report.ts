/**
 * The credential report of IAM: read strictly, since a report that is damaged or cut off must never look like an account without keys
 * (invariant 6).
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
 */
import { RotatorError } from '../domain/errors.ts';
import { NotCsv, parseCsv } from './csv.ts';

/** The `user` of the row of the root user. */
export const ROOT = '<root_account>';

/** One of the two places for a key. The report has no key ids, and the order of the two means nothing. */
export interface KeySlot {
  readonly active: boolean;
  /** When the key was "created or last changed", so never before its creation. Undefined if the report doesn't tell. */
  readonly changed: Date | undefined;
  /** `never`: the report says N/A, of a key that was not used or not since April 2015. */
  readonly lastUsed: Date | 'never' | 'unknown';
  readonly service: string | undefined;
  readonly region: string | undefined;
}

export interface ReportedUser {
  /** Name of the user, or `ROOT`. */
  readonly user: string;
  readonly created: Date | undefined;
  /** The keys that the user has. */
  readonly slots: readonly KeySlot[];
}

export interface ParsedReport {
  readonly account: string;
  readonly partition: string;
  readonly root: ReportedUser;
  readonly users: readonly ReportedUser[];
}

const SLOTS = ['access_key_1', 'access_key_2'] as const;
const OF_A_SLOT = ['active', 'last_rotated', 'last_used_date', 'last_used_region', 'last_used_service'] as const;
/** The columns that an audit rests on. Others may come and go. */
const REQUIRED = [
  'user',
  'arn',
  'user_creation_time',
  ...SLOTS.flatMap((slot) => OF_A_SLOT.map((of) => `${slot}_${of}`)),
];

/** Instead of a value: there is none, nobody knows, or there can't be one. */
const MARKERS: readonly string[] = ['N/A', 'no_information', 'not_supported'];
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
const ARN = /^arn:(?<partition>aws[a-z-]*):iam::(?<account>\d{12}):(?<resource>root|user\/.+)$/;

/**
 * Reads a credential report.
 *
 * @throws RotatorError CREDENTIAL_REPORT_MALFORMED, naming the row and the column
 */
export function parseCredentialReport(content: string): ParsedReport {
  try {
    return parseRecords(parseCsv(content));
  } catch (error) {
    if (!(error instanceof NotCsv)) throw error;
    return malformed('a quote that is not closed, or stands inside a field', 'CSV');
  }
}

/** A row at a time: the rows of a large account take more memory than what is kept of them. */
function parseRecords(records: Iterator<string[]> & Iterable<string[]>): ParsedReport {
  const header = headerOf(records.next().value);
  let root: { readonly row: Row; readonly read: ReportedUser } | undefined;
  const users = new Map<string, ReportedUser>();
  const accounts = new Set<string>();
  let number = 1;
  for (const record of records) {
    number += 1;
    const row = new Row(header, record, number);
    accounts.add(row.account);
    if (users.has(row.user) || (row.user === ROOT && root !== undefined))
      malformed(`a second row of one user, row ${number}`, 'one row a user');
    if (row.user === ROOT) root = { row, read: row.read() };
    else users.set(row.user, row.read());
  }
  if (root === undefined) return malformed(`no row of ${ROOT}`, 'one: IAM writes it into every report');
  const { account, partition } = root.row;
  if (accounts.size > 1) malformed(`rows of ${accounts.size} accounts`, `account ${account} alone`);
  return { account, partition, root: root.read, users: [...users.values()] };
}

function headerOf(header: readonly string[] | undefined): readonly string[] {
  if (header === undefined) return malformed('nothing', 'a header and a row for each user');
  const missing = REQUIRED.filter((column) => !header.includes(column));
  if (missing.length > 0) malformed(`no column ${missing.join(', ')}`, 'the columns that AWS documents');
  if (new Set(header).size < header.length) malformed('a column that stands there twice', 'each column once');
  return header;
}

/** One row: a user by the names of the columns. */
class Row {
  readonly number: number;
  readonly user: string;
  readonly account: string;
  readonly partition: string;
  readonly #values: ReadonlyMap<string, string>;

  constructor(header: readonly string[], record: readonly string[], number: number) {
    this.number = number;
    const fields = rejoined(header, record) ?? record;
    if (fields.length !== header.length)
      malformed(`${record.length} fields in row ${number}`, `${header.length}, as many as there are columns`);
    this.#values = new Map(header.map((column, index) => [column, fields[index] ?? '']));
    this.user = this.#text('user');
    const {
      partition = '',
      account = '',
      resource = '',
    } = ARN.exec(this.#text('arn'))?.groups ?? this.#wrong('arn', 'an ARN');
    const own = this.user === ROOT ? resource === 'root' : resource.endsWith(`/${this.user}`);
    if (this.user === '' || !own) this.#wrong('arn', 'the ARN of the very user');
    this.account = account;
    this.partition = partition;
    this.#checkAll();
  }

  read(): ReportedUser {
    const slots = SLOTS.flatMap((slot) => this.#slot(slot) ?? []);
    return { user: this.user, created: this.#date('user_creation_time'), slots };
  }

  /** Where anything but N/A is told of it, there is a key. */
  #slot(slot: string): KeySlot | undefined {
    const active = this.#text(`${slot}_active`).toLowerCase() === 'true';
    const changed = this.#date(`${slot}_last_rotated`);
    const used = this.#text(`${slot}_last_used_date`);
    const lastUsed = this.#date(`${slot}_last_used_date`) ?? (used === 'N/A' ? 'never' : 'unknown');
    if (!active && changed === undefined && !(lastUsed instanceof Date)) return undefined;
    return {
      active,
      changed,
      lastUsed,
      service: this.#word(`${slot}_last_used_service`),
      region: this.#word(`${slot}_last_used_region`),
    };
  }

  /** Every column whose name says what it holds is looked at, also those that nothing rests on: a row that was cut off is noticed. */
  #checkAll(): void {
    for (const [column, value] of this.#values) {
      if (/_(active|enabled)$/.test(column)) {
        const known =
          /^(true|false)$/i.test(value) ||
          (value === 'not_supported' && this.user === ROOT) ||
          isOptional(column, value);
        if (!known) this.#wrong(column, 'TRUE or FALSE');
      } else if (/_(last_rotated|last_used_date|last_used|last_changed|next_rotation|creation_time)$/.test(column)) {
        if (!MARKERS.includes(value) && !isDate(value)) this.#wrong(column, `a date, or ${MARKERS.join(', ')}`);
      } else if (REQUIRED.includes(column) && value === '') this.#wrong(column, 'a value');
    }
  }

  #text(column: string): string {
    return this.#values.get(column) ?? '';
  }

  #date(column: string): Date | undefined {
    const value = this.#text(column);
    return isDate(value) ? new Date(value) : undefined;
  }

  #word(column: string): string | undefined {
    const value = this.#text(column);
    return MARKERS.includes(value) ? undefined : value;
  }

  #wrong(column: string, expected: string): never {
    return malformed(`'${this.#text(column).slice(0, 80)}' as ${column} in row ${this.number}`, expected);
  }
}

/** Passwords and certificates are not what is audited: their flags may have a marker instead. */
const isOptional = (column: string, value: string) => !column.startsWith('access_key_') && MARKERS.includes(value);

const isDate = (value: string) => DATE.test(value) && !Number.isNaN(Date.parse(value));

/**
 * AWS doesn't say how it writes a name with a comma, which a user's name and path may have. Quoted, the fields are as many as the columns. Not
 * quoted, there are more; then the user is what stands before the ARN, and the ARN goes as far as leaves one field for each further column.
 */
function rejoined(header: readonly string[], record: readonly string[]): string[] | undefined {
  const surplus = record.length - header.length;
  if (surplus <= 0 || header[0] !== 'user' || header[1] !== 'arn') return undefined;
  const arn = record.findIndex((field) => field.startsWith('arn:'));
  if (arn < 1) return undefined;
  const rest = record.length - (header.length - 2);
  return [record.slice(0, arn).join(','), record.slice(arn, rest).join(','), ...record.slice(rest)];
}

function malformed(found: string, expected: string): never {
  throw new RotatorError('CREDENTIAL_REPORT_MALFORMED', {
    found: `the credential report of IAM has ${found}`,
    expected,
    remedy:
      'nothing: the next audit asks for another report; if this lasts, look at it (aws iam get-credential-report) and update the rotator',
  });
}
