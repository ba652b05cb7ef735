/** `iam-key-rotator rotate`: starts a rotation, and follows it to its end. */
import { randomUUID } from 'node:crypto';
import { RotateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { call, isAws } from '../../lambdas/adapters/call.ts';
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { RotatorError } from '../../lambdas/domain/errors.ts';
import type { SecretFacts } from '../../lambdas/domain/model.ts';
import { type OperatorCommand, timeOption } from '../operator/command.ts';
import type { OperatorContext, Ports } from '../operator/context.ts';
import { span, wrap } from '../operator/page.ts';
import { keyNamed, type Stack } from '../operator/stack.ts';
import { documentHead } from '../steer/document.ts';
import { keyOfToken, STAGES, type Stage, stageOf, unfinishedToken, whyNot } from '../steer/rotation.ts';

export const rotate: OperatorCommand = {
  name: 'rotate',
  says: 'start a rotation, and follow it to its end',
  about:
    'Asks the rotate function’s own code first whether it would refuse, and why. A rotation that is under way already is followed. Ctrl-C ends the ' +
    'following; the rotation goes on.',
  attention: 'the rotation was refused, or did not come to its end in time',
  examples: [
    { does: 'a new key now', line: 'rotate deploy-prod' },
    { does: 'only start it', line: 'rotate deploy-prod --no-wait' },
    { does: 'wait longer, for a script', line: 'rotate deploy-prod --timeout 30m --json' },
  ],
  configure: (parser) => {
    parser
      .argument('<secret>', 'the secret, by its name or ARN or by its user')
      .option('--no-wait', 'do not follow the rotation')
      .option('--timeout <time>', 'follow it for this long at most (default: 10m)')
      .option('--force', 'start it even if the function is going to refuse');
  },
  async run(context, [name = ''], options) {
    const timeout = timeOption(options, 'timeout') ?? TIMEOUT;
    context.progress('reading the stack …');
    const stack = await context.stack();
    const policy = keyNamed(stack, name);
    const ports = await context.ports();
    context.progress(`looking at ${policy.secretName} …`);
    const facts = await ports.secrets.describe(policy.secretName);
    const begun = unfinishedToken(facts);
    if (begun === undefined && options.force !== true) await refuseEarly(facts, policy, stack, ports, context);
    const token = await start(context, policy, ports);
    const document = { ...documentOf(stack, policy, context.now()), token, followed: begun !== undefined };
    if (options.wait === false) {
      if (context.json) context.printJson({ ...document, outcome: 'started' });
      else
        context.print(
          wrap(`Started. To follow it: iam-key-rotator rotate ${policy.secretName}`, context.page.width, 2),
        );
      return 0;
    }
    const followed = await follow({ context, stack, policy, ports, token, timeout });
    if (context.json) context.printJson({ ...document, outcome: 'rotated', ...followed });
    else context.print(doneLines(context, policy, followed));
    return 0;
  },
};

/** Seconds. A rotation takes some twenty, and Secrets Manager repeats one that fails after a while. */
const TIMEOUT = 600;
/** Between two looks. */
const POLL_MS = 2000;
/** Seconds without a step after which it is asked whether the function refuses. */
const QUIET_FOR = 15;

async function refuseEarly(
  facts: SecretFacts,
  policy: DeployedKey,
  { deployment }: Stack,
  ports: Ports,
  context: OperatorContext,
): Promise<void> {
  const refusal = await whyNot(facts, policy, deployment.rotateTimeout, { ...ports, now: context.now });
  if (refusal === undefined) return;
  // One that began just now may be what takes the slot: it is followed.
  if (unfinishedToken(await ports.secrets.describe(policy.secretName)) === undefined) throw refusal;
}

/** @returns the token of the rotation that is under way then */
async function start(context: OperatorContext, policy: DeployedKey, { secrets }: Ports): Promise<string> {
  const client = await context.connect('secretsmanager');
  const token = randomUUID();
  const command = new RotateSecretCommand({ SecretId: policy.secretName, ClientRequestToken: token });
  try {
    await call('RotateSecret', () => client.send(command));
    return token;
  } catch (error) {
    // "A previous rotation isn't complete. That rotation will be reattempted": also when an answer to this very call was lost.
    if (!isAws(error, 'InvalidRequestException')) throw error;
    const other = unfinishedToken(await secrets.describe(policy.secretName));
    if (other === undefined) throw error;
    if (other !== token) context.say(`A rotation of ${policy.secretName} is under way already; following that one.`);
    return other;
  }
}

interface Followed {
  readonly token: string;
  readonly keyId: string | undefined;
  readonly seconds: number;
}

interface Following {
  readonly context: OperatorContext;
  readonly stack: Stack;
  readonly policy: DeployedKey;
  readonly ports: Ports;
  readonly token: string;
  /** In seconds. */
  readonly timeout: number;
}

const SAYS: Readonly<Record<Stage, string>> = {
  started: 'started',
  announced: 'minting a key',
  minted: 'key minted and stored, waiting until STS knows it',
  verified: 'key verified, promoting it',
  promoted: 'promoted',
};

/** @throws RotatorError what the function refuses with, or ROTATION_UNFINISHED */
async function follow(following: Following): Promise<Followed> {
  const { context, policy, ports, timeout } = following;
  let { token } = following;
  const begun = context.now().getTime();
  const interrupted = () => {
    context.say(
      `Not followed any more; the rotation of ${policy.secretName} goes on. To follow it again: iam-key-rotator rotate ${policy.secretName}`,
    );
    process.exit(INTERRUPTED);
  };
  process.once('SIGINT', interrupted);
  try {
    let stage: Stage | undefined;
    let since = begun;
    for (;;) {
      const facts = await ports.secrets.describe(policy.secretName);
      const now = context.now().getTime();
      // Two that were started at once are one: the other's token may be the one that counts.
      if (!facts.labels.has(token)) token = unfinishedToken(facts) ?? token;
      const seen = stageOf(facts, token);
      const seconds = Math.round((now - begun) / 1000);
      if (seen === 'promoted') return { token, keyId: keyOfToken(facts, token), seconds };
      if (seen === 'given-up')
        throw await unfinished({ ...following, token }, facts, 'the rotation has given its version up');
      if (seen !== stage) since = now;
      stage = seen;
      const keyId = keyOfToken(facts, token);
      const step = `[${STAGES.indexOf(seen) + 1}/${STAGES.length}] ${SAYS[seen]}`;
      context.progress(
        `${policy.secretName}: ${step}${keyId === undefined ? '' : ` (${keyId})`}, ${span(now - begun)}`,
        since === now,
      );
      if (seen === 'started' && now - since >= QUIET_FOR * 1000) {
        const refusal = await refusalOf({ ...following, token }, facts);
        if (refusal !== undefined) throw refusal;
      }
      if (now - begun >= timeout * 1000)
        throw await unfinished(
          { ...following, token },
          facts,
          `after ${span(timeout * 1000)} the rotation stands at: ${SAYS[seen]}`,
        );
      await context.sleep(POLL_MS);
    }
  } finally {
    process.off('SIGINT', interrupted);
  }
}

/** As the shell has it for a program that Ctrl-C has ended. */
const INTERRUPTED = 130;

const refusalOf = ({ stack, policy, ports, token, context }: Following, facts: SecretFacts) =>
  whyNot(facts, policy, stack.deployment.rotateTimeout, { ...ports, now: context.now }, token);

/** The function's own refusal where there is one, while no key is minted yet; else where to look. */
async function unfinished(following: Following, facts: SecretFacts, found: string): Promise<RotatorError> {
  const { stack, policy } = following;
  const isMinted = keyOfToken(facts, following.token) !== undefined;
  const refusal = isMinted ? undefined : await refusalOf(following, facts);
  if (refusal !== undefined) return refusal;
  const fn = stack.outputs.RotateFunctionName;
  const look =
    fn === undefined
      ? "look into the rotate function's log"
      : `look into its log: aws logs tail /aws/lambda/${fn} --since 30m --region ${stack.region}`;
  return new RotatorError('ROTATION_UNFINISHED', {
    found: `${found}; nothing that could be read from here is in its way`,
    expected: 'the new key to be current',
    remedy: `${look}. Secrets Manager repeats it by itself; the keys of ${policy.userName} stay as they are until then`,
  });
}

function doneLines({ page }: OperatorContext, policy: DeployedKey, { keyId, seconds }: Followed): string[] {
  const overlap =
    policy.deactivateAfter === 0
      ? 'is disabled at once'
      : `stays Active for ${span(policy.deactivateAfter * 1000)}, or longer while it is in use`;
  return [
    page.paint('green', `Done: ${keyId ?? 'a new key'} is the current key of ${policy.secretName} (${seconds} s).`),
    ...wrap(
      `The key before ${overlap}; iam-key-rotator status shows it, and iam-key-rotator rollback returns to it.`,
      page.width,
      2,
    ),
  ];
}

const documentOf = (stack: Stack, policy: DeployedKey, at: Date) => ({
  ...documentHead('rotate', stack, at),
  secret: policy.secretName,
  user: policy.userName,
});
