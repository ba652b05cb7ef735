/** A history made by hand. */
import type { CallRecord, Change, HistoryEntry } from '../../local/model.ts';

const START = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;

/** When a day begins, in ms. */
export const day = (number: number): number => START + number * DAY;

export class HandMade {
  readonly entries: HistoryEntry[] = [];
  readonly logs: string[] = [];

  /** A call, and the changes that it causes. Without a function it is an operator's. */
  call(onDay: number, action: string, functionName: string | undefined, ...changes: readonly Change[]): CallRecord {
    const call: CallRecord = {
      kind: 'call',
      seq: this.entries.length,
      at: this.#at(onDay),
      principal: 'arn:aws:sts::111122223333:assumed-role/any/one',
      service: 'iam',
      action,
      parameters: Object.assign(
        {},
        ...changes.map((change) => ('keyId' in change ? { AccessKeyId: change.keyId } : {})),
      ),
      outcome: 'ok',
      ...(functionName === undefined ? {} : { functionName }),
    };
    this.entries.push(call);
    for (const change of changes) this.change(onDay, change, call.seq);
    return call;
  }

  change(onDay: number, change: Change, cause?: number): void {
    const seq = this.entries.length;
    this.entries.push({ kind: 'change', seq, at: this.#at(onDay), change, ...(cause === undefined ? {} : { cause }) });
  }

  /** A rotation that failed. */
  failed(onDay: number, secretArn: string, errorMessage: string): void {
    this.entries.push({
      kind: 'event',
      seq: this.entries.length,
      at: this.#at(onDay),
      source: 'aws.secretsmanager',
      name: 'RotationFailed',
      detail: { SecretId: secretArn, Step: 'createSecret', errorMessage },
    });
  }

  /** A line of a function. */
  log(onDay: number, message: string, facts: Readonly<Record<string, unknown>>): void {
    this.logs.push(JSON.stringify({ level: 'INFO', message, timestamp: this.#at(onDay), ...facts }));
  }

  #at(onDay: number): string {
    return new Date(day(onDay)).toISOString();
  }
}
