import { createInterface } from 'node:readline/promises';

/** Asks on stderr, so that stdout stays for what the command prints. @returns undefined if the input ends without an answer */
export async function ask(question: string): Promise<string | undefined> {
  const readline = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await Promise.race([
      readline.question(question),
      new Promise<undefined>((resolve) => readline.once('close', () => resolve(undefined))),
    ]);
  } finally {
    readline.close();
  }
}
