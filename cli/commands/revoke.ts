/** `iam-key-rotator revoke`: a key is leaked, and is to be ended, as on a report of AWS. */
import { GetAccessKeyLastUsedCommand } from '@aws-sdk/client-iam';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import * as v from 'valibot';
import { call, isAws } from '../../lambdas/adapters/call.ts';
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { ERROR_CODES, type ErrorCode, RotatorError } from '../../lambdas/domain/errors.ts';
import type { AccessKey } from '../../lambdas/domain/model.ts';
import { type Role, roleOf } from '../../lambdas/domain/roles.ts';
import { badOption, type OperatorCommand } from '../operator/command.ts';
import type { OperatorContext } from '../operator/context.ts';
import { NEEDS_ATTENTION, OperatorError } from '../operator/errors.ts';
import { wrap } from '../operator/page.ts';
import type { Stack } from '../operator/stack.ts';
import { confirmed } from '../steer/confirm.ts';
import { documentHead } from '../steer/document.ts';
import { lookBack } from '../steer/rollback.ts';

export const revoke: OperatorCommand = {
  name: 'revoke',
  says: 'a key is leaked: find out whose it is, and end it',
  about:
    'Does what a report of AWS does, by the same function: starts a rotation, and disables the leaked key when its successor is current, or at once if the key’s ' +
    'onLeak says so. Shows that first, and asks. Of a key that is not under rotation it says what to do by hand.',
  attention: 'the key is not under rotation, or was not contained',
  examples: [
    { does: 'a key that was found in a repository', line: 'revoke AKIAIOSFODNN7EXAMPLE' },
    { does: 'without being asked', line: 'revoke AKIAIOSFODNN7EXAMPLE --yes --json' },
  ],
  configure: (parser) => {
    parser.argument('<key>', 'id of the leaked access key').option('-y, --yes', 'do not ask');
  },
  async run(context, [given = ''], options) {
    const keyId = keyIdOf(given);
    context.progress('reading the stack …');
    const stack = await context.stack();
    context.progress(`looking whose ${keyId} is …`);
    const userName = await ownerOf(keyId, context);
    const policy = stack.deployment.keys.find((key) => key.userName === userName);
    if (policy === undefined) return tellUnmanaged(context, stack, keyId, userName);
    const { standing, does } = await whatHappens(keyId, policy, context);
    if (!context.json) {
      const { paint, width } = context.page;
      context.print([
        paint('bold', `${keyId} is ${standing}`),
        ...does.flatMap((line) => wrap(`  ${line}`, width, 2)),
        '',
      ]);
    }
    await confirmed(context, options, `End ${keyId}?`);
    context.progress('waiting for the respond function; this may take a minute …', true);
    const outcomes = await respond(context, stack, keyId);
    const contained = outcomes.every(({ outcome }) => outcome === 'contained' || outcome === 'nothing-to-do');
    if (context.json) {
      context.printJson({
        ...documentOf(stack, keyId, context.now()),
        secret: policy.secretName,
        user: policy.userName,
        outcomes,
      });
    } else {
      const { paint, width } = context.page;
      context.print(
        outcomes.flatMap(({ outcome, why, remedy }) => [
          ...wrap(`${outcome}: ${why}`, width, 2).map((line) => paint(contained ? 'green' : 'red', line)),
          ...(remedy === undefined ? [] : wrap(`  To do: ${remedy}`, width, 4)),
        ]),
      );
    }
    return contained ? 0 : NEEDS_ATTENTION;
  },
};

/** @throws OperatorError BAD_OPTION. What was given is not quoted unless it is an id: it may be the secret of a key. */
function keyIdOf(given: string): string {
  if (/^AKIA[A-Z0-9]{12,124}$/.test(given)) return given;
  if (/^ASIA[A-Z0-9]{12,124}$/.test(given)) {
    throw badOption(
      'the id of temporary credentials (ASIA…)',
      'the id of a user’s access key (AKIA…)',
      'revoke the sessions of their role: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html',
    );
  }
  throw badOption(
    'something that is no id of an access key',
    'AKIA and sixteen capitals and digits',
    'iam-key-rotator status shows the ids',
  );
}

