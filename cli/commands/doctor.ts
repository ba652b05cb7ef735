/** `iam-key-rotator doctor`: what would keep a rotation from working. */
import {
  type CloudFormationClient,
  DescribeStacksCommand,
  ListStackResourcesCommand,
} from '@aws-sdk/client-cloudformation';
import type { IAMClient } from '@aws-sdk/client-iam';
import { call, isAws } from '../../lambdas/adapters/call.ts';
import { need } from '../../lambdas/adapters/need.ts';
import { pages } from '../../lambdas/adapters/paging.ts';
import { RotatorError } from '../../lambdas/domain/errors.ts';
import type { OperatorCommand } from '../operator/command.ts';
import { concurrently } from '../operator/concurrently.ts';
import type { OperatorContext } from '../operator/context.ts';
import { failureOf, NEEDS_ATTENTION } from '../operator/errors.ts';
import {
  type AlarmFacts,
  CHECKS,
  type Check,
  type CheckState,
  examine,
  type FunctionFacts,
  forwarderOf,
  type HealthFacts,
  LEAKS_REGION,
  NEEDED_FUNCTIONS,
  OTHER_FUNCTIONS,
  type Read,
} from '../operator/health.ts';
import { type Colour, moment, type Page, plural, wrap } from '../operator/page.ts';
import { keyNamed, type Stack } from '../operator/stack.ts';
import { survey } from '../operator/survey.ts';

export const doctor: OperatorCommand = {
  name: 'doctor',
  says: 'look for what would keep a rotation from working',
  about: `Changes nothing. Checks that:\n${Object.values(CHECKS)
    .map((says) => `- ${says}`)
    .join('\n')}`,
  attention: 'a check failed',
  examples: [
    { does: 'the whole deployment', line: 'doctor' },
    { does: 'one secret, by its name or its user', line: 'doctor deploy-prod' },
    { does: 'what failed, for a script', line: `doctor --json | jq '.checks[] | select(.state == "fail")'` },
  ],
  configure: (parser) => {
    parser.argument('[secret]', 'name of one secret, or of its user');
  },
  async run(context, [name]) {
    context.progress('reading the stack …');
    const stack = await context.stack();
    const only = name === undefined ? undefined : keyNamed(stack, name);
    const facts = await gather(context, stack);
    const surveyed = facts.surveyed.filter(({ policy }) => only === undefined || policy === only);
    const checks = examine({ ...facts, surveyed });
    if (context.json) context.printJson(doctorJson(checks, stack, facts.now));
    else context.print(doctorLines(checks, stack, context.page, facts.now));
    return checks.some(({ state }) => state === 'fail') ? NEEDS_ATTENTION : 0;
  },
};

async function gather(context: OperatorContext, stack: Stack): Promise<HealthFacts> {
  const [cloudformation, secrets, iam, ports] = await Promise.all([
    context.connect('cloudformation'),
    context.connect('secretsmanager'),
    context.connect('iam'),
    context.ports(),
  ]);
  context.progress('looking at the functions and schedules, and listing the secrets …');
  const [surveyed, functions, { schedules, alarms }, quarantined, forwarding] = await Promise.all([
    survey(secrets, stack.deployment),
    readFunctions(context, stack),
    readResources(context, cloudformation, stack),
    attempt(() => readQuarantined(iam)),
    stack.region === LEAKS_REGION ? undefined : attempt(() => readForwarder(context, stack)),
  ]);
  context.progress(`looking at the keys of ${plural(surveyed.length, 'user')} …`);
  const keys = await concurrently(surveyed, async ({ policy: { userName } }) => ({
    userName,
    read: await attempt(() => ports.iam.list(userName)),
  }));
  return {
    ...{ stack, version: context.version, functions, schedules, alarms, surveyed, quarantined },
    ...(forwarding && { forwarding }),
    keys: new Map(keys.map(({ userName, read }) => [userName, read])),
    now: context.now(),
  };
}

/** A fact, or why it can't be read. Credentials that are refused and a network that is down are no facts of the deployment: those are thrown. */
async function attempt<T>(read: () => Promise<T>): Promise<Read<T>> {
  try {
    return { ok: true, value: await read() };
  } catch (error) {
    if (!(error instanceof RotatorError)) throw error;
    const { exit: _, ...failure } = failureOf(error);
    if (failure.code === 'NO_CREDENTIALS' || failure.code === 'AWS_UNAVAILABLE') throw error;
    return { ok: false, failure };
  }
}

