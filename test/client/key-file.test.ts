import { chmod, chown, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KeyReadError } from '../../client/errors.ts';
import { readKeyFile, type StoredKey, writeKeyFile } from '../../client/key-file.ts';
import { temporaryFolder } from './temporary-folder.ts';

const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const KEY: StoredKey = {
  secretId: 'iam-key-rotator/deploy',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: SECRET,
  fetchedAt: Date.parse('2026-01-01T12:00:00.123Z'),
};

const keyFile = async () => join(await temporaryFolder(), 'key.json');

/** What a file that can't be used is said to be; that nothing secret is said with it is looked at each time. */
async function complaint(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KeyReadError)) throw new Error(`Expected a KeyReadError, got ${String(error)}`);
  expect(error.code).toBe('FILE_UNUSABLE');
  expect(`${error.message} ${String(error.cause)}`).not.toContain(SECRET.slice(0, 8));
  return error.message;
}

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe('a key file', () => {
  it('gives back the key that was written', async () => {
    const path = await keyFile();
    await writeKeyFile(path, KEY);
    expect(await readKeyFile(path)).toEqual(KEY);
  });

  it('that is not there is no key', async () => {
    expect(await readKeyFile(await keyFile())).toBeUndefined();
  });

  it('in a folder that is not there is no key', async () => {
    expect(await readKeyFile(join(await temporaryFolder(), 'none', 'key.json'))).toBeUndefined();
  });

  it('says to a human what it is, whose key it holds and since when', async () => {
    const path = await keyFile();
    await writeKeyFile(path, KEY);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
      about: 'Kept by iam-key-rotator',
      formatVersion: 1,
      secretId: KEY.secretId,
      fetchedAt: '2026-01-01T12:00:00.123Z',
      accessKeyId: KEY.accessKeyId,
      secretAccessKey: SECRET,
    });
  });

  it('is for its owner alone, and so is a folder that is made for it', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'a', 'b', 'key.json');
    await writeKeyFile(path, KEY);
    expect(await modeOf(path)).toBe(0o600);
    expect(await modeOf(join(folder, 'a'))).toBe(0o700);
    expect(await modeOf(join(folder, 'a', 'b'))).toBe(0o700);
  });

  it('leaves the mode of a folder that was there', async () => {
    const folder = await temporaryFolder();
    await chmod(folder, 0o755);
    await writeKeyFile(join(folder, 'key.json'), KEY);
    expect(await modeOf(folder)).toBe(0o755);
  });

  it('is replaced, and what was open to others before is not afterwards', async () => {
    const path = await keyFile();
    await writeFile(path, 'something else', { mode: 0o644 });
    await writeKeyFile(path, KEY);
    expect(await readKeyFile(path)).toEqual(KEY);
    expect(await modeOf(path)).toBe(0o600);
  });

  it('leaves nothing beside itself, whether it was written or not', async () => {
    const folder = await temporaryFolder();
    await writeKeyFile(join(folder, 'key.json'), KEY);
    await mkdir(join(folder, 'folder'));
    await complaint(writeKeyFile(join(folder, 'folder'), KEY));
    expect((await readdir(folder)).sort()).toEqual(['folder', 'key.json']);
  });

  it('is never seen half, however many write it', async () => {
    const path = await keyFile();
    await writeKeyFile(path, KEY);
    const write = (n: number) => writeKeyFile(path, { ...KEY, accessKeyId: `AKIA${String(n).padStart(16, '0')}` });
    const read = async () => (await readKeyFile(path))?.accessKeyId;
    const seen = await Promise.all(Array.from({ length: 50 }, async (_, n) => [await read(), await write(n)][0]));
    expect(seen).toHaveLength(50);
    for (const id of seen) expect(id).toMatch(/^AKIA[0-9A-Z]{16}$/);
    expect(await readKeyFile(path)).toMatchObject({ secretAccessKey: SECRET });
  });

  it.each([0o640, 0o604, 0o620, 0o602, 0o601, 0o666])('with mode %o is refused, as ssh refuses a key', async (mode) => {
    const path = await keyFile();
    await writeKeyFile(path, KEY);
    await chmod(path, mode);
    expect(await complaint(readKeyFile(path))).toMatch(new RegExp(`user \\d+, mode ${mode.toString(8)}\\.`));
  });

  it('that only its owner may read, and nobody write, is read', async () => {
    const path = await keyFile();
    await writeKeyFile(path, KEY);
    await chmod(path, 0o400);
    expect(await readKeyFile(path)).toEqual(KEY);
  });

  it.runIf(process.geteuid?.() === 0)('of another user is refused, also by root', async () => {
    const path = await keyFile();
    await writeKeyFile(path, KEY);
    await chown(path, 12_345, 12_345);
    expect(await complaint(readKeyFile(path))).toContain('belongs to user 12345');
  });

  it('that is a folder is refused', async () => {
    const path = await keyFile();
    await mkdir(path, { mode: 0o700 });
    expect(await complaint(readKeyFile(path))).toContain('EISDIR');
  });

  it('of another secret is refused, if it is said whose it should be', async () => {
    const path = await keyFile();
    await writeKeyFile(path, KEY);
    expect(await readKeyFile(path, KEY.secretId)).toEqual(KEY);
    expect(await complaint(readKeyFile(path, 'iam-key-rotator/other'))).toContain('is of iam-key-rotator/deploy');
  });

  const good = JSON.stringify({ ...KEY, formatVersion: 1, fetchedAt: '2026-01-01T12:00:00Z' });
  const change = (changed: object) => JSON.stringify({ ...JSON.parse(good), ...changed });
  it.each([
    ['nothing', ''],
    ['half a key', good.slice(0, -10)],
    ['credentials of the AWS CLI', `[default]\naws_secret_access_key = ${SECRET}`],
    ['a list', `["${SECRET}"]`],
    ['null', 'null'],
    ['a text', `"${SECRET}"`],
    ['a later form', change({ formatVersion: 2 })],
    ['a version that is no number', change({ formatVersion: '1' })],
    ['no date', change({ fetchedAt: 'yesterday' })],
    ['no date at all', change({ fetchedAt: undefined })],
    ['no secret', change({ secretId: '' })],
    ['no key id', change({ accessKeyId: undefined })],
    ['no text as the key', change({ secretAccessKey: [SECRET] })],
  ])('that holds %s is told, and not quoted', async (_, text) => {
    const path = await keyFile();
    await writeFile(path, text, { mode: 0o600 });
    expect(await complaint(readKeyFile(path))).toMatch(/key\.json: (holds no whole key|SyntaxError)\. Expected/);
  });

  it('is never said to be there for deletion: it may hold the only key', async () => {
    const path = await keyFile();
    await writeFile(path, '{', { mode: 0o600 });
    expect(await complaint(readKeyFile(path))).not.toContain('delete');
    await writeKeyFile(path, KEY);
    expect(await readFile(path, 'utf8')).not.toContain('delete');
  });

  it('that can not be written is told with the reason', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    expect(await complaint(writeKeyFile(join(folder, 'file', 'key.json'), KEY))).toMatch(/ENOTDIR|EEXIST/);
  });
});
