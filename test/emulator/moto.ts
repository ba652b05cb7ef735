/** moto, an emulator of AWS that nobody here wrote: finding or installing it, and running it on the loopback interface. */
import { execFileSync, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The version that is installed, and whose differences from AWS differences.test.ts lists. */
export const MOTO_VERSION = '5.2.5';

const CACHE = fileURLToPath(new URL(`../../node_modules/.cache/moto-${MOTO_VERSION}/`, import.meta.url));
const READY_TRIES = 150;
const READY_PAUSE_MS = 200;

/** A failure that its message explains: shown without a stack. */
export class CannotRun extends Error {}

export interface RunningMoto {
  readonly endpoint: string;
  /** Ends it at once; it has nothing to save. */
  stop(): void;
}

/** Path of `moto_server`: from PATH, or else from a virtual environment that is made at the first run. */
export function findMoto(log: (line: string) => void): string {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const found = join(folder, 'moto_server');
    // Asked for its usage: a version manager's shim may stand there without the program behind it.
    if (folder === '' || !existsSync(found) || spawnSync(found, ['--help']).status !== 0) continue;
    log('moto_server: the one on PATH');
    return found;
  }
  const command = join(CACHE, 'bin', 'moto_server');
  // Written last: an installation that was interrupted is done again.
  const complete = join(CACHE, 'complete');
  if (existsSync(complete) && existsSync(command)) {
    log(`moto_server: ${MOTO_VERSION}, installed by an earlier run`);
    return command;
  }
  log(`moto_server: not on PATH; installing moto[server] ${MOTO_VERSION} into node_modules/.cache ...`);
  rmSync(CACHE, { recursive: true, force: true });
  mkdirSync(CACHE, { recursive: true });
  run('python3', ['-m', 'venv', CACHE]);
  run(join(CACHE, 'bin', 'python'), [
    ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'],
    `moto[server]==${MOTO_VERSION}`,
  ]);
  writeFileSync(complete, '');
  return command;
}

/** Starts the server on a free port, and waits until it answers. */
export async function startMoto(command: string): Promise<RunningMoto> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  // In a process group of its own, so that what a wrapper on PATH may have started ends with it.
  const server = spawn(command, ['-H', '127.0.0.1', '-p', String(port)], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  server.stderr.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-2000);
  });
  const ended = new Promise<string>((resolve) => {
    server.once('exit', (code, signal) => resolve(`it ended with ${code ?? signal}`));
    server.once('error', (error) => resolve(error.message));
  });
  let end: string | undefined;
  void ended.then((how) => {
    end = how;
  });
  const stop = () => {
    if (end === undefined && server.pid !== undefined) process.kill(-server.pid, 'SIGKILL');
  };
  for (let tries = 0; tries < READY_TRIES && end === undefined; tries += 1) {
    const answer = await fetch(`${endpoint}/moto-api/data.json`).catch(() => undefined);
    if (answer?.ok === true) return { endpoint, stop };
    await Promise.race([ended, sleep(READY_PAUSE_MS)]);
  }
  const why = end ?? `it did not answer within ${(READY_TRIES * READY_PAUSE_MS) / 1000} seconds`;
  stop();
  throw new CannotRun(`${command} can't be used: ${why}\n${said}`);
}

function run(command: string, args: readonly string[]): void {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { stdout, stderr } = error as SpawnSyncReturns<Buffer>;
    const said = `${stdout ?? ''}${stderr ?? ''}`.trim().split('\n').slice(-8).join('\n');
    throw new CannotRun(
      [
        `moto_server is not on PATH and could not be installed: ${command} ${args.slice(0, 3).join(' ')} failed.`,
        said || (error instanceof Error ? error.message : String(error)),
        'Install Python 3.10 or newer with pip and venv (Debian, Ubuntu: apt-get install python3 python3-venv python3-pip),',
        `or put moto_server on PATH (pipx install 'moto[server]==${MOTO_VERSION}'), and run this again.`,
      ].join('\n'),
      { cause: error },
    );
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no free port')),
      );
    });
  });
}
