/** The file in which a key outlives the process that read it. Kept small: each application that uses the client has it in its bundle. */
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './code-of.ts';
import { KeyReadError } from './errors.ts';
import { isText, type RotatedKey } from './rotated-key.ts';

/** A key, whose it is, and how old. */
export interface StoredKey extends RotatedKey {
  readonly secretId: string;
  /** When the secret was read, ms since the epoch. */
  readonly fetchedAt: number;
}

/** Version of the file's form; a file of another one isn't read. */
const FORMAT_VERSION = 1;
/** Nothing about deleting it: it may be the only key that an application has. */
const ABOUT = 'Kept by iam-key-rotator';
/** Bits of the mode that let others than the owner in. */
const OTHERS = 0o077;

/**
 * Reads the key that a file holds.
 *
 * Like ssh with a private key, it takes nothing from a file that others may read or write; and nothing from a file that another user owns,
 * who could otherwise choose the account that the application works in. Windows has no such modes, and there neither is looked at.
 *
 * @param secretId whose key it must be; without it, any secret's
 * @returns undefined if there is no file
 * @throws KeyReadError FILE_UNUSABLE: unreadable, open to others, not ours, malformed, of another secret
 */
export async function readKeyFile(path: string, secretId?: string): Promise<StoredKey | undefined> {
  let found = 'holds no whole key';
  try {
    const file = await open(path);
    try {
      // Of what was opened, not of the path: nobody can put another file in its place in between.
      const { mode, uid } = await file.stat();
      const user = process.geteuid?.();
      if (user === undefined || (uid === user && !(mode & OTHERS))) {
        const key = keyOf(JSON.parse(await file.readFile('utf8')));
        if (key && (secretId ?? key.secretId) === key.secretId) return key;
        if (key) found = `is of ${key.secretId}`;
      } else found = `belongs to user ${uid}, mode ${(mode & 0o777).toString(8)}`;
    } finally {
      await file.close();
    }
  } catch (error) {
    // The parser's message quotes the text, and the text holds the key: so the name of an error is all that is told of it.
    found = codeOf(error);
    if (found === 'ENOENT') return;
  }
  throw unusable(path, found);
}

/**
 * Replaces the file at once: whoever reads it meanwhile gets the old key or the new one, whole. The file is readable by its owner alone
 * (mode 0600), as is its folder if it has to be made (0700).
 *
 * @throws KeyReadError FILE_UNUSABLE
 */
export async function writeKeyFile(path: string, key: StoredKey): Promise<void> {
  const { secretId, accessKeyId, secretAccessKey } = key;
  const fetchedAt = new Date(key.fetchedAt).toISOString();
  const content = { about: ABOUT, formatVersion: FORMAT_VERSION, secretId, fetchedAt, accessKeyId, secretAccessKey };
  try {
    await replaceFile(path, `${JSON.stringify(content, undefined, 2)}\n`);
  } catch (error) {
    throw unusable(path, codeOf(error));
  }
}

/** Writes beside, and renames. Mode 0600; the folder 0700 if it has to be made. @throws Node's errors of the file system */
export async function replaceFile(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const beside = `${path}.${crypto.randomUUID()}`;
  try {
    // Flushed before it is renamed: after a power failure the name must not stand for an empty file.
    await writeFile(beside, content, { flag: 'wx', mode: 0o600, flush: true });
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

/** What was parsed may be anything that somebody put there. */
function keyOf(parsed: unknown): StoredKey | undefined {
  const {
    formatVersion,
    secretId,
    fetchedAt: time,
    accessKeyId,
    secretAccessKey,
  }: Record<string, unknown> = {
    ...Object(parsed),
  };
  const fetchedAt = Date.parse(String(time));
  if (formatVersion !== FORMAT_VERSION || !isText(secretId) || !isText(accessKeyId) || !isText(secretAccessKey)) return;
  return Number.isNaN(fetchedAt) ? undefined : { secretId, fetchedAt, accessKeyId, secretAccessKey };
}

const unusable = (path: string, found: string) =>
  new KeyReadError('FILE_UNUSABLE', {
    found: `${path}: ${found}`,
    expected: 'a key file of this user, mode 600',
    remedy: 'chmod 600 it, put a whole key there, or name another',
  });
