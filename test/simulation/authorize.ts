/**
 * Judges the calls of a simulation by the policies that the CDK app gives the functions' roles: actions and conditions are those of a
 * synthesized template. It is synthesized once, for one user of each mode; what names that user and its secret is written out for all users of
 * the mode that a simulation deploys.
 */
import { type DeployedKey, MODES, type Mode } from '../../lambdas/contract/deployment.ts';
import { SERVICES } from '../../lambdas/contract/names.ts';
import { SimulatedAccount } from '../../local/account.ts';
import { deployTemplate } from '../../local/assembly.ts';
import type { Role } from '../../local/model.ts';
import type { Broken, Watch } from '../../local/oracle.ts';
import { judgeOf } from '../../local/policy-engine.ts';
import { isRecord } from '../../local/wire/protocols.ts';
import { templateOf, UNCHECKED } from '../infra/synth.ts';

/** One user and its secret, by ARN, and the mode of its key. */
export interface Named {
  readonly user: string;
  readonly secret: string;
  readonly mode: Mode;
}

/** The functions' roles; by the functions' names in a simulation. */
export type Function = 'rotate' | 'retire' | 'respond' | 'audit';
const FUNCTIONS: readonly Function[] = ['rotate', 'retire', 'respond', 'audit'];

interface Authorized {
  readonly account: SimulatedAccount;
  readonly deployment: { readonly keys: readonly Pick<DeployedKey, 'userName' | 'secretName' | 'mode'>[] };
}

/** Least privilege is none of the design's numbered invariants. */
const LEAST_PRIVILEGE = 0;

/**
 * From now on a function's call must be allowed by the role that the template gives it. Without effect for an account that has a judge already.
 *
 * @returns the calls that were denied so far: it grows
 */
export function judgeAsSynthesized(simulation: Authorized): readonly Broken[] {
  // Now, and not while a call waits for its verdict: it takes a second or two.
  synthesized();
  const { account } = simulation;
  const denied: Broken[] = [];
  // Asked each time: a simulation may deploy the audit later, or not at all.
  const nameOf = (roleArn: string) => FUNCTIONS.find((name) => account.functions.find(name)?.roleArn === roleArn);

  let granted: Partial<Record<Function, readonly unknown[]>> = {};
  let deployment: Authorized['deployment'] | undefined;
  account.onChange(({ change }) => {
    // ARNs of users and secrets have parts that nobody knows before.
    if (['user-created', 'user-deleted', 'secret-created'].includes(change.what)) granted = {};
  });
  const statementsOf = (roleArn: string) => {
    const name = nameOf(roleArn);
    if (name === undefined) return account.roles.get(roleArn)?.statements ?? [];
    if (deployment !== simulation.deployment) {
      deployment = simulation.deployment;
      granted = {};
    }
    granted[name] ??= writtenOut(name, namesIn(account, deployment), account.functions.get('rotate').arn);
    return granted[name];
  };

  const judge = judgeOf(account, statementsOf);
  account.authorize = (request) => {
    const verdict = judge(request);
    const note = ({ allowed, reason }: { readonly allowed: boolean; readonly reason: string }) => {
      if (allowed) return;
      const what = `${nameOf(request.principalArn) ?? request.principalArn} may not ${request.action} on ${request.resource}: ${reason}`;
      denied.push({ invariant: LEAST_PRIVILEGE, at: account.clock.now().toISOString(), what });
    };
    if (!(verdict instanceof Promise)) {
      note(verdict);
      return verdict;
    }
    return verdict.then((later) => {
      note(later);
      return later;
    });
  };
  return denied;
}

/** A watch that reports denied calls like broken invariants. */
export function withDenied(watch: Watch, denied: readonly Broken[]): Watch {
  return {
    get broken() {
      return [...watch.broken, ...denied];
    },
    finish: () => [...watch.finish(), ...denied],
  };
}

/**
 * The users and secrets that a deployment names. A user that is not there has the ARN that it would have; the ending of a secret that is not
 * there nobody knows.
 */
