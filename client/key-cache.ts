/** The key at hand: when it is read anew, who waits for that, and for how long it is handed on if that fails. */
import type { AwsCredentialIdentity } from '@smithy/types';
import type { Clock } from './clock.ts';
import { KeyReadError } from './errors.ts';
import type { KeyWarning } from './hooks.ts';
import type { Durations } from './options.ts';
import type { RotatedKey } from './rotated-key.ts';

/** A key, and when its reading began, in ms since the epoch. */
export interface Held extends RotatedKey {
  readonly fetchedAt: number;
}

/** Where the cache gets its keys, and keeps them. */
export interface KeySource {
  /** Reads the secret. Knows the key at hand and the one before it. @throws KeyReadError */
  read(held: RotatedKey | undefined, previous: RotatedKey | undefined): Promise<RotatedKey>;
  /** The key of an earlier process. @throws KeyReadError */
  restore(): Promise<Held | undefined>;
  /** Whether `restore` is the first thing to do, or only for the case that the first reading fails. */
  readonly restoresFirst: boolean;
  /** Keeps the key for a later process. Never throws. */
  keep(key: Held): Promise<void>;
}

interface Failure {
  readonly error: KeyReadError;
  /** When the first reading in a row that failed began. */
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
/** A key whose time is over by more than this, or by as much again, is not signed with while a newer one is on its way. */
const GRACE_MS = 300_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** Between readings that were asked for because the key is refused; the longer one after a minute without another key. */
const FORCED_PAUSE_MS = 2000;
const FRUITLESS_PAUSE_MS = 30_000;
const FRUITLESS = 30;

export class KeyCache {
  readonly #source: KeySource;
  readonly #durations: Durations;
  readonly #now: () => number;
  readonly #warn: (warning: KeyWarning) => void;
  #held: Held | undefined;
  #previous: RotatedKey | undefined;
  #failure: Failure | undefined;
  /** The reading under way: the key, or undefined if it failed. Never rejects. */
  #reading: Promise<Held | undefined> | undefined;
  #restoring: Promise<void> | undefined;
  #forcedAt = Number.NEGATIVE_INFINITY;
  #fruitless = 0;

  constructor(
    source: KeySource,
    durations: Durations,
    { now }: Pick<Clock, 'now'>,
    warn: (warning: KeyWarning) => void,
  ) {
    this.#source = source;
    this.#durations = durations;
    this.#now = now;
    this.#warn = warn;
  }

