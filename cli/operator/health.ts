/** What would keep a rotation from working: facts in, checks out. Pure. */
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { adoptedKey } from '../../lambdas/domain/adoption.ts';
import { type Ledger, parseLedger } from '../../lambdas/domain/ledger.ts';
import type { AccessKey } from '../../lambdas/domain/model.ts';
import type { Told } from './errors.ts';
import { distance, moment, plural } from './page.ts';
import type { Stack } from './stack.ts';
import { type ProblemCode, type Standing, standingOf } from './standing.ts';
import type { Surveyed } from './survey.ts';

/** `skipped`: it could not be looked at. */
export type CheckState = 'ok' | 'warn' | 'fail' | 'skipped';

export interface Check {
  /** What was checked: closed, documented in docs/cli.md. */
  readonly check: CheckName;
  /** Which of them: the name of a function, a secret … */
  readonly subject: string;
  readonly state: CheckState;
  readonly says: string;
  readonly remedy?: string;
}

export const CHECKS = {
  stack: 'the stack is there, is not being changed, and is of the version of this program',
  function: 'each function is there, active, and its last update went well',
  schedule: 'the schedules of the passes are there and enabled',
  alarms: 'the alarms are there, act, and are quiet',
  leaks: 'reports of leaks, which AWS makes in us-east-1 alone, reach the Region',
  secret: 'the secret is there, readable, rotated by this rotator, and not overdue',
  user: 'the user is there, has the current key, Active, and is not quarantined',
  slot: 'the next rotation finds a free slot for its key',
} as const;

export type CheckName = keyof typeof CHECKS;

/** A fact, or why it could not be read. */
export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Told };

export interface FunctionFacts {
  readonly arn: string;
  readonly runtime: string;
  readonly state: string;
  readonly lastUpdate: string;
}

export interface AlarmFacts {
  readonly name: string;
  /** As CloudWatch has it, or `gone`: somebody has deleted it. */
  readonly state: string;
  readonly actionsEnabled: boolean;
}

export interface HealthFacts {
  readonly stack: Stack;
  readonly version: string;
  /** By the stack's output. */
  readonly functions: ReadonlyMap<string, Read<FunctionFacts>>;
  /** By name. */
  readonly schedules: ReadonlyMap<string, Read<{ readonly state: string; readonly expression: string }>>;
  readonly alarms: Read<readonly AlarmFacts[]>;
  /** Status of the stack that forwards reports of leaks to this Region, undefined if there is none. Absent where none is needed. */
  readonly forwarding?: Read<string | undefined>;
  readonly surveyed: readonly Surveyed[];
  /** By user. */
  readonly keys: ReadonlyMap<string, Read<readonly AccessKey[]>>;
  /** The quarantine policies of users that have one. */
  readonly quarantined: Read<ReadonlyMap<string, string>>;
  readonly now: Date;
}

/** Functions without which no key is rotated or retired, by the stack's outputs. */
export const NEEDED_FUNCTIONS = ['RotateFunctionName', 'RetireFunctionName'] as const;
export const OTHER_FUNCTIONS = ['RespondFunctionName', 'AuditFunctionName', 'NotifyFunctionName'] as const;

/** All checks, in the order of their names. */
export function examine(facts: HealthFacts): readonly Check[] {
  return [
    ...checkStack(facts),
    ...checkFunctions(facts),
    ...checkSchedules(facts),
    ...checkAlarms(facts),
    ...checkLeaks(facts),
    ...facts.surveyed.flatMap((one) => checkKey(one, facts)),
  ];
}

function checkStack({ stack, version }: HealthFacts): Check[] {
  const { name: subject, status } = stack;
  const own = { check: 'stack', subject } as const;
  const stable = /^(?:CREATE|UPDATE|IMPORT)_COMPLETE$/.test(status);
  const settled: Check = stable
    ? { ...own, state: 'ok', says: `${status}, ${plural(stack.deployment.keys.length, 'key')}` }
    : {
        ...own,
        state: /FAILED|ROLLBACK/.test(status) ? 'fail' : 'warn',
        says: `the stack is in ${status}`,
        remedy: /IN_PROGRESS/.test(status) ? 'wait for it to end' : 'look at the events of the stack, and deploy again',
      };
  const same: Check =
    stack.version === version
      ? { ...own, state: 'ok', says: `version ${version}` }
      : {
          ...own,
          state: 'warn',
          says: `deployed by version ${stack.version}; this program is ${version}`,
          remedy: 'use the version that was deployed, or deploy this one',
        };
  return [settled, same];
}

