/** The rotation engine of Secrets Manager: schedules, the four steps, what counts as success, and retries. */
import type { SimulatedAccount } from './account.ts';
import type { VirtualTimer } from './clock.ts';
import type { InvokeResult } from './functions.ts';
import { AwsError, type Rotation, type RotationRules, type Secret } from './model.ts';
import { parseSchedule } from './schedule-expression.ts';
import { addVersion, moveLabel } from './services/secrets-manager.ts';

const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;
const SERVICE = 'secretsmanager.amazonaws.com';
const DAY_MS = 86_400_000;
const DEFAULT_RETRY = { attempts: 3, spacingMs: 20 * 60_000, token: 'same' } as const;

interface Run {
  cancelled: boolean;
  retry?: VirtualTimer;
}

export class RotationEngine {
  readonly #account: SimulatedAccount;
  /** The rotation of a secret that is under way, its waits for a retry included: there is never a second one. */
  readonly #runs = new Map<string, Run>();
  readonly #timers = new Map<string, VirtualTimer>();

  constructor(account: SimulatedAccount) {
    this.#account = account;
  }

  /** RotateSecret: configures, then rotates at once or only tests. Throws what the caller is answered. */
  request(secret: Secret, rotation: Rotation, token: string, immediately: boolean): void {
    const fn = this.#account.functions.find(rotation.lambdaArn);
    if (fn === undefined || !this.#account.functions.permits(fn, SERVICE, secret.arn)) {
      throw new AwsError(
        'AccessDeniedException',
        `Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal ${SERVICE}.`,
      );
    }
    secret.rotation = rotation;
    this.#account.change({ what: 'rotation-configured', secret: secret.name });
    this.#schedule(secret);
    const pending = unfinished(secret);
    if (pending !== undefined) {
      this.#begin(secret, pending);
      throw new AwsError(
        'InvalidRequestException',
        "A previous rotation isn't complete. That rotation will be reattempted.",
      );
    }
    if (immediately) this.#begin(secret, token);
    else this.#later(() => this.#test(secret, rotation, token));
  }

  cancel(secret: Secret): void {
    if (secret.rotation !== undefined) secret.rotation.enabled = false;
    delete secret.nextRotationAt;
    const { clock } = this.#account;
    clock.clearTimeout(this.#timers.get(secret.arn));
    const run = this.#runs.get(secret.arn);
    clock.clearTimeout(run?.retry);
    if (run !== undefined) run.cancelled = true;
    this.#runs.delete(secret.arn);
    this.#account.change({ what: 'rotation-configured', secret: secret.name });
  }

  /** Sets the timer of the next scheduled rotation. */
  #schedule(secret: Secret): void {
    const { clock } = this.#account;
    clock.clearTimeout(this.#timers.get(secret.arn));
    delete secret.nextRotationAt;
    if (secret.rotation?.enabled !== true) return;
    const at = nextWindow(secret.rotation.rules, clock.nowMs);
    if (at === undefined) return;
    secret.nextRotationAt = at;
    const open = () => {
      // A rotation that failed in its last window is taken up again in this one.
      const { token } = this.#account.options.rotationRetry ?? DEFAULT_RETRY;
      const pending = token === 'same' ? unfinished(secret) : undefined;
      this.#schedule(secret);
      this.#begin(secret, pending ?? this.#account.random.uuid(), windowEnd(secret.rotation?.rules ?? {}, at));
    };
    this.#timers.set(secret.arn, clock.setTimeout(open, at - clock.nowMs));
  }

  /** Starts a rotation, unless one is under way: then that one goes on, without waiting any longer for its retry. */
  #begin(secret: Secret, token: string, until = Number.POSITIVE_INFINITY): void {
    const before = this.#runs.get(secret.arn);
    if (before !== undefined && !this.#account.clock.clearTimeout(before.retry)) return;
    const run: Run = { cancelled: false };
    this.#runs.set(secret.arn, run);
    this.#later(() => this.#attempt(secret, run, token, until, 1));
  }

  async #attempt(secret: Secret, run: Run, token: string, until: number, attempt: number): Promise<void> {
    if (run.cancelled) return;
    const { clock, options, random } = this.#account;
    this.#account.emit('RotationStarted', { SecretId: secret.arn, ClientRequestToken: token });
    // The version of a rotation carries AWSPENDING from the start, and has no value until createSecret has stored one.
    if (!secret.versions.has(token)) addVersion(this.#account, secret, token);
    if (secret.labels.get('AWSCURRENT') !== token) moveLabel(this.#account, secret, 'AWSPENDING', token);
    const failure = await this.#steps(secret, run, token);
    if (run.cancelled) return;
    if (failure === undefined) {
      this.#runs.delete(secret.arn);
      secret.lastRotatedAt = clock.nowMs;
      this.#schedule(secret);
      this.#account.noteListing(secret.name);
      this.#account.emit('RotationSucceeded', { SecretId: secret.arn, ClientRequestToken: token });
      return;
    }
    this.#account.emit('RotationFailed', { SecretId: secret.arn, ClientRequestToken: token, ...failure });
    const { attempts, spacingMs, token: keep } = options.rotationRetry ?? DEFAULT_RETRY;
    if (attempt >= attempts || clock.nowMs + spacingMs >= until) {
      this.#runs.delete(secret.arn);
      return;
    }
    const next = keep === 'same' ? token : random.uuid();
    run.retry = clock.setTimeout(() => this.#attempt(secret, run, next, until, attempt + 1), spacingMs);
  }

  /** The four steps, one synchronous invocation each, up to the first that fails; the failure, if any. */
  async #steps(secret: Secret, run: Run, token: string): Promise<Record<string, string> | undefined> {
    const rotationToken =
      this.#account.options.rotationToken === true ? { RotationToken: this.#account.random.sessionToken() } : {};
    for (const step of STEPS) {
      if (run.cancelled) return undefined;
      const result = await this.#invoke(secret, {
        Step: step,
        SecretId: secret.arn,
        ClientRequestToken: token,
        ...rotationToken,
      });
      if (!result.ok) return { Step: step, errorType: result.errorType, errorMessage: result.errorMessage };
    }
    if (unfinished(secret) === undefined) return undefined;
    return {
      Step: 'finishSecret',
      errorType: 'RotationIncomplete',
      errorMessage: 'AWSPENDING is on another version than AWSCURRENT',
    };
  }

