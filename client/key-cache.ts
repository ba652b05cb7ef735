/** The key at hand: when it is read anew, who waits for that, and for how long it is handed on if that fails. */
import type { AwsCredentialIdentity } from '@smithy/types';
import type { Clock } from './clock.ts';
import { codeOf } from './code-of.ts';
import { KeyReadError } from './errors.ts';
import { unavailable } from './fetch-key.ts';
import { type KeyWarning, tell } from './hooks.ts';
import type { Durations } from './options.ts';
import type { RotatedKey } from './rotated-key.ts';

/** A key, and when its reading began, in ms since the epoch. */
export interface Held extends RotatedKey {
  readonly fetchedAt: number;
}

/** Where the cache gets its keys, and keeps them. */
export interface KeySource {
  /** Reads the secret. Knows the key at hand and the one before it. */
  read(held: RotatedKey | undefined, previous: RotatedKey | undefined): Promise<RotatedKey>;
  /** The key that an earlier process has kept. */
  restore?(): Promise<Held | undefined>;
  /** Whether `restore` is the first thing to do. Otherwise it is for the case that the first reading fails. */
  readonly restoresFirst?: boolean;
  /** Keeps a key for a later process. */
  keep?(key: Held): Promise<void>;
}

/** Readings that failed, one after the other. */
interface Failure {
  readonly error: KeyReadError;
  /** When the first one began. */
  readonly since: number;
  /** When the last one ended. */
  readonly at: number;
  readonly count: number;
}

/**
 * The SDK asks its provider at every request from 5 minutes before the expiration on, and never without one.
 *
 * @see node_modules/@smithy/core: memoizeIdentityProvider
 */
const SDK_WINDOW_MS = 300_000;
/** A key that is older than its ttl and this, or twice its ttl, is not signed with while a newer one is on its way. */
const GRACE_MS = 300_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** Between readings because the key is refused: the longer one when that many have brought no other key. */
const FORCED_PAUSE_MS = 2000;
const FRUITLESS_PAUSE_MS = 30_000;
const FRUITLESS = 30;

/**
 * Gives the key to sign with, and until when the SDK need not ask again.
 *
 * @returns a function that is told whether a key has been refused: then the secret is read at once. It rejects with a KeyReadError, why there
 * is no key
 */
