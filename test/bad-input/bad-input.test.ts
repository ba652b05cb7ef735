/**
 * A table of things that are wrong: events, values, tags, users, answers, files and configurations. Each ends in an error with a code and a
 * remedy, tells no secret, and changes nothing but what its row names.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ConfigError, resolveConfig } from '../../infra/config/index.ts';
import { ERROR_CODES } from '../../lambdas/domain/errors.ts';
import { finishAll } from '../simulation/world.ts';
import { answers } from './answers.ts';
import { audits } from './audits.ts';
import { configs } from './configs.ts';
import { events } from './events.ts';
import { files } from './files.ts';
import { leaks } from './leaks.ts';
import { ledger } from './ledger.ts';
import { type Changes, differences, FAKE, type Row, rowOf } from './row.ts';
import { users } from './users.ts';
import { values } from './values.ts';

afterEach(() => {
  vi.restoreAllMocks();
  finishAll();
});

const TABLES: Readonly<Record<string, readonly Row[]>> = {
  'an event that is wrong, or comes at the wrong time': events,
  'a report of a leak that is wrong': leaks,
  'a value that is wrong': values,
  'a ledger that is wrong': ledger,
  'a user that is not as it should be': users,
  'an answer of AWS that is wrong': answers,
  'a deployment that is wrong': files,
  'an audit whose facts are wrong': audits,
};

/** Without the frame in which a pass tells what failed. */
const innermost = (message: string) => message.replace(/^PASS_FAILED: \d+ secrets? failed: \[[^\]]*\] /, '');

function expectOnly(changed: readonly string[], changes: Changes | undefined): void {
  const { lines } = changes ?? { lines: [] };
  expect(changed.filter((line) => !lines.some((expected) => expected.test(line)))).toEqual([]);
  expect(lines.filter((expected) => !changed.some((line) => expected.test(line)))).toEqual([]);
}

describe.each(Object.entries(TABLES))('%s', (_, rows) => {
  it.each(rows.map((row) => [row.wrong, row] as const))('%s', async (_wrong, { code, changes, end }) => {
    const { message, changed, leaks } = await end();
    expect(innermost(String(message))).toMatch(new RegExp(`^${code}: `));
    expect(message).toMatch(/ Expected: \S.* To do: \S/s);
    expect(leaks).toEqual([]);
    expectOnly(changed, changes);
  });
});

describe('a configuration that is wrong', () => {
  it.each(configs.map((row) => [row.wrong, row] as const))('%s', (_wrong, { problem, config }) => {
    const error = refusalOf(config);
    expect(error.problems.map(({ code, path }) => `${code} ${path}`)).toEqual([problem]);
    expect(error.message).toMatch(/received {2}\S.*expected {2}\S.*fix {7}\S/s);
  });

  function refusalOf(config: unknown): ConfigError {
    try {
      resolveConfig(config);
    } catch (error) {
      if (error instanceof ConfigError) return error;
      throw error;
    }
    throw new Error('the configuration was accepted');
  }
});

describe('the table', () => {
  const rows = Object.values(TABLES).flat();

  it('has at least 260 rows, no two of them the same', () => {
    const wrongs = [...rows, ...configs].map(({ wrong }) => wrong);
    expect(new Set(wrongs).size).toBe(wrongs.length);
    expect(wrongs.length).toBeGreaterThanOrEqual(260);
  });

  it('reaches every code', () => {
    const reached = new Set<string>(rows.map(({ code }) => code));
    // PASS_FAILED is the frame in which the rows of the retire pass come.
    // The others are of what reads no rotation: test/notify, test/audit, test/rollback.
    const others = [
      ...['PASS_FAILED', 'LOG_BATCH_MALFORMED', 'EVENTS_NOT_SENT', 'CREDENTIAL_REPORT_MALFORMED', 'AUDIT_INCOMPLETE'],
      ...['ROLLBACK_NO_KEY', 'ROLLBACK_KEY_GONE', 'ROLLBACK_VALUE_GONE', 'ROTATION_IN_PROGRESS', 'KEY_LEAKED'],
      ...['OVERTAKEN', 'ROTATION_UNFINISHED', 'LEDGER_CLOSED'],
    ];
    expect(Object.keys(ERROR_CODES).filter((code) => !reached.has(code) && !others.includes(code))).toEqual([]);
  });

  it('would notice a secret in a message, and a change', async () => {
    const telling = rowOf('a message tells a secret', 'VALUE_MALFORMED', () => {
      throw new Error(`the value is ${FAKE}`);
    });
    expect((await telling.end()).leaks).toEqual(['a secret in the error']);
    const [before, after] = [
      { a: 'Active', b: '1', c: '1' },
      { a: 'Inactive', b: '1', d: '1' },
    ];
    expect(differences(before, after)).toEqual(['~ a: Active → Inactive', '- c: 1', '+ d: 1']);
  });
});
