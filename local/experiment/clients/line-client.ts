/** A client that is one process for the whole experiment: a command a line goes in, an answer a line comes out. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { type CallFailure, type Client, type ClientName, ClientUnavailableError, failureSchema } from './client.ts';

const answerSchema = z.object({
  time: z.number().optional(),
  failures: z.array(failureSchema).default([]),
  retriedFresh: z.number().optional(),
});
type Answer = z.infer<typeof answerSchema>;

export class LineClient implements Client {
  readonly name: ClientName;
  readonly #child: ChildProcess;
  readonly #ended: Promise<never>;
  readonly #answers: AsyncIterator<string>;
  #retriedFresh: number | undefined;

  /**
   * @param command the program and its arguments
   * @param tell gets what the process writes to stderr
   */
  constructor(
    name: ClientName,
    [program = '', ...args]: readonly string[],
    env: NodeJS.ProcessEnv,
    tell: (text: string) => void,
  ) {
    this.name = name;
    const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.stderr.setEncoding('utf8').on('data', tell);
    // Writing to a process that has ended is told by its end.
    child.stdin.on('error', () => {});
    this.#ended = new Promise((_, reject) => {
      child.once('error', reject);
      child.once('exit', (status, signal) =>
        reject(new ClientUnavailableError(`the client ${name} ended with ${signal ?? `status ${status}`}`)),
      );
    });
    this.#ended.catch(() => {});
  }

  async time(): Promise<number> {
    return (await this.#ask('time')).time ?? Number.NaN;
  }

  async call(times: number): Promise<readonly CallFailure[]> {
    const { failures, retriedFresh } = await this.#ask(`call ${times}`);
    this.#retriedFresh = retriedFresh;
    return failures;
  }

  retriedFresh(): number | undefined {
    return this.#retriedFresh;
  }

  async close(): Promise<void> {
    this.#child.stdin?.end();
    await this.#ended.catch(() => {});
  }

  async #ask(command: string): Promise<Answer> {
    this.#child.stdin?.write(`${command}\n`);
    const answer = await Promise.race([this.#answers.next(), this.#ended]);
    // Without a further line the process is ending.
    return answer.done === true ? this.#ended : answerSchema.parse(JSON.parse(answer.value));
  }
}
