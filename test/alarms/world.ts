/**
 * The synthesized template in a simulated account, with the functions' real bundles, so that each metric of an alarm is one that a function has
 * published, under the name and dimensions that it gives it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { bundle } from '../../infra/bundle.ts';
import type { RotatorConfig } from '../../infra/config/index.ts';
import { RotatedAccessKey } from '../../infra/rotated-access-key.ts';
import { DEPLOYMENT_STANDARDS, type Deployment } from '../../lambdas/contract/deployment.ts';
import { DEPLOYMENT_FILE, ENV, PROJECT } from '../../lambdas/contract/names.ts';
import { SimulatedAccount } from '../../local/account.ts';
import { type DeployedResource, deployTemplate } from '../../local/assembly.ts';
import { bundleLoader } from '../../local/bundle.ts';
import type { Alarm } from '../../local/cloudwatch.ts';
import type { Loader, RegisteredFunction } from '../../local/functions.ts';
import { isRecord } from '../../local/wire/protocols.ts';
import { stacksOf, UNCHECKED } from '../infra/synth.ts';

const HOUR_MS = 3_600_000;
/** Alarms are evaluated so often; in AWS it is each minute. */
const EVERY_MINUTES = 5;

const folder = mkdtempSync(join(tmpdir(), 'alarms-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const bundled = new Map<string, string>();

/** Folder of a function's bundle, by its service name: made once a process. */
function folderOf(service: string, deployment: Deployment): string {
  const name = service.slice(`${PROJECT}-`.length);
  const root = bundled.get(name) ?? mkdtempSync(join(folder, name));
  if (!bundled.has(name)) {
    for (const file of bundle(`lambdas/${name}/handler.ts`)) writeFileSync(join(root, file.name), file.content);
    writeFileSync(join(root, DEPLOYMENT_FILE), JSON.stringify(deployment));
    bundled.set(name, root);
  }
  return root;
}

/** A topic of the team's own, which gets every alarm. */
export const PAGER = 'arn:aws:sns:eu-central-1:111122223333:pager';
const ALARMS_PUBLISH = {
  Statement: [{ Effect: 'Allow', Principal: { Service: 'cloudwatch.amazonaws.com' }, Action: 'sns:Publish' }],
};

/** Two users, with waits as short as they can be, so that an alarm's day is soon over. */
const CONFIG: RotatorConfig = {
  maxChangesPerRun: 1,
  notices: { emails: ['team@example.com'] },
  alarms: { overdueMargin: '1h', holdLongerThan: '6h', actions: [PAGER] },
  defaults: {
    ...{ schedule: '2d', deactivateAfter: '2h', settle: '1h', holdAtMost: '20h', quietFor: '6h', deleteAfter: '4h' },
    createUser: true,
  },
  keys: [{ user: 'app' }, { user: 'batch' }],
};

/** Synthesizing takes longer than all that follows, and is done once. */
let synthesized: { readonly template: unknown; readonly deployment: Deployment } | undefined;

function synthesize() {
  const [stack] = stacksOf(CONFIG, UNCHECKED);
  if (stack === undefined) throw new Error('no stack');
  const deployment: Deployment = {
    formatVersion: 1,
    name: stack.stackName,
    maxChangesPerRun: CONFIG.maxChangesPerRun ?? 25,
    rotateTimeout: 120,
    overdueMargin: stack.rotator.overdueMargin,
    runbookUrl: DEPLOYMENT_STANDARDS.runbookUrl,
    keys: stack.node.findAll().flatMap((node) => (node instanceof RotatedAccessKey ? node.deployed : [])),
  };
  synthesized = { template: Template.fromStack(stack).toJSON(), deployment };
  return synthesized;
}

export class World {
  readonly account: SimulatedAccount;
  readonly resources: readonly DeployedResource[];
  readonly #close: () => Promise<void>;

  static async deploy(): Promise<World> {
    const account = new SimulatedAccount();
    const { endpoint, close } = await account.listen();
    return new World(account, endpoint, close);
  }

  private constructor(account: SimulatedAccount, endpoint: string, close: () => Promise<void>) {
    this.account = account;
    this.#close = close;
    const { template, deployment } = synthesized ?? synthesize();
    const codeOf = ({ env }: { readonly env: Readonly<Record<string, string>> }): Loader =>
      bundleLoader(folderOf(env[ENV.serviceName] ?? '', deployment), 'index.handler', endpoint);
    account.topics.create(PAGER);
    account.topics.get(PAGER).policy = ALARMS_PUBLISH;
    this.resources = deployTemplate(account, 'Stack', template, codeOf);
    account.cloudWatch.start(EVERY_MINUTES);
  }

  close(): Promise<void> {
    return this.#close();
  }

  /** Lets hours pass; the template's schedules run the functions. */
  async hours(hours: number): Promise<void> {
    await this.account.clock.advance(hours * HOUR_MS);
  }

  /** The alarm whose name has this in it. */
  alarm(part: string): Alarm {
    const [found, ...others] = [...this.account.cloudWatch.alarms.values()].filter(({ name }) => name.includes(part));
    if (found === undefined || others.length > 0) throw new Error(`not one alarm ${part}`);
    return found;
  }

  /** Notices of an alarm: subjects without the names. */
  mailsOf(part: string): string[] {
    const { name } = this.alarm(part);
    return this.messages().flatMap(({ subject }) => (subject?.includes(name) ? [subject.split(':')[0] ?? ''] : []));
  }

  /** Notices that rules have sent. */
  notices(): string[] {
    return this.messages().flatMap(({ from, message }) => (from === 'events.amazonaws.com' ? [message] : []));
  }

  messages() {
    const topic = this.resources.find(({ type }) => type === 'AWS::SNS::Topic');
    return this.account.topics.get(topic?.ref ?? '').messages;
  }

  /** Details of the rotator's own events of a type. */
  events(type: string): Readonly<Record<string, unknown>>[] {
    return this.account.events.seen.flatMap(({ source, 'detail-type': of, detail }) =>
      source === PROJECT && of === type && isRecord(detail) ? [detail] : [],
    );
  }

  functionOf(service: string): RegisteredFunction {
    const { functions } = this.account;
    const fn = functions
      .names()
      .map((name) => functions.get(name))
      .find(({ env }) => env?.[ENV.serviceName] === `${PROJECT}-${service}`);
    if (fn === undefined) throw new Error(`no function ${service}`);
    return fn;
  }

  /** Starts a rotation, or has an unfinished one taken up, and gives it half an hour. */
  async rotate(user: string): Promise<void> {
    try {
      this.account.operate('secretsmanager', 'RotateSecret', { SecretId: `${PROJECT}/${user}` });
    } catch (error) {
      if (!String(error).includes('That rotation will be reattempted')) throw error;
    }
    await this.hours(0.5);
  }

  currentKey(user: string): string {
    return String(JSON.parse(this.account.valueOf(`${PROJECT}/${user}`) ?? '{}').AccessKeyId);
  }

  /** An application calls AWS with a key. */
  async use(keyId: string): Promise<void> {
    const { account } = this;
    const secretAccessKey = account.keys.get(keyId)?.secret ?? '';
    const credentials = { accessKeyId: keyId, secretAccessKey };
    await account.clock.run(account.gateway.ask(credentials, account.region, 'sts', 'GetCallerIdentity', {}));
  }
}