/**
 * GetAccessKeyLastUsed tells the owner of any key of the account, used or not.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html
 * @returns undefined if the account has no such key
 */
async function ownerOf(keyId: string, context: OperatorContext): Promise<string | undefined> {
  const client = await context.connect('iam');
  try {
    const answer = await call('GetAccessKeyLastUsed', () =>
      client.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: keyId })),
    );
    return answer.UserName;
  } catch (error) {
    if (isAws(error, 'NoSuchEntity')) return undefined;
    throw error;
  }
}

async function whatHappens(
  keyId: string,
  policy: DeployedKey,
  context: OperatorContext,
): Promise<{ readonly standing: string; readonly does: readonly string[] }> {
  const { iam, secrets } = await context.ports();
  const { observed } = await lookBack(policy, { iam, secrets, now: context.now });
  const key = observed.keys.find(({ id }) => id === keyId);
  const current = observed.currentKeyId === keyId;
  const role = current ? 'the current key' : observed.ledger.entries.has(keyId) ? 'a superseded key' : 'a key';
  const standing = `${role} of ${policy.userName}, whose secret is ${policy.secretName}; ${statusOf(key)}`;
  const others = key !== undefined && NOT_OURS.has(roleOf(key, observed, policy));
  return { standing, does: others ? notOurs(policy) : whatIsDone(keyId, current, key, policy) };
}

/** Keys that the respond function leaves as they are (lambdas/respond/contain.ts). */
const NOT_OURS: ReadonlySet<Role> = new Set(['stranger', 'orphan']);

const notOurs = ({ userName }: DeployedKey) => [
  `The rotator has not made this key of ${userName}, and never changes such a one: the leak is reported, and no more. The answer says what to do by hand.`,
];

const statusOf = (key: AccessKey | undefined) =>
  key === undefined
    ? 'it is deleted'
    : key.status === 'Active'
      ? 'it is Active: whoever has it can use it'
      : 'it is disabled';

function whatIsDone(keyId: string, current: boolean, key: AccessKey | undefined, policy: DeployedKey): string[] {
  if (policy.mode === 'observe')
    return [
      "Its mode is 'observe': nothing will be changed, only said. To act, disable the key by hand (aws iam update-access-key).",
    ];
  if (key?.status !== 'Active')
    return ['It does not work any more: it is only remembered as leaked, so that nobody returns to it.'];
  if (!current)
    return [
      `It is remembered as leaked, and disabled as soon as it is sure that ${policy.secretName} does not hold it.`,
    ];
  const slot = 'If both key slots are taken, the superseded key is deleted for that, before its recovery time is over.';
  if (policy.onLeak === 'disable-first') {
    return [
      `onLeak is 'disable-first': ${keyId} is disabled AT ONCE, and its applications fail until they have read the new key.`,
      `A rotation of ${policy.secretName} is started at once, too. ${slot}`,
    ];
  }
  return [
    `A rotation of ${policy.secretName} is started at once; as soon as the new key is current, ${keyId} is disabled, without an overlap.`,
    `Applications that hold it fail from then on, until they have read the new one. ${slot}`,
  ];
}

const outcomesSchema = v.array(
  v.looseObject({
    keyId: v.string(),
    outcome: v.string(),
    why: v.string(),
    remedy: v.optional(v.string()),
    secret: v.optional(v.string()),
    user: v.optional(v.string()),
  }),
);
type Outcome = v.InferOutput<typeof outcomesSchema>[number];

/** ms. The function waits for the rotation; Lambda ends it after fifteen minutes at the latest. */
const RESPOND_TIMEOUT = 900_000;

