import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const MAIN = join(import.meta.dirname, '../../local/experiment/main.ts');

function run(...args: string[]): Promise<{ readonly status: number; readonly printed: string; readonly said: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], (_, printed, said) =>
      resolve({ status: child.exitCode ?? -1, printed, said }),
    );
  });
}

describe('npm run experiment', () => {
  it.each([
    [['--clients', 'js,ruby'], "--clients: there is no 'ruby'; expected a list of js,boto3,cli"],
    [['--rotations', '0'], '--rotations: at least one is needed'],
    [['--seed', '1.5'], "--seed: found '1.5', expected a whole number"],
    [
      ['--rotations', '2', '--emergencies', '2', '--outages', '1'],
      '--emergencies 2 and --outages 1 are more than the 2 days of --rotations, of which each has one at most; give fewer of them, or more rotations',
    ],
    [['--year'], "Unknown option '--year'"],
  ])('refuses %j, and says how it is used', async (args, problem) => {
    const { status, printed, said } = await run(...args);
    expect(status).toBe(2);
    expect(printed).toBe('');
    expect(said.split('\n')[0]).toBe(problem);
    expect(said).toContain('Usage: npm run experiment');
  });
});