  /** RotateImmediately=false: testSecret alone, on a passing AWSPENDING version with the value that is there. */
  async #test(secret: Secret, rotation: Rotation, token: string): Promise<void> {
    const value = secret.versions.get(secret.labels.get('AWSCURRENT') ?? '')?.value;
    if (value !== undefined) addVersion(this.#account, secret, token).value = value;
    else addVersion(this.#account, secret, token);
    moveLabel(this.#account, secret, 'AWSPENDING', token);
    this.#account.emit('TestRotationStarted', { SecretId: secret.arn });
    const result = await this.#invoke(
      secret,
      { Step: 'testSecret', SecretId: secret.arn, ClientRequestToken: token },
      rotation,
    );
    if (secret.labels.get('AWSPENDING') === token) moveLabel(this.#account, secret, 'AWSPENDING', undefined);
    secret.versions.delete(token);
    this.#account.change({ what: 'version-removed', secret: secret.name, version: token });
    if (result.ok) this.#account.emit('TestRotationSucceeded', { SecretId: secret.arn });
    else this.#account.emit('TestRotationFailed', { SecretId: secret.arn, ...result });
  }

  async #invoke(secret: Secret, event: Record<string, string>, rotation = secret.rotation): Promise<InvokeResult> {
    const { functions } = this.#account;
    const fn = functions.find(rotation?.lambdaArn ?? '');
    if (fn !== undefined && functions.permits(fn, SERVICE, secret.arn)) return functions.invoke(fn.arn, event);
    return {
      ok: false,
      errorType: 'AccessDenied',
      errorMessage: `Secrets Manager may not invoke ${rotation?.lambdaArn}`,
    };
  }

  /** After the call that caused it has been answered. */
  #later(work: () => Promise<void>): void {
    this.#account.clock.setTimeout(work, 0);
  }
}

/** The version of a rotation that is not complete: AWSPENDING sits on it, and AWSCURRENT elsewhere. */
function unfinished(secret: Secret): string | undefined {
  const pending = secret.labels.get('AWSPENDING');
  return pending === secret.labels.get('AWSCURRENT') ? undefined : pending;
}

/** When the next window opens: schedules in days open at midnight UTC, others to the minute. */
function nextWindow(rules: RotationRules, now: number): number | undefined {
  const expression =
    rules.ScheduleExpression ?? (rules.AutomaticallyAfterDays && `rate(${rules.AutomaticallyAfterDays} days)`);
  if (!expression) return undefined;
  const schedule = parseSchedule(expression);
  if (schedule.kind === 'cron') return schedule.next(now);
  const at = now + schedule.everyMs;
  return schedule.unit === 'day' ? at - (at % DAY_MS) : at;
}

/** A window is open for its Duration, or else until the UTC day is over. */
function windowEnd(rules: RotationRules, opensAt: number): number {
  const hours = /^(\d+)h$/.exec(rules.Duration ?? '')?.[1];
  return hours === undefined ? opensAt - (opensAt % DAY_MS) + DAY_MS : opensAt + Number(hours) * 3_600_000;
}
