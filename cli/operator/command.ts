/** The frame of an operator's command: options that all have in common, help, errors, exit codes. */
import { Command as Parser } from 'commander';
import type { Terminal } from '../../client/program/terminal.ts';
import { parseDuration } from '../../infra/config/duration.ts';
import { nearest } from '../../infra/config/nearest.ts';
import type { Command } from '../commands.ts';
import { type Connect, type ConnectionOptions, connectWith, regionOf } from './clients.ts';
import { type OperatorContext, portsOver } from './context.ts';
import {
  type Failure,
  failureOf,
  OPERATOR_ERRORS,
  OPERATOR_EXIT_CODES,
  OperatorError,
  type OperatorErrorCode,
} from './errors.ts';
import { ownVersion } from './own-version.ts';
import { pageFor } from './page.ts';
import { readStack, type Stack } from './stack.ts';

/** Options of a command, by the names that commander gives them: `--within <time>` is `within`, `--no-color` is `color: false`. */
export type Options = Readonly<Record<string, unknown>>;

/** A command of an operator. */
export interface OperatorCommand {
  readonly name: string;
  /** One line. */
  readonly says: string;
  /** What the help tells beyond that line. */
  readonly about?: string;
  /** Adds the command's own arguments and options. Values are read by `run`, which throws OperatorError BAD_OPTION (`badOption`). */
  configure?(parser: Parser): void;
  readonly examples: readonly { readonly does: string; readonly line: string }[];
  /** What exit code 1 says of this command. */
  readonly attention: string;
  /** @returns the exit code: 0, or NEEDS_ATTENTION. Anything else is thrown. */
  run(context: OperatorContext, args: readonly string[], options: Options): Promise<number>;
}

/** What a test puts in the place of AWS. */
export interface Seams {
  readonly connect?: (options: ConnectionOptions) => Connect;
}

/** Name of the stack unless it is told: `stackName` of rotator.config.ts has the same default. */
const STACK = 'iam-key-rotator';

/** Makes of a definition what the program runs. */
export const operatorCommand =
  (definition: OperatorCommand, { connect = connectWith }: Seams = {}): Command =>
  async (argv, terminal) => {
    // Known before the arguments are parsed, so that a wrong one is told in the same form.
    const json = argv.includes('--json');
    let context: (OperatorContext & { readonly clear: () => void }) | undefined;
    try {
      const parsed = parse(definition, argv, terminal);
      if (parsed === undefined) return 0;
      context = await contextOf(parsed.options, terminal, connect);
      return await definition.run(context, parsed.args, parsed.options);
    } catch (error) {
      context?.clear();
      return tell(failureOf(error), definition, json, terminal);
    }
  };

function tell({ exit, ...told }: Failure, { name }: OperatorCommand, json: boolean, terminal: Terminal): number {
  if (json) terminal.out(`${JSON.stringify({ formatVersion: 1, command: name, error: told }, null, 2)}\n`);
  const sentence = (text: string) => text.replace(/\.+$/, '');
  terminal.err(
    `iam-key-rotator: ${told.code}: ${sentence(told.found)}. Expected: ${sentence(told.expected)}. What to do: ${sentence(told.remedy)}.\n`,
  );
  return exit;
}

/** Undefined after the help was printed. */
function parse(definition: OperatorCommand, argv: readonly string[], terminal: Terminal) {
  const parser = parserOf(definition, terminal);
  try {
    parser.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!isParserError(error)) throw error;
    if (error.exitCode === 0) return undefined;
    throw wrongArguments(definition, error, parser);
  }
  return { args: parser.args, options: parser.opts<Record<string, unknown>>() };
}

/** The parser of a command; its help is what `--help` prints. */
export function parserOf(definition: OperatorCommand, terminal: Pick<Terminal, 'out' | 'screen'>): Parser {
  const parser = new Parser(`iam-key-rotator ${definition.name}`)
    .description(definition.about === undefined ? definition.says : `${definition.says}\n\n${definition.about}`)
    .allowExcessArguments(false)
    .showSuggestionAfterError(false)
    .helpOption('-h, --help', 'print this')
    .exitOverride()
    .configureHelp({ helpWidth: Math.min(terminal.screen?.columns || HELP_WIDTH, HELP_WIDTH) })
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: () => {} });
  definition.configure?.(parser);
  return parser
    .option('--stack <name>', `name of the rotator's stack (default: ${STACK})`)
    .option('--region <region>', 'Region of the stack (default: as every SDK finds it)')
    .option('--profile <profile>', 'profile whose credentials are used (default: as every SDK finds them)')
    .option('--endpoint-url <url>', 'endpoint of all services, for tests; AWS_ENDPOINT_URL does the same')
    .option('--json', 'print one JSON document')
    .option('--no-color', 'no colours; NO_COLOR and FORCE_COLOR are heeded, too')
    .addHelpText('after', helpAfter(definition));
}

/** Help is for reading: lines of it are no longer than this. */
const HELP_WIDTH = 110;

