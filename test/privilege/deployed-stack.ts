/**
 * A synthesized template, deployed as it is into a simulated account: its roles, policies, permissions, schedule and queue, with the functions
 * running from source. Whoever uses a role is judged by its policies, the AWS services that use it on the functions' behalf included.
 */
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { Template } from 'aws-cdk-lib/assertions';
import type { KeyInput } from '../../infra/config/index.ts';
import { RotatedAccessKey } from '../../infra/rotated-access-key.ts';
import { eventBus } from '../../lambdas/adapters/event-bus.ts';
import { AUDIT_DEFAULTS, type Deployment } from '../../lambdas/contract/deployment.ts';
import { ENV, SERVICES } from '../../lambdas/contract/names.ts';
import type { Happening } from '../../lambdas/domain/happenings.ts';
import { eventOf } from '../../lambdas/notify/events-of.ts';
import { linesOf } from '../../lambdas/notify/log-batch.ts';
import { sendEvents } from '../../lambdas/notify/send.ts';
import { respond } from '../../lambdas/respond/respond.ts';
import { passFailed, retirePass } from '../../lambdas/retire/pass.ts';
import { rotate } from '../../lambdas/rotate/rotate.ts';
import { type AuthorizationRequest, SimulatedAccount } from '../../local/account.ts';
import { type DeployedResource, deployTemplate } from '../../local/assembly.ts';
import { DirectClient } from '../../local/direct-clients.ts';
import type { BusEvent } from '../../local/events.ts';
import type { Handler, Sandbox } from '../../local/functions.ts';
import { judgeByPolicies } from '../../local/policy-engine.ts';
import { isRecord } from '../../local/wire/protocols.ts';
import { stacksOf, UNCHECKED } from '../infra/synth.ts';
import { auditOnce } from '../simulation/audit.ts';
import { direct } from '../simulation/world.ts';

/** What somebody asked for with a role, and whether its policies allow it. */
export interface Use {
  readonly role: string;
  readonly action: string;
  readonly resource: string;
  readonly context: AuthorizationRequest['context'];
  readonly allowed: boolean;
}

export type Statement = Readonly<Record<string, unknown>> & { readonly Resource?: unknown };

export const actionsOf = ({ Action }: Statement): string[] => [Action].flat().map(String);
export const resourcesOf = ({ Resource }: Statement): string[] => [Resource].flat().map(String);

export class DeployedStack {
  readonly account = new SimulatedAccount();
  readonly deployment: Deployment;
  readonly resources: readonly DeployedResource[];
  /** Every use of a role so far. */
  readonly uses: Use[] = [];
  readonly #judged: Promise<unknown>[] = [];

  constructor(keys: readonly KeyInput[], { securityHub = false } = {}) {
    const [stack] = stacksOf({ keys, audit: { securityHub } }, UNCHECKED);
    if (stack === undefined) throw new Error('no stack');
    this.deployment = {
      formatVersion: 1,
      name: stack.stackName,
      maxChangesPerRun: 25,
      rotateTimeout: 120,
      audit: { ...AUDIT_DEFAULTS, securityHub },
      keys: stack.node.findAll().flatMap((node) => (node instanceof RotatedAccessKey ? node.deployed : [])),
    };
    judgeByPolicies(this.account);
    const judge = this.account.authorize;
    this.account.authorize = async (request) => {
      const verdict = (await judge?.(request)) ?? { allowed: false, reason: 'there is no judge' };
      const { principalArn, action, resource, context } = request;
      this.uses.push({ role: this.roleName(principalArn), action, resource, context, allowed: verdict.allowed });
      return verdict;
    };
    const template = Template.fromStack(stack).toJSON();
    this.resources = deployTemplate(
      this.account,
      'Stack',
      template,
      ({ env }) =>
        (sandbox) =>
          this.#start(env, sandbox),
    );
    this.#judgeServices();
  }