function checkFunctions({ functions, stack }: HealthFacts): Check[] {
  const missing = NEEDED_FUNCTIONS.filter((output) => stack.outputs[output] === undefined).map(
    (output): Check => ({
      check: 'function',
      subject: output,
      state: 'fail',
      says: `the stack has no output ${output}`,
      remedy: 'deploy again (npx cdk deploy)',
    }),
  );
  return [
    ...missing,
    ...[...functions].map(([output, read]) =>
      checkFunction(stack.outputs[output as 'RotateFunctionName'] ?? output, read),
    ),
  ];
}

/** What infra/rotator-function.ts gives its functions. */
const RUNTIME = 'nodejs24.x';

function checkFunction(subject: string, read: Read<FunctionFacts>): Check {
  const own = { check: 'function', subject } as const;
  if (!read.ok) return unread(own, read.failure);
  const { state, lastUpdate, runtime } = read.value;
  const again = 'deploy again (npx cdk deploy), and look at the function in the console';
  // Inactive: AWS has taken an idle function's resources away; the next invocation brings it back.
  if (state !== 'Active' && state !== 'Inactive')
    return { ...own, state: 'fail', says: `its state is ${state}`, remedy: again };
  if (lastUpdate === 'Failed') return { ...own, state: 'fail', says: 'its last update failed', remedy: again };
  if (runtime !== RUNTIME) {
    return {
      ...own,
      state: 'warn',
      says: `runs on ${runtime}, not on ${RUNTIME}`,
      remedy: 'deploy again (npx cdk deploy)',
    };
  }
  return { ...own, state: 'ok', says: `${state}, ${runtime}` };
}

function checkSchedules({ schedules }: HealthFacts): Check[] {
  if (schedules.size === 0) {
    return [
      {
        check: 'schedule',
        subject: 'retire pass',
        state: 'fail',
        says: 'the stack has no schedule: nothing is ever retired',
        remedy: 'deploy again (npx cdk deploy)',
      },
    ];
  }
  return [...schedules].map(([subject, read]): Check => {
    const own = { check: 'schedule', subject } as const;
    if (!read.ok) return unread(own, read.failure);
    const { state, expression } = read.value;
    return state === 'ENABLED'
      ? { ...own, state: 'ok', says: expression }
      : {
          ...own,
          state: 'fail',
          says: `it is ${state}`,
          remedy:
            'enable it in the console of EventBridge Scheduler: a deployment leaves alone what is unchanged in the template',
        };
  });
}

function checkAlarms({ alarms, stack }: HealthFacts): Check[] {
  const own = { check: 'alarms', subject: stack.name } as const;
  if (!alarms.ok) return [unread(own, alarms.failure)];
  const { value: all } = alarms;
  if (all.length === 0) {
    const remedy = 'deploy a version that brings alarms';
    return [{ ...own, state: 'warn', says: 'the stack has no alarms: nobody is told when a rotation fails', remedy }];
  }
  const troubled = all.flatMap(({ name: subject, state, actionsEnabled }): Check[] => {
    if (state === 'gone') {
      const remedy = 'make the stack create it again: deploy without it, and then with it';
      return [{ check: 'alarms', subject, state: 'fail', says: 'was deleted: nobody is told', remedy }];
    }
    if (state === 'ALARM') {
      return [
        {
          check: 'alarms',
          subject,
          state: 'warn',
          says: 'is in ALARM',
          remedy: 'docs/runbook.md has a section for it',
        },
      ];
    }
    return actionsEnabled
      ? []
      : [
          {
            check: 'alarms',
            subject,
            state: 'warn',
            says: 'its actions are disabled: nobody is told',
            remedy: 'aws cloudwatch enable-alarm-actions',
          },
        ];
  });
  return troubled.length > 0 ? troubled : [{ ...own, state: 'ok', says: `${plural(all.length, 'alarm')}, all quiet` }];
}

