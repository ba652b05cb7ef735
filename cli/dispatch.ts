import { EXIT_CODES } from '../client/program/exit-codes.ts';
import type { Terminal } from '../client/program/terminal.ts';
import { COMMANDS } from './commands.ts';
import { ownVersion } from './operator/own-version.ts';

/**
 * Runs the command that the arguments name.
 *
 * @param argv without the runtime and the program
 * @returns the exit code
 */
export async function dispatch(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [first = '--help', ...others] = argv;
  // help status: as status --help
  const asked = first === 'help' ? others[0] : undefined;
  const [name, rest] = asked === undefined ? [first, others] : [asked, ['--help']];
  if (name === '--help' || name === '-h' || name === 'help') {
    terminal.out(usage());
    return 0;
  }
  if (name === '--version' || rest.includes('--version')) {
    terminal.out(`${await ownVersion()}\n`);
    return 0;
  }
  if (Object.hasOwn(COMMANDS, name)) {
    const command = await COMMANDS[name]?.load();
    if (command !== undefined) return command(rest, terminal);
  }
  const { nearest } = await import('../infra/config/nearest.ts');
  const guess = nearest(name, Object.keys(COMMANDS));
  const remedy = guess === undefined ? 'see iam-key-rotator --help' : `did you mean '${guess}'? see also --help`;
  terminal.err(`iam-key-rotator: BAD_OPTION: no command '${name}'. Expected: a command. What to do: ${remedy}.\n`);
  return EXIT_CODES.BAD_OPTION;
}

const usage = () => `usage: iam-key-rotator <command> [options]

commands
${Object.entries(COMMANDS)
  .map(([name, { says }]) => `  ${name.padEnd(12)} ${says}`)
  .join('\n')}

iam-key-rotator <command> --help tells more; iam-key-rotator --version, the version.
`;
