/** What processes leave behind that are killed between writing a file and giving it its name: it may hold a key that is still good. */
import { lstat, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** ms after which nobody is still about to rename it: writing takes a moment. */
const ABANDONED = 3_600_000;

/** As `replaceFile` names what it writes beside the key file, and beside the note of a failure. */
const BESIDE = /^\.(failed\.)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Removes what was left beside a key file, an application's that shares it included. Whatever can't be removed stays.
 *
 * @param now ms since the epoch
 */
export async function sweepBeside(path: string, now: number): Promise<void> {
  const [folder, name] = [dirname(path), basename(path)];
  const names = await readdir(folder).catch(() => []);
  for (const one of names.filter((other) => other.startsWith(name) && BESIDE.test(other.slice(name.length)))) {
    const left = join(folder, one);
    const { mtimeMs } = await lstat(left).catch(() => ({ mtimeMs: now }));
    if (now - mtimeMs >= ABANDONED) await rm(left, { force: true }).catch(() => {});
  }
}
