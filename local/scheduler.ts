/** EventBridge Scheduler: invokes functions on schedule, asynchronously and at least once. */
import type { SimulatedAccount } from './account.ts';
import { parseSchedule } from './schedule-expression.ts';

export interface Schedule {
  readonly name: string;
  /** `rate(…)` or `cron(…)`, UTC. */
  readonly expression: string;
  readonly targetArn: string;
  /** JSON; `<aws.scheduler.scheduled-time>` in it is replaced. */
  readonly input?: string;
  /** Role that invokes the target: judged by `account.authorize`. */
  readonly roleArn?: string;
  /** Attempts after the first one. @default 185, as in AWS */
  readonly retryAttempts?: number;
  /** ARN of the queue for what could not be delivered. */
  readonly deadLetterArn?: string;
}

/** AWS backs off exponentially between attempts and publishes no figures; a minute is taken. */
const RETRY_MS = 60_000;

export class Scheduler {
  readonly #account: SimulatedAccount;
  readonly schedules: Schedule[] = [];

  constructor(account: SimulatedAccount) {
    this.#account = account;
  }

  /** Adds a schedule; a rate counts from now. AWS invokes the target of a rate without a StartDate at once, too, which is not simulated. */
  add(schedule: Schedule): void {
    const parsed = parseSchedule(schedule.expression);
    const { clock } = this.#account;
    const next = (after: number) => (parsed.kind === 'rate' ? after + parsed.everyMs : parsed.next(after));
    const arm = (at: number) => {
      clock.setTimeout(() => {
        arm(next(at));
        void this.#deliver(schedule, new Date(at).toISOString(), 0);
      }, at - clock.nowMs);
    };
    this.schedules.push(schedule);
    arm(next(clock.nowMs));
  }

  /** Delivery succeeds when the function's queue has taken the event; what the function then does is no concern of the schedule. */
  async #deliver(schedule: Schedule, at: string, attempt: number): Promise<void> {
    const { functions, clock, authorize } = this.#account;
    const { targetArn, roleArn, input = '{}' } = schedule;
    const event: unknown = JSON.parse(input.replaceAll('<aws.scheduler.scheduled-time>', at));
    const request = { principalArn: roleArn ?? '', action: 'lambda:InvokeFunction', resource: targetArn, context: {} };
    const allowed = roleArn === undefined || authorize === undefined || (await authorize(request)).allowed;
    if (allowed && (await functions.invoke(targetArn, event, { type: 'Event' })).ok) return;
    if (attempt < (schedule.retryAttempts ?? 185)) {
      clock.setTimeout(() => this.#deliver(schedule, at, attempt + 1), RETRY_MS);
    } else if (schedule.deadLetterArn !== undefined) functions.send(schedule.deadLetterArn, event, targetArn);
  }
}