/** @throws RotatorError what the function failed with; OperatorError */
async function respond(context: OperatorContext, stack: Stack, keyId: string): Promise<readonly Outcome[]> {
  const name = stack.outputs.RespondFunctionName;
  if (name === undefined) {
    throw new OperatorError('STACK_NOT_FOUND', {
      found: `the stack '${stack.name}' has no output RespondFunctionName`,
      expected: 'a stack with the function that responds to leaks',
      remedy:
        'deploy this version (npx cdk deploy); at once: rotate, then disable the key by hand (aws iam update-access-key --status Inactive)',
    });
  }
  // One attempt: the SDK would repeat what only takes long. Running the command again changes nothing more.
  const client = await context.connect('lambda', { maxAttempts: 1, requestTimeout: RESPOND_TIMEOUT });
  const event = { source: 'iam-key-rotator.cli', 'detail-type': 'Leak Reported', detail: { keyId } };
  const answer = await call('Invoke', () =>
    client.send(new InvokeCommand({ FunctionName: name, Payload: new TextEncoder().encode(JSON.stringify(event)) })),
  );
  const payload = parseJson(new TextDecoder().decode(answer.Payload));
  if (answer.FunctionError !== undefined) throw failedWith(payload);
  const parsed = v.safeParse(outcomesSchema, payload);
  if (parsed.success) return parsed.output;
  throw new OperatorError('AWS_CALL_FAILED', {
    found: 'the respond function answered in a form that this version does not know',
    expected: 'a list of outcomes',
    remedy: `deploy the version of this program (npx cdk deploy); see whether ${keyId} is Inactive (aws iam list-access-keys)`,
  });
}

/** The error of a function has its message, which holds all that the rotator's errors tell. */
function failedWith(payload: unknown): Error {
  const parsed = v.safeParse(v.looseObject({ errorMessage: v.string() }), payload);
  const message = parsed.success ? parsed.output.errorMessage : 'an error without a message';
  const told = /^(?<code>[A-Z_]+): (?<found>.*) Expected: (?<expected>.*) To do: (?<remedy>.*)$/s.exec(message)?.groups;
  const code = told?.code;
  if (told !== undefined && code !== undefined && isErrorCode(code)) {
    const { found = '', expected = '', remedy = '' } = told;
    return new RotatorError(code, { found, expected, remedy });
  }
  return new OperatorError('AWS_CALL_FAILED', {
    found: `the respond function failed: ${message.slice(0, 500)}`,
    expected: 'its outcome',
    remedy: 'run it again: what is contained stays so; if this lasts, rotate, and disable the key by hand',
  });
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERROR_CODES, code);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Nothing is changed: it is not the rotator's. */
function tellUnmanaged(context: OperatorContext, stack: Stack, keyId: string, userName: string | undefined): number {
  const remedy =
    userName === undefined
      ? [
          `See whose account it is of: aws sts get-access-key-info --access-key-id ${keyId}. If it is this one, the key is deleted already.`,
        ]
      : [
          `Disable it, if its applications can do without: aws iam update-access-key --user-name ${userName} --access-key-id ${keyId} --status Inactive (undone by --status Active).`,
          'Look what it was used for: CloudTrail, and aws iam get-access-key-last-used.',
          `When nothing misses it, delete it: aws iam delete-access-key --user-name ${userName} --access-key-id ${keyId}.`,
          `To have the user's keys rotated from now on: iam-key-rotator adopt ${userName}`,
        ];
  const found =
    userName === undefined
      ? `the account ${stack.account} has no key ${keyId}`
      : `${keyId} is of ${userName}, who is not under rotation by the stack '${stack.name}'`;
  if (context.json) {
    context.printJson({
      ...documentOf(stack, keyId, context.now()),
      ...(userName !== undefined && { user: userName }),
      outcomes: [
        {
          keyId,
          ...(userName !== undefined && { user: userName }),
          outcome: 'reported',
          why: found,
          remedy: remedy.join(' '),
        },
      ],
    });
  } else {
    const { paint, width } = context.page;
    context.print([
      ...wrap(`${found}. Nothing was changed. By hand:`, width, 2).map((line) => paint('yellow', line)),
      ...remedy.flatMap((line, index) => wrap(`  ${index + 1}. ${line}`, width, 5)),
    ]);
  }
  return NEEDS_ATTENTION;
}

const documentOf = (stack: Stack, keyId: string, at: Date) => ({
  ...documentHead('revoke', stack, at),
  keyId,
});
