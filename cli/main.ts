/** The program `iam-key-rotator`. */
import { setTimeout } from 'node:timers/promises';
import { dispatch } from './dispatch.ts';

for (const stream of [process.stdout, process.stderr]) {
  // Who has read enough may close the pipe.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

process.exitCode = await dispatch(process.argv.slice(2), {
  env: process.env,
  clock: { now: Date.now, sleep: (ms) => setTimeout(ms) },
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
