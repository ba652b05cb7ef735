/** The clocks of clients' processes: set, and nothing else. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLOCK_VARIABLE, SharedClock } from '../../local/experiment/clocks/shared-clock.ts';

const CLOCKS = join(import.meta.dirname, '../../local/experiment/clocks');
const THEN = Date.UTC(2031, 4, 6, 7, 8, 9, 10);

function printed(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, args, { env: { ...process.env, ...env } }, (error, text) =>
      resolve(error === null ? text.trim() : undefined),
    );
  });
}

describe('a process of the experiment', () => {
  let folder: string;
  let clock: SharedClock;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'iam-key-rotator-clock-'));
    clock = new SharedClock(join(folder, 'clock'), 0);
    clock.set(THEN);
  });
  afterAll(() => {
    clock.close();
    rmSync(folder, { recursive: true });
  });

  const node = (script: string, env: NodeJS.ProcessEnv = { [CLOCK_VARIABLE]: clock.file }) =>
    printed(process.execPath, ['--import', pathToFileURL(join(CLOCKS, 'virtual-now.ts')).href, '--print', script], env);
  const python = (script: string) =>
    printed('python3', ['-c', script], { [CLOCK_VARIABLE]: clock.file, PYTHONPATH: join(CLOCKS, 'python') });

  it('of Node has the time of the file, and other dates as ever', async () => {
    const script = '[Date.now(), +new Date(), new Date(5).toISOString(), new Date() instanceof Date].join()';
    expect(await node(script)).toBe(`${THEN},${THEN},1970-01-01T00:00:00.005Z,true`);
  });

  it('of Node goes on having it when it changes', async () => {
    const script = `const { writeFileSync } = require('fs'); const before = Date.now();
      const bytes = Buffer.alloc(8); bytes.writeDoubleLE(before + 1500); writeFileSync(process.env.${CLOCK_VARIABLE}, bytes); Date.now() - before`;
    expect(await node(script)).toBe('1500');
    clock.set(THEN);
  });

  it('of Node keeps the real time without the variable', async () => {
    expect(Number(await node('Date.now()', { [CLOCK_VARIABLE]: undefined }))).not.toBe(THEN);
  });

  it('of Python has the time of the file, and other dates as ever', async ({ skip }) => {
    if ((await printed('python3', ['--version'], {})) === undefined) skip('there is no python3');
    const script = [
      'import time; real = time.monotonic()',
      'from datetime import datetime, timezone, timedelta, date',
      'other = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=5)',
      'print(round(time.time() * 1000), round(datetime.now(timezone.utc).timestamp() * 1000), datetime.utcnow().isoformat(), time.gmtime()[:6])',
      'print(other.timestamp(), isinstance(other, datetime), isinstance(date(1970, 1, 1), datetime))',
    ].join('\n');
    expect((await python(script))?.split('\n')).toEqual([
      `${THEN} ${THEN} 2031-05-06T07:08:09.010000 (2031, 5, 6, 7, 8, 9)`,
      '5.0 True False',
    ]);
  });
});
