/**
 * The world in which the rotator is to be misused. Users app and ops have managed secrets, user admin has none; the attacker may write the value,
 * the labels and the tags of iam/app, start its rotation, and has a secret of its own.
 *
 * What the attacker does is done by `operate`: the question is never whether AWS lets it, but what the rotator makes of it.
 */
import { expect } from 'vitest';
import type { KeyInput } from '../../infra/config/index.ts';
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import type { Role } from '../../local/model.ts';
import { judgeByPolicies } from '../../local/policy-engine.ts';
import { isRecord } from '../../local/wire/protocols.ts';
import { differences, type Snapshot, snapshotOf } from '../bad-input/row.ts';
import { templateOf } from '../infra/synth.ts';
import { Simulation } from '../simulation/world.ts';

export const SECRET = 'iam/app';
export const OTHER = 'iam/ops';
export const OWN = 'attacker/own';
export const TOKEN = '11111111-2222-3333-4444-555555555555';
export const LONG_AGO = '2020-01-01T00:00:00Z';

/** What stands in the attacker's way besides the code: the policies of the template, or nothing. */
export type Defence = 'the deployed policies' | 'the code alone';
export const BOTH: readonly Defence[] = ['the deployed policies', 'the code alone'];

export interface SceneOptions {
  /** @default 'the deployed policies' */
  readonly defence?: Defence;
  /** Policy of user app. */
  readonly policy?: Partial<DeployedKey>;
  readonly config?: Partial<KeyInput>;
}

export class Scene {
  readonly world: Simulation;
  #before: Snapshot = {};

  constructor(policy: Partial<DeployedKey> = {}) {
    const rotationRetry = { attempts: 1, spacingMs: 1, token: 'same' } as const;
    this.world = new Simulation({
      keys: [{ userName: 'app', ...policy }, { userName: 'ops' }],
      account: { rotationRetry },
    });
  }

  /** What is the case now is what nobody but user app may lose. */
  remember(): void {
    this.#before = snapshotOf(this.world.account);
  }

