/** The file in which a key outlives the process that read it. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from './code-of.ts';
import { KeyReadError } from './errors.ts';
import type { RotatedKey } from './rotated-key.ts';

/** A key, whose it is, and how old. */
export interface StoredKey extends RotatedKey {
  readonly secretId: string;
  /** When the secret was read, ms since the epoch. */
  readonly fetchedAt: number;
}

/** Version of the file's form; a file of another one isn't read. */
const FORMAT_VERSION = 1;
const ABOUT = 'Written by iam-key-rotator: the current key of this secret. Delete the file to have it read anew.';
/** More than any key file has: what is longer isn't one. */
const MOST_BYTES = 65_536;
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
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw unreadable(path, error);
  }
  try {
    // Of what was opened, not of the path: nobody can put another file in its place in between.
    await refuseStrangers(path, file);
    const key = parse(path, await contentOf(path, file));
    if (secretId !== undefined && key.secretId !== secretId) throw ofAnother(path, key.secretId, secretId);
    return key;
  } finally {
    await file.close();
  }
}

/**
 * Replaces the file at once: whoever reads it meanwhile gets the old key or the new one, whole. The file is readable by its owner alone
 * (mode 0600), as is its folder if it has to be made (0700).
 *
 * @throws KeyReadError FILE_UNUSABLE
 */
export async function writeKeyFile(path: string, key: StoredKey): Promise<void> {
  try {
    await replaceFile(path, serialize(key));
  } catch (error) {
    throw new KeyReadError(
      'FILE_UNUSABLE',
      {
        found: `'${path}' could not be written (${codeOf(error)})`,
        expected: 'a path in a folder that this user may write to',
        remedy: 'name another file, or give this user the folder',
      },
      { cause: error },
    );
  }
}

/** Writes beside, and renames. Mode 0600; the folder 0700 if it has to be made. @throws Node's errors of the file system */
export async function replaceFile(path: string, content: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const beside = join(folder, `.${basename(path)}.${process.pid}.${randomBytes(6).toString('hex')}`);
  try {
    const file = await open(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      await file.writeFile(content);
      // Before the rename: after a power failure the name must not stand for an empty file.
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

const serialize = ({ secretId, fetchedAt, accessKeyId, secretAccessKey }: StoredKey) =>
  `${JSON.stringify(
    {
      about: ABOUT,
      formatVersion: FORMAT_VERSION,
      secretId,
      fetchedAt: new Date(fetchedAt).toISOString(),
      accessKeyId,
      secretAccessKey,
    },
    undefined,
    2,
  )}\n`;

async function refuseStrangers(path: string, file: FileHandle): Promise<void> {
  const { mode, uid } = await file.stat();
  const user = process.geteuid?.();
  if (user === undefined) return;
  if (uid !== user) {
    throw unusable({
      found: `'${path}' belongs to another user (uid ${uid})`,
      expected: `a file of the user that this runs as (uid ${user})`,
      remedy: 'run it as the owner of the file, or name another file',
    });
  }
  if ((mode & OTHERS) !== 0) {
    throw unusable({
      found: `'${path}' is open to other users (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`,
      expected: 'mode 0600',
      remedy: `chmod 600 '${path}', and have the key rotated if somebody else may have read it`,
    });
  }
}

/** The text of the file, which may be anything that somebody put there. */
async function contentOf(path: string, file: FileHandle): Promise<string> {
  const buffer = Buffer.alloc(MOST_BYTES + 1);
  let length = 0;
  try {
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) break;
    }
  } catch (error) {
    throw unreadable(path, error);
  }
  if (length > MOST_BYTES) throw malformed(path, `more than ${MOST_BYTES} bytes`);
  return buffer.toString('utf8', 0, length);
}

function parse(path: string, text: string): StoredKey {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // No cause: the parser's message quotes the text, and the text holds the key.
    throw malformed(path, text.trim() === '' ? 'no content' : 'no JSON, or not the whole of it');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw malformed(path, 'no JSON object');
  const { formatVersion, secretId, fetchedAt, accessKeyId, secretAccessKey }: Record<string, unknown> = { ...parsed };
  if (formatVersion !== FORMAT_VERSION) throw malformed(path, `not formatVersion ${FORMAT_VERSION}`);
  const time = typeof fetchedAt === 'string' ? Date.parse(fetchedAt) : Number.NaN;
  if (Number.isNaN(time)) throw malformed(path, "no date in 'fetchedAt'");
  if (!isText(secretId)) throw malformed(path, "no text in 'secretId'");
  if (!isText(accessKeyId)) throw malformed(path, "no text in 'accessKeyId'");
  if (!isText(secretAccessKey)) throw malformed(path, "no text in 'secretAccessKey'");
  return { secretId, fetchedAt: time, accessKeyId, secretAccessKey };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

const unusable = (details: ConstructorParameters<typeof KeyReadError>[1], options?: ErrorOptions) =>
  new KeyReadError('FILE_UNUSABLE', details, options);

const unreadable = (path: string, cause: unknown) =>
  unusable(
    {
      found: `'${path}' could not be read (${codeOf(cause)})`,
      expected: 'a file that this user may read, or none',
      remedy: 'give the file to this user, or name another one',
    },
    { cause },
  );

const malformed = (path: string, found: string) =>
  unusable({
    found: `'${path}' holds ${found}`,
    expected: `a key file of iam-key-rotator, formatVersion ${FORMAT_VERSION}`,
    remedy: 'delete the file, or name another one',
  });

const ofAnother = (path: string, found: string, wanted: string) =>
  unusable({
    found: `'${path}' holds the key of the secret '${found}'`,
    expected: `a key of '${wanted}'`,
    remedy: 'name a file for each secret',
  });
