/** Facts for decisions, made short. */
import {
  type Evidence,
  entryTag,
  evidenceTag,
  type Intent,
  intentTag,
  type Ledger,
  type LedgerEntry,
  parseLedger,
} from '../../lambdas/domain/ledger.ts';
import type { AccessKey, Labels } from '../../lambdas/domain/model.ts';

export const NOW = new Date('2026-06-15T12:00:00Z');
export const TIMEOUT = 120;

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

/** A ledger, as it comes back from tags. */
export function ledger(
  entries: readonly LedgerEntry[] = [],
  more: {
    intent?: Omit<Intent, 'run'> | undefined;
    intents?: readonly Intent[];
    evidence?: Evidence | undefined;
    userId?: string | undefined;
  } = {},
): Ledger {
  const intents = [...(more.intents ?? []), ...(more.intent ? [{ run: 'run1', ...more.intent }] : [])];
  const tags = [...entries.map(entryTag), ...intents.map(intentTag), more.evidence ? evidenceTag(more.evidence) : {}];
  const pin = more.userId === undefined ? {} : { 'iam-key-rotator:user-id': more.userId };
  return parseLedger(Object.assign({}, ...tags, pin));
}