  /** Lines that have changed since, but for those about user app and its secret, and about the attacker's own. */
  changedElsewhere(): string[] {
    const mine = /( of (app|iam\/app|attacker\/own): )|^. user app: |^. secret \S*:(iam\/app|attacker\/own)-/;
    return differences(this.#before, snapshotOf(this.world.account)).filter((line) => !mine.test(line));
  }

  /** Lines that have changed about the keys of user app. */
  changedKeys(): string[] {
    return differences(this.#before, snapshotOf(this.world.account)).filter((line) => / of app: /.test(line));
  }

  attack(action: string, input: Record<string, unknown>) {
    return this.world.account.operate('secretsmanager', action, { SecretId: SECRET, ...input });
  }

  /** Writes a version; current unless labels are given. */
  put(value: unknown, more: { readonly VersionStages?: string[]; readonly ClientRequestToken?: string } = {}) {
    const SecretString = typeof value === 'string' ? value : JSON.stringify(value);
    return this.attack('PutSecretValue', { SecretString, ...more });
  }

  tag(name: string, value: string): void {
    this.attack('TagResource', { Tags: [{ Key: `iam-key-rotator:${name}`, Value: value }] });
  }

  untag(...names: string[]): void {
    this.attack('UntagResource', { TagKeys: names.map((name) => `iam-key-rotator:${name}`) });
  }

  /** Starts a rotation as the attacker may, with a token of its choice; what Secrets Manager answers, if it refuses. */
  async rotate(more: Record<string, unknown> = {}): Promise<string | undefined> {
    let refused: string | undefined;
    try {
      this.attack('RotateSecret', more);
    } catch (error) {
      refused = String(error);
    }
    await this.world.advance(600);
    return refused;
  }

  version(label: string, secret = SECRET): string {
    const version = this.world.secret(secret).labels.get(label);
    if (version === undefined) throw new Error(`nothing is labelled ${label}`);
    return version;
  }

  get current(): string {
    return String(this.world.current(SECRET).AccessKeyId);
  }

  /** The only key of a user. */
  keyOf(userName: string): string {
    const [key, ...others] = Object.keys(this.world.keys(userName));
    if (key === undefined || others.length > 0) throw new Error(`${userName} has ${others.length} keys more`);
    return key;
  }

  /** Credentials of a user's only key, as somebody has them who has stolen them. */
  stolen(userName: string) {
    const key = this.world.account.keys.get(this.keyOf(userName));
    return { AccessKeyId: key?.id, SecretAccessKey: key?.secret };
  }

  /** A value under the bound user's name. */
  value(fields: object) {
    return { Version: 1, UserName: 'app', ...fields };
  }

  /** A key of the bound user that the rotator doesn't know, used an hour ago unless told. */
  async stranger({ used = true } = {}): Promise<string> {
    const { accessKeyId } = this.world.account.createAccessKey('app');
    await this.world.advance(3600);
    if (used) await this.world.account.clock.run(this.world.useKey(accessKeyId));
    this.remember();
    return accessKeyId;
  }

  /** One rotation, and a pass: app has a superseded key besides the current one. */
  async supersede(): Promise<string> {
    const first = this.current;
    expect(await this.rotate()).toBeUndefined();
    await this.world.advanceWithPasses(0.1, 1.2);
    expect(this.current).not.toBe(first);
    this.remember();
    return first;
  }

  lastRotationError(): string {
    return this.world.rotationErrors().at(-1) ?? 'none';
  }

  /** What the last pass says. */
  async pass(): Promise<string> {
    const result = await this.world.retire();
    return result.ok ? 'ok' : result.errorMessage;
  }

  /** Everything that went on since `seq` about keys, by functions. */
  happened(what: string): string[] {
    return this.world.happenings.flatMap((happening) =>
      happening.what === what && 'keyId' in happening ? [happening.keyId] : [],
    );
  }
}

/** Both managed secrets have been rotated, and a pass has tidied up. */
export async function scene({ defence = 'the deployed policies', policy, config }: SceneOptions = {}): Promise<Scene> {
  const made = new Scene(policy);
  const { account } = made.world;
  for (const name of ['app', 'ops', 'admin']) account.createUser(name);
  account.createAccessKey('admin');
  account.createSecret(OWN, { value: '{"Bootstrap":"mine"}' });
  if (defence === 'the deployed policies') deployPolicies(made.world, config);
  else Reflect.deleteProperty(account, 'authorize');
  for (const secret of [SECRET, OTHER]) await made.world.schedule(secret, 90);
  await made.world.advanceWithPasses(0.1, 1.2);
  expect(made.world.rotationErrors()).toEqual([]);
  made.remember();
  return made;
}

// ---- The policies of the template ---------------------------------------------------------------------------------------------------

const templates = new Map<string, ReturnType<typeof templateOf>>();

function synthesized(config: Partial<KeyInput>) {
  const id = JSON.stringify(config);
  const keys = [
    { user: 'app', secretName: SECRET, ...config },
    { user: 'ops', secretName: OTHER },
  ];
  const template = templates.get(id) ?? templateOf({ keys });
  templates.set(id, template);
  return template;
}

/** The functions of a simulation by what the template says of them. */
const NAMES = [
  ['four steps', 'rotate'],
  ['disables and deletes', 'retire'],
  ['responds to leaked', 'respond'],
] as const;

/** Gives the functions, their roles and the secrets the policies that `cdk deploy` would, by the ARNs that they have now. */
export function deployPolicies(world: Simulation, config: Partial<KeyInput> = {}): void {
  const { account } = world;
  const template = synthesized(config);
  const found = (type: string) => Object.entries(template.findResources(type));
  const arns = new Map<string, string>([
    ['AWS::AccountId', account.id],
    ['AWS::Region', account.region],
    ['AWS::Partition', 'aws'],
  ]);
  for (const [id, { Properties }] of found('AWS::SecretsManager::Secret'))
    arns.set(id, world.secret(String(Properties.Name)).arn);
  for (const [id, { Properties }] of found('AWS::Lambda::Function')) {
    const [, name] = NAMES.find(([told]) => String(Properties.Description).includes(told)) ?? [];
    if (name !== undefined) arns.set(id, account.functions.get(name).arn);
  }
  const roles = new Map<string, Role>();
  for (const [id, { Properties }] of found('AWS::IAM::Role')) {
    const [, name] = NAMES.find(([told]) => String(Properties.Description).includes(told)) ?? [];
    if (name === undefined) continue;
    const role = account.roles.get(account.functions.get(name).roleArn);
    if (role === undefined) throw new Error(`no role ${name}`);
    roles.set(id, role);
    arns.set(id, role.arn);
  }
  for (const [, { Properties }] of [...found('AWS::IAM::ManagedPolicy'), ...found('AWS::IAM::Policy')]) {
    for (const { Ref } of Properties.Roles)
      roles.get(Ref)?.statements.push(...[resolve(Properties.PolicyDocument.Statement, arns)].flat());
  }
  for (const [, { Properties }] of found('AWS::SecretsManager::ResourcePolicy')) {
    const secret = account.findSecret(String(resolve(Properties.SecretId, arns)));
    if (secret !== undefined) secret.resourcePolicy = resolve(Properties.ResourcePolicy, arns);
  }
  const ofSecrets = found('AWS::Lambda::Permission').filter(
    ([, { Properties }]) => Properties.SourceAccount !== undefined,
  );
  const permissions = ofSecrets.map(([, { Properties }]) => ({
    principal: String(Properties.Principal),
    sourceAccount: String(resolve(Properties.SourceAccount, arns)),
    sourceArn: String(resolve(Properties.SourceArn, arns)),
  }));
  account.functions.get('rotate').permissions.splice(0, Number.POSITIVE_INFINITY, ...permissions);
  judgeByPolicies(account);
}

/** Intrinsic functions replaced. What isn't known here (logs, queues) becomes something that no call is about. */
function resolve(value: unknown, arns: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, arns));
  if (!isRecord(value)) return value;
  const { Ref } = value;
  const join = value['Fn::Join'];
  const get = value['Fn::GetAtt'];
  const sub = value['Fn::Sub'];
  if (typeof Ref === 'string') return arns.get(Ref) ?? 'arn:aws:unknown:::x';
  if (Array.isArray(join)) return [resolve(join[1], arns)].flat().join(String(join[0]));
  if (Array.isArray(get)) return arns.get(String(get[0])) ?? 'arn:aws:unknown:::x';
  if (typeof sub === 'string') return sub.replace(/\$\{([^}]+)\}/g, (_, id: string) => arns.get(id) ?? 'x');
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, resolve(inner, arns)]));
}
