/** Faults that are injected into calls: which calls, and what befalls them. */
import { AwsError, type CallRecord } from './model.ts';

/** Which calls a fault befalls: those that agree with every given field. */
export interface FaultMatch {
  readonly service?: string;
  readonly action?: string;
  readonly principal?: string;
  readonly functionName?: string;
  readonly userName?: string;
  readonly secretName?: string;
  readonly predicate?: (call: CallRecord) => boolean;
  /** Counted from 1 among the calls that match otherwise; without it, the next ones. */
  readonly nth?: number;
}

export type FaultKind =
  /** Refused before any effect; throttled unless `error` says otherwise. */
  | {
      readonly kind: 'refuse';
      readonly error?: { readonly code: string; readonly message?: string; readonly status?: number };
    }
  /** The connection breaks before any effect. */
  | { readonly kind: 'network' }
  /** It takes effect, then the connection breaks. */
  | { readonly kind: 'lose-answer' }
  /** The calling function's process is gone before, or after, the call takes effect. */
  | { readonly kind: 'crash-before' | 'crash-after' }
  /** It takes effect at once, and is answered after `ms` of virtual time. */
  | { readonly kind: 'late'; readonly ms: number };

export type Fault = FaultKind & {
  readonly match: FaultMatch;
  /** How many calls it befalls. @default 1 */
  readonly times?: number;
};

export class Faults {
  #faults: { readonly fault: Fault; seen: number; struck: number }[] = [];

  /** Adds a fault; the function returned takes it away again. */
  add(fault: Fault): () => void {
    const entry = { fault, seen: 0, struck: 0 };
    this.#faults.push(entry);
    return () => {
      this.#faults = this.#faults.filter((other) => other !== entry);
    };
  }

  clear(): void {
    this.#faults = [];
  }

  /** The fault that befalls this call, if any; counts the call. */
  strike(call: CallRecord): Fault | undefined {
    let hit: Fault | undefined;
    for (const entry of this.#faults) {
      const { match, times = 1 } = entry.fault;
      if (!matches(match, call)) continue;
      entry.seen++;
      if (hit !== undefined || entry.seen < (match.nth ?? 1) || entry.struck >= times) continue;
      entry.struck++;
      hit = entry.fault;
    }
    return hit;
  }
}

/** The answer of a refusal: AWS's throttling error unless the fault names another. */
export function refusal(fault: Extract<FaultKind, { kind: 'refuse' }>): AwsError {
  const { code = 'ThrottlingException', message = 'Rate exceeded', status = 400 } = fault.error ?? {};
  return new AwsError(code, message, status);
}

function matches(match: FaultMatch, call: CallRecord): boolean {
  const fields = ['service', 'action', 'principal', 'functionName', 'userName', 'secretName'] as const;
  return (
    fields.every((field) => match[field] === undefined || match[field] === call[field]) &&
    (match.predicate?.(call) ?? true)
  );
}
