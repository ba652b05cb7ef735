/**
 * An application with the AWS SDK for JavaScript: calls STS on the key that `fromRotatedSecret` gives. A process of its own.
 *
 * Reads a command a line: `time` is answered with its idea of the time, `call N` with what became of N calls, one after the other.
 */
import { createInterface } from 'node:readline';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromRotatedSecret, withFreshCredentials } from '../../../client/index.ts';

const secretId = process.env.EXPERIMENT_SECRET ?? '';
let retriedFresh = 0;
/** Reads of the secret that are under way, those in the background included. */
const reads = new Set<Promise<unknown>>();

const secrets = new SecretsManagerClient({});
secrets.middlewareStack.add(
  (next) => (args) => {
    const read = next(args);
    const over = () => reads.delete(settled);
    const settled: Promise<unknown> = read.then(over, over);
    reads.add(settled);
    return read;
  },
  { step: 'initialize', name: 'countReads' },
);

const sts = withFreshCredentials(
  new STSClient({ credentials: fromRotatedSecret({ secretId, client: secrets, ttl: 300 }) }),
  {
    onRetry: () => {
      retriedFresh += 1;
    },
  },
);

for await (const line of createInterface({ input: process.stdin })) {
  const [command, count] = line.trim().split(' ');
  if (command === 'time') answer({ time: Date.now() });
  else answer({ failures: await calls(Number(count)), retriedFresh });
}

async function calls(times: number) {
  const failures: { code: string; message: string }[] = [];
  for (let index = 0; index < times; index += 1) {
    try {
      await sts.send(new GetCallerIdentityCommand({}));
    } catch (error) {
      const { name: code, message } = error instanceof Error ? error : new Error(String(error));
      failures.push({ code, message });
    }
  }
  // The time moves on only when nothing is under way: a request signed before would be too old.
  while (reads.size > 0) await Promise.all(reads);
  return failures;
}

function answer(body: object): void {
  process.stdout.write(`${JSON.stringify(body)}\n`);
}
