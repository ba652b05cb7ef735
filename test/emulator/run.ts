/**
 * `npm run test:emulator`: the tests of this folder, with a moto server beside them. Arguments are handed on to vitest as filters.
 *
 * Exit status: that of vitest, or 1 where moto can't be had.
 */
import { fileURLToPath } from 'node:url';
import { startVitest } from 'vitest/node';
import { CannotRun, findMoto, type RunningMoto, startMoto } from './moto.ts';

// The developer's own account has no part in this, neither in the server nor in the tests.
for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];

let moto: RunningMoto;
try {
  moto = await startMoto(findMoto((line) => console.log(line)));
} catch (error) {
  if (!(error instanceof CannotRun)) throw error;
  console.error(error.message);
  process.exit(1);
}
process.once('exit', moto.stop);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
process.env.MOTO_ENDPOINT = moto.endpoint;
const config = fileURLToPath(new URL('vitest.config.ts', import.meta.url));
const vitest = await startVitest('test', process.argv.slice(2), { config, run: true, watch: false });
await vitest.close();
moto.stop();
