import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withFileLock } from '../../client/program/file-lock.ts';
import { temporaryFolder } from './temporary-folder.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const STALE = 30_000;

/** Time that passes by waiting alone; whoever waits lets the others work. */
function waitingClock() {
  const clock = {
    time: NOW,
    now: () => clock.time,
    async sleep(ms: number) {
      clock.time += ms;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  return clock;
}

const textOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);

/** The id of a process that has ended. */
const goneProcess = () => spawnSync(process.execPath, ['-e', '']).pid;

async function setUp() {
  const folder = await temporaryFolder();
  const path = join(folder, 'key.json');
  const clock = waitingClock();
  const options = { waitMs: 10_000, staleMs: STALE, clock };
  const left = () => readdir(folder);
  const leave = (holder: object) => writeFile(`${path}.lock`, JSON.stringify({ token: 'x', ...holder }));
  return { path, clock, options, left, leave };
}

describe('the lock of a file', () => {
  it('is held while the work is done, and gone afterwards', async () => {
    const { path, options, left } = await setUp();
    const during = await withFileLock(path, options, left);
    expect(during).toEqual(['key.json.lock']);
    expect(await left()).toEqual([]);
  });

  it('is gone when the work fails, too', async () => {
    const { path, options, left } = await setUp();
    await expect(withFileLock(path, options, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await left()).toEqual([]);
  });

  it('lets one work at a time', async () => {
    const { path, options } = await setUp();
    let working = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++working);
      await new Promise((resolve) => setImmediate(resolve));
      working--;
    };
    await Promise.all(
      Array.from({ length: 20 }, () => withFileLock(path, { ...options, waitMs: 1e9, staleMs: 1e9 }, work)),
    );
    expect(most).toBe(1);
  });

  it('of a living process is waited for, and then gone without', async () => {
    const { path, options, clock, leave, left } = await setUp();
    await leave({ pid: process.pid, host: hostname(), at: NOW });
    expect(await withFileLock(path, options, async () => 'done')).toBe('done');
    expect(clock.time).toBeGreaterThanOrEqual(NOW + 10_000);
    expect(clock.time).toBeLessThan(NOW + 10_100);
    expect(await left()).toEqual(['key.json.lock']);
  });

  it('of a process that is gone is taken over at once', async () => {
    const { path, options, clock, leave, left } = await setUp();
    await leave({ pid: goneProcess(), host: hostname(), at: NOW });
    const holder = await withFileLock(path, options, () => readFile(`${path}.lock`, 'utf8'));
    expect(JSON.parse(holder)).toMatchObject({ pid: process.pid });
    expect(clock.time).toBe(NOW);
    expect(await left()).toEqual([]);
  });

  it('of a process of another computer is judged by its age alone', async () => {
    const { path, options, clock, leave } = await setUp();
    await leave({ pid: goneProcess(), host: 'elsewhere', at: NOW });
    await withFileLock(path, options, async () => {});
    expect(clock.time).toBeGreaterThanOrEqual(NOW + 10_000);
  });

  it.each([
    ['a second short of it', STALE - 1000, true],
    ['at the instant', STALE, false],
    ['a second past it', STALE + 1000, false],
    ['from as far in the future', -STALE, false],
  ])('is stale by its age: %s', async (_, age, waits) => {
    const { path, options, clock, leave } = await setUp();
    await leave({ pid: process.pid, host: hostname(), at: NOW - age });
    await withFileLock(path, { ...options, waitMs: 100 }, async () => {});
    expect(clock.time > NOW).toBe(waits);
  });

  it.each(['', '{"pid":', '[]', 'null', '{"pid":"1"}'])(
    'that holds %j is judged by the age of the file',
    async (text) => {
      const { path, options, clock } = await setUp();
      await writeFile(`${path}.lock`, text);
      await utimes(`${path}.lock`, NOW / 1000, NOW / 1000);
      await withFileLock(path, { ...options, waitMs: 100 }, async () => {});
      expect(clock.time).toBeGreaterThan(NOW);
      clock.time = NOW + STALE;
      await withFileLock(path, options, async () => {});
      expect(clock.time).toBe(NOW + STALE);
    },
  );

  it('that is stale has one successor, however many find it', async () => {
    const { path, options, leave, left } = await setUp();
    await leave({ pid: goneProcess(), host: hostname(), at: NOW });
    let working = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++working);
      for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
      working--;
    };
    await Promise.all(
      Array.from({ length: 20 }, () => withFileLock(path, { ...options, waitMs: 1e9, staleMs: 1e9 }, work)),
    );
    expect(most).toBe(1);
    expect(await left()).toEqual([]);
  });

  it('that another has taken over in the meantime is left to it, at whatever moment that was', async () => {
    let took = 0;
    for (let moment = 1; moment <= 8; moment++) {
      const { path, options, clock, leave } = await setUp();
      const lock = `${path}.lock`;
      await leave({ pid: goneProcess(), host: hostname(), at: NOW });
      const stale = readFileSync(lock, 'utf8');
      const ofAnother = JSON.stringify({ token: 'of another', pid: process.pid, host: hostname(), at: NOW });
      let calls = 0;
      let taken = false;
      const now = () => {
        // The other keeps to the rules: it takes over under the second lock, and only what is stale.
        if (++calls === moment && !existsSync(`${lock}.takeover`) && textOf(lock) === stale) {
          writeFileSync(lock, ofAnother);
          taken = true;
        }
        return clock.now();
      };
      await withFileLock(path, { ...options, clock: { ...clock, now } }, async () => {});
      expect(textOf(lock), `moment ${moment}`).toBe(taken ? ofAnother : undefined);
      if (taken) took++;
    }
    expect(took).toBeGreaterThan(1);
  });

  it('is taken over although a process died in taking it over', async () => {
    const { path, options, leave, left } = await setUp();
    const gone = { token: 'x', pid: goneProcess(), host: hostname(), at: NOW };
    await leave(gone);
    await writeFile(`${path}.lock.takeover`, JSON.stringify(gone));
    await withFileLock(path, options, async () => {});
    expect(await left()).toEqual([]);
  });

  it('is not taken away from who has it by who had it before', async () => {
    const { path, options, leave, left } = await setUp();
    await withFileLock(path, options, () =>
      leave({ pid: process.pid, host: hostname(), at: NOW, token: 'of another' }),
    );
    expect(await left()).toEqual(['key.json.lock']);
  });

  it('that can not be made keeps nobody from the work', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    const options = { waitMs: 10_000, staleMs: STALE, clock: waitingClock() };
    expect(await withFileLock(join(folder, 'file', 'key.json'), options, async () => 'done')).toBe('done');
  });
});
