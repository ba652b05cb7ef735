/** The file that keeps a key. */
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { KeyReadError } from './errors.ts';
import type { RotatedKey } from './rotated-key.ts';

/** A key as a file keeps it. */
export interface StoredKey extends RotatedKey {
  readonly secretId: string;
  /** When the secret was read, ms since the epoch. */
  readonly fetchedAt: number;
}

const unusable = (found: string) =>
  new KeyReadError('FILE_UNUSABLE', { found, expected: 'a file of a key', remedy: 'delete it, or put a key into it' });

/** Undefined if there is no file. @throws KeyReadError FILE_UNUSABLE */
export async function readKeyFile(path: string): Promise<StoredKey | undefined> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw unusable(`${path}, which can't be read`);
  }
  if (typeof parsed !== 'object' || parsed === null) throw unusable(`${path} without an object`);
  const { accessKeyId, secretAccessKey, secretId, fetchedAt }: Record<string, unknown> = { ...parsed };
  if (
    typeof accessKeyId !== 'string' ||
    typeof secretAccessKey !== 'string' ||
    typeof secretId !== 'string' ||
    typeof fetchedAt !== 'number'
  )
    throw unusable(`${path} without a key`);
  return { accessKeyId, secretAccessKey, secretId, fetchedAt };
}

/** Replaces the file atomically; mode 0600. @throws KeyReadError FILE_UNUSABLE */
export async function writeKeyFile(path: string, key: StoredKey): Promise<void> {
  try {
    const beside = `${path}.${process.pid}`;
    await writeFile(beside, JSON.stringify(key), { mode: 0o600 });
    await chmod(beside, 0o600);
    await rename(beside, path);
  } catch {
    throw unusable(`${path}, which can't be written`);
  }
}
