/** `npm run demo`: a year of key rotation in a simulated AWS account. */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { UserYear } from './collect.ts';
import { problemOf, runCommand } from './command.ts';
import { howToReach, KEPT_DAYS, type KeptAccount } from './keep.ts';
import { report, type Year } from './report.ts';
import { type KeptYear, runDemo } from './run.ts';

const USAGE = `Usage: npm run demo [-- --json] [--keep]

Synthesizes the CDK app, deploys it into a simulated AWS account and lets a year pass for four users.
Needs no AWS account and no network. The audit's report at the end of the year is left in demo-report/.

  --json   print the figures as one JSON object instead of the report
  --keep   then leave the account running, with a year that ends now, and say how to point iam-key-rotator and the AWS CLI at it
  --help   print this

Exit status: 0 if every invariant held and no call of an application failed, 1 if not or if the demo failed, 2 for wrong arguments.
Colours follow NO_COLOR and FORCE_COLOR.
`;

/** As it is written in a terminal: from where the command was given. */
const REPORT = relative('.', fileURLToPath(new URL('../../demo-report', import.meta.url)));

let kept: KeptAccount | undefined;
process.exitCode = await runCommand(process.argv.slice(2), {
  usage: USAGE,
  read,
  run: ({ keep }, progress) => runDemo(progress, keep ? KEPT_DAYS : 365, { keep, reportTo: REPORT }),
  report: (year: KeptYear, page) => {
    kept = year.kept;
    return [...report(year, page), ...(kept === undefined ? [] : ['', ...howToReach(kept, page)])];
  },
  inJson,
  holds: ({ broken, users }) =>
    broken.length === 0 && users.every(({ applicationFailures }) => applicationFailures === 0),
});

await kept?.untilStopped();

/** The options, or what is wrong with the arguments. */
function read(
  args: readonly string[],
): { readonly json: boolean; readonly keep: boolean; readonly help: boolean } | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.json && values.keep) return '--json and --keep do not go together';
    return values;
  } catch (error) {
    return problemOf(error);
  }
}

/** The figures by user, and where the audit's report is. `refusals` has one entry a code, with the message of its first occurrence. */
function inJson({ users, broken, page }: Year): unknown {
  const figures = ({ name, lives: _, notable: __, refusals, ...rest }: UserYear) =>
    [name, { ...rest, refusals: refusals.map(({ code, message }) => ({ code, message })) }] as const;
  return { users: Object.fromEntries(users.map(figures)), broken, ...(page !== undefined && { report: page }) };
}
