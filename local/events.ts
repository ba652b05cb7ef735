/** EventBridge: the default bus of each Region, whose rules hand matching events to functions, topics and the bus of another Region. */
import type { SimulatedAccount } from './account.ts';
import { isRecord } from './wire/protocols.ts';

export type BusEvent = Readonly<Record<string, unknown>> & { readonly source: string; readonly 'detail-type': string };

export interface EventRule {
  readonly name: string;
  readonly pattern: Readonly<Record<string, unknown>>;
  /** ARNs of functions and topics, and of buses with the role that puts events there. */
  readonly targets: readonly (string | { readonly arn: string; readonly roleArn: string })[];
  /** What a target gets instead of the event, by its ARN. */
  readonly transformers?: Readonly<Record<string, InputTransformer>>;
  /** @default that of the account */
  readonly region?: string;
}

export interface InputTransformer {
  /** JSON paths of the event by the names that the template gives them. */
  readonly paths: Readonly<Record<string, string>>;
  readonly template: string;
}

export class EventBus {
  readonly #account: SimulatedAccount;
  readonly rules: EventRule[] = [];
  /** All events so far. */
  readonly seen: BusEvent[] = [];

  constructor(account: SimulatedAccount) {
    this.#account = account;
  }

  /** Delivers an event to the targets of all rules of the Region's bus that match, asynchronously. */
  put(event: BusEvent, region = this.#account.region): void {
    const { id: account, clock, random } = this.#account;
    const full = {
      version: '0',
      id: random.uuid(),
      account,
      region,
      time: clock.now().toISOString(),
      resources: [],
      ...event,
    };
    this.seen.push(full);
    for (const { name, pattern, targets, transformers = {}, region: on = this.#account.region } of this.rules) {
      if (on !== region || !matchesPattern(pattern, full)) continue;
      for (const target of targets) {
        if (typeof target !== 'string') {
          void this.#forward(target, full);
          continue;
        }
        const transformer = transformers[target];
        if (this.#account.topics.has(target)) {
          const message = transformer === undefined ? JSON.stringify(full) : transform(transformer, full);
          this.#account.topics.publish(target, 'events.amazonaws.com', message);
        } else if (transformer === undefined) this.#deliver(name, target, full);
        else throw new Error(`${name}: an input transformer is simulated for topics only`);
      }
    }
  }

  /**
   * To a bus of the same account an event goes with the rule's role. It keeps its Region.
   *
   * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html
   */
  async #forward({ arn, roleArn }: { readonly arn: string; readonly roleArn: string }, event: BusEvent): Promise<void> {
    const request = { principalArn: roleArn, action: 'events:PutEvents', resource: arn, context: {} };
    const verdict = await this.#account.authorize?.(request);
    const [, region] = /^arn:[\w-]+:events:([\w-]+):\d+:event-bus\/default$/.exec(arn) ?? [];
    if (region !== undefined && verdict?.allowed !== false) this.put(event, region);
  }

  /** The rule itself needs the permission to invoke; without it nothing arrives, as in AWS. */
  #deliver(rule: string, target: string, event: unknown): void {
    const { functions, region, id } = this.#account;
    const fn = functions.find(target);
    const ruleArn = `arn:aws:events:${region}:${id}:rule/${rule}`;
    if (fn !== undefined && functions.permits(fn, 'events.amazonaws.com', ruleArn))
      void functions.invoke(target, event, { type: 'Event' });
  }
}

/**
 * Lines of text in quotes, in which `<name>` stands for what its path finds. A path that finds nothing leaves nothing behind.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 */
export function transform({ paths, template }: InputTransformer, event: Readonly<Record<string, unknown>>): string {
  const value = (name: string) => {
    const [, ...steps] = (paths[name] ?? '').split('.');
    const found = steps.reduce<unknown>((inner, step) => (isRecord(inner) ? inner[step] : undefined), event);
    return found === undefined ? '' : typeof found === 'string' ? found : JSON.stringify(found);
  };
  const lines = template.split('\n').map((line) => {
    const [, text] = /^"(.*)"$/.exec(line) ?? [];
    if (text === undefined) throw new Error(`A line of an input template that is no text is not simulated: ${line}`);
    return text.replace(/<(\w+)>/g, (_, name: string) => value(name));
  });
  return lines.join('\n');
}

/** Event patterns: every field has to match one of its values: exact, `prefix`, `anything-but` or `exists`. */
export function matchesPattern(
  pattern: Readonly<Record<string, unknown>>,
  event: Readonly<Record<string, unknown>>,
): boolean {
  return Object.entries(pattern).every(([field, wanted]) => {
    const value = event[field];
    if (isRecord(wanted)) return isRecord(value) && matchesPattern(wanted, value);
    if (!Array.isArray(wanted)) throw new Error(`An event pattern's field is a list or a pattern: ${field}`);
    const values = Array.isArray(value) ? value : [value];
    return wanted.some((condition) => values.some((item) => satisfies(condition, item)));
  });
}

function satisfies(condition: unknown, value: unknown): boolean {
  if (!isRecord(condition)) return condition === value;
  const [[operator, operand] = []] = Object.entries(condition);
  switch (operator) {
    case 'prefix':
      return typeof value === 'string' && value.startsWith(String(operand));
    case 'anything-but':
      return value !== undefined && ![operand].flat().includes(value);
    case 'exists':
      return (value !== undefined) === operand;
    default:
      throw new Error(`The event pattern's ${operator} is not simulated`);
  }
}
