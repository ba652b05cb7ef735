/**
 * CloudWatch Logs, as far as subscriptions go: lines that match a filter's pattern are handed to a function, in batches, compressed, and asynchronously.
 */
import { gzipSync } from 'node:zlib';
import type { SimulatedAccount } from './account.ts';
import { isRecord } from './wire/protocols.ts';

export interface SubscriptionFilter {
  readonly name: string;
  readonly logGroup: string;
  readonly pattern: string;
  /** ARN of a function. */
  readonly destinationArn: string;
}

interface Entry {
  readonly id: string;
  readonly timestamp: number;
  readonly message: string;
}

/** How long lines are gathered before they are delivered. CloudWatch Logs publishes no figure. */
const GATHER_MS = 5_000;
/** Subscription filters that a log group can have. */
const MOST_FILTERS = 2;

export class LogSubscriptions {
  readonly #account: SimulatedAccount;
  readonly #filters: { readonly filter: SubscriptionFilter; readonly matches: Condition }[] = [];
  readonly #waiting = new Map<SubscriptionFilter, Entry[]>();
  #lines = 0;

  constructor(account: SimulatedAccount) {
    this.#account = account;
  }

  add(filter: SubscriptionFilter): void {
    const same = this.#filters.filter((other) => other.filter.logGroup === filter.logGroup);
    if (same.length >= MOST_FILTERS) throw new Error(`LimitExceededException: ${filter.logGroup} has two filters`);
    if (filter.pattern.length > 1024) throw new Error(`The pattern of ${filter.name} is longer than 1,024 characters`);
    this.#filters.push({ filter, matches: parsePattern(filter.pattern) });
  }

  /** A line that was written to a log group. */
  written(logGroup: string, message: string): void {
    for (const { filter, matches } of this.#filters) {
      if (filter.logGroup !== logGroup || !matches(jsonOf(message))) continue;
      // Ids have 56 digits, in the order of the lines.
      const id = String(++this.#lines).padStart(56, '3');
      const entry = { id, timestamp: this.#account.clock.nowMs, message };
      const waiting = this.#waiting.get(filter);
      if (waiting !== undefined) waiting.push(entry);
      else {
        this.#waiting.set(filter, [entry]);
        this.#account.clock.setTimeout(() => this.#deliver(filter), GATHER_MS);
      }
    }
  }

  /** As the documentation has it; the log group itself needs the permission to invoke. */
  #deliver(filter: SubscriptionFilter): void {
    const { functions, id, region } = this.#account;
    const logEvents = this.#waiting.get(filter) ?? [];
    this.#waiting.delete(filter);
    const fn = functions.find(filter.destinationArn);
    const sourceArn = `arn:aws:logs:${region}:${id}:log-group:${filter.logGroup}:*`;
    if (fn === undefined || !functions.permits(fn, 'logs.amazonaws.com', sourceArn)) return;
    const batch = {
      messageType: 'DATA_MESSAGE',
      owner: id,
      logGroup: filter.logGroup,
      logStream: 'simulated',
      subscriptionFilters: [filter.name],
      logEvents,
    };
    void functions.invoke(fn.arn, { awslogs: { data: pack(batch) } }, { type: 'Event' });
  }
}

/** What `awslogs.data` has: JSON, compressed by gzip, in base64. */
export function pack(batch: unknown): string {
  return gzipSync(JSON.stringify(batch)).toString('base64');
}

type Condition = (line: unknown) => boolean;

/**
 * A JSON filter pattern: `{ ($.field = "text") || ($.a.b = "other") }`. Comparisons for equality of text, `||`, `&&` and parentheses; anything else is
 * an error that names it. `&&` binds stronger.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
export function parsePattern(pattern: string): Condition {
  const inner = /^\s*\{(.*)\}\s*$/s.exec(pattern)?.[1];
  if (inner === undefined) throw new Error(`Only JSON filter patterns are simulated: ${pattern}`);
  const tokens = inner.match(/\(|\)|\|\||&&|=|\$[\w.]+|"[^"]*"|\S+/g) ?? [];
  let at = 0;
  const fail = (): never => {
    throw new Error(`The filter pattern's ${tokens[at] ?? 'end'} is not simulated: ${pattern}`);
  };
  const take = (test: RegExp): string => {
    const token = tokens[at];
    if (token === undefined || !test.test(token)) return fail();
    at += 1;
    return token;
  };
  const comparison = (): Condition => {
    if (tokens[at] === '(') {
      at += 1;
      const grouped = either();
      take(/^\)$/);
      return grouped;
    }
    const path = take(/^\$\./).split('.').slice(1);
    take(/^=$/);
    const wanted = take(/^"/).slice(1, -1);
    return (line) =>
      path.reduce<unknown>((value, name) => (isRecord(value) ? value[name] : undefined), line) === wanted;
  };
  const both = (): Condition => {
    const all = [comparison()];
    while (tokens[at] === '&&') {
      at += 1;
      all.push(comparison());
    }
    return (line) => all.every((one) => one(line));
  };
  const either = (): Condition => {
    const any = [both()];
    while (tokens[at] === '||') {
      at += 1;
      any.push(both());
    }
    return (line) => any.some((one) => one(line));
  };
  const whole = either();
  if (at < tokens.length) fail();
  return whole;
}

function jsonOf(line: string): unknown {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
