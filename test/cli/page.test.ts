/** docs/cli.md says what the program does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { adopt } from '../../cli/commands/adopt.ts';
import { auditCommand } from '../../cli/commands/audit.ts';
import { doctor } from '../../cli/commands/doctor.ts';
import { plan } from '../../cli/commands/plan.ts';
import { revoke } from '../../cli/commands/revoke.ts';
import { rollback } from '../../cli/commands/rollback.ts';
import { rotate } from '../../cli/commands/rotate.ts';
import { status } from '../../cli/commands/status.ts';
import { COMMANDS } from '../../cli/commands.ts';
import { auditSource } from '../../cli/operator/audit-source.ts';
import { type OperatorCommand, parserOf } from '../../cli/operator/command.ts';
import { OPERATOR_ERRORS, OPERATOR_EXIT_CODES, type OperatorErrorCode } from '../../cli/operator/errors.ts';
import { CHECKS } from '../../cli/operator/health.ts';
import { PROBLEMS } from '../../cli/operator/standing.ts';
import type { Principal } from '../../local/model.ts';
import { judgeByPolicies } from '../../local/policy-engine.ts';
import { DAY } from '../policy.ts';
import { LivedInAccount } from './account.ts';
import { connectTo, run } from './world.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/cli.md'), 'utf8');
const section = (heading: string) => page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
const rows = (text: string, beginning: RegExp) => text.split('\n').filter((line) => beginning.test(line));

const audit = auditCommand(auditSource);

const optionsOf = (command: OperatorCommand) =>
  parserOf(command, { out: () => {} }).options.map(({ flags, description }) => `| \`${flags}\` | ${description} |`);
const COMMON = optionsOf({ ...status, configure: () => {} });

describe('docs/cli.md', () => {
  it('lists the options that all commands have, in the words of --help', () => {
    expect(rows(section('Options of all commands'), /^\| `-/)).toEqual([...COMMON, '| `-h, --help` | print this |']);
  });

  it.each([status, plan, doctor, audit, rotate, rollback, revoke, adopt])('lists the options of $name', (command) => {
    const own = optionsOf(command).filter((line) => !COMMON.includes(line));
    expect(rows(section(command.name), /^\| `-/)).toEqual(own);
  });

  it('lists every exit code, problem and check', () => {
    const codes = Object.keys(OPERATOR_EXIT_CODES) as OperatorErrorCode[];
    expect(rows(section('Exit codes'), /^\| \d+ \| [A-Z]/)).toEqual(
      codes.map((code) => `| ${OPERATOR_EXIT_CODES[code]} | ${code} | ${OPERATOR_ERRORS[code]} |`),
    );
    const problems = rows(section('status'), /^\| `[a-z]/).map((line) => line.split(' | ').slice(0, 2).join(' | '));
    expect(problems).toEqual(Object.entries(PROBLEMS).map(([code, severity]) => `| \`${code}\` | ${severity}`));
    expect(rows(section('doctor'), /^\| `[a-z]/)).toEqual(
      Object.entries(CHECKS).map(([check, says]) => `| \`${check}\` | ${says} |`),
    );
  });

  it('has a row for every command, in the words of the usage', () => {
    for (const name of Object.keys(COMMANDS)) expect(page).toContain(`[\`${name}\`](`);
    for (const name of ['status', 'plan', 'doctor', 'audit', 'rotate', 'rollback', 'revoke', 'adopt'] as const) {
      expect(page).toContain(`| [\`${name}\`](#${name}) | ${COMMANDS[name]?.says} |`);
    }
  });

  it('gives a policy that suffices, and of which nothing is left over that the commands could do without', async () => {
    const lived = new LivedInAccount([{ userName: 'app' }]);
    lived.rotate('app');
    await lived.pass(30 * DAY);
    lived.rotate('app');
    await lived.pass(3 * DAY);
    const { account } = lived;
    const policy = JSON.parse(/```json\n(\{\n {2}"Version"[\s\S]*?)\n```/.exec(page)?.[1] ?? '{}');
    const { name, id } = account.createRole('Reader', policy.Statement);
    const principal: Principal = {
      kind: 'role',
      name,
      userId: `${id}:me`,
      arn: `arn:aws:sts::${account.id}:assumed-role/${name}/me`,
    };
    judgeByPolicies(account);
    // The names that CloudFormation gives begin with that of the stack; those of this account don't.
    const before = account.history.length;
    const judge = account.authorize;
    if (judge === undefined) throw new Error('nobody judges');
    account.authorize = (request) =>
      judge({
        ...request,
        resource: request.resource
          .replace(/(function:|schedule\/default\/)/, '$1iam-key-rotator-')
          .replace(/eu-central-1(?=:\d+:stack\/\S+-leak-signals)/, 'us-east-1'),
      });
    const connect = connectTo(account, account.session(principal));
    for (const command of [status, plan, doctor, audit]) {
      const { exit, out, err } = await account.clock.run(run(account, command, ['--json'], { connect }));
      expect({ exit, err }).toEqual({ exit: 0, err: '' });
      expect(out).not.toMatch(/ACCESS_DENIED|"skipped"/);
    }
    const calls = account.history.slice(before).flatMap((entry) => (entry.kind === 'call' ? [entry] : []));
    expect(
      calls.filter(({ outcome }) => outcome !== 'ok' && typeof outcome === 'object' && /Denied/.test(outcome.code)),
    ).toEqual([]);
    const called = new Set(calls.map(({ service, action }) => `${service}:${action}`));
    const allowed: string[] = policy.Statement.flatMap(({ Action }: { Action: string[] }) => Action);
    // No stack has alarms here.
    expect(allowed.filter((action) => !called.has(action))).toEqual(['cloudwatch:DescribeAlarms']);
  });
});
