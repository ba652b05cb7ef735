/**
 * Judges the calls of roles by their synthesized policies and the secrets' resource policies, with a real policy engine. The engine is AGPL:
 * it serves tests and the simulated account alone, and is never bundled.
 *
 * The engine takes half a millisecond a question, so verdicts are remembered, for all accounts together. Two questions are the same when the
 * policies can't tell them apart: see `Policies`.
 */
import { runSimulation } from '@cloud-copilot/iam-simulate';
import type { AuthorizationRequest, SimulatedAccount, Verdict } from './account.ts';
import { isRecord } from './wire/protocols.ts';

type Judged = Verdict | Promise<Verdict>;

/** Lets the policies decide from now on, for every role of the account. */
export function judgeByPolicies(account: SimulatedAccount): void {
  account.authorize = judgeOf(account, (roleArn) => account.roles.get(roleArn)?.statements ?? []);
}

/**
 * The judge of an account.
 *
 * @param statementsOf the statements of a role at the moment of asking. The same array means the same statements, unless it has grown.
 */
export function judgeOf(
  account: SimulatedAccount,
  statementsOf: (roleArn: string) => readonly unknown[],
): (request: AuthorizationRequest) => Judged {
  return (request) => {
    const verdict = judge(statementsOf(request.principalArn), request, account.id);
    const invoked = request.action === 'secretsmanager:RotateSecret' && rotationFunction(account, request.resource);
    if (invoked) {
      const ask = account.authorize ?? judgeOf(account, statementsOf);
      const { principalArn } = request;
      return withUse(verdict, () =>
        ask({ principalArn, action: 'lambda:InvokeFunction', resource: invoked, context: {} }),
      );
    }
    const uses = KEY_USES[request.action];
    const keyArn = uses === undefined ? undefined : customerManagedKey(account, request.resource);
    if (uses === undefined || keyArn === undefined) return verdict;
    // Asked like a call of its own, so that whoever listens hears of it.
    const ask = account.authorize ?? judgeOf(account, statementsOf);
    return withKey(verdict, uses, (action) => ask(keyRequest(account, request, action, keyArn)));
  };
}

/**
 * Whoever calls RotateSecret must be allowed to invoke the rotation function too.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
 */
function rotationFunction(account: SimulatedAccount, secretArn: string): string | undefined {
  return account.secrets.get(secretArn)?.rotation?.lambdaArn;
}

async function withUse(verdict: Judged, use: () => Judged): Promise<Verdict> {
  const own = await verdict;
  return own.allowed ? use() : own;
}

// ---- KMS --------------------------------------------------------------------------------------------------------------------------

/**
 * What Secrets Manager does with the KMS key of a secret on behalf of the one who calls, who therefore must be allowed to.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html#security-encryption-using-cmk
 */
const KEY_USES: Readonly<Record<string, readonly string[]>> = {
  'secretsmanager:GetSecretValue': ['kms:Decrypt'],
  'secretsmanager:PutSecretValue': ['kms:GenerateDataKey', 'kms:Decrypt'],
};

/** ARN of the key that encrypts a secret, unless it is the AWS managed one, whose policy lets everybody in the account use it through Secrets Manager. */
function customerManagedKey(account: SimulatedAccount, secretArn: string): string | undefined {
  const id = account.secrets.get(secretArn)?.kmsKeyId;
  if (id === undefined || id.endsWith('alias/aws/secretsmanager')) return undefined;
  return id.startsWith('arn:') ? id : `arn:aws:kms:${account.region}:${account.id}:key/${id}`;
}

function keyRequest(
  account: SimulatedAccount,
  { principalArn, resource }: AuthorizationRequest,
  action: string,
  keyArn: string,
): AuthorizationRequest {
  const context = {
    'aws:PrincipalArn': principalArn,
    'kms:ViaService': `secretsmanager.${account.region}.amazonaws.com`,
    'kms:CallerAccount': account.id,
    'kms:EncryptionContext:SecretARN': resource,
  };
  return { principalArn, action, resource: keyArn, context, resourcePolicy: keyPolicyOf(account.id) };
}

const keyPolicies = new Map<string, unknown>();

/** The key policy that KMS gives a key by default: whoever IAM allows. @see https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html */
function keyPolicyOf(accountId: string): unknown {
  const AWS = `arn:aws:iam::${accountId}:root`;
  const statement = { Effect: 'Allow', Principal: { AWS }, Action: 'kms:*', Resource: '*' };
  const policy = keyPolicies.get(accountId) ?? { Version: '2012-10-17', Statement: [statement] };
  keyPolicies.set(accountId, policy);
  return policy;
}

async function withKey(verdict: Judged, uses: readonly string[], use: (action: string) => Judged): Promise<Verdict> {
  const own = await verdict;
  if (!own.allowed) return own;
  for (const action of uses) {
    const { allowed, reason } = await use(action);
    // The words of Secrets Manager's own answer.
    if (!allowed) return { allowed, reason: `Access to KMS is not allowed (${action}, ${reason})` };
  }
  return own;
}