async function readFunctions({ connect }: OperatorContext, { outputs }: Stack) {
  const [{ GetFunctionConfigurationCommand }, client] = await Promise.all([
    import('@aws-sdk/client-lambda'),
    connect('lambda'),
  ]);
  const known = [...NEEDED_FUNCTIONS, ...OTHER_FUNCTIONS].filter((output) => outputs[output] !== undefined);
  const read = await concurrently(
    known,
    async (output): Promise<[string, Read<FunctionFacts>]> => [
      output,
      await attempt(async () => {
        const answer = await call('GetFunctionConfiguration', () =>
          client.send(new GetFunctionConfigurationCommand({ FunctionName: outputs[output] })),
        );
        return {
          arn: need('GetFunctionConfiguration', 'FunctionArn', answer.FunctionArn),
          runtime: answer.Runtime ?? 'unknown',
          state: answer.State ?? 'Active',
          lastUpdate: answer.LastUpdateStatus ?? 'Successful',
        };
      }),
    ],
  );
  return new Map(read);
}

/** The status of the stack that forwards reports of leaks. */
async function readForwarder({ connect }: OperatorContext, stack: Stack): Promise<string | undefined> {
  const client = await connect('cloudformation', { region: LEAKS_REGION });
  try {
    const StackName = forwarderOf(stack);
    const { Stacks } = await call('DescribeStacks', () => client.send(new DescribeStacksCommand({ StackName })));
    return Stacks?.[0]?.StackStatus;
  } catch (error) {
    // So it answers for a stack that is not there: cli/operator/stack.ts.
    if (isAws(error, 'ValidationError')) return undefined;
    throw error;
  }
}

/** The schedules and alarms by the names that CloudFormation gave them. */
async function readResources(context: OperatorContext, client: CloudFormationClient, stack: Stack) {
  const listed = await attempt(() => resourcesOf(client, stack.name));
  if (!listed.ok) {
    const unread: Read<never> = { ok: false, failure: listed.failure };
    return { schedules: new Map([['retire pass', unread]]), alarms: unread };
  }
  const named = (type: string) => listed.value.flatMap((one) => (one.type === type ? [one.name] : []));
  const [schedules, alarms] = await Promise.all([
    readSchedules(context, named('AWS::Scheduler::Schedule')),
    attempt(() => readAlarms(context, named('AWS::CloudWatch::Alarm'))),
  ]);
  return { schedules, alarms };
}

async function resourcesOf(client: CloudFormationClient, StackName: string) {
  const OPERATION = 'ListStackResources';
  const read = async (NextToken: string | undefined) => {
    const answer = await call(OPERATION, () => client.send(new ListStackResourcesCommand({ StackName, NextToken })));
    const items = need(OPERATION, 'StackResourceSummaries', answer.StackResourceSummaries).map((resource) => ({
      type: resource.ResourceType ?? '',
      name: resource.PhysicalResourceId ?? '',
    }));
    return { items, next: answer.NextToken };
  };
  const resources: { readonly type: string; readonly name: string }[] = [];
  for await (const page of pages(OPERATION, read)) resources.push(...page);
  return resources;
}

async function readSchedules({ connect }: OperatorContext, names: readonly string[]) {
  const [{ GetScheduleCommand }, client] = await Promise.all([
    import('@aws-sdk/client-scheduler'),
    connect('scheduler'),
  ]);
  const read = await concurrently(
    names,
    async (physical): Promise<[string, Read<{ readonly state: string; readonly expression: string }>]> => {
      // For a group of its own, Ref gives <group>|<name>; in the default one the name alone.
      const [Name = physical, GroupName] = physical.split('|').reverse();
      return [
        Name,
        await attempt(async () => {
          const answer = await call('GetSchedule', () => client.send(new GetScheduleCommand({ Name, GroupName })));
          return { state: answer.State ?? 'unknown', expression: answer.ScheduleExpression ?? 'unknown' };
        }),
      ];
    },
  );
  return new Map(read);
}

/** The most names that DescribeAlarms takes at once (API reference). */
const ALARMS = 100;

async function readAlarms({ connect }: OperatorContext, names: readonly string[]): Promise<readonly AlarmFacts[]> {
  if (names.length === 0) return [];
  const [{ DescribeAlarmsCommand }, client] = await Promise.all([
    import('@aws-sdk/client-cloudwatch'),
    connect('cloudwatch'),
  ]);
  const answer = await call('DescribeAlarms', () =>
    client.send(new DescribeAlarmsCommand({ AlarmNames: names.slice(0, ALARMS), MaxRecords: ALARMS })),
  );
  const found = new Map(
    need('DescribeAlarms', 'MetricAlarms', answer.MetricAlarms).map((alarm) => [alarm.AlarmName, alarm]),
  );
  return names.slice(0, ALARMS).map((name) => {
    const alarm = found.get(name);
    return {
      name,
      state: alarm === undefined ? 'gone' : (alarm.StateValue ?? 'unknown'),
      actionsEnabled: alarm?.ActionsEnabled !== false,
    };
  });
}

/**
 * What AWS attaches to a user one of whose keys it has found in public. New versions come as new policies; those that an account does not know
 * answer NoSuchEntity.
 *
 * @see https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html
 */
