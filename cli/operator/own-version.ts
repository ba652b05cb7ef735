import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** The package's own version, by the name under which it is known to itself: wherever this file has been built to. */
export async function ownVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(
    await readFile(fileURLToPath(import.meta.resolve('iam-key-rotator/package.json')), 'utf8'),
  );
  const found: unknown =
    typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, 'version') : undefined;
  return String(found);
}
