/** The provider's use of the file that keeps its key. */
import { KeyReadError } from './errors.ts';
import type { KeyWarning } from './hooks.ts';
import type { Held } from './key-cache.ts';

export interface KeptFile {
  /** @throws KeyReadError FILE_UNUSABLE */
  load(): Promise<Held | undefined>;
  /** Never throws. */
  store(key: Held): Promise<void>;
}

/** @param path what undefined stands for keeps nothing */
export function keptFile(path: string | undefined, secretId: string, warn: (warning: KeyWarning) => void): KeptFile {
  if (path === undefined) return { load: async () => undefined, store: async () => {} };
  return {
    async load() {
      const { readKeyFile } = await import('./key-file.ts');
      const stored = await readKeyFile(path);
      if (stored !== undefined && stored.secretId !== secretId) {
        throw new KeyReadError('FILE_UNUSABLE', {
          found: `${path}, which keeps the key of secret ${stored.secretId}`,
          expected: `the key of ${secretId}`,
          remedy: 'give each secret a file of its own, and name a secret always in the same way',
        });
      }
      return stored;
    },
    async store({ accessKeyId, secretAccessKey, fetchedAt }) {
      try {
        const { writeKeyFile } = await import('./key-file.ts');
        await writeKeyFile(path, { secretId, accessKeyId, secretAccessKey, fetchedAt });
      } catch (error) {
        const known = error instanceof KeyReadError ? error : unwritable(path);
        const message = `${known.code}: ${known.found}. The key is in memory alone; the next reading tries to keep it again`;
        warn({ code: known.code, message, error: known });
      }
    },
  };
}

const unwritable = (path: string) =>
  new KeyReadError('FILE_UNUSABLE', {
    found: `${path}, which could not be written`,
    expected: 'a file that can be replaced',
    remedy: 'see whether its folder is there and may be written to',
  });
