/** `iam-key-rotator rollback`: AWSCURRENT goes back to the superseded key. */
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { PASS_IS_OVER, planRollback, RESERVED_FOR, type Route, type StepName } from '../../lambdas/domain/rollback.ts';
import { badOption, type OperatorCommand, textOption } from '../operator/command.ts';
import type { OperatorContext } from '../operator/context.ts';
import { distance, moment, span, wrap } from '../operator/page.ts';
import { keyNamed, type Stack } from '../operator/stack.ts';
import { keyActivation } from '../steer/activate.ts';
import { confirmed } from '../steer/confirm.ts';
import { documentHead } from '../steer/document.ts';
import { identitiesOver } from '../steer/identities.ts';
import { nextRotation } from '../steer/next-rotation.ts';
import { type LookBack, lookBack, type RollbackWorld, rollBack } from '../steer/rollback.ts';

export const rollback: OperatorCommand = {
  name: 'rollback',
  says: 'move AWSCURRENT back to the key before, activating that one if it is disabled',
  about:
    'Shows what it will do and asks. Takes seconds while the key before is within its overlap, otherwise two minutes. Every state between is safe for ' +
    'applications: after a failure or Ctrl-C, run it again. A key that is deleted can not come back.',
  attention: 'the rollback was refused, or did not get to its end',
  examples: [
    { does: 'back to the key that was current before', line: 'rollback deploy-prod' },
    { does: 'without being asked, for a script', line: 'rollback deploy-prod --yes --json' },
    {
      does: 'to a certain key, or forward again to the newer one',
      line: 'rollback deploy-prod --key AKIAIOSFODNN7EXAMPLE',
    },
  ],
  configure: (parser) => {
    parser
      .argument('<secret>', 'the secret, by its name or ARN or by its user')
      .option('--key <id>', 'the key to return to (default: the one that was current last)')
      .option('-y, --yes', 'do not ask');
  },
  async run(context, [name = ''], options) {
    const wanted = keyOption(textOption(options, 'key'));
    context.progress('reading the stack …');
    const stack = await context.stack();
    const policy = keyNamed(stack, name);
    const { rotateTimeout } = stack.deployment;
    context.progress(`looking at ${policy.secretName} …`);
    const done: StepName[] = [];
    const world = await worldOf(context, done);
    const look = await lookBack(policy, world);
    const plan = planRollback(look.observed, wanted, policy, rotateTimeout, context.now());
    if (plan.do === 'refuse') throw plan.error;
    if (plan.do === 'none') {
      tellNothing(context, stack, policy, plan);
      return 0;
    }
    const { route, steps } = plan;
    const next = await nextRotation(await context.connect('secretsmanager'), policy.secretName);
    if (!context.json) context.print(planLines(context, policy, route, steps, look, next));
    await confirmed(context, options, `Move AWSCURRENT of ${policy.secretName} back to ${route.keyId}?`);
    try {
      await rollBack(route, policy, rotateTimeout, world);
    } catch (error) {
      if (done.includes('activate'))
        context.say(
          `${route.keyId} may be Active now. Run the rollback again; or leave it: the retire pass disables it again, in its turn.`,
        );
      throw error;
    }
    if (context.json) {
      context.printJson({
        ...documentOf(stack, policy, context.now()),
        outcome: 'rolled-back',
        ...routeOf(route),
        steps: done,
        nextRotation: next,
      });
    } else context.print(doneLines(context, policy, route));
    return 0;
  },
};

async function worldOf(context: OperatorContext, done: StepName[]): Promise<RollbackWorld> {
  const [{ iam, secrets }, client] = await Promise.all([context.ports(), context.connect('iam')]);
  return {
    iam,
    secrets,
    identities: identitiesOver(context.connect),
    activate: keyActivation(client),
    now: context.now,
    sleep: context.sleep,
    tell(step) {
      if (step.do === 'done') return;
      done.push(step.do);
      context.progress(`${PROGRESS[step.do]} …`, true);
    },
  };
}

const PROGRESS: Readonly<Record<StepName, string>> = {
  reserve: 'reserving the key in the ledger',
  activate: 'activating the key',
  wait: 'waiting until every pass that looked before is over',
  verify: 'asking STS whose key it is',
  'take-off': 'taking AWSPENDING off the version that AWSCURRENT leaves',
  move: 'moving AWSCURRENT',
};

/** @throws OperatorError BAD_OPTION */
export function keyOption(keyId: string | undefined): string | undefined {
  if (keyId === undefined || /^AKIA[A-Z0-9]{12,124}$/.test(keyId)) return keyId;
  throw badOption(
    'a --key that is no id of an access key',
    'AKIA and sixteen capitals and digits',
    'iam-key-rotator status shows the ids',
  );
}

