/** The commands of `iam-key-rotator`. */
import type { Terminal } from '../client/program/terminal.ts';

/** @returns the exit code */
export type Command = (argv: readonly string[], terminal: Terminal) => Promise<number>;

/** Each is loaded only when it is asked for. */
export const COMMANDS: Readonly<Record<string, { readonly says: string; load(): Promise<Command> }>> = {
  credentials: {
    says: 'print the current key of a secret, for credential_process',
    load: async () => (await import('../client/program/credentials.ts')).credentials,
  },
};