  /**
   * The key to sign with, and until when the SDK need not ask again.
   *
   * @param refused whether a key has been refused: the secret is read at once
   * @throws KeyReadError why there is no key
   */
  async get(refused: boolean): Promise<AwsCredentialIdentity> {
    if (this.#source.restoresFirst) await this.#restore();
    const fresh = await (refused ? this.#force() : this.#refresh());
    return this.#identity(fresh ?? this.#usable());
  }

  /** Reads the secret if it is time, and waits for that if the key is too old to be handed out meanwhile. */
  async #refresh(): Promise<Held | undefined> {
    const age = this.#age();
    if (age >= 0 && age < this.#durations.ttl) return undefined;
    if (this.#reading === undefined && this.#mayTry()) this.#read();
    const old = age >= this.#durations.ttl + Math.min(this.#durations.ttl, GRACE_MS);
    // Once a reading has failed, waiting for each next one would be paid by requests that the key at hand can still serve.
    return !this.#isUsable() || (old && this.#failure === undefined) ? this.#reading : undefined;
  }

  /** Reads the secret now, or shares a reading under way; but not a moment after another one, which would bring the same. */
  async #force(): Promise<Held | undefined> {
    const refused = this.#held?.accessKeyId;
    const shared = await this.#reading;
    if (shared !== undefined && shared.accessKeyId !== refused) return shared;
    const pause = this.#fruitless < FRUITLESS ? FORCED_PAUSE_MS : FRUITLESS_PAUSE_MS;
    const waited = this.#now() - this.#forcedAt;
    if (this.#reading === undefined && (waited >= pause || waited < 0)) {
      this.#forcedAt = this.#now();
      this.#fruitless += 1;
      this.#read();
    }
    return this.#reading;
  }

  #mayTry(): boolean {
    if (this.#failure === undefined) return true;
    const waited = this.#now() - this.#failure.at;
    return waited < 0 || waited >= this.#pause(this.#failure.count);
  }

  /** Grows only while a key is at hand: an application that has none should not wait longer than Secrets Manager is away. */
  #pause(failures: number): number {
    return this.#isUsable() ? Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS) : FIRST_PAUSE_MS;
  }

  #read(): void {
    this.#reading = this.#attempt().finally(() => {
      this.#reading = undefined;
    });
  }

  async #attempt(): Promise<Held | undefined> {
    const fetchedAt = this.#now();
    try {
      const held = { ...(await this.#source.read(this.#held, this.#previous)), fetchedAt };
      // Before it is used: what reads the next key must outlive this process.
      await this.#source.keep(held);
      if (this.#held !== undefined && this.#held.accessKeyId !== held.accessKeyId) {
        this.#previous = this.#held;
        this.#fruitless = 0;
      }
      this.#held = held;
      this.#failure = undefined;
      return held;
    } catch (error) {
      await this.#failed(asReadError(error), fetchedAt);
      return undefined;
    }
  }

  async #failed(error: KeyReadError, began: number): Promise<void> {
    if (this.#held === undefined && !this.#source.restoresFirst) {
      try {
        this.#held = await this.#source.restore();
      } catch (unusable) {
        this.#warnOf(asReadError(unusable), 'the file is left alone');
      }
    }
    const count = (this.#failure?.count ?? 0) + 1;
    this.#failure = { error, since: this.#failure?.since ?? began, at: this.#now(), count };
    if (this.#held === undefined || !this.#isUsable()) return;
    const { accessKeyId, fetchedAt } = this.#held;
    const until = new Date(fetchedAt + this.#durations.keepFor).toISOString();
    const next = `the secret is read again in ${this.#pause(count) / 1000} s at the earliest`;
    this.#warnOf(error, `key ${accessKeyId}, read at ${iso(fetchedAt)}, is handed on until ${until}; ${next}`);
  }

  /** Once, however many ask; again after an error. */
  #restore(): Promise<void> {
    this.#restoring ??= this.#source.restore().then(
      (held) => {
        this.#held ??= held;
      },
      (error) => {
        this.#restoring = undefined;
        throw error;
      },
    );
    return this.#restoring;
  }

  #age(): number {
    return this.#held === undefined ? Number.POSITIVE_INFINITY : this.#now() - this.#held.fetchedAt;
  }

  #isUsable(): boolean {
    return this.#age() < this.#durations.keepFor;
  }

  /** @throws KeyReadError why there is no key that may be used */
  #usable(): Held {
    if (this.#held !== undefined && this.#isUsable()) return this.#held;
    const { error, since } = this.#failure ?? { error: asReadError(undefined), since: this.#now() };
    if (this.#held === undefined) throw error;
    const limit = this.#durations.keepFor / 1000;
    const found = `readings that fail since ${iso(since)}, the last one with: ${error.found}`;
    const expected = `a reading that succeeds, or a key read less than ${limit} s ago: the last one is of ${iso(this.#held.fetchedAt)}`;
    throw new KeyReadError(error.code, { found, expected, remedy: error.remedy }, { cause: error });
  }

  #identity({ accessKeyId, secretAccessKey, fetchedAt }: Held): AwsCredentialIdentity {
    const now = this.#now();
    const until = Math.max(Math.min(fetchedAt, now) + this.#durations.ttl, now);
    return { accessKeyId, secretAccessKey, expiration: new Date(until + SDK_WINDOW_MS) };
  }

  #warnOf(error: KeyReadError, done: string): void {
    this.#warn({ code: error.code, message: `${error.code}: ${error.found}. ${done}`, error });
  }
}

const iso = (time: number) => new Date(time).toISOString();

/** Anything else is a mistake of this program's or of a hook's; what it says may be anything. */
function asReadError(error: unknown): KeyReadError {
  if (error instanceof KeyReadError) return error;
  const found = `an error that was not foreseen: ${error instanceof Error ? error.name : typeof error}`;
  return new KeyReadError('SECRET_UNAVAILABLE', { found, expected: 'the current key', remedy: 'report this' });
}