export function keyCache(
  source: KeySource,
  { ttl, keepFor }: Durations,
  clock: Pick<Clock, 'now'>,
  onWarning: ((warning: KeyWarning) => void) | undefined,
): (refused: boolean) => Promise<AwsCredentialIdentity> {
  let held: Held | undefined;
  let previous: RotatedKey | undefined;
  let failure: Failure | undefined;
  /** The reading under way: the key, or undefined if it failed. Never rejects. */
  let reading: Promise<Held | undefined> | undefined;
  let restoring: Promise<unknown> | undefined;
  let forcedAt = 0;
  let fruitless = 0;

  const age = () => (held ? clock.now() - held.fetchedAt : Number.POSITIVE_INFINITY);
  const isUsable = () => age() < keepFor;
  /** Grows only while a key is at hand: an application that has none should not wait for longer than it must. */
  const pauseAfter = (count: number) =>
    isUsable() ? Math.min(FIRST_PAUSE_MS * 2 ** (count - 1), LONGEST_PAUSE_MS) : FIRST_PAUSE_MS;

  function warn(error: KeyReadError, done: string): void {
    tell(onWarning, { code: error.code, message: `${error.code}: ${error.found}. ${done}`, error });
  }

  function read(): void {
    reading = attempt().finally(() => {
      reading = undefined;
    });
  }

  async function attempt(): Promise<Held | undefined> {
    const fetchedAt = clock.now();
    try {
      const { accessKeyId, secretAccessKey } = await source.read(held, previous);
      const fresh = { accessKeyId, secretAccessKey, fetchedAt };
      // Before it is used: what reads the next key must outlive this process.
      await source.keep?.(fresh).catch((error) => {
        warn(readErrorOf(error), 'The key is in memory alone until the next reading');
      });
      if (held && held.accessKeyId !== accessKeyId) {
        previous = held;
        fruitless = 0;
      }
      held = fresh;
      failure = undefined;
      return fresh;
    } catch (error) {
      await failed(readErrorOf(error), fetchedAt);
      return undefined;
    }
  }

  async function failed(error: KeyReadError, began: number): Promise<void> {
    if (!held) {
      held = await source.restore?.().catch((unusable) => {
        warn(readErrorOf(unusable), 'The file is left alone');
        return undefined;
      });
    }
    const count = (failure?.count ?? 0) + 1;
    failure = { error, since: failure?.since ?? began, at: clock.now(), count };
    if (!held || !isUsable()) return;
    const next = `the next reading is in ${pauseAfter(count) / 1000} s or later`;
    warn(
      error,
      `${held.accessKeyId}, read ${iso(held.fetchedAt)}, is used until ${iso(held.fetchedAt + keepFor)}; ${next}`,
    );
  }

  /** Reads the secret if it is time. @returns what has to be waited for, because the key at hand is too old to be handed out meanwhile */
  function refresh(): Promise<Held | undefined> | undefined {
    const old = age();
    if (old >= 0 && old < ttl) return undefined;
    if (!reading && (!failure || elapsed(failure.at, pauseAfter(failure.count)))) read();
    // Once a reading has failed, waiting for each next one would be paid by requests that the key at hand can still serve.
    return !isUsable() || (!failure && old >= ttl + Math.min(ttl, GRACE_MS)) ? reading : undefined;
  }

  /** Reads the secret now, or shares a reading under way; but not a moment after another one, which would bring the same. */
  async function force(): Promise<Held | undefined> {
    const refused = held?.accessKeyId;
    const shared = await reading;
    if (shared && shared.accessKeyId !== refused) return shared;
    if (!reading && elapsed(forcedAt, fruitless < FRUITLESS ? FORCED_PAUSE_MS : FRUITLESS_PAUSE_MS)) {
      forcedAt = clock.now();
      fruitless += 1;
      read();
    }
    return reading;
  }

  /** Whether that many ms are over; also if the clock has been put back. */
  function elapsed(since: number, pause: number): boolean {
    const waited = clock.now() - since;
    return waited >= pause || waited < 0;
  }

  /** Once, however many ask; again after an error. */
  async function restored(): Promise<void> {
    restoring ??= source.restore?.().then((kept) => {
      held = kept;
    });
    try {
      await restoring;
    } catch (error) {
      restoring = undefined;
      throw error;
    }
  }

  /** @throws KeyReadError why there is no key that may be used */
  function usable(): Held {
    if (held && isUsable()) return held;
    const { error, since } = failure ?? { error: unavailable('nothing read'), since: clock.now() };
    if (!held) throw error;
    const found = `no reading succeeds since ${iso(since)}; the last one: ${error.found}`;
    const expected = `a key read less than ${keepFor / 1000} s ago: the last one is of ${iso(held.fetchedAt)}`;
    throw new KeyReadError(error.code, { found, expected, remedy: error.remedy }, { cause: error });
  }

  return async (refused) => {
    if (source.restoresFirst) await restored();
    const { accessKeyId, secretAccessKey, fetchedAt } = (await (refused ? force() : refresh())) ?? usable();
    const now = clock.now();
    const until = Math.max(Math.min(fetchedAt, now) + ttl, now);
    return { accessKeyId, secretAccessKey, expiration: new Date(until + SDK_WINDOW_MS) };
  };
}

const iso = (time: number) => new Date(time).toISOString();

/** Errors of others may say anything, and are not quoted. */
function readErrorOf(error: unknown): KeyReadError {
  return error instanceof KeyReadError ? error : unavailable(codeOf(error));
}
