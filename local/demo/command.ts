/** What the demo and the experiment have in common as commands: usage, exit statuses, a report or its figures. */
import { ProgressLine } from './progress.ts';
import { SynthesisFailedError } from './synthesize.ts';
import { type Page, pageFor } from './text.ts';

export interface Command<Options, Result> {
  readonly usage: string;
  /** The options, or what is wrong with the arguments. */
  readonly read: (args: readonly string[]) => Options | string;
  readonly run: (options: Options, progress: ProgressLine) => Promise<Result>;
  readonly report: (result: Result, page: Page) => readonly string[];
  /** The figures. */
  readonly inJson: (result: Result) => unknown;
  /** Whether all that was promised held. */
  readonly holds: (result: Result) => boolean;
}

/** @returns the exit status: 0 if all held, 1 if not or if nothing could be synthesized, 2 for wrong arguments */
export async function runCommand<Options extends { readonly json: boolean; readonly help: boolean }, Result>(
  args: readonly string[],
  { usage, read, run, report, inJson, holds }: Command<Options, Result>,
): Promise<number> {
  const options = read(args);
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n\n${usage}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  // Ended from outside, it still takes its temporary folder away, by its handler of 'exit'.
  for (const [signal, status] of [['SIGINT', 130] as const, ['SIGTERM', 143] as const]) {
    process.once(signal, () => process.exit(status));
  }
  const page = pageFor(process.stdout, process.env);
  const progress = new ProgressLine(options.json ? { write: () => {} } : process.stdout, page);
  const result = await run(options, progress).catch((error: unknown) => {
    if (!(error instanceof SynthesisFailedError)) throw error;
    process.stderr.write(`${error.message}\n`);
  });
  if (result === undefined) return 1;
  process.stdout.write(
    options.json ? `${JSON.stringify(inJson(result), null, 2)}\n` : `${report(result, page).join('\n')}\n`,
  );
  return holds(result) ? 0 : 1;
}

/** What parseArgs says of wrong arguments. Rethrows any other error. */
export function problemOf(error: unknown): string {
  if (!(error instanceof TypeError)) throw error;
  // The rest of the message is about positional arguments, of which there are none.
  return error.message.split('. ')[0] ?? error.message;
}
