/** How the program comes by a key: out of its file while that is fresh, out of the secret otherwise, and out of the file again if that can't be read. */
import { KeyReadError } from '../errors.ts';
import { readKeyFile, type StoredKey, writeKeyFile } from '../key-file.ts';
import type { RotatedKey } from '../rotated-key.ts';
import { expirationOfFresh, expirationOfKept } from './document.ts';
import { forgetFailure, noteFailure, noteOf, pauseAfter, readFailure } from './failure-note.ts';
import { withFileLock } from './file-lock.ts';
import { saidOf } from './program-error.ts';
import { sweepBeside } from './sweep.ts';
import type { Clock } from './terminal.ts';

/** A read takes 20 seconds at worst: who waits for a bit longer finds what became of it, and need not wait as long again. */
const LOCK = { waitMs: 21_000, staleMs: 30_000 };

/** Times in ms. */
export interface KeyRequest {
  readonly secretId: string;
  readonly ttl: number;
  readonly keepFor: number;
  /** Where the key is kept. `ours` if the place is the program's own, in which whatever else stands there is replaced. */
  readonly file?: { readonly path: string; readonly ours: boolean };
  /** The secret is read with the key in the file. */
  readonly ownKey: boolean;
  /** A key that reads the secret when there is none in the file, or when that is refused. */
  readonly seed?: SeedCredentials;
}

export interface SeedCredentials extends RotatedKey {
  readonly sessionToken?: string;
}

export interface Surroundings {
  readonly clock: Clock;
  /** Reads the secret: with these credentials, or with those that the SDK finds. @throws KeyReadError */
  fetch(credentials?: SeedCredentials): Promise<RotatedKey>;
  warn(text: string): void;
}

/** A key, and until when it may be used without asking again; ms since the epoch. */
export interface Answer {
  readonly key: RotatedKey;
  readonly expiration: number;
}

/** @throws KeyReadError */
export async function obtainKey(request: KeyRequest, around: Surroundings): Promise<Answer> {
  const { file, ttl, ownKey } = request;
  const { clock } = around;
  if (file === undefined) {
    const key = await around.fetch();
    return { key, expiration: expirationOfFresh(clock.now(), ttl) };
  }

  let { stored, unusable } = await look(request, file, around);
  const settled = await settle(request, file.path, stored, around);
  if (settled !== undefined) return settled;

  return withFileLock(file.path, { ...LOCK, clock }, async () => {
    // Whoever had the lock before has read the secret, or has failed to.
    if (unusable === undefined) ({ stored, unusable } = await look(request, file, around));
    const settledMeanwhile = await settle(request, file.path, stored, around);
    if (settledMeanwhile !== undefined) return settledMeanwhile;

    try {
      const key = ownKey ? await fetchWithOwn(request, file.path, stored, around) : await around.fetch();
      const fetchedAt = clock.now();
      await forgetFailure(file.path);
      // What stands at a path that somebody named may be anything, and isn't this program's to replace.
      if (unusable === undefined || file.ours) await keep(request, file.path, { ...key, fetchedAt }, stored, around);
      return { key, expiration: expirationOfFresh(fetchedAt, ttl) };
    } catch (error) {
      if (error instanceof KeyReadError && error.code === 'FILE_UNUSABLE') throw error;
      if (error instanceof KeyReadError) {
        const times = ((await readFailure(file.path))?.times ?? 0) + 1;
        await noteFailure(file.path, { code: error.code, at: clock.now(), times });
        // A key that is refused is no answer.
        if (ownKey && error.code === 'OWN_KEY_REFUSED') throw error;
      }
      const kept = keptKey(request, stored, clock.now());
      // Whatever failed, be it a defect of this program: the key at hand is none the worse for it.
      if (kept === undefined) throw error;
      around.warn(`${saidOf(error)} ${ageOf(kept, clock.now())}`);
      return { key: kept, expiration: expirationOfKept(clock.now()) };
    }
  });
}

interface Found {
  readonly stored?: StoredKey | undefined;
  readonly unusable?: KeyReadError;
}

/** A file that can't be used is as good as none, unless it holds the only key there is. */
async function look(
  { secretId, ownKey }: KeyRequest,
  { path, ours }: NonNullable<KeyRequest['file']>,
  { warn }: Surroundings,
): Promise<Found> {
  try {
    return { stored: await readKeyFile(path, secretId) };
  } catch (error) {
    if (!(error instanceof KeyReadError) || ownKey) throw error;
    warn(`${error.message} The secret is read instead, and the file ${ours ? 'replaced' : 'left as it is'}.`);
    return { unusable: error };
  }
}

