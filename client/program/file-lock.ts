/** One process at a time, as far as that can be had with files alone. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { codeOf } from '../code-of.ts';
import type { Clock } from './terminal.ts';

export interface LockOptions {
  /** How long to wait for another process, in ms. Past it the work is done without the lock. */
  readonly waitMs: number;
  /** From what age a lock is taken for one of a process that is gone, in ms. */
  readonly staleMs: number;
  readonly clock: Clock;
}

const POLL_MS = 40;

/**
 * Does the work while no other process that asks for the same lock does.
 *
 * It saves work and guards nothing: who waits too long, or can't make the file, goes on without it. So the work must be right without it, too.
 * A process that died is known by its id, if it was on this machine, and by the age of its lock in any case; its lock is removed under
 * a second one, lest two processes that find it at once remove each other's new one.
 *
 * @param path what the work is about; the lock is the file `<path>.lock`
 */
export async function withFileLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  const token = randomUUID();
  const held = await acquire(lock, token, options);
  try {
    return await work();
  } finally {
    if (held) await release(lock, token);
  }
}

async function acquire(lock: string, token: string, options: LockOptions): Promise<boolean> {
  const { clock, waitMs } = options;
  const until = clock.now() + waitMs;
  for (;;) {
    const created = await create(lock, token, clock);
    if (created !== 'exists') return created === 'created';
    if (await isStale(lock, options)) {
      await removeStale(lock, token, options);
      // Whether this process has removed it or another: who creates it next has it.
      if ((await create(lock, token, clock)) === 'created') return true;
    }
    if (clock.now() >= until) return false;
    await clock.sleep(POLL_MS);
  }
}

async function create(lock: string, token: string, clock: Clock): Promise<'created' | 'exists' | 'impossible'> {
  try {
    await mkdir(dirname(lock), { recursive: true, mode: 0o700 });
    const file = await open(lock, 'wx', 0o600);
    try {
      await file.writeFile(JSON.stringify({ token, pid: process.pid, host: hostname(), at: clock.now() }));
    } catch (error) {
      // A full disk has room for a name. An empty lock would have all others wait for nobody.
      await rm(lock, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return 'created';
  } catch (error) {
    return codeOf(error) === 'EEXIST' ? 'exists' : 'impossible';
  }
}

async function release(lock: string, token: string): Promise<void> {
  // It may have been taken for stale, and be another's by now.
  if ((await holderOf(lock))?.token === token) await rm(lock, { force: true });
}

async function removeStale(lock: string, token: string, options: LockOptions): Promise<void> {
  const guard = `${lock}.takeover`;
  if ((await create(guard, token, options.clock)) !== 'created') {
    // Its maker died in the few instructions that it holds it for; or is at it.
    if (await isStale(guard, options)) await rm(guard, { force: true });
    return;
  }
  try {
    if (await isStale(lock, options)) await rm(lock, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

interface Holder {
  readonly token: unknown;
  readonly pid: number;
  readonly host: unknown;
  readonly at: number;
}

async function isStale(lock: string, { clock, staleMs }: LockOptions): Promise<boolean> {
  const holder = await holderOf(lock);
  // A lock from the future is one of a clock that was set back since.
  const tooOld = (since: number) => Math.abs(clock.now() - since) >= staleMs;
  if (holder !== undefined) return tooOld(holder.at) || (holder.host === hostname() && !isAlive(holder.pid));
  try {
    // Nothing in it yet, or nothing that a lock has in it.
    return tooOld((await stat(lock)).mtimeMs);
  } catch {
    return false;
  }
}

async function holderOf(lock: string): Promise<Holder | undefined> {
  try {
    const parsed: unknown = JSON.parse(await readFile(lock, 'utf8'));
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const { token, pid, host, at }: Record<string, unknown> = { ...parsed };
    return typeof pid === 'number' && pid > 0 && typeof at === 'number' ? { token, pid, host, at } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}
