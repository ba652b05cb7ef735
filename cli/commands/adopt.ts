/** `iam-key-rotator adopt`: how an existing user comes under rotation. Changes nothing: the configuration binds users to secrets. */
import { GetUserCommand } from '@aws-sdk/client-iam';
import { defaultSecretName } from '../../infra/config/defaults.ts';
import { call, isAws } from '../../lambdas/adapters/call.ts';
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { RotatorError } from '../../lambdas/domain/errors.ts';
import { parseLedger, pinnedUserId } from '../../lambdas/domain/ledger.ts';
import type { SecretFacts } from '../../lambdas/domain/model.ts';
import { badOption, type OperatorCommand, textOption } from '../operator/command.ts';
import type { OperatorContext, Ports } from '../operator/context.ts';
import { NEEDS_ATTENTION } from '../operator/errors.ts';
import { span, wrap } from '../operator/page.ts';
import type { Stack } from '../operator/stack.ts';
import { adviseAdoption, entryLines, type UsedKey, usedWhen } from '../steer/adoption.ts';
import { documentHead } from '../steer/document.ts';
import { whyNot } from '../steer/rotation.ts';

export const adopt: OperatorCommand = {
  name: 'adopt',
  says: 'say how an existing user comes under rotation, and print its entry for rotator.config.ts',
  about:
    'Changes nothing: which user has which secret, rotator.config.ts alone says, so that nobody can point a secret at another user. Looks at the user and its ' +
    'keys; says what is to be done first, and what adopting will do. Of a user that is configured already, it says how far that is.',
  attention: 'something must be done first, or the first rotation would be refused',
  examples: [
    { does: 'a user whose application has a key in its settings', line: 'adopt legacy-batch' },
    { does: 'with a secret of another name', line: 'adopt legacy-batch --secret batch/aws-key' },
  ],
  configure: (parser) => {
    parser
      .argument('<user>', 'name of the IAM user, without its path')
      .option('--secret <name>', 'name of its secret (default: as the configuration has it)');
  },
  async run(context, [given = ''], options) {
    const secretName = textOption(options, 'secret');
    if (!/^[\w+=,.@-]{1,64}$/.test(given))
      throw badOption(
        'something that is no name of an IAM user',
        'its name, without path and ARN',
        'aws iam list-users shows them',
      );
    context.progress('reading the stack …');
    const stack = await context.stack();
    context.progress(`looking at ${given} …`);
    const ports = await context.ports();
    const path = await pathOf(given, context);
    const keys: UsedKey[] = [];
    for (const key of await ports.iam.list(given)) keys.push({ ...key, lastUse: await ports.iam.lastUse(key.id) });
    const policy = stack.deployment.keys.find(({ userName }) => userName === given);
    if (policy !== undefined) return tellConfigured(context, stack, policy, keys, ports);
    return tellNewcomer(context, stack, given, path, keys, secretName, ports);
  },
};

/** @throws RotatorError USER_NOT_FOUND */
async function pathOf(userName: string, context: OperatorContext): Promise<string> {
  const client = await context.connect('iam');
  try {
    const { User } = await call('GetUser', () => client.send(new GetUserCommand({ UserName: userName })));
    return User?.Path ?? '/';
  } catch (error) {
    if (!isAws(error, 'NoSuchEntity')) throw error;
    throw new RotatorError(
      'USER_NOT_FOUND',
      {
        found: `the account has no IAM user ${userName}`,
        expected: 'an existing user',
        remedy: `for a new one, put { user: '${userName}', createUser: true } into rotator.config.ts and deploy`,
      },
      { cause: error },
    );
  }
}

async function describeIfThere(name: string, { secrets }: Ports): Promise<SecretFacts | undefined> {
  try {
    return await secrets.describe(name);
  } catch (error) {
    if (isAws(error, 'ResourceNotFoundException')) return undefined;
    throw error;
  }
}

