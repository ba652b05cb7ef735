/** A note beside a key file that the secret could not be read: many starts during an outage must not each wait for it. Nothing secret is in it. */
import { readFile, rm } from 'node:fs/promises';
import { READ_ERRORS, type ReadErrorCode } from '../errors.ts';
import { replaceFile } from '../key-file.ts';

/** The last attempt failed. */
export interface Failure {
  readonly code: ReadErrorCode;
  /** When, ms since the epoch. */
  readonly at: number;
  /** How many attempts have failed in a row. */
  readonly times: number;
}

const FIRST_PAUSE = 5000;
const LONGEST_PAUSE = 60_000;

/** Refusals that are followed by no pause: they come at once, and a key that is new is refused here and there for a moment. */
const FREE_REFUSALS = 2;

/** For how long after a failure no other attempt is made, in ms: 5 s, then twice as long each time, at most a minute. */
export function pauseAfter({ code, times }: Failure): number {
  const counted = code === 'OWN_KEY_REFUSED' ? times - FREE_REFUSALS : times;
  return counted < 1 ? 0 : Math.min(FIRST_PAUSE * 2 ** (counted - 1), LONGEST_PAUSE);
}

export const noteOf = (path: string) => `${path}.failed`;

/** @returns undefined if the last attempt didn't fail, or if nobody can tell */
export async function readFailure(path: string): Promise<Failure | undefined> {
  try {
    const parsed: unknown = JSON.parse(await readFile(noteOf(path), 'utf8'));
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const { code, at, times }: Record<string, unknown> = { ...parsed };
    if (!isCode(code) || typeof at !== 'number' || typeof times !== 'number' || !(times >= 1)) return undefined;
    return { code, at, times };
  } catch {
    return undefined;
  }
}

/** Notes a failure, if it can: without the note the next start tries again, which is right as well. */
export async function noteFailure(path: string, failure: Failure): Promise<void> {
  await replaceFile(noteOf(path), `${JSON.stringify(failure)}\n`).catch(() => {});
}

/** The secret was read. */
export async function forgetFailure(path: string): Promise<void> {
  await rm(noteOf(path), { force: true }).catch(() => {});
}

const isCode = (code: unknown): code is ReadErrorCode => typeof code === 'string' && Object.hasOwn(READ_ERRORS, code);
