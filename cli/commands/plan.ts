/** `iam-key-rotator plan`: what the next passes and rotations will do, and why. */
import { badOption, type OperatorCommand, timeOption } from '../operator/command.ts';
import { NEEDS_ATTENTION } from '../operator/errors.ts';
import { gatherLooks, type Outlook, outlookOf, reasonOf, type Step } from '../operator/outlook.ts';
import { distance, moment, type Page, plural, wrap } from '../operator/page.ts';
import type { Stack } from '../operator/stack.ts';
import { survey } from '../operator/survey.ts';
import { type Column, table } from '../operator/table.ts';

const WITHIN = '7d';
const WEEK = 7 * 86_400;

export const plan: OperatorCommand = {
  name: 'plan',
  says: 'tell what the next retire pass and the next rotations will do, and why',
  about:
    'A dry run: the secrets that are due are read as the retire pass reads them, and decided about by the same code; nothing is changed. What lies further ahead follows from the ledger: a key that is still in use then is held. Times are UTC; docs/reasons.md has every reason.',
  attention: 'a secret could not be looked at',
  examples: [
    { does: 'the next pass, and what follows within a week', line: 'plan' },
    { does: 'a month ahead', line: 'plan --within 30d' },
    {
      does: 'the keys that the next pass disables',
      line: `plan --json | jq '.now[] | select(.action == "disable") | .keyId'`,
    },
  ],
  configure: (parser) => {
    parser.option('--within <time>', `how far ahead, such as 12h or 30d (default: ${WITHIN})`);
  },
  async run(context, _, options) {
    const within = timeOption(options, 'within') ?? WEEK;
    if (within === 0) throw badOption('--within 0s', 'a time ahead', 'give it as 12h or 7d');
    context.progress('reading the stack …');
    const stack = await context.stack();
    context.progress('listing the secrets …');
    const [client, ports] = await Promise.all([context.connect('secretsmanager'), context.ports()]);
    const surveyed = await survey(client, stack.deployment);
    context.progress('looking at what is due …');
    const now = context.now();
    const world = { secrets: ports.secrets, iam: ports.iam, now: () => context.now() };
    const looks = await gatherLooks(surveyed, stack.deployment, world);
    const whole = outlookOf(surveyed, looks, stack.deployment, now);
    const until = new Date(now.getTime() + within * 1000);
    const outlook = { ...whole, later: whole.later.filter(({ at }) => at !== undefined && at <= until) };
    if (context.json) context.printJson(planJson(outlook, stack, until, now));
    else context.print(planLines(outlook, stack, context.page, until, now));
    return outlook.failures.length > 0 ? NEEDS_ATTENTION : 0;
  },
};

/** The lines that are printed. */
export function planLines(
  { now: steps, later, failures }: Outlook,
  { name, region, account, deployment }: Pick<Stack, 'name' | 'region' | 'account' | 'deployment'>,
  page: Page,
  until: Date,
  now: Date,
): string[] {
  const { paint, width } = page;
  const said = (text: string) => wrap(text, width, 2);
  const heading = (text: string) => ['', ...said(text).map((line) => paint('bold', line))];
  const limited = steps.some(({ beyondLimit }) => beyondLimit === true);
  return [
    ...said(verdictOf(steps, later, failures.length, distance(until, now))).map((line) => paint('bold', line)),
    ...said(`${name} in ${region}, account ${account}, ${moment(now)} UTC`).map((line) => paint('dim', line)),
    ...heading('The next retire pass'),
    ...(steps.length === 0 ? ['  nothing is due'] : stepLines(steps, now, page)),
    ...(limited
      ? said(`  A pass changes at most ${deployment.maxChangesPerRun} keys; the steps marked + wait for the next ones.`)
      : []),
    ...(failures.length === 0
      ? []
      : failures.flatMap(({ secret, code, found, remedy }) => [
          ...said(`! ${secret}: ${code}: ${found}.`).map((line) => paint(['bold', 'red'], line)),
          ...wrap(`  To do: ${remedy}.`, width, 4),
        ])),
    ...heading(`Until ${moment(until)} UTC`),
    ...(later.length === 0 ? ['  nothing'] : stepLines(later, now, page)),
  ];
}