// ---- Verdicts ---------------------------------------------------------------------------------------------------------------------

/** Whether identity policies of these statements, and the request's resource policy, allow a request. At once, if the like of it was asked before. */
export function judge(statements: readonly unknown[], request: AuthorizationRequest, accountId: string): Judged {
  const { principalArn, action, context, resourcePolicy } = request;
  const identity = policiesOf(statements);
  // With a second policy in play the question stays as it is, but for the context that neither asks for.
  const other = isRecord(resourcePolicy) ? policiesOf(statementsIn(resourcePolicy)) : undefined;
  const resource = other === undefined ? identity.nameOf(request.resource) : request.resource;
  let key = `${principalArn} ${accountId} ${action} ${resource}`;
  if (other !== undefined) key += ` ${other.id}`;
  let asked: Record<string, string | string[]> | undefined;
  for (const name in context) {
    const given = context[name];
    if (given === undefined || !(identity.mentions(name) || other?.mentions(name))) continue;
    const value = other === undefined && name === 'aws:TagKeys' ? identity.tagKeysLike(given) : given;
    asked ??= {};
    asked[name] = value;
    key += ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`;
  }
  const verdicts = other === undefined ? identity.verdicts : identity.rawVerdicts;
  const known = verdicts.get(key);
  if (known !== undefined) return known;
  const asIs = other === undefined ? identity.statements : identity.rawStatements;
  const answer = evaluate(asIs, { ...request, resource, context: asked ?? {} }, accountId).then((verdict) => {
    verdicts.set(key, verdict);
    return verdict;
  });
  verdicts.set(key, answer);
  return answer;
}

/** Asks the engine, every time. */
export async function evaluate(
  statements: readonly unknown[],
  request: AuthorizationRequest,
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
      identityPolicies:
        statements.length === 0 ? [] : [{ name: 'role', policy: { Version: '2012-10-17', Statement: statements } }],
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

// ---- What policies can't tell apart -----------------------------------------------------------------------------------------------

/** A secret's ARN ends in a hyphen and six characters that Secrets Manager makes up. */
const SECRET_ARN = /^(arn:[\w-]+:secretsmanager:[\w-]*:\d*:secret:.+)-[A-Za-z0-9]{6}$/;
/** Instead of the six characters. None of them can be in an ARN, so nothing has this name already. */
const SOME_SUFFIX = '-<some>';

/**
 * A list of statements, with the verdicts given by it.
 *
 * What makes questions alike, each with why that is sound:
 *
 * - *Context keys that no condition or policy variable mentions* have nowhere to enter the evaluation.
 * - *The made-up end of a secret's ARN.* It is replaced in the statements and in the question alike. As long as the statements hold no pattern
 *   that could match one ending and not another (a wildcard anywhere in a secret's ARN), and no two secrets that differ only there, the
 *   replacement is one-to-one, and a literal matches its replacement exactly where it matched before. Conditions see the context, where
 *   nothing is replaced.
 * - *What a trailing wildcard stands for in a tag's key.* A condition on `aws:TagKeys` asks of each value, by itself, which of the patterns
 *   match it. If all patterns are literals, or literals with one `*` at the end, then a value that is no literal itself is matched by just
 *   those patterns whose text it begins with; so is any other value that begins with the longest of these and goes on differently from
 *   all patterns. Key ids and run ids in the ledger's tags come to nothing but that.
 */
class Policies {
  static #known = new Map<string, Policies>();
  static #ids = 0;

  readonly id: number;
  /** With secrets' names shortened: what `verdicts` are about. */
  readonly statements: readonly unknown[];
  readonly rawStatements: readonly unknown[];
  readonly verdicts: Map<string, Judged>;
  readonly rawVerdicts = new Map<string, Judged>();
  readonly #names: ReadonlyMap<string, string>;
  readonly #mentioned: ReadonlySet<string>;
  readonly #tagKeys: { readonly literals: ReadonlySet<string>; readonly prefixes: readonly string[] } | undefined;

  constructor(statements: readonly unknown[]) {
    Policies.#ids += 1;
    this.id = Policies.#ids;
    this.rawStatements = [...statements];
    this.#mentioned = mentionedKeys(statements);
    this.#names = shortNames(statements);
    this.#tagKeys = tagKeyPatterns(statements);
    const renamed = statements.map((statement) => renameResources(statement, this.#names));
    const text = JSON.stringify(renamed);
    const twin = Policies.#known.get(text);
    if (twin === undefined) Policies.#known.set(text, this);
    this.statements = twin?.statements ?? renamed;
    this.verdicts = twin?.verdicts ?? new Map();
  }

  mentions(contextKey: string): boolean {
    return this.#mentioned.has(contextKey.toLowerCase());
  }

  /** The resource as `statements` call it. */
  nameOf(resource: string): string {
    return this.#names.get(resource) ?? resource;
  }

  /** Tag keys that the conditions can't tell from these. */
  tagKeysLike(given: string | string[]): string[] {
    const values = [given].flat();
    const patterns = this.#tagKeys;
    if (patterns === undefined) return values;
    const like = values.map((value) => {
      if (patterns.literals.has(value)) return value;
      const prefix = patterns.prefixes.find((candidate) => value.startsWith(candidate));
      return prefix === undefined ? value : `${prefix}<some>`;
    });
    return like.length === 1 ? like : [...new Set(like)].sort();
  }
}

const compiled = new WeakMap<readonly unknown[], { readonly length: number; readonly policies: Policies }>();

function policiesOf(statements: readonly unknown[]): Policies {
  const known = compiled.get(statements);
  if (known?.length === statements.length) return known.policies;
  const policies = new Policies(statements);
  compiled.set(statements, { length: statements.length, policies });
  return policies;
}

const NONE: readonly unknown[] = [];
const statementLists = new WeakMap<object, readonly unknown[]>();

function statementsIn(policy: Readonly<Record<string, unknown>>): readonly unknown[] {
  if (Array.isArray(policy.Statement)) return policy.Statement;
  const list = statementLists.get(policy) ?? (policy.Statement === undefined ? NONE : [policy.Statement]);
  statementLists.set(policy, list);
  return list;
}

/** Keys of conditions and policy variables, in lower case, since context keys have none. */
function mentionedKeys(statements: readonly unknown[]): Set<string> {
  const inConditions = conditionsOf(statements).map(([, key]) => key);
  const variables = [...JSON.stringify(statements).matchAll(/\$\{([^},"]+)/g)].map(([, name = '']) => name.trim());
  return new Set([...inConditions, ...variables].map((key) => key.toLowerCase()));
}

/** Every condition as its operator, key and values. */
function conditionsOf(statements: readonly unknown[]): [string, string, string[]][] {
  return statements.flatMap((statement) => {
    if (!isRecord(statement) || !isRecord(statement.Condition)) return [];
    return Object.entries(statement.Condition).flatMap(([operator, keys]) =>
      Object.entries(isRecord(keys) ? keys : {}).map(([key, values]): [string, string, string[]] => [
        operator,
        key,
        [values].flat().map(String),
      ]),
    );
  });
}

const isPattern = (text: string) => /[*?]|\$\{/.test(text);

/** Names by which the secrets' ARNs of the statements can go; none if something could tell the endings apart. */
function shortNames(statements: readonly unknown[]): Map<string, string> {
  const resources = new Set(
    statements.flatMap((statement) => (isRecord(statement) ? [statement.Resource].flat() : [])),
  );
  const names = new Map<string, string>();
  for (const resource of resources) {
    const text = String(resource);
    if (
      isRecord(resource) ||
      (isPattern(text) && text !== '*' && /^(\*|\?|arn:[^:]*:(secretsmanager|\*|\?))/.test(text))
    )
      return new Map();
    const [, start] = SECRET_ARN.exec(text) ?? [];
    if (start !== undefined) names.set(text, `${start}${SOME_SUFFIX}`);
  }
  const telling = statements.some((statement) => isRecord(statement) && 'NotResource' in statement);
  return telling || new Set(names.values()).size < names.size ? new Map() : names;
}

function renameResources(statement: unknown, names: ReadonlyMap<string, string>): unknown {
  if (!isRecord(statement)) return statement;
  const { Resource } = statement;
  const rename = (resource: unknown) => names.get(String(resource)) ?? resource;
  return {
    ...statement,
    ...(Resource !== undefined && { Resource: Array.isArray(Resource) ? Resource.map(rename) : rename(Resource) }),
  };
}

/** The patterns for tag keys, if they are of the simple kind. Longest prefixes first. */
function tagKeyPatterns(statements: readonly unknown[]) {
  const literals = new Set<string>();
  const prefixes = new Set<string>();
  for (const [operator, key, values] of conditionsOf(statements)) {
    if (key.toLowerCase() !== 'aws:tagkeys') continue;
    // Whether the key is there at all depends on none of its values.
    if (operator === 'Null') continue;
    const [, kind] = /^For(?:AllValues|AnyValue):String(?:Not)?(Like|Equals)$/.exec(operator) ?? [];
    for (const value of values) {
      const prefix = value.endsWith('*') ? value.slice(0, -1) : undefined;
      if (kind === undefined || isPattern(prefix ?? value) || (kind === 'Equals' && prefix !== undefined))
        return undefined;
      if (prefix === undefined) literals.add(value);
      else prefixes.add(prefix);
    }
  }
  return { literals, prefixes: [...prefixes].sort((a, b) => b.length - a.length) };
}
