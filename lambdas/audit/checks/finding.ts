/** Making findings. */
import { iso, type LastUse } from '../../domain/model.ts';
import type { Finding, Severity } from '../report.ts';
import { CHECKS, type Check, type CheckName } from './catalogue.ts';

/** What a finding is about. */
export interface About {
  readonly user: string;
  readonly keyId?: string;
  readonly secret?: string;
}

const DAY_MS = 86_400_000;

/** A finding with the words of its check. Its id is the same as long as the matter stands: it holds no date. */
export function finding(check: CheckName, about: About, evidence: string, severity?: Severity): Finding {
  const { title, remedy, compliance, severity: usual }: Check = CHECKS[check];
  const { user, keyId, secret } = about;
  const id = [check, user, keyId ?? secret].filter((part) => part !== undefined).join(':');
  return {
    id,
    check,
    severity: severity ?? usual,
    user,
    ...(keyId !== undefined && { keyId }),
    ...(secret !== undefined && { secret }),
    title,
    evidence,
    remedy,
    compliance,
  };
}

/** Whole days between two moments, never fewer than none. */
export const daysBetween = (from: Date, to: Date): number =>
  Math.max(0, Math.floor((to.getTime() - from.getTime()) / DAY_MS));

/** `412 days`. */
export const days = (count: number): string => `${count} ${count === 1 ? 'day' : 'days'}`;

/** A key's last use in words. */
export const lastUseInWords = (use: LastUse): string => `last used ${iso(use.at)} with ${use.service} in ${use.region}`;