/** Where AWS reports leaked keys (infra/leak-signals.ts, which forwards them). */
export const LEAKS_REGION = 'us-east-1';
export const forwarderOf = ({ name }: Pick<Stack, 'name'>) => `${name}-leak-signals`;

function checkLeaks({ forwarding, stack }: HealthFacts): Check[] {
  if (forwarding === undefined) return [];
  const subject = forwarderOf(stack);
  const own = { check: 'leaks', subject } as const;
  if (!forwarding.ok) return [unread(own, forwarding.failure)];
  if (forwarding.value !== undefined) return [{ ...own, state: 'ok', says: `${forwarding.value} in ${LEAKS_REGION}` }];
  return [
    {
      ...own,
      state: 'warn',
      says: `there is no such stack in ${LEAKS_REGION}: what AWS reports there as leaked is not heard of in ${stack.region}`,
      remedy: `name the target's region (${stack.region}) in rotator.config.ts, bootstrap ${LEAKS_REGION}, and deploy (npx cdk deploy --all)`,
    },
  ];
}

/** What would keep the next rotation or a retirement from working; the others tell of a key, not of the rotator. */
const BLOCKING: ReadonlySet<ProblemCode> = new Set([
  'secret-missing',
  'deletion-scheduled',
  'ledger-malformed',
  'rotation-off',
  'no-key-yet',
  'overdue',
  'rotation-unfinished',
  'retirement-late',
]);

/** Of those, what a rotation that succeeds ends. */
const RETRIED: ReadonlySet<ProblemCode> = new Set(['no-key-yet', 'overdue', 'rotation-unfinished']);

function checkKey(surveyed: Surveyed, facts: HealthFacts): Check[] {
  const { policy, secret } = surveyed;
  const standing = standingOf(surveyed, new Map(), facts.now);
  const subject = policy.secretName;
  const blocking = standing.problems.filter(({ code }) => BLOCKING.has(code));
  const ofUser = checkUser(surveyed, standing, facts);
  // To try again helps only once that is mended.
  const first = ofUser.some(({ state }) => state === 'fail')
    ? `first mend what else fails for ${policy.userName}; then `
    : '';
  const ofSecret = [
    ...blocking.map(({ code, says, remedy }): Check => {
      const retry = RETRIED.has(code) ? first : '';
      return { check: 'secret', subject, state: 'fail', says, remedy: retry + withoutDoctor(remedy) };
    }),
    ...(secret === undefined ? [] : checkRotator(subject, secret.rotationFunctionArn, policy, facts)),
  ];
  return [
    ...(ofSecret.length > 0 ? ofSecret : [{ check: 'secret', subject, state: 'ok', says: 'in order' } as const]),
    ...ofUser,
  ];
}

/** Who reads this has just run it. */
const withoutDoctor = (remedy: string) =>
  remedy.replace(/^iam-key-rotator doctor [^;]*?tells (?:why|what [^;]*); /, '');

function checkRotator(
  subject: string,
  found: string | undefined,
  policy: DeployedKey,
  { functions }: HealthFacts,
): Check[] {
  const rotate = functions.get('RotateFunctionName');
  if (
    policy.mode === 'observe' ||
    found === undefined ||
    rotate === undefined ||
    !rotate.ok ||
    rotate.value.arn === found
  ) {
    return [];
  }
  return [
    {
      check: 'secret',
      subject,
      state: 'fail',
      says: `it is rotated by ${found}, not by this rotator`,
      remedy: `aws secretsmanager rotate-secret --secret-id ${subject} --rotation-lambda-arn ${rotate.value.arn} gives it back, with a new key at once`,
    },
  ];
}