function namesIn(account: SimulatedAccount, { keys }: Authorized['deployment']): Named[] {
  return keys.map(({ userName, secretName, mode }) => ({
    mode,
    user: account.users.get(userName)?.arn ?? `arn:aws:iam::${account.id}:user/${userName}`,
    secret:
      account.findSecret(secretName)?.arn ??
      `arn:aws:secretsmanager:${account.region}:${account.id}:secret:${secretName}-??????`,
  }));
}

/** The statements that each role had last. Most simulations of a suite have the same names, ending for ending. */
const last = new Map<Function, { readonly names: string; readonly statements: readonly unknown[] }>();

function writtenOut(name: Function, named: readonly Named[], rotateArn: string): readonly unknown[] {
  const names = named.map(({ user, secret, mode }) => `${user} ${secret} ${mode}`).join();
  const known = last.get(name);
  if (known?.names === names) return known.statements;
  const statements = statementsFor(name, named, rotateArn);
  last.set(name, { names, statements });
  return statements;
}

/** Statements of a function's role for these users and secrets, as the template has them. */
export function statementsFor(
  name: Function,
  names: readonly Named[],
  rotateArn = synthesized().rotateArn,
): readonly unknown[] {
  const { roles, placeholders } = synthesized();
  const writeOut = (resource: unknown) => {
    for (const placeholder of placeholders) {
      const same = names.filter(({ mode }) => mode === placeholder.mode);
      if (resource === placeholder.user) return same.map(({ user }) => user);
      if (resource === placeholder.secret) return same.map(({ secret }) => secret);
    }
    if (resource !== synthesized().rotateArn) return [resource];
    return names.some(({ mode }) => mode === 'enforce') ? [rotateArn] : [];
  };
  return roles[name].flatMap((statement) => {
    if (!isRecord(statement)) return [statement];
    const Resource = [statement.Resource].flat().flatMap(writeOut);
    return Resource.length > 0 ? [{ ...statement, Resource }] : [];
  });
}

/** Name of the template's bucket: the policy of the audit names it. */
export const reportBucketName = (): string => synthesized().bucket;

let once: ReturnType<typeof deployUsers> | undefined;

function synthesized() {
  once ??= deployUsers(MODES.map((mode) => ({ userName: `placeholder-${mode}`, mode })));
  return once;
}

/** Deploys the template of a configuration with these users into an account of its own, where nothing ever runs. */
export function deployUsers(users: readonly { readonly userName: string; readonly mode: Mode }[]) {
  const account = new SimulatedAccount();
  const keys = users.map(({ userName, mode }) => ({ user: userName, secretName: `of/${userName}`, mode }));
  const never = () => {
    throw new Error('This account runs no function');
  };
  deployTemplate(account, 'Stack', templateOf({ keys }, UNCHECKED).toJSON(), () => never);
  const placeholders = namesIn(account, { keys: keys.map((key) => ({ ...key, userName: key.user })) });
  const statements = (service: string) => roleOf(account, service).statements;
  const roles = {
    rotate: statements(SERVICES.rotate),
    retire: statements(SERVICES.retire),
    respond: statements(SERVICES.respond),
    audit: statements(SERVICES.audit),
  };
  const [bucket = ''] = account.buckets.keys();
  const rotateArn = account.functions
    .names()
    .map((id) => account.functions.get(id))
    .find(({ env }) => Object.values(env ?? {}).includes(SERVICES.rotate))?.arn;
  return { placeholders, roles, rotateArn, bucket };
}

/** The role of the function that has this service name. */
export function roleOf(account: SimulatedAccount, service: string): Role {
  const fn = account.functions
    .names()
    .map((name) => account.functions.get(name))
    .find(({ env }) => Object.values(env ?? {}).includes(service));
  const role = account.roles.get(fn?.roleArn ?? '');
  if (role === undefined) throw new Error(`The template has no role for the function of ${service}`);
  return role;
}
