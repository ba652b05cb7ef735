/** The provider's use of the file that keeps its key. */
import { KeyReadError } from './errors.ts';
import { readKeyFile, type StoredKey } from './key-file.ts';

/**
 * The key in the file; undefined if there is no file.
 *
 * @throws KeyReadError FILE_UNUSABLE
 */
export async function keptKey(path: string, secretId: string): Promise<StoredKey | undefined> {
  const stored = await readKeyFile(path);
  if (stored && stored.secretId !== secretId) {
    throw new KeyReadError('FILE_UNUSABLE', {
      found: `the key of ${stored.secretId} in ${path}`,
      expected: `that of ${secretId}`,
      remedy: 'give each secret a file of its own, and name a secret always in the same way',
    });
  }
  return stored;
}