/** The answer that needs no read: the key is fresh; or an attempt has failed a moment ago. @throws KeyReadError that it has */
async function settle(
  request: KeyRequest,
  path: string,
  stored: StoredKey | undefined,
  { clock, warn }: Surroundings,
): Promise<Answer | undefined> {
  const now = clock.now();
  if (stored !== undefined && isFresh(stored, request.ttl, now)) {
    return { key: stored, expiration: expirationOfFresh(stored.fetchedAt, request.ttl) };
  }
  const failure = await readFailure(path);
  // A failure in the future is one of a clock that was set back since.
  if (failure === undefined || now < failure.at || now >= failure.at + pauseAfter(failure)) return undefined;
  const again = `try again in ${seconds(failure.at + pauseAfter(failure) - now)}, or at once by deleting '${noteOf(path)}'`;
  if (request.ownKey && failure.code === 'OWN_KEY_REFUSED') {
    // A key of the environment is the remedy, and is tried at once.
    if (stored === undefined || isOther(request.seed, stored)) return undefined;
    throw ownKeyRefused(path, stored, `was refused ${seconds(now - failure.at)} ago`, `${again}; before that `);
  }
  const kept = keptKey(request, stored, now);
  const recently = `the secret could not be read ${seconds(now - failure.at)} ago`;
  if (kept !== undefined) {
    warn(`${failure.code}: ${recently}. ${ageOf(kept, now)}`);
    return { key: kept, expiration: expirationOfKept(now) };
  }
  // Without a key at hand only the wait is spared. What is refused at once may have been mended meanwhile.
  if (failure.code !== 'SECRET_UNAVAILABLE') return undefined;
  throw new KeyReadError('SECRET_UNAVAILABLE', {
    found: `${recently}, and no key is at hand that may still be used`,
    expected: 'an answer of Secrets Manager',
    remedy: again,
  });
}

/** A key of the future was read under a clock that was set back since: nobody knows how old it is. */
const isFresh = ({ fetchedAt }: StoredKey, ttl: number, now: number) => fetchedAt <= now && now < fetchedAt + ttl;

/** The key of the file, if it may still be handed out. */
const keptKey = ({ keepFor }: KeyRequest, stored: StoredKey | undefined, now: number) =>
  stored !== undefined && now < stored.fetchedAt + keepFor ? stored : undefined;

const ageOf = ({ fetchedAt }: StoredKey, now: number) =>
  `The key that was read ${seconds(Math.max(now - fetchedAt, 0))} ago is used meanwhile.`;

const seconds = (ms: number) => `${Math.ceil(ms / 1000)} s`;

/** Reads the secret with the key that it held before. */
async function fetchWithOwn(
  request: KeyRequest,
  path: string,
  stored: StoredKey | undefined,
  { fetch, warn }: Surroundings,
) {
  const { seed } = request;
  if (stored === undefined) {
    if (seed !== undefined) return fetch(seed);
    throw new KeyReadError('FILE_UNUSABLE', {
      found: `no file '${path}', and no key in the environment`,
      expected: 'a key that reads the secret for the first time',
      remedy: 'run it once by hand with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in its environment',
    });
  }
  try {
    return await fetch(stored);
  } catch (error) {
    if (!(error instanceof KeyReadError) || error.code !== 'OWN_KEY_REFUSED') throw error;
    if (isOther(seed, stored)) {
      warn('OWN_KEY_REFUSED: the key in the file is refused. The one in the environment is tried.');
      return fetch(seed);
    }
    throw ownKeyRefused(path, stored, 'is refused', '', { cause: error });
  }
}

const isOther = (seed: SeedCredentials | undefined, stored: StoredKey): seed is SeedCredentials =>
  seed !== undefined && seed.accessKeyId !== stored.accessKeyId;

const ownKeyRefused = (path: string, stored: StoredKey, how: string, first: string, options?: ErrorOptions) =>
  new KeyReadError(
    'OWN_KEY_REFUSED',
    {
      found: `the key ${stored.accessKeyId} in '${path}', read ${new Date(stored.fetchedAt).toISOString()}, ${how}`,
      expected: 'a key that is still Active: this must run at least once in each overlap',
      remedy: `${first}activate the key if it is only disabled (aws iam update-access-key --status Active), or run it once by hand with the current key as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in its environment`,
    },
    options,
  );

async function keep(
  { secretId, ownKey }: KeyRequest,
  path: string,
  key: RotatedKey & { readonly fetchedAt: number },
  stored: StoredKey | undefined,
  { warn }: Surroundings,
): Promise<void> {
  try {
    await writeKeyFile(path, { ...key, secretId });
    await sweepBeside(path, key.fetchedAt);
  } catch (error) {
    // At the first start of a machine that lives by the file somebody is looking. Later its last key goes on working until the overlap ends.
    if (!(error instanceof KeyReadError) || (ownKey && stored === undefined)) throw error;
    warn(error.message);
  }
}