const QUARANTINES = ['', 'V2', 'V3', 'V4'].map((version) => `AWSCompromisedKeyQuarantine${version}`);

/** Users with a quarantine policy. One call a policy, however many users there are. */
async function readQuarantined(client: IAMClient): Promise<ReadonlyMap<string, string>> {
  const { ListEntitiesForPolicyCommand } = await import('@aws-sdk/client-iam');
  const OPERATION = 'ListEntitiesForPolicy';
  const found = await concurrently(QUARANTINES, async (policy) => {
    const read = async (Marker: string | undefined) => {
      const answer = await call(OPERATION, () =>
        client.send(
          new ListEntitiesForPolicyCommand({
            PolicyArn: `arn:aws:iam::aws:policy/${policy}`,
            EntityFilter: 'User',
            Marker,
          }),
        ),
      );
      return { items: answer.PolicyUsers ?? [], next: answer.IsTruncated === true ? answer.Marker : undefined };
    };
    const users: [string, string][] = [];
    try {
      for await (const page of pages(OPERATION, read)) {
        for (const { UserName } of page) if (UserName !== undefined) users.push([UserName, policy]);
      }
    } catch (error) {
      if (!isAws(error, 'NoSuchEntity')) throw error;
    }
    return users;
  });
  return new Map(found.flat());
}

const WORDS: Readonly<Record<CheckState, { readonly word: string; readonly colour: Colour }>> = {
  fail: { word: 'FAIL', colour: ['bold', 'red'] },
  warn: { word: 'warn', colour: 'yellow' },
  skipped: { word: 'skip', colour: 'dim' },
  ok: { word: 'ok  ', colour: 'green' },
};

/** One line: would a rotation work? */
export function verdictOf(checks: readonly Check[]): string {
  const count = (state: CheckState) => checks.filter((check) => check.state === state).length;
  const [failed, warned, skipped] = [count('fail'), count('warn'), count('skipped')];
  const all = plural(checks.length, 'check');
  if (failed + warned + skipped === 0) return `${all}: all well`;
  const parts = [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(warned > 0 ? [plural(warned, 'warning')] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ];
  return `${all}: ${parts.join(', ')}`;
}

/** The lines that are printed: what is well is told once a kind, all else one by one. */
export function doctorLines(
  checks: readonly Check[],
  { name, region, account }: Pick<Stack, 'name' | 'region' | 'account'>,
  { width, paint }: Page,
  now: Date,
): string[] {
  const failed = checks.some(({ state }) => state === 'fail');
  const lines = (state: CheckState, text: string, remedy?: string) => {
    const { word, colour } = WORDS[state];
    const [first = '', ...more] = wrap(`${word}  ${text}`, width, 6);
    const todo = remedy === undefined || remedy === 'nothing' ? [] : wrap(`      To do: ${remedy}.`, width, 8);
    return [paint(colour, word) + first.slice(word.length), ...more, ...todo];
  };
  const kinds = Object.keys(CHECKS) as (keyof typeof CHECKS)[];
  return [
    ...wrap(verdictOf(checks), width, 2).map((line) => paint(['bold', failed ? 'red' : 'green'], line)),
    ...wrap(`${name} in ${region}, account ${account}, ${moment(now)} UTC`, width, 2).map((line) => paint('dim', line)),
    '',
    ...(['fail', 'warn', 'skipped'] as const).flatMap((state) =>
      checks
        .filter((check) => check.state === state)
        .flatMap(({ check, subject, says, remedy }) => lines(state, `${check} ${subject}: ${says}.`, remedy)),
    ),
    ...kinds.flatMap((kind) => {
      const well = checks.filter(({ check, state }) => check === kind && state === 'ok');
      if (well.length === 0) return [];
      const told = well.length > SHOWN ? plural(well.length, 'check') : alike(well).join(', ');
      return lines('ok', `${kind}: ${told}`);
    }),
  ];
}

/** `a, b (in order)`: what is said of several is said once. */
function alike(checks: readonly Check[]): string[] {
  const said = new Map<string, string[]>();
  for (const { subject, says } of checks) said.set(says, [...(said.get(says) ?? []), subject]);
  return [...said].map(([says, subjects]) => `${subjects.join(', ')} (${says})`);
}

/** Checks that are well are named up to this many a kind. */
const SHOWN = 5;

/** The document of `--json`; docs/cli.md describes it. */
export function doctorJson(
  checks: readonly Check[],
  { name, region, account, version }: Pick<Stack, 'name' | 'region' | 'account' | 'version'>,
  now: Date,
): unknown {
  return {
    formatVersion: 1,
    command: 'doctor',
    at: now,
    stack: { name, region, account, version },
    verdict: verdictOf(checks),
    checks,
  };
}
