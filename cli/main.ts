/** The program `iam-key-rotator`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { dispatch } from './dispatch.ts';

for (const stream of [process.stdout, process.stderr]) {
  // Who has read enough may close the pipe.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

/** ms for what was written to be read, if something that was waited for in vain (a credential_process that hangs) keeps this process alive. */
const LINGER = 200;

process.exitCode = await dispatch(process.argv.slice(2), {
  env: process.env,
  clock: { now: Date.now, sleep: (ms) => sleep(ms) },
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  screen: process.stdout,
  errScreen: process.stderr,
  ask: async (question) => {
    if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
    return (await import('./operator/ask.ts')).ask(question);
  },
  open: async (path) => (await import('./operator/open.ts')).open(path),
});
setTimeout(() => process.exit(), LINGER).unref();
