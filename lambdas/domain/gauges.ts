/** How the keys of a deployment stand, by what one listing shows: no call is made for it. */
import type { DeployedKey } from '../contract/deployment.ts';
import { overlapEnd, retiringKeys } from './follow.ts';
import { entryOf, type LedgerEntry, parseLedger } from './ledger.ts';
import { AWSCURRENT, AWSPENDING, after, hasLabel, type SecretFacts, versionWith } from './model.ts';

/** Counts of keys, and ages in seconds. */
export interface Gauges {
  readonly currentKeys: number;
  readonly retiringKeys: number;
  readonly awaitingDeletion: number;
  /** Since it was minted; 0 if there is none. */
  readonly oldestCurrentKey: number;
  /** Since the end of the overlap; 0 if no key is held. In mode 'observe' none is. */
  readonly longestHold: number;
  /** Secrets that should have had another rotation by now. Keys in mode 'observe' are never overdue: nothing rotates them. */
  readonly keysOverdue: number;
  /** Keys that are known to be leaked for longer than the response to it takes, and are current or not recorded as disabled. */
  readonly leakedKeys: number;
}

const NONE: Gauges = {
  currentKeys: 0,
  retiringKeys: 0,
  awaitingDeletion: 0,
  oldestCurrentKey: 0,
  longestHold: 0,
  keysOverdue: 0,
  leakedKeys: 0,
};

/** Seconds: the response to a leak follows it for ten minutes, and the listing may be five minutes old. */
const RESPONSE = 20 * 60;

/**
 * How the keys of one secret stand.
 *
 * @param margin in seconds: how late a rotation may be
 * @throws RotatorError LEDGER_MALFORMED
 */
export function standingOf(facts: SecretFacts, policy: DeployedKey, margin: number, now: Date): Gauges {
  const { labels, created } = facts;
  const ledger = parseLedger(facts.tags);
  const current = entryOf(ledger, versionWith(labels, AWSCURRENT));
  const retiring = retiringKeys(labels, ledger, policy);
  const isLabelled = ({ version }: LedgerEntry) =>
    hasLabel(labels, version, AWSCURRENT) || hasLabel(labels, version, AWSPENDING);
  const disabled = [...ledger.entries.values()].filter(
    (entry) => entry.disabled !== undefined && entry.deleted === undefined && !isLabelled(entry),
  );
  // A secret that has no key of the rotator's yet should have got one within its first period.
  const since = current === undefined ? created : (current.promoted ?? current.minted);
  const isLate = since !== undefined && now >= after(since, policy.rotateEvery + margin);
  return {
    currentKeys: current === undefined ? 0 : 1,
    retiringKeys: retiring.length,
    awaitingDeletion: disabled.length,
    oldestCurrentKey: ageOf(current?.minted ?? current?.promoted, now),
    // Nothing is held back in mode 'observe': nobody would retire it.
    longestHold:
      policy.mode === 'enforce' ? Math.max(0, ...retiring.map((key) => ageOf(overlapEnd(key, policy), now))) : 0,
    keysOverdue: isLate && policy.mode === 'enforce' ? 1 : 0,
    leakedKeys: [...ledger.leaks.values()].filter(({ keyId, at }) => {
      const entry = ledger.entries.get(keyId);
      const ended = entry?.deleted !== undefined || (entry?.disabled !== undefined && !isLabelled(entry));
      return !ended && now >= after(at, RESPONSE);
    }).length,
  };
}

/** How the keys of all secrets stand. */
export function gaugesOf(standings: readonly Gauges[]): Gauges {
  return standings.reduce(
    (sum, one) => ({
      currentKeys: sum.currentKeys + one.currentKeys,
      retiringKeys: sum.retiringKeys + one.retiringKeys,
      awaitingDeletion: sum.awaitingDeletion + one.awaitingDeletion,
      oldestCurrentKey: Math.max(sum.oldestCurrentKey, one.oldestCurrentKey),
      longestHold: Math.max(sum.longestHold, one.longestHold),
      keysOverdue: sum.keysOverdue + one.keysOverdue,
      leakedKeys: sum.leakedKeys + one.leakedKeys,
    }),
    NONE,
  );
}

/** In whole seconds; 0 for what is not known, or lies ahead because clocks differ. */
function ageOf(since: Date | undefined, now: Date): number {
  return since === undefined ? 0 : Math.max(0, Math.floor((now.getTime() - since.getTime()) / 1000));
}
