/** Facts for decisions, made short. */
import type { Evidence, Intent, Leak, Ledger, LedgerEntry } from '../../lambdas/domain/ledger.ts';
import type { AccessKey, Labels } from '../../lambdas/domain/model.ts';

export const NOW = new Date('2026-06-15T12:00:00Z');
export const TIMEOUT = 120;
/** Seconds by which clocks may differ: what can't be undone waits so much longer. */
export const TOLERANCE = 60;

/** `NOW` plus seconds; negative ones lie in the past. */
export const at = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000);

export const OLD = 'AKIAOLDOLDOLDOLDOLD2';
export const NEW = 'AKIANEWNEWNEWNEWNEW3';
export const OTHER = 'AKIAOTHEROTHEROTHER4';

export function key(id: string, status: AccessKey['status'] = 'Active', created = at(-100 * 86_400)): AccessKey {
  return { id, status, created };
}

export function labels(of: Record<string, readonly string[]>): Labels {
  return new Map(Object.entries(of));
}

/** A ledger. */
export function ledger(
  entries: readonly LedgerEntry[] = [],
  more: {
    intent?: Omit<Intent, 'run'> | undefined;
    intents?: readonly Intent[];
    leaks?: readonly Leak[];
    evidence?: Evidence | undefined;
    userId?: string | undefined;
  } = {},
): Ledger {
  const intents = [...(more.intents ?? []), ...(more.intent ? [{ run: 'run1', ...more.intent }] : [])];
  return {
    entries: new Map(entries.map((entry) => [entry.keyId, entry])),
    leaks: new Map((more.leaks ?? []).map((leak) => [leak.keyId, leak])),
    intents,
    ...(more.evidence && { evidence: more.evidence }),
    ...(more.userId !== undefined && { userId: more.userId }),
  };
}

/** The whole message of a plan that refuses. */
export function refusalOf(plan: { readonly do: string; readonly error?: Error }): string | undefined {
  return plan.error?.message;
}
