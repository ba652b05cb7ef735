/** `npm run demo`: a year of key rotation in a simulated AWS account. */
import { parseArgs } from 'node:util';
import type { UserYear } from './collect.ts';
import { ProgressLine } from './progress.ts';
import { report, type Year } from './report.ts';
import { runDemo } from './run.ts';
import { SynthesisFailedError } from './synthesize.ts';
import { pageFor } from './text.ts';

const USAGE = `Usage: npm run demo [-- --json]

Synthesizes the CDK app, deploys it into a simulated AWS account and lets a year pass for four users.
Needs no AWS account and no network.

  --json   print the figures as one JSON object instead of the report
  --help   print this

Exit status: 0 if every invariant held and no call of an application failed, 1 if not or if the demo failed, 2 for wrong arguments.
Colours follow NO_COLOR and FORCE_COLOR.
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const options = read(args);
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  // Ended from outside, it still takes its temporary folder away, by its handler of 'exit'.
  for (const [signal, status] of [['SIGINT', 130] as const, ['SIGTERM', 143] as const]) {
    process.once(signal, () => process.exit(status));
  }
  const page = pageFor(process.stdout, process.env);
  const year = await runDemo(new ProgressLine(options.json ? { write: () => {} } : process.stdout, page)).catch(
    (error: unknown) => {
      if (!(error instanceof SynthesisFailedError)) throw error;
      process.stderr.write(`${error.message}\n`);
    },
  );
  if (year === undefined) return 1;
  process.stdout.write(
    options.json ? `${JSON.stringify(inJson(year), null, 2)}\n` : `${report(year, page).join('\n')}\n`,
  );
  const failed = year.users.some(({ applicationFailures }) => applicationFailures > 0);
  return year.broken.length === 0 && !failed ? 0 : 1;
}

/** The options, or what is wrong with the arguments. */
function read(args: readonly string[]): { readonly json: boolean; readonly help: boolean } | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
    });
    return values;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // The rest of the message is about positional arguments, of which there are none.
    return error.message.split('. ')[0] ?? error.message;
  }
}

/** The figures by user. `refusals` has one entry a code, with the message of its first occurrence. */
function inJson({ users, broken }: Year): unknown {
  const figures = ({ name, lives: _, notable: __, refusals, ...rest }: UserYear) =>
    [name, { ...rest, refusals: refusals.map(({ code, message }) => ({ code, message })) }] as const;
  return { users: Object.fromEntries(users.map(figures)), broken };
}
