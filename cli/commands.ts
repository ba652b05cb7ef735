/** The commands of `iam-key-rotator`. */
import type { Terminal } from '../client/program/terminal.ts';
import type { OperatorCommand } from './operator/command.ts';

/** @returns the exit code */
export type Command = (argv: readonly string[], terminal: Terminal) => Promise<number>;

/** A command of an operator, in its frame; commander and the SDK are loaded with it. */
const operator = async (load: Promise<OperatorCommand>) => {
  const [{ operatorCommand }, definition] = await Promise.all([import('./operator/command.ts'), load]);
  return operatorCommand(definition);
};

/** Each is loaded only when it is asked for. */
export const COMMANDS: Readonly<Record<string, { readonly says: string; load(): Promise<Command> }>> = {
  credentials: {
    says: 'print the current key of a secret, for credential_process',
    load: async () => (await import('../client/program/credentials.ts')).credentials,
  },
  status: {
    says: 'every managed key: age, next rotation, and what becomes of the one before it',
    load: () => operator(import('./commands/status.ts').then(({ status }) => status)),
  },
  plan: {
    says: 'what the next retire pass and the next rotations will do, and why',
    load: () => operator(import('./commands/plan.ts').then(({ plan }) => plan)),
  },
  doctor: {
    says: 'what would keep a rotation from working',
    load: () => operator(import('./commands/doctor.ts').then(({ doctor }) => doctor)),
  },
  audit: {
    says: 'check every user of the account for key hygiene',
    load: () =>
      operator(
        Promise.all([import('./commands/audit.ts'), import('./operator/audit-source.ts')]).then(
          ([{ auditCommand }, { auditSource }]) => auditCommand(auditSource),
        ),
      ),
  },
  rotate: {
    says: 'start a rotation, and follow it to its end',
    load: () => operator(import('./commands/rotate.ts').then(({ rotate }) => rotate)),
  },
  rollback: {
    says: 'move AWSCURRENT back to the key before',
    load: () => operator(import('./commands/rollback.ts').then(({ rollback }) => rollback)),
  },
  revoke: {
    says: 'a key is leaked: end it',
    load: () => operator(import('./commands/revoke.ts').then(({ revoke }) => revoke)),
  },
  adopt: {
    says: 'how an existing user comes under rotation',
    load: () => operator(import('./commands/adopt.ts').then(({ adopt }) => adopt)),
  },
};
