/** `iam-key-rotator status`: every managed key at a glance. */
import type { OperatorCommand } from '../operator/command.ts';
import { NEEDS_ATTENTION } from '../operator/errors.ts';
import { distance, moment, type Page, plural, shortId, span, wrap } from '../operator/page.ts';
import type { Stack } from '../operator/stack.ts';
import {
  isUse,
  MARKS,
  SEVERITY_COLOURS,
  type Standing,
  type SupersededKey,
  severityOf,
  standingOf,
  supersededKeyIds,
} from '../operator/standing.ts';
import { type KnownUse, lastUses, survey } from '../operator/survey.ts';
import { type Column, table } from '../operator/table.ts';

export const status: OperatorCommand = {
  name: 'status',
  says: 'show every managed key: its age, its next rotation, and what becomes of the one before it',
  about:
    'What needs somebody comes first. Reads the listing of the secrets, which may be five minutes old, and the last use of superseded keys; changes nothing. ' +
    'Times are UTC.',
  attention: 'a key needs attention',
  examples: [
    { does: 'all keys of the deployment', line: 'status --profile prod --region eu-central-1' },
    { does: 'only what needs somebody; exit code 1 if anything does', line: 'status --attention' },
    { does: 'for a script', line: 'status --json | jq \'.secrets[] | select(.state == "attention") | .secret\'' },
  ],
  configure: (parser) => {
    parser.option('--attention', 'show only the keys that need attention');
  },
  async run(context, _, options) {
    context.progress('reading the stack …');
    const stack = await context.stack();
    context.progress('listing the secrets …');
    const [secrets, { iam }] = await Promise.all([context.connect('secretsmanager'), context.ports()]);
    const surveyed = await survey(secrets, stack.deployment);
    context.progress('asking when superseded keys were last used …');
    const uses = await lastUses(surveyed.flatMap(supersededKeyIds), iam);
    const now = context.now();
    const standings = inOrder(surveyed.map((one) => standingOf(one, uses, now)));
    const shown = options.attention === true ? standings.filter(needsAttention) : standings;
    if (context.json) context.printJson(statusJson(standings, shown, stack, now));
    else context.print(statusLines(standings, shown, stack, context.page, now));
    return standings.some(needsAttention) ? NEEDS_ATTENTION : 0;
  },
};

const needsAttention = (standing: Standing) => severityOf(standing) === 'attention';

const RANKS = { attention: 0, note: 1, well: 2 } as const;

/** What needs somebody first, then what is worth knowing, each by the name of its secret. */
export function inOrder(standings: readonly Standing[]): Standing[] {
  const rank = (standing: Standing) => RANKS[severityOf(standing)];
  return [...standings].sort((a, b) => rank(a) - rank(b) || (a.secret < b.secret ? -1 : 1));
}

/** Names that a verdict tells before it says how many there are beside them. */
const NAMED = 3;

/** One line: is all well, and if not, what is not. */
export function verdictOf(standings: readonly Standing[]): string {
  const keys = plural(standings.length, 'key');
  const waiting = standings.filter(needsAttention);
  if (waiting.length === 0) return standings.length === 0 ? 'no keys are configured' : `${keys}: all well`;
  const named = waiting.slice(0, NAMED).map((standing) => {
    const first = standing.problems.find(({ severity }) => severity === 'attention');
    return `${standing.secret} (${first?.code})`;
  });
  const others = waiting.length - named.length;
  const list = [...named, ...(others > 0 ? [`${others} more`] : [])].join(', ');
  return `${keys}: ${waiting.length} ${waiting.length === 1 ? 'needs' : 'need'} attention: ${list}`;
}

/** The lines that are printed. */
export function statusLines(
  all: readonly Standing[],
  shown: readonly Standing[],
  { name, region, account }: Pick<Stack, 'name' | 'region' | 'account'>,
  page: Page,
  now: Date,
): string[] {
  const { paint, width } = page;
  const well = !all.some(needsAttention);
  const verdict = wrap(verdictOf(all), width, 2).map((line) => paint(['bold', well ? 'green' : 'red'], line));
  const where = wrap(`${name} in ${region}, account ${account}, ${moment(now)} UTC`, width, 2);
  const rows = shown.flatMap((standing) => rowsOf(standing, now));
  return [
    ...verdict,
    ...where.map((line) => paint('dim', line)),
    ...(rows.length === 0 ? [] : ['', ...table(rows, layouts(), (row) => block(row), page)]),
    ...problemLines(shown, page),
  ];
}

/** What is the matter, and what to do, below the table. */
function problemLines(standings: readonly Standing[], { paint, width }: Page): string[] {
  const told = standings.flatMap(({ secret, problems }) =>
    problems
      .filter(({ code }) => code !== 'observed')
      .flatMap(({ severity, says, remedy }) => [
        ...wrap(`${MARKS[severity]} ${secret}: ${says}.`, width, 2).map((line) =>
          paint(SEVERITY_COLOURS[severity], line),
        ),
        ...(remedy === 'nothing' ? [] : wrap(`  To do: ${remedy}.`, width, 4)),
      ]),
  );
  return told.length === 0 ? [] : ['', ...told];
}

/** A line of the table: a secret, or one more superseded key of the secret above. */
interface Row {
  readonly standing: Standing;
  readonly first: boolean;
  readonly key: SupersededKey | undefined;
  readonly now: Date;
}

