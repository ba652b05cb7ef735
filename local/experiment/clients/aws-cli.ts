/** The AWS CLI: a process a call, on the key that the profile `app` gives, which names a credential_process. */
import { execFile } from 'node:child_process';
import { type CallFailure, type Client, ClientUnavailableError } from './client.ts';

const CALL = ['sts', 'get-caller-identity', '--profile', 'app', '--output', 'json'];

/** `An error occurred (InvalidClientTokenId) when calling …`; all else ended before a call was sent. */
const REFUSED = /An error occurred \((\w+)\)/;

export class AwsCli implements Client {
  readonly name = 'cli';
  readonly #env: NodeJS.ProcessEnv;
  readonly #tell: (text: string) => void;

  /** @param tell gets what the processes write to stderr */
  constructor(env: NodeJS.ProcessEnv, tell: (text: string) => void) {
    this.#env = env;
    this.#tell = tell;
  }

  /** The date by which it signs, as `--debug` shows it. */
  async time(): Promise<number> {
    const { said } = await this.#run([...CALL, '--debug']);
    const [, day, hour, minute, second] = /x-amz-date:(\d{8})T(\d\d)(\d\d)(\d\d)Z/.exec(said) ?? [];
    if (day === undefined) throw new ClientUnavailableError(`the AWS CLI sent no request: ${said.slice(-400)}`);
    const date = day.replace(/(\d{4})(\d\d)(\d\d)/, '$1-$2-$3');
    return Date.parse(`${date}T${hour}:${minute}:${second}Z`);
  }

  async call(times: number): Promise<readonly CallFailure[]> {
    const failures: CallFailure[] = [];
    for (let index = 0; index < times; index += 1) {
      const { ok, said } = await this.#run(CALL);
      this.#tell(said);
      if (!ok) failures.push({ code: REFUSED.exec(said)?.[1] ?? 'NoCredentials', message: said.trim() });
    }
    return failures;
  }

  retriedFresh(): undefined {}

  async close(): Promise<void> {}

  #run(args: readonly string[]): Promise<{ readonly ok: boolean; readonly said: string }> {
    return new Promise((resolve) => {
      execFile('aws', args, { env: this.#env, maxBuffer: 16 * 1024 * 1024 }, (error, _, said) =>
        resolve({ ok: error === null, said }),
      );
    });
  }
}