async function tellNewcomer(
  context: OperatorContext,
  stack: Stack,
  userName: string,
  path: string,
  keys: readonly UsedKey[],
  secretName: string | undefined,
  ports: Ports,
): Promise<number> {
  const effectiveName = secretName ?? defaultSecretName(userName);
  const secretTaken = (await describeIfThere(effectiveName, ports)) !== undefined;
  const now = context.now();
  const advice = adviseAdoption({ userName, path, keys, secretName, effectiveName, secretTaken }, now);
  const { first, entry, adopted, means } = advice;
  if (context.json) {
    context.printJson({
      ...documentOf(stack, userName, keys, now),
      state: 'not-configured',
      secret: effectiveName,
      first,
      entry,
      ...(adopted && { adopts: adopted.id }),
      means,
    });
    return first.length === 0 ? 0 : NEEDS_ATTENTION;
  }
  const { paint, width } = context.page;
  const then =
    first.length === 0
      ? 'Put this into keys of rotator.config.ts, and deploy (npx cdk diff, npx cdk deploy):'
      : 'Then put this into keys of rotator.config.ts, and deploy (npx cdk diff, npx cdk deploy):';
  context.print([
    paint('bold', `${path}${userName} is not under rotation by the stack '${stack.name}'`.replace(/^\//, '')),
    ...keyLines(keys, now),
    ...(first.length === 0
      ? []
      : ['', paint('yellow', 'First:'), ...first.flatMap((text, index) => wrap(`  ${index + 1}. ${text}.`, width, 5))]),
    '',
    then,
    '',
    ...entryLines(entry, adopted).map((line) => `    ${line}`),
    '',
    ...means.flatMap((text) => wrap(`- ${text}.`, width, 2)),
    ...wrap(
      `- To follow it after the deployment: iam-key-rotator status, and iam-key-rotator adopt ${userName}.`,
      width,
      2,
    ),
  ]);
  return first.length === 0 ? 0 : NEEDS_ATTENTION;
}

/** Configured already: what the next rotation does, and what became of the key that is adopted. */
async function tellConfigured(
  context: OperatorContext,
  stack: Stack,
  policy: DeployedKey,
  keys: readonly UsedKey[],
  ports: Ports,
): Promise<number> {
  const now = context.now();
  const facts = await describeIfThere(policy.secretName, ports);
  const ledger = facts && parseLedger(facts.tags);
  const managed = facts !== undefined && ledger !== undefined && pinnedUserId(ledger, facts.labels) !== undefined;
  const refusal =
    facts === undefined || managed
      ? undefined
      : await whyNot(facts, policy, stack.deployment.rotateTimeout, { ...ports, now: context.now });
  const says = managed
    ? `${policy.userName} is under rotation: its keys stand in ${policy.secretName}`
    : `${policy.userName} is configured for ${policy.secretName}, and its first rotation has not come to its end`;
  const adopted = policy.adopt === undefined ? 'no key is adopted' : `adopt: '${policy.adopt}'`;
  const unknown = keys.filter(({ id }) => ledger?.entries.has(id) !== true);
  const strangers = managed && unknown.length > 0 ? unknown : [];
  const attention = refusal !== undefined || strangers.length > 0;
  if (context.json) {
    context.printJson({
      ...documentOf(stack, policy.userName, keys, now),
      state: managed ? 'managed' : 'configured',
      secret: policy.secretName,
      adopt: policy.adopt,
      unknownKeys: strangers.map(({ id }) => id),
      ...(refusal && { refusal: { code: refusal.code, ...refusal.details } }),
    });
    return attention ? NEEDS_ATTENTION : 0;
  }
  const { paint, width } = context.page;
  const line = (text: string) => wrap(text, width, 2);
  context.print([
    paint('bold', `${says} (${adopted})`),
    ...keyLines(keys, now, ledger && ((id) => (ledger.entries.has(id) ? '' : ', not of the rotator'))),
    '',
    ...(refusal === undefined
      ? []
      : [
          ...line(`The next rotation would be refused: ${refusal.code}: ${refusal.details.found}.`).map((text) =>
            paint('red', text),
          ),
          ...line(`To do: ${refusal.details.remedy}.`),
        ]),
    ...strangers.flatMap(({ id }) =>
      line(
        `${id} was made by hand, and holds a slot for ever. If it is in use: put adopt: '${id}' for this user in rotator.config.ts and deploy; if not, disable and delete it.`,
      ),
    ),
    ...line(
      managed
        ? 'iam-key-rotator status shows what becomes of each key.'
        : `iam-key-rotator rotate ${policy.userName} starts the first rotation, and follows it.`,
    ),
  ]);
  return attention ? NEEDS_ATTENTION : 0;
}

const keyLines = (keys: readonly UsedKey[], now: Date, more: (id: string) => string = () => ''): string[] =>
  keys.length === 0
    ? ['  no access key']
    : keys.map(
        (key) =>
          `  ${key.id}  ${key.status}, ${span(now.getTime() - key.created.getTime())} old, last used: ${usedWhen(key)}${more(key.id)}`,
      );

const documentOf = (stack: Stack, userName: string, keys: readonly UsedKey[], at: Date) => ({
  ...documentHead('adopt', stack, at),
  user: userName,
  keys: keys.map(({ id, status, created, lastUse }) => ({ keyId: id, status, created, ...(lastUse && { lastUse }) })),
});