const rowsOf = (standing: Standing, now: Date): Row[] =>
  (standing.superseded.length === 0 ? [undefined] : standing.superseded).map((key, index) => ({
    ...{ standing, key, now },
    first: index === 0,
  }));

const NONE = '-';

const age = ({ standing: { current }, now }: Row) =>
  current?.minted === undefined ? NONE : span(now.getTime() - current.minted.getTime());
const next = ({ standing: { nextRotation, mode }, now }: Row) =>
  nextRotation === undefined ? (mode === 'observe' ? 'observed' : NONE) : distance(nextRotation, now);
const due = ({ key, now }: Row) => (key?.due === undefined ? '' : distance(key.due, now));

function usedWhen(use: KnownUse | undefined, now: Date): string {
  if (use === undefined) return '';
  return isUse(use) ? distance(use.at, now) : use;
}
function usedWhere(use: KnownUse | undefined, now: Date): string {
  return isUse(use) ? `${distance(use.at, now)}, ${use.service}` : usedWhen(use, now);
}

const own =
  (cell: (row: Row) => string) =>
  (row: Row): string =>
    row.first ? cell(row) : '';

const COLUMNS = {
  mark: {
    heading: ' ',
    cell: own(({ standing }) => MARKS[severityOf(standing)]),
    colour: ({ standing }: Row) => SEVERITY_COLOURS[severityOf(standing)],
  },
  secret: {
    heading: 'secret',
    cell: own(({ standing }) => standing.secret),
    colour: ({ standing }: Row) => (needsAttention(standing) ? ('bold' as const) : undefined),
  },
  user: { heading: 'user', cell: own(({ standing }) => standing.user) },
  current: { heading: 'current key', cell: own(({ standing }) => standing.current?.keyId ?? NONE) },
  shortCurrent: {
    heading: 'key',
    cell: own(({ standing: { current } }) => (current === undefined ? NONE : shortId(current.keyId))),
  },
  age: { heading: 'age', right: true, cell: own(age) },
  next: {
    heading: 'next rotation',
    cell: own((row) =>
      row.standing.nextRotation === undefined ? next(row) : `${moment(row.standing.nextRotation)}, ${next(row)}`,
    ),
  },
  shortNext: { heading: 'rotates', cell: own(next) },
  superseded: { heading: 'superseded', cell: ({ key }: Row) => key?.keyId ?? '' },
  shortSuperseded: { heading: 'before', cell: ({ key }: Row) => (key === undefined ? '' : shortId(key.keyId)) },
  state: {
    heading: 'state',
    cell: ({ key }: Row) => key?.state ?? '',
    colour: ({ key }: Row) => (key?.state === 'held' ? ('yellow' as const) : undefined),
  },
  due: { heading: 'due', cell: due },
  used: { heading: 'last use', cell: ({ key, now }: Row) => usedWhere(key?.lastUse, now) },
  shortUsed: { heading: 'last use', cell: ({ key, now }: Row) => usedWhen(key?.lastUse, now) },
} as const satisfies Readonly<Record<string, Column<Row>>>;

/** From the widest terminal to the narrowest that has room for a table. */
function layouts(): readonly (readonly Column<Row>[])[] {
  const { mark, secret, user, current, shortCurrent, age, next, shortNext, superseded, shortSuperseded } = COLUMNS;
  const { state, due, used, shortUsed } = COLUMNS;
  return [
    [mark, secret, user, current, age, next, superseded, state, due, used],
    [mark, secret, user, current, age, shortNext, superseded, state, due, used],
    [mark, secret, current, age, shortNext, superseded, state, due, used],
    [mark, secret, user, shortCurrent, age, shortNext, shortSuperseded, state, due, used],
    [mark, secret, shortCurrent, age, shortNext, shortSuperseded, state, due, used],
    [mark, secret, shortCurrent, age, shortNext, shortSuperseded, state, due, shortUsed],
    [mark, secret, age, shortNext, state, due, shortUsed],
    [mark, secret, age, shortNext, state, due],
  ];
}

/** A row where there is no room for a table. */
function block(row: Row): string[] {
  const { standing, first, key, now } = row;
  const { secret, current } = standing;
  const head = first
    ? [
        `${MARKS[severityOf(standing)]} ${secret}`,
        `    ${current === undefined ? 'no key yet' : `${current.keyId}, ${age(row)} old`}, rotates ${next(row)}`,
      ]
    : [];
  if (key === undefined) return head;
  const used = usedWhere(key.lastUse, now);
  const when = key.due === undefined ? '' : `, due ${due(row)}`;
  return [...head, `    before: ${key.keyId}, ${key.state}${when}${used === '' ? '' : `, last use ${used}`}`];
}

/** The document of `--json`; docs/cli.md describes it. Dates are ISO 8601 in UTC. */
export function statusJson(
  all: readonly Standing[],
  shown: readonly Standing[],
  { name, region, account, version }: Pick<Stack, 'name' | 'region' | 'account' | 'version'>,
  now: Date,
): unknown {
  const count = (state: string) => all.filter((standing) => severityOf(standing) === state).length;
  return {
    formatVersion: 1,
    command: 'status',
    at: now,
    stack: { name, region, account, version },
    verdict: verdictOf(all),
    counts: { keys: all.length, attention: count('attention'), note: count('note'), well: count('well') },
    secrets: shown.map((standing) => ({ state: severityOf(standing), ...standing })),
  };
}