  /** The roles of the template by what they are for. */
  get roles(): Readonly<Record<string, { readonly arn: string; readonly statements: readonly Statement[] }>> {
    return Object.fromEntries(
      this.#ofType('AWS::IAM::Role').map(({ attributes: { Arn: arn = '' } }) => [
        this.roleName(arn),
        { arn, statements: (this.account.roles.get(arn)?.statements ?? []).filter(isRecord) },
      ]),
    );
  }

  /** What a role of the template is for; any other goes by its name. */
  roleName(arn: string): string {
    const [, name = ''] =
      /role\/Stack-Rotator(Rotate|RetireSchedule|Retire|AuditSchedule|AuditRun|NotifyFn|LeakRespond)Role/.exec(arn) ??
      [];
    const of = {
      Rotate: 'rotate',
      Retire: 'retire',
      RetireSchedule: 'scheduler',
      AuditRun: 'audit',
      AuditSchedule: 'audit-scheduler',
      NotifyFn: 'notify',
      LeakRespond: 'respond',
    };
    return { ...of }[name] ?? arn.replace(/.*\//, '');
  }

  /** ARN of the only resource of its kind whose logical id has this in it. */
  arnOf(type: string, part = ''): string {
    const [found, ...others] = this.#ofType(type).filter(({ logicalId }) => logicalId.includes(part));
    if (found?.attributes.Arn === undefined || others.length > 0) throw new Error(`not one ${type} with ${part}`);
    return found.attributes.Arn;
  }

  secret(userName: string) {
    const secret = this.account.findSecret(`iam-key-rotator/${userName}`);
    if (secret === undefined) throw new Error(`no secret of ${userName}`);
    return secret;
  }

  currentKey(userName: string): string {
    return String(JSON.parse(this.account.valueOf(this.secret(userName).arn) ?? '{}').AccessKeyId);
  }

  keysOf(userName: string): readonly string[] {
    return (this.account.users.get(userName)?.keys ?? []).map(({ id }) => id);
  }

  /** Starts a rotation, or has an unfinished one taken up, and gives it ten minutes. */
  async rotate(userName: string, minutes = 10): Promise<void> {
    try {
      this.account.operate('secretsmanager', 'RotateSecret', { SecretId: this.secret(userName).arn });
    } catch (error) {
      if (!String(error).includes('That rotation will be reattempted')) throw error;
    }
    await this.advance(minutes / (24 * 60));
  }

  /** Reports a leak by an event of AWS, and lets what follows happen, the retries of a failure included. */
  async report(event: BusEvent): Promise<void> {
    this.account.events.put(event);
    await this.advance(1 / 48);
  }

  /** Lets days pass; the template's schedule runs the retire pass. Then all that was asked is answered. */
  async advance(days: number): Promise<void> {
    await this.account.clock.advance(days * 86_400_000);
    await Promise.all(this.#judged.splice(0));
  }

  /** Errors of the rotations that failed. */
  rotationErrors(): string[] {
    return this.account.history.flatMap((entry) =>
      entry.kind === 'event' && entry.name === 'RotationFailed' ? [String(entry.detail.errorMessage)] : [],
    );
  }

  properties(type: string): Readonly<Record<string, unknown>>[] {
    return this.#ofType(type).map(({ properties }) => properties);
  }

  #ofType(type: string): DeployedResource[] {
    return this.resources.filter((resource) => resource.type === type);
  }

  #ask(roleArn: string, action: string, resource: string): void {
    const request: AuthorizationRequest = { principalArn: roleArn, action, resource, context: {} };
    this.#judged.push(Promise.resolve(this.account.authorize?.(request)));
  }

  /** A process of a function, from source. Its log is written by Lambda, with the function's role. */
  #start(env: Readonly<Record<string, string>>, sandbox: Sandbox): Handler {
    const service = env[ENV.serviceName];
    const isRotate = service === SERVICES.rotate;
    const isAudit = service === SERVICES.audit;
    const { roleArn, logGroup } = this.account.functions.get(sandbox.functionName);
    const { region, id } = this.account;
    const stream = `arn:aws:logs:${region}:${id}:log-group:${logGroup}:log-stream:simulated`;
    this.#ask(roleArn, 'logs:CreateLogStream', stream);
    const adapters = direct(sandbox);
    return async (event, context) => {
      this.#ask(roleArn, 'logs:PutLogEvents', stream);
      if (service === SERVICES.notify) return this.#notify(event, sandbox);
      const world = {
        ...adapters,
        now: () => sandbox.clock.now(),
        sleep: (ms: number) => sandbox.clock.sleep(ms),
        deadline: new Date(sandbox.clock.now().getTime() + context.getRemainingTimeInMillis()),
        runId: context.awsRequestId,
        // The line of the log, as far as the notify function reads it.
        report: ({ what, ...facts }: Happening) => sandbox.log(JSON.stringify({ message: what, ...facts })),
      };
      if (isAudit) return auditOnce(sandbox, context, this.deployment, env[ENV.reportBucket]);
      if (isRotate) return rotate(event, this.deployment, world);
      if (service === SERVICES.respond) return respond(event, this.deployment, world);
      const { failures } = await retirePass(this.deployment, world);
      if (failures.length > 0) throw passFailed(failures);
    };
  }

  async #notify(event: unknown, sandbox: Sandbox): Promise<void> {
    const bus = eventBus(new DirectClient(sandbox, 'events', { attempts: 1 }) as unknown as EventBridgeClient);
    const told = linesOf(event).map((line) => eventOf(line, this.deployment));
    const events = told.flatMap((one) => (one.kind === 'event' ? [one.event] : []));
    await sendEvents(events, { bus, sleep: (ms) => sandbox.clock.sleep(ms) });
  }

  /**
   * What goes to the queue is sent with a role too: Lambda sends what a function failed at with the function's, the scheduler what it could not
   * deliver with its own.
   *
   * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
   * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
   */
  #judgeServices(): void {
    const { functions } = this.account;
    const send = functions.send.bind(functions);
    const auditArn = this.arnOf('AWS::Lambda::Function', 'Audit');
    functions.send = (queueArn, message, target) => {
      const failed =
        isRecord(message) && isRecord(message.requestContext) ? message.requestContext.functionArn : undefined;
      const payload = isRecord(message) ? message.requestPayload : undefined;
      const ofFunction =
        isRecord(payload) && 'awslogs' in payload
          ? 'notify'
          : isRecord(payload) && 'detail' in payload
            ? 'respond'
            : failed === auditArn
              ? 'audit'
              : 'retire';
      const ofSchedule = target === auditArn ? 'audit-scheduler' : 'scheduler';
      const sender = payload === undefined ? ofSchedule : ofFunction;
      this.#ask(this.roles[sender]?.arn ?? '', 'sqs:SendMessage', queueArn);
      send(queueArn, message);
    };
  }
}
