/** What the demo shows in the end: a timeline and a story per user, the totals, and a verdict. Pure. */
import type { Broken } from '../oracle.ts';
import type { KeyState, Notable, Refusal, UserYear } from './collect.ts';
import { type TableRow, table } from './table.ts';
import { moment, number, type Page, plural, shortId, wrap } from './text.ts';
import { legend, type Range, timeline } from './timeline.ts';

export interface Year {
  readonly range: Range;
  readonly users: readonly UserYear[];
  /** Each user's story in a few words, by name. */
  readonly stories: Readonly<Record<string, string>>;
  readonly broken: readonly Broken[];
  /** How often the retire function ran. */
  readonly passes: number;
  /** Signed calls that reached the account. */
  readonly calls: number;
  /** Real time that all of it took, the synthesis included. */
  readonly seconds: number;
  /** Path of the audit's last report as a page. */
  readonly page?: string;
}

const DAY_MS = 86_400_000;

export function report(year: Year, page: Page): string[] {
  return [
    ...opening(year, page),
    ...legend(page),
    ...year.users.flatMap((user) => ['', ...story(user, year, page)]),
    '',
    ...totals(year.users, page),
    '',
    ...verdict(year, page),
    ...(year.page === undefined ? [] : wrap(`The audit's report: ${year.page}`, page.width)),
  ];
}

function opening({ range, users }: Year, { width, paint }: Page): string[] {
  const day = (at: number) => new Date(at).toISOString().slice(0, 10);
  const text = `${plural(users.length, 'user')} side by side, ${day(range.from)} to ${day(range.to)}`;
  return wrap(text, width).map((line) => paint('bold', line));
}

function story(user: UserYear, { range, stories }: Year, page: Page): string[] {
  const { width, paint } = page;
  const title = wrap(`${user.name}: ${stories[user.name] ?? ''}`, width, 2);
  const told = [
    ...user.notable.map((notable) => ({ at: notable.at, text: describe(notable), colour: COLOURS[notable.what] })),
    ...user.refusals.map((refusal) => ({ at: refusal.at, text: refused(refusal), colour: 'redBright' as const })),
  ].sort((a, b) => a.at - b.at);
  const stamp = (at: number) => {
    const day = `day ${String(Math.floor((at - range.from) / DAY_MS)).padStart(3)}`;
    return width >= 60 ? `  ${day}  ${moment(at)}  ` : `${day} `;
  };
  return [
    ...title.map((line, index) => (index === 0 ? paint('bold', user.name) + line.slice(user.name.length) : line)),
    ...timeline(user.lives, range, page),
    ...told.flatMap(({ at, text, colour }) => {
      const lead = stamp(at);
      const [first = '', ...more] = wrap(text, width - lead.length);
      return [
        paint('dim', lead) + paint(colour, first),
        ...more.map((line) => ' '.repeat(lead.length) + paint(colour, line)),
      ];
    }),
    ...user.refusals.flatMap((refusal) => quoted(refusal, page)),
  ];
}

const COLOURS = {
  held: 'magentaBright',
  'hold-ended': 'magentaBright',
  died: 'redBright',
  'orphan-cleared': 'greenBright',
  switched: 'cyanBright',
} as const satisfies Record<Notable['what'], string>;

function describe(notable: Notable): string {
  switch (notable.what) {
    case 'held': {
      const use = notable.lastUse === undefined ? '' : ` (last use ${moment(notable.lastUse).trim()})`;
      return `${shortId(notable.keyId)} is due, but still in use${use}: held`;
    }
    case 'hold-ended': {
      const why = notable.reason === 'hold-over' ? 'was held for as long as the policy allows' : 'has been quiet';
      return `${shortId(notable.keyId)} ${why}: disabled (${notable.reason})`;
    }
    case 'died': {
      const left = notable.orphan === undefined ? '' : `; ${shortId(notable.orphan)} is minted, and stored nowhere`;
      return `the function died in ${notable.step} (${notable.error})${left}`;
    }
    case 'orphan-cleared':
      return `the next run clears the orphan ${shortId(notable.keyId)}, which was never used`;
    case 'switched':
      return 'its application reads the secret from now on';
    default:
      return notable;
  }
}

function refused({ code, times }: Refusal): string {
  return `refused: ${code}${times > 1 ? `, the first of ${number(times)} times` : ''}`;
}

/** The message of an error, in paragraphs. */
function quoted({ code, message }: Refusal, { width, paint }: Page): string[] {
  const bar = width >= 60 ? '  │ ' : '│ ';
  const parts = message.replace(`${code}: `, '').split(/(?<=\.) (?=(?:Expected|To do): )/);
  return parts.flatMap((part) => wrap(part, width - bar.length)).map((line) => paint('redBright', bar) + line);
}

const STATES_NOW: readonly KeyState[] = ['pending', 'current', 'retiring', 'held', 'disabled', 'stranger', 'orphan'];

function totals(users: readonly UserYear[], page: Page): string[] {
  const row = (label: string, of: (user: UserYear) => number, alarming = false): TableRow => ({
    label,
    cells: users.map((user) => number(of(user))),
    ...(alarming ? { alarming: users.map((user) => of(user) > 0) } : {}),
  });
  const now = STATES_NOW.map((state) =>
    row(`now ${state}`, (user) => user.keysNow.filter((key) => key.state === state).length),
  ).filter(({ cells }) => cells.some((cell) => cell !== '0'));
  const rows = [
    row('rotations', (user) => user.rotations),
    row('application calls', (user) => user.applicationCalls),
    row('… that failed', (user) => user.applicationFailures, true),
    row('keys minted', (user) => user.keysMinted),
    row('keys deleted', (user) => user.keysDeleted),
    row('orphans cleared', (user) => user.orphansCleared),
    row('strangers touched', (user) => user.strangersTouched, true),
    ...now,
  ];
  return table(
    users.map(({ name }) => name),
    rows,
    page,
  );
}

function verdict({ broken, passes, calls, seconds, range }: Year, { width, paint }: Page): string[] {
  const days = Math.round((range.to - range.from) / DAY_MS);
  const span = days === 365 ? 'a year' : plural(days, 'day');
  const took = `${span} in ${seconds.toFixed(0)} s: ${plural(passes, 'retire pass', 'retire passes')}, ${plural(calls, 'signed call')}`;
  if (broken.length === 0) return wrap(`No invariant broken; ${took}`, width).map((line) => paint('greenBright', line));
  const found = broken.map(({ invariant, at, what, call }) => {
    const by = call === undefined ? '' : ` (call ${call})`;
    return `${at}: invariant ${invariant}: ${what}${by}`;
  });
  return [`${plural(broken.length, 'invariant')} broken; ${took}`, ...found]
    .flatMap((text) => wrap(text, width, 2))
    .map((line) => paint('redBright', line));
}