function helpAfter({ examples, attention }: OperatorCommand): string {
  const codes = (Object.keys(OPERATOR_EXIT_CODES) as OperatorErrorCode[]).map(
    (code) => `  ${String(OPERATOR_EXIT_CODES[code]).padStart(2)}  ${code.padEnd(16)} ${OPERATOR_ERRORS[code]}`,
  );
  return `
Examples:
${examples.map(({ does, line }) => `  # ${does}\n  iam-key-rotator ${line}`).join('\n')}

Exit codes:
   0  all is well
   1  ${attention}; or a defect of this program, which it says
${codes.join('\n')}`;
}

interface ParserError extends Error {
  readonly code: string;
  readonly exitCode: number;
}

const isParserError = (error: unknown): error is ParserError =>
  error instanceof Error && String(Reflect.get(error, 'code')).startsWith('commander.');

/** Commander's message quotes the argument. None is secret, unless somebody gave a key where none belongs: only names of options are told. */
function wrongArguments({ name }: OperatorCommand, { code, message }: ParserError, parser: Parser): OperatorError {
  const option = /'(-[^ '=]*)/.exec(message)?.[1];
  const known = parser.options.flatMap(({ long }) => (long === undefined || long === null ? [] : [long]));
  const guess = option === undefined ? undefined : nearest(option, [...known, '--help']);
  const argument = /missing required argument '([a-z ]+)'/.exec(message)?.[1];
  const found: Readonly<Record<string, string>> = {
    'commander.unknownOption': `no option '${option}'`,
    'commander.optionMissingArgument': `no value for '${option}'`,
    'commander.missingArgument': `no ${argument ?? 'argument'}`,
    'commander.excessArguments': 'more arguments than the command takes',
  };
  return badOption(
    found[code] ?? `wrong use of '${option ?? name}'`,
    'what --help lists',
    guess === undefined
      ? `see iam-key-rotator ${name} --help`
      : `did you mean '${guess}'? see also iam-key-rotator ${name} --help`,
  );
}

/** A wrong option or argument. */
export const badOption = (found: string, expected: string, remedy: string) =>
  new OperatorError('BAD_OPTION', { found, expected, remedy });

async function contextOf(options: Options, terminal: Terminal, connectTo: (options: ConnectionOptions) => Connect) {
  const region = textOption(options, 'region');
  const profile = textOption(options, 'profile');
  const endpoint = textOption(options, 'endpointUrl');
  const name = textOption(options, 'stack') ?? STACK;
  if (endpoint !== undefined && !(/^https?:/.test(endpoint) && URL.canParse(endpoint))) {
    throw badOption('an --endpoint-url that is no URL', 'https://… (or http://… for tests)', 'correct it');
  }
  const connect = connectTo({
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  const where = await regionOf(connect);
  const { screen = {}, env, clock } = terminal;
  const progress = progressLine(terminal);
  let stack: Promise<Stack> | undefined;
  return {
    json: options.json === true,
    page: pageFor(screen, env, options.color !== false),
    version: await ownVersion(),
    region: where,
    connect,
    stack() {
      stack ??= connect('cloudformation').then((client) => readStack(client, name, where));
      return stack;
    },
    ports: () => portsOver(connect),
    print(lines) {
      progress.clear();
      terminal.out(`${lines.join('\n')}\n`);
    },
    printJson(document) {
      progress.clear();
      terminal.out(`${JSON.stringify(document, null, 2)}\n`);
    },
    say(line) {
      progress.clear();
      terminal.err(`${line}\n`);
    },
    progress: progress.show,
    clear: progress.clear,
    now: () => new Date(clock.now()),
    sleep: (ms) => clock.sleep(ms),
    async confirm(question) {
      progress.clear();
      const answer = await terminal.ask?.(`${question} [y/N] `);
      return /^y(es)?$/i.test(answer?.trim() ?? '');
    },
    open: async (path) => (await terminal.open?.(path)) ?? false,
  } satisfies OperatorContext & { readonly clear: () => void };
}

/** A line on stderr that replaces itself, where stderr is a terminal. */
function progressLine({ errScreen: { isTTY, columns } = {}, err }: Terminal) {
  let shown = false;
  const clear = () => {
    if (shown) err('\r\x1b[2K');
    shown = false;
  };
  return {
    clear,
    show(line: string | undefined, always = false) {
      if (line === undefined) return clear();
      if (isTTY !== true) {
        if (always) err(`${line}\n`);
        return;
      }
      clear();
      err(line.slice(0, (columns || 80) - 1));
      shown = true;
    },
  };
}

/** The value of an option that takes text. @throws OperatorError BAD_OPTION for an empty one */
export function textOption(options: Options, name: string): string | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value.trim() !== '') return value;
  const written = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw badOption(`an empty --${written}`, 'a value', `give one, or leave --${written} out`);
}

/** The value of an option that takes a length of time, in seconds. @throws OperatorError BAD_OPTION */
export function timeOption(options: Options, name: string): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  const seconds = parseDuration(text);
  if (seconds !== undefined) return seconds;
  throw badOption(
    `--${name} ${JSON.stringify(text.slice(0, 20))}`,
    'a whole number and s, m, h or d',
    'give it as 12h or 7d',
  );
}
