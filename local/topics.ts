/** SNS: topics that keep what is published to them. A service may publish only if the topic's policy lets it, and its KMS key's. */
import type { SimulatedAccount } from './account.ts';
import { isRecord } from './wire/protocols.ts';

export interface Message {
  readonly at: string;
  /** The service that published it. */
  readonly from: string;
  readonly subject?: string;
  readonly message: string;
}

export interface Topic {
  readonly arn: string;
  /** ARN of its KMS key. */
  readonly keyArn?: string;
  readonly messages: Message[];
  readonly subscriptions: { readonly protocol: string; readonly endpoint: string }[];
  policy?: unknown;
}

export class Topics {
  readonly #account: SimulatedAccount;
  readonly #topics = new Map<string, Topic>();
  /** Policies of KMS keys by their ARN. */
  readonly keyPolicies = new Map<string, unknown>();
  /** What was not let through, and why: a publisher is not told, and its notices are lost. */
  readonly refused: string[] = [];

  constructor(account: SimulatedAccount) {
    this.#account = account;
  }

  create(arn: string, keyArn?: string): void {
    this.#topics.set(arn, { arn, ...(keyArn && { keyArn }), messages: [], subscriptions: [] });
  }

  get(arn: string): Topic {
    const topic = this.#topics.get(arn);
    if (topic === undefined) throw new Error(`There is no topic ${arn}`);
    return topic;
  }

  has(arn: string): boolean {
    return this.#topics.has(arn);
  }

  publish(arn: string, from: string, message: string, subject?: string): void {
    const topic = this.get(arn);
    const keyPolicy = topic.keyArn === undefined ? undefined : this.keyPolicies.get(topic.keyArn);
    const encrypts = ['kms:Decrypt', 'kms:GenerateDataKey'].every((action) => allows(keyPolicy, from, action));
    if (!allows(topic.policy, from, 'sns:Publish')) this.refused.push(`${from} may not publish to ${arn}`);
    else if (topic.keyArn !== undefined && !encrypts) this.refused.push(`${from} may not use the key of ${arn}`);
    else {
      const at = this.#account.clock.now().toISOString();
      topic.messages.push({ at, from, ...(subject && { subject }), message });
    }
  }
}

/** Whether a policy lets a service do something. Conditions are those of the same account, which is the only one. */
function allows(policy: unknown, service: string, action: string): boolean {
  if (!isRecord(policy)) return false;
  return [policy.Statement].flat().some((statement) => {
    if (!isRecord(statement) || statement.Effect !== 'Allow' || !isRecord(statement.Principal)) return false;
    const actions = [statement.Action].flat();
    return [statement.Principal.Service].flat().includes(service) && actions.includes(action);
  });
}
