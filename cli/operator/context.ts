/** What an operator's command has around it. All of it can be given by a test. */
import { iamKeys } from '../../lambdas/adapters/iam-keys.ts';
import { secretStore } from '../../lambdas/adapters/secret-store.ts';
import { secretVersions } from '../../lambdas/adapters/secret-versions.ts';
import type { IamKeys, SecretStore, SecretVersions } from '../../lambdas/domain/ports.ts';
import type { Connect } from './clients.ts';
import type { Page } from './page.ts';
import type { Stack } from './stack.ts';

/** The domain's ports with the operator's own credentials. */
export interface Ports {
  readonly iam: IamKeys;
  readonly secrets: SecretStore;
  readonly versions: SecretVersions;
}

export interface OperatorContext {
  /** The command asks for JSON on stdout, and for nothing else there. */
  readonly json: boolean;
  /** Room and colours of stdout. */
  readonly page: Page;
  /** The version of this program. */
  readonly version: string;
  readonly region: string;
  readonly connect: Connect;
  /** Reads the stack, once. @throws OperatorError STACK_NOT_FOUND */
  stack(): Promise<Stack>;
  ports(): Promise<Ports>;
  /** Writes lines to stdout. */
  print(lines: readonly string[]): void;
  /** Writes one JSON document to stdout. */
  printJson(document: unknown): void;
  /** Writes a line to stderr. */
  say(line: string): void;
  /** Shows what is going on, in a line that the next one replaces, on a terminal; elsewhere nothing, or, with `always`, a line each. */
  progress(line: string | undefined, always?: boolean): void;
  now(): Date;
  sleep(ms: number): Promise<void>;
  /** Asks for a yes. False where nobody is there to be asked. */
  confirm(question: string): Promise<boolean>;
  /** Opens a file or URL with the platform's program for it. @returns whether one could be started */
  open(path: string): Promise<boolean>;
}

/** The adapters of the functions over an operator's clients. */
export async function portsOver(connect: Connect): Promise<Ports> {
  const [iam, mint, secrets] = await Promise.all([
    connect('iam'),
    connect('iam', { maxAttempts: 1, requestTimeout: 10_000 }),
    connect('secretsmanager'),
  ]);
  return { iam: iamKeys(iam, mint), secrets: secretStore(secrets), versions: secretVersions(secrets) };
}