const SAYS: Readonly<Record<StepName, (route: Route, policy: DeployedKey) => string>> = {
  reserve: ({ keyId }) =>
    `write to the ledger that retire passes leave ${keyId} alone for ${RESERVED_FOR / 60} minutes: one is due to end it`,
  activate: ({ keyId }) => `set ${keyId} Active`,
  wait: (_, { deactivateAfter }) =>
    `wait ${deactivateAfter === 0 ? 'some minutes' : `${PASS_IS_OVER} seconds`}, until no run is left that has looked before and may still end it`,
  verify: ({ keyId }, { userName }) => `have STS identify ${keyId} as ${userName}, several times in a row`,
  'take-off': () => 'take AWSPENDING off the version that AWSCURRENT leaves',
  move: ({ from, version }) => `move AWSCURRENT from version ${from} to ${version}`,
};

function planLines(
  { page, now }: OperatorContext,
  policy: DeployedKey,
  route: Route,
  steps: readonly StepName[],
  { observed, values }: LookBack,
  next: Date | undefined,
): string[] {
  const { paint, width } = page;
  const at = now();
  const key = observed.keys.find(({ id }) => id === route.keyId);
  const use = observed.lastUse.get(route.keyId);
  const used = use === undefined ? 'never used' : `last used ${distance(use.at, at)} with ${use.service}`;
  const left = route.fromKeyId ?? 'a value without a key';
  const changed = fieldsThatChange(values, route);
  const line = (text: string) => wrap(text, width, 2);
  return [
    paint('bold', `${policy.secretName}: AWSCURRENT goes back from ${left} to ${route.keyId}`),
    ...line(
      `  ${route.keyId} is ${key?.status === 'Active' ? 'Active' : 'disabled'}, ${key === undefined ? '' : `${span(at.getTime() - key.created.getTime())} old, `}${used}.`,
    ),
    ...(changed.length > 0
      ? line(`  Fields of the value that change with it, beside the key: ${changed.join(', ')}.`).map((text) =>
          paint('yellow', text),
        )
      : []),
    '',
    ...steps.flatMap((step, index) => wrap(`  ${index + 1}. ${SAYS[step](route, policy)}`, width, 5)),
    '',
    ...afterwards(policy, route, next, at).flatMap(line),
    '',
  ];
}

/** What the operator is to know of what comes then. */
function afterwards(policy: DeployedKey, { fromKeyId }: Route, next: Date | undefined, now: Date): string[] {
  const overlap =
    policy.deactivateAfter === 0
      ? 'at once, since there is no overlap'
      : `after its overlap of ${span(policy.deactivateAfter * 1000)}`;
  const first =
    fromKeyId === undefined
      ? []
      : [
          `${fromKeyId} is superseded then: the retire pass disables it ${overlap}, and deletes it ${span(policy.deleteAfter * 1000)} later.`,
        ];
  return [
    ...first,
    next === undefined
      ? 'No rotation is scheduled.'
      : `The next rotation, ${moment(next)} UTC (${distance(next, now)}), mints a new key, once a slot is free. To have none meanwhile: aws secretsmanager cancel-rotate-secret --secret-id ${policy.secretName}; aws secretsmanager rotate-secret turns it on again, with a new key at once.`,
  ];
}

function doneLines({ page }: OperatorContext, policy: DeployedKey, route: Route): string[] {
  const again =
    route.fromKeyId === undefined
      ? ''
      : ` To return to the newer key: iam-key-rotator rollback ${policy.secretName} --key ${route.fromKeyId}`;
  return [
    page.paint(
      'green',
      `Done: AWSCURRENT of ${policy.secretName} holds ${route.keyId}, which STS has just identified as ${policy.userName}.`,
    ),
    ...wrap(`Applications read it as they read any rotation.${again}`, page.width, 2),
  ];
}

/** Names alone: a value holds secrets. */
function fieldsThatChange(values: LookBack['values'], { from, version }: Route): string[] {
  const [before = {}, after = {}] = [values.get(from)?.others, values.get(version)?.others];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name])).sort();
}

function tellNothing(
  context: OperatorContext,
  stack: Stack,
  policy: DeployedKey,
  { keyId, newer }: { readonly keyId: string; readonly newer: string | undefined },
): void {
  if (context.json) {
    context.printJson({ ...documentOf(stack, policy, context.now()), outcome: 'nothing-to-do', to: { keyId }, newer });
    return;
  }
  const forward =
    newer === undefined
      ? ''
      : ` It was rolled back already; the newer key: iam-key-rotator rollback ${policy.secretName} --key ${newer}`;
  context.print(
    wrap(`Nothing to do: AWSCURRENT of ${policy.secretName} holds ${keyId}.${forward}`, context.page.width, 2),
  );
}

const documentOf = (stack: Stack, policy: DeployedKey, at: Date) => ({
  ...documentHead('rollback', stack, at),
  secret: policy.secretName,
  user: policy.userName,
});

const routeOf = ({ keyId, version, from, fromKeyId }: Route) => ({
  from: { keyId: fromKeyId, version: from },
  to: { keyId, version },
});
