/**
 * Judges the calls of roles by their synthesized policies and the secrets' resource policies, with a real policy engine. The engine is AGPL:
 * it serves tests and the simulated account alone, and is never bundled.
 */
import { runSimulation } from '@cloud-copilot/iam-simulate';
import type { AuthorizationRequest, SimulatedAccount, Verdict } from './account.ts';

/** Lets the policies decide from now on, for every role of the account. */
export function judgeByPolicies(account: SimulatedAccount): void {
  const verdicts = new Map<string, Promise<Verdict>>();
  account.authorize = (request) => {
    const statements = account.roles.get(request.principalArn)?.statements ?? [];
    const context = mentioned(request.context, [statements, request.resourcePolicy]);
    const { resourcePolicy, ...rest } = request;
    const key = JSON.stringify([
      rest.principalArn,
      rest.action,
      rest.resource,
      context,
      statements.length,
      resourcePolicy,
    ]);
    const known = verdicts.get(key) ?? judge({ ...request, context }, statements, account.id);
    verdicts.set(key, known);
    return known;
  };
}

async function judge(
  request: AuthorizationRequest,
  statements: readonly unknown[],
  accountId: string,
): Promise<Verdict> {
  const result = await runSimulation(
    {
      request: {
        principal: request.principalArn,
        action: request.action,
        resource: { resource: request.resource, accountId },
        contextVariables: { ...request.context },
      },
      identityPolicies: [{ name: 'role', policy: { Version: '2012-10-17', Statement: statements } }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(request.resourcePolicy !== undefined && { resourcePolicy: request.resourcePolicy }),
    },
    {},
  );
  if (result.resultType === 'error') {
    throw new Error(`The policy engine can't judge ${request.action}: ${JSON.stringify(result.errors)}`);
  }
  return { allowed: result.overallResult === 'Allowed', reason: `by its policies: ${result.overallResult}` };
}

/** The context keys that some condition asks for; the others can't change a verdict, but would make every call a new one. */
function mentioned(
  context: AuthorizationRequest['context'],
  policies: readonly unknown[],
): AuthorizationRequest['context'] {
  const text = JSON.stringify(policies).toLowerCase();
  return Object.fromEntries(Object.entries(context).filter(([key]) => text.includes(`"${key.toLowerCase()}"`)));
}