function verdictOf(steps: readonly Step[], later: readonly Step[], failed: number, until: string): string {
  const count = (of: readonly Step[], action: string) => of.filter((step) => step.action === action).length;
  const changes = count(steps, 'disable') + count(steps, 'delete');
  const passes = changes === 0 ? 'the next pass changes no key' : `the next passes change ${plural(changes, 'key')}`;
  const rotations = plural(count(later, 'rotate'), 'rotation');
  return `${passes}; ${rotations} within ${until.replace(/^in /, '')}${failed === 0 ? '' : `; ${plural(failed, 'secret')} could not be looked at`}`;
}

const WORDS = {
  rotate: 'rotate',
  disable: 'disable',
  delete: 'delete',
  record: 'record',
  forget: 'forget',
  resolve: 'settle',
  'take-off': 'take AWSPENDING off',
  clear: 'clear the mark of a leak',
  hold: 'hold',
} as const satisfies Readonly<Record<Step['action'], string>>;

const action = (step: Step) => `${step.observed ? 'would ' : ''}${WORDS[step.action]}`;

/** What is worth knowing beside the action. Of what lies ahead, the reason is why nothing is done before. */
function why(step: Step, now: Date): string {
  const used = step.lastUse && `last used ${distance(step.lastUse.at, now)} with ${step.lastUse.service}`;
  return [reasonOf(step), used].filter((text) => text !== undefined && text !== '').join(' ');
}

function stepLines(steps: readonly Step[], now: Date, page: Page): string[] {
  const when = ({ at }: Step) => (at === undefined ? '' : `${moment(at)}, ${distance(at, now)}`);
  const dated = steps.some(({ at }) => at !== undefined);
  const time: Column<Step>[] = dated ? [{ heading: 'when', cell: when }] : [];
  const shortTime: Column<Step>[] = dated ? [{ heading: 'when', cell: ({ at }) => (at ? distance(at, now) : '') }] : [];
  const mark: Column<Step> = { heading: ' ', cell: ({ beyondLimit }) => (beyondLimit === true ? '+' : ' ') };
  const what: Column<Step> = {
    heading: 'what',
    cell: action,
    colour: (step) => (step.action === 'disable' || step.action === 'delete' ? 'yellow' : undefined),
  };
  const key: Column<Step> = { heading: 'key', cell: ({ keyId = '' }) => keyId };
  const secret: Column<Step> = { heading: 'secret', cell: (step) => step.secret };
  // Of what lies ahead, the reason is why nothing is done before.
  const doubted = steps.some(({ doubt }) => doubt !== undefined);
  const whyHeading = doubted ? 'remarks' : dated ? 'why not before' : 'why';
  const reason: Column<Step> = { heading: whyHeading, cell: (step) => why(step, now) };
  const fitting = table(
    steps,
    [
      [mark, ...time, what, key, secret, reason],
      [mark, ...time, what, key, secret],
      [mark, ...shortTime, what, key, secret],
    ],
    (step) => [
      `${step.beyondLimit === true ? '+' : ' '} ${shortTime.length > 0 && step.at ? `${distance(step.at, now)}: ` : ''}${action(step)} ${step.keyId ?? ''}`.trimEnd(),
      `    ${step.secret}`,
    ],
    page,
  );
  // Where the reasons have no column, each is told once below.
  if (fitting[0]?.includes(whyHeading)) return fitting;
  const reasons = [...new Set(steps.map((step) => `${action(step)}: ${reasonOf(step)}`))].filter(
    (text) => !text.endsWith(': '),
  );
  return [
    ...fitting,
    ...reasons.flatMap((text) => wrap(`  ${text}`, page.width, 4).map((line) => page.paint('dim', line))),
  ];
}

/** The document of `--json`; docs/cli.md describes it. */
export function planJson(
  { now: steps, later, failures }: Outlook,
  { name, region, account, version, deployment }: Pick<Stack, 'name' | 'region' | 'account' | 'version' | 'deployment'>,
  until: Date,
  now: Date,
): unknown {
  const told = ({ doubt, ...step }: Step) => {
    const why = reasonOf({ ...step, ...(doubt && { doubt }) });
    return { ...step, ...(why !== '' && { why }) };
  };
  return {
    formatVersion: 1,
    command: 'plan',
    at: now,
    until,
    stack: { name, region, account, version },
    maxChangesPerRun: deployment.maxChangesPerRun,
    now: steps.map(told),
    later: later.map(told),
    failures,
  };
}