function checkUser({ policy, secret }: Surveyed, standing: Standing, facts: HealthFacts): Check[] {
  const { userName: subject } = policy;
  const own = { check: 'user', subject } as const;
  const quarantine = facts.quarantined.ok ? facts.quarantined.value.get(subject) : undefined;
  const quarantined: Check[] =
    quarantine === undefined
      ? []
      : [
          {
            ...own,
            state: 'fail',
            says: `AWS has attached ${quarantine}: a key of the user was found in public`,
            remedy: 'iam-key-rotator revoke <key id>; then detach the policy, as AWS Support says',
          },
        ];
  const read = facts.keys.get(subject);
  if (read === undefined) return quarantined;
  if (!read.ok) return [...quarantined, unread(own, read.failure)];
  const ledger = secret && readable(secret.tags);
  const currentKey = checkCurrent(own, standing, read.value);
  return [
    ...quarantined,
    ...currentKey,
    ...(quarantined.length + currentKey.length === 0
      ? [{ ...own, state: 'ok', says: plural(read.value.length, 'key') } as const]
      : []),
    ...(ledger === undefined ? [] : [checkSlot(policy, standing, ledger, read.value, facts.now)]),
  ];
}

function checkCurrent(
  own: Pick<Check, 'check' | 'subject'>,
  { current }: Standing,
  keys: readonly AccessKey[],
): Check[] {
  if (current === undefined) return [];
  const key = keys.find(({ id }) => id === current.keyId);
  if (key?.status === 'Active') return [];
  return [
    {
      ...own,
      state: 'fail',
      says:
        key === undefined
          ? `the current key ${current.keyId} is not among the keys of the user: applications can not work`
          : `the current key ${current.keyId} is Inactive: applications can not work`,
      remedy:
        key === undefined
          ? 'iam-key-rotator rotate makes a new one'
          : `activate it (aws iam update-access-key), or iam-key-rotator rotate makes a new one`,
    },
  ];
}

/** Keys of a user, inactive ones included: a quota that can't be raised. */
const SLOTS = 2;

function checkSlot(
  policy: DeployedKey,
  standing: Standing,
  ledger: Ledger,
  keys: readonly AccessKey[],
  now: Date,
): Check {
  const own = { check: 'slot', subject: policy.userName } as const;
  const free = SLOTS - keys.length;
  if (free > 0) return { ...own, state: 'ok', says: plural(free, 'free slot') };
  if (policy.mode === 'observe') return { ...own, state: 'ok', says: 'none free; nothing is minted in mode observe' };
  const adopted = adoptedKey(policy, ledger) ?? policy.adopt;
  const strangers = keys.filter(
    ({ id }) => !ledger.entries.has(id) && id !== adopted && id !== standing.current?.keyId,
  );
  if (strangers.length > 0) {
    const told = strangers.map(({ id, status, created }) => `${id} (${status}, made ${distance(created, now)})`);
    return {
      ...own,
      state: 'fail',
      says: `both key slots are taken, and the rotator does not know ${told.join(' and ')}: the next rotation fails with STRANGERS_HOLD_SLOTS`,
      remedy: `iam-key-rotator adopt ${policy.userName} tells when each was last used, and how to free a slot: the one that nobody uses is disabled, and deleted when nothing has missed it; one in use is named as adopt in rotator.config.ts`,
    };
  }
  const retiring = standing.superseded.find(({ keyId }) => keys.some(({ id }) => id === keyId));
  const gone = retiring?.due;
  const { nextRotation } = standing;
  if (gone === undefined || nextRotation === undefined || gone <= nextRotation) {
    return { ...own, state: 'ok', says: 'both taken by keys of the rotator; one is deleted in time' };
  }
  return {
    ...own,
    state: 'warn',
    says: `${retiring?.keyId} is ${retiring?.state} until ${moment(gone)}, after the next rotation (${moment(nextRotation)}), which finds no free slot`,
    remedy: 'let its application switch to the secret, or shorten holdAtMost or deleteAfter',
  };
}

function readable(tags: Readonly<Record<string, string>>): Ledger | undefined {
  try {
    return parseLedger(tags);
  } catch {
    // Told as the secret's: standing.ts.
    return undefined;
  }
}

/** What can't be read: denied is no verdict, anything else is one. */
function unread(own: Pick<Check, 'check' | 'subject'>, { code, found, remedy }: Told): Check {
  if (code === 'ACCESS_DENIED') {
    return {
      ...own,
      state: 'skipped',
      says: 'these credentials may not look at it',
      remedy: 'docs/cli.md has the policy',
    };
  }
  return { ...own, state: 'fail', says: found, remedy };
}
