/** The demo as it is run. The one test of a whole year takes half a minute. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { LEGACY_KEY } from '../../local/demo/scenario.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
/** Node warns on stderr where both variables are set, as a test runner may do. */
const { NO_COLOR: _, FORCE_COLOR: __, ...env } = process.env;
const demo = (...args: string[]) => run(process.execPath, ['local/demo/main.ts', ...args], { cwd: ROOT, env });

const userSchema = z.strictObject({
  rotations: z.int(),
  applicationCalls: z.int(),
  applicationFailures: z.int(),
  keysMinted: z.int(),
  keysDeleted: z.int(),
  orphansCleared: z.int(),
  strangersTouched: z.int(),
  keysNow: z.array(z.strictObject({ id: z.string().regex(/^AKIA[A-Z2-7]{16}$/), state: z.string() })),
  refusals: z.array(z.strictObject({ code: z.string(), message: z.string() })),
});
const yearSchema = z.strictObject({
  users: z.strictObject({
    'deploy-prod': userSchema,
    'legacy-batch': userSchema,
    'two-keys': userSchema,
    crashy: userSchema,
  }),
  broken: z.array(z.unknown()),
  report: z.string().optional(),
});

describe('npm run demo', () => {
  it('prints its usage', async () => {
    expect((await demo('--help')).stdout).toMatch(/^Usage: npm run demo/);
  });

  it('refuses a flag that it does not know', async () => {
    await expect(demo('--jsno')).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^Unknown option '--jsno'\n\nUsage: /),
    });
  });
});

describe('a year of npm run demo -- --json', () => {
  let year: z.infer<typeof yearSchema>;

  beforeAll(async () => {
    const { stdout, stderr } = await demo('--json');
    expect(stderr).toBe('');
    year = yearSchema.parse(JSON.parse(stdout));
  });

  it('breaks no invariant', () => {
    expect(year.broken).toEqual([]);
  });

  it.each(['deploy-prod', 'crashy'] as const)('rotates %s every 30 days, and its application never notices', (name) => {
    const user = year.users[name];
    // On the day of the deployment, and on days 30, 60 … 360.
    expect(user).toMatchObject({ rotations: 13, applicationFailures: 0, strangersTouched: 0, refusals: [] });
    expect(user.applicationCalls).toBeGreaterThan(365);
    expect(user.keysNow.map(({ state }) => state)).toEqual(['disabled', 'current']);
    expect(user.keysMinted - user.keysDeleted).toBe(user.keysNow.length);
  });

  it('clears the one orphan of crashy', () => {
    expect(year.users.crashy).toMatchObject({ orphansCleared: 1, keysMinted: 14 });
    expect(year.users['deploy-prod']).toMatchObject({ orphansCleared: 0, keysMinted: 13 });
  });

  it('rotates legacy-batch every 90 days, and retires its adopted key when its application has let go of it', () => {
    const user = year.users['legacy-batch'];
    expect(user).toMatchObject({ rotations: 5, applicationFailures: 0, strangersTouched: 0, refusals: [] });
    // The adopted key was not minted by the rotator.
    expect(1 + user.keysMinted - user.keysDeleted).toBe(user.keysNow.length);
    expect(user.keysNow).not.toContainEqual(expect.objectContaining({ id: LEGACY_KEY }));
  });

  it('refuses two-keys, names both keys with their ages and last uses and the way out, and touches neither', () => {
    const user = year.users['two-keys'];
    expect(user).toMatchObject({
      rotations: 0,
      applicationFailures: 0,
      keysMinted: 0,
      keysDeleted: 0,
      strangersTouched: 0,
      keysNow: [{ state: 'stranger' }, { state: 'stranger' }],
      refusals: [{ code: 'STRANGERS_HOLD_SLOTS' }],
    });
    const message = user.refusals[0]?.message;
    for (const { id } of user.keysNow) {
      expect(message).toMatch(new RegExp(`${id} \\(stranger, Active, \\d+ days old, last used 2025-\\d\\d-\\d\\dT`));
    }
    // The one used longest ago comes first.
    expect(message).toMatch(
      /Look at (\w+) first, whose last use .* --access-key-id \1 --status Inactive .*put adopt: '\w+' for this user/,
    );
  });
});
