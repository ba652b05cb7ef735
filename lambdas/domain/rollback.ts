/**
 * The decision of a rollback: AWSCURRENT goes back to a superseded key. Pure, and taken anew after each step on facts read afresh, so that whoever
 * runs it again after a failure gets there. Why in this order: docs/adr/0022-rolling-back.md.
 */
import type { DeployedKey } from '../contract/deployment.ts';
import type { RotatorError } from './errors.ts';
import { FRESH_FOR } from './freshness.ts';
import { isOpen, type LedgerEntry, pinnedUserId, settledAt, surelyAfter, unresolved } from './ledger.ts';
import { AWSCURRENT, AWSPENDING, AWSPREVIOUS, after, iso, type LastUse, versionWith } from './model.ts';
import { EVIDENCE_LASTS, supersededEntry } from './promote.ts';
import { currentMissing, type Refusal, refuse, scheduledForDeletion, userRecreated } from './refusals.ts';
import { decideRetirement, type KeyDecision, type RetireObserved } from './retire.ts';
import { labelledRole, provesSameUser, type Standing, wasPromoted } from './roles.ts';

/** What a rollback has gathered, all read afresh. */
export interface RollbackObserved extends Standing {
  readonly secretName: string;
  readonly scheduledForDeletion: boolean;
  readonly rotationEnabled: boolean;
  /** Keys by version, of the versions whose value could be read: the current one, the previous one, those of the ledger. */
  readonly held: ReadonlyMap<string, string>;
  /** Why a version's value is none that holds the bound user's key. */
  readonly unreadable: ReadonlyMap<string, RotatorError>;
  /** Of the superseded keys. */
  readonly lastUse: ReadonlyMap<string, LastUse | undefined>;
  /** The user's unique id, read when `provesSameUser` could not tell. */
  readonly userId: string | undefined;
  /** Keys that were reported as leaked. */
  readonly leaked: ReadonlySet<string>;
}

/** From where to where. Decided once, shown, and held on to: whatever else happens meanwhile ends the rollback. */
export interface Route {
  /** The key to return to, and the version that holds it. */
  readonly keyId: string;
  readonly version: string;
  /** The version that AWSCURRENT leaves, and its key, if that could be read. */
  readonly from: string;
  readonly fromKeyId: string | undefined;
}

export type RollbackPlan =
  | { readonly do: 'roll-back'; readonly route: Route; readonly steps: readonly StepName[] }
  /** The key asked for is current, or the older of the two is. */
  | { readonly do: 'none'; readonly keyId: string; readonly newer: string | undefined }
  | Refusal;

/** What this run of the rollback knows of its own earlier looks. */
export interface Progress {
  /** Since when every look has found the key Active and out of reach of passes. */
  readonly heldSince?: Date;
  /** When STS was asked for the last time of several in a row. */
  readonly verifiedAt?: Date;
}

export type RollbackStep =
  /** Write the entries: until that date no pass ends the key. */
  | { readonly do: 'reserve'; readonly entries: readonly LedgerEntry[]; readonly until: Date }
  /** Set the key Active. */
  | { readonly do: 'activate' }
  /** A run that has looked before may still end the key. */
  | { readonly do: 'wait'; readonly until: Date }
  /** STS is to identify the key as the bound user's, several times in a row. */
  | { readonly do: 'verify' }
  /** Take AWSPENDING off the version that AWSCURRENT leaves: there it would say that a rotation is incomplete. */
  | { readonly do: 'take-off' }
  /** Move AWSCURRENT, naming the version that it leaves. */
  | { readonly do: 'move' }
  | { readonly do: 'done' };

export type StepName = Exclude<RollbackStep['do'], 'done'>;

/** Seconds for which a request that has left may still be on its way: one of a pass, as of this rollback. As the ledger has it. */
const IN_FLIGHT = 60;
/** Seconds after which a pass that has looked before has ended the key, or never will. */
export const PASS_IS_OVER = FRESH_FOR + IN_FLIGHT;
/** Seconds for which passes must leave the key alone when the label is moved: longer than the move and a look may take, by clocks that differ. */
export const GUARD = 300;
/** Seconds for which a reservation keeps passes from ending the key: the waits, the verification and the guard fit in several times. */
export const RESERVED_FOR = 1800;

/**
 * Decides whether AWSCURRENT can go back, and to which key: the one that was current last, unless `wanted` names one. A key that became current
 * later than the current one is returned to only by its name: a rollback that is run again undoes nothing.
 *
 * @param rotateTimeout timeout of the rotate function, in seconds
 */
export function planRollback(
  observed: RollbackObserved,
  wanted: string | undefined,
  policy: DeployedKey,
  rotateTimeout: number,
  now: Date,
): RollbackPlan {
  const from = versionWith(observed.labels, AWSCURRENT);
  if (observed.scheduledForDeletion) return scheduledForDeletion(observed.secretName);
  if (from === undefined) return currentMissing();
  if (policy.mode === 'observe') return observeMode(policy);

  const chosen = choose(observed, wanted);
  if (chosen.do !== 'return-to') return chosen;
  const { keyId } = chosen;
  const refusal = refuseNow(keyId, observed, rotateTimeout, now) ?? refuseKey(keyId, observed, policy);
  if (refusal !== undefined) return refusal;
  const version = versionOf(keyId, observed);
  if (typeof version !== 'string') return version;
  const route = { keyId, version, from, fromKeyId: observed.currentKeyId };
  return { do: 'roll-back', route, steps: stepsAhead(observed, route, policy, rotateTimeout, now) };
}

/**
 * The next step on a route, by what is there now.
 *
 * @param rotateTimeout timeout of the rotate function, in seconds
 */
export function nextStep(
  observed: RollbackObserved,
  route: Route,
  progress: Progress,
  policy: DeployedKey,
  rotateTimeout: number,
  now: Date,
): RollbackStep | Refusal {
  const current = versionWith(observed.labels, AWSCURRENT);
  if (observed.scheduledForDeletion) return scheduledForDeletion(observed.secretName);
  if (current === route.version && observed.leaked.has(route.keyId)) return leakedMeanwhile(route, policy);
  const refusal = refuseKey(route.keyId, observed, policy);
  if (refusal !== undefined) return refusal;
  const isActive = statusOf(route.keyId, observed) === 'Active';
  if (current === route.version) return { do: isActive ? 'done' : 'activate' };
  if (current !== route.from) return overtaken(route, current, observed.currentKeyId);
  const busy = refuseNow(route.keyId, observed, rotateTimeout, now);
  if (busy !== undefined) return busy;

  if (!isHeld(route.keyId, observed, policy, rotateTimeout, now)) return reserve(route, observed, now);
  if (!isActive) return { do: 'activate' };
  const until = settled(route.keyId, observed, progress, policy, rotateTimeout, now);
  if (now < until) return { do: 'wait', until };
  if (progress.verifiedAt === undefined || now > after(progress.verifiedAt, EVIDENCE_LASTS)) return { do: 'verify' };
  return { do: versionWith(observed.labels, AWSPENDING) === route.from ? 'take-off' : 'move' };
}

/** What a look adds to what the run knows: since when the key has been found Active and out of reach of passes. */
export function noteLook(
  progress: Progress,
  observed: RollbackObserved,
  { keyId }: Route,
  policy: DeployedKey,
  rotateTimeout: number,
  now: Date,
): Progress {
  const { heldSince = now, verifiedAt } = progress;
  const isActive = statusOf(keyId, observed) === 'Active';
  if (!isActive || !isHeld(keyId, observed, policy, rotateTimeout, now)) return {};
  return { heldSince, ...(verifiedAt && { verifiedAt }) };
}

type Choice =
  | { readonly do: 'return-to'; readonly keyId: string }
  | Exclude<RollbackPlan, { readonly do: 'roll-back' }>;

function choose(observed: RollbackObserved, wanted: string | undefined): Choice {
  const { currentKeyId, secretName } = observed;
  const former = formerKeys(observed);
  if (wanted !== undefined) {
    if (wanted === currentKeyId) return { do: 'none', keyId: wanted, newer: undefined };
    if (former.some(({ keyId }) => keyId === wanted)) return { do: 'return-to', keyId: wanted };
    return refuse('ROLLBACK_NO_KEY', {
      found: `${wanted} was never the current key of ${secretName}, as far as is known`,
      expected: former.length > 0 ? `one of ${former.map(({ keyId }) => keyId).join(', ')}` : 'a superseded key',
      remedy:
        'see which keys the secret has (iam-key-rotator status); without --key it is the one that was current last',
    });
  }
  const current = observed.ledger.entries.get(currentKeyId ?? '');
  // What nobody has recorded yet was made current just now, by a rotation or by hand.
  const since = current === undefined ? Number.POSITIVE_INFINITY : promotedAt(current);
  const last = former.find(({ promoted }) => promoted <= since);
  const [newer] = former;
  // Rolled back already, and what was before that is deleted: the same command again is no wish to go back further.
  const isAgain = newer !== undefined && newer.promoted > since;
  if (last !== undefined && !(isAgain && observed.keys.every(({ id }) => id !== last.keyId))) {
    return { do: 'return-to', keyId: last.keyId };
  }
  if (newer !== undefined && currentKeyId !== undefined) return { do: 'none', keyId: currentKeyId, newer: newer.keyId };
  return refuse('ROLLBACK_NO_KEY', {
    found: `${secretName} has no superseded key: ${
      currentKeyId === undefined ? 'no key of it is known' : `${currentKeyId} is the only one that is known`
    }`,
    expected: 'a key that was current before, and is not deleted yet',
    remedy:
      'rotate instead (iam-key-rotator rotate): a new key is minted. Superseded keys are deleted when their recovery (deleteAfter) is over',
  });
}

interface Former {
  readonly keyId: string;
  /** In ms; infinite if that is not recorded yet, and negatively so if no version ever held the key, or its entry went when it was deleted. */
  readonly promoted: number;
}

/** The keys that were current, or in use before the first one was, the latest first. */
function formerKeys(observed: RollbackObserved): Former[] {
  const { labels, ledger, held, currentKeyId } = observed;
  const keyIds = new Set<string>();
  for (const { keyId, version } of ledger.entries.values())
    if (version === undefined || wasPromoted(version, labels, ledger)) keyIds.add(keyId);
  const previous = held.get(versionWith(labels, AWSPREVIOUS) ?? '');
  if (previous !== undefined) keyIds.add(previous);
  return [...keyIds]
    .filter((keyId) => keyId !== currentKeyId && labelledRole(keyId, observed) !== 'current')
    .map((keyId) => ({ keyId, promoted: promotedAt(ledger.entries.get(keyId)) }))
    .sort((one, other) => (one.promoted === other.promoted ? 0 : other.promoted - one.promoted));
}

function promotedAt(entry: LedgerEntry | undefined): number {
  if (entry?.version === undefined) return Number.NEGATIVE_INFINITY;
  return entry.promoted?.getTime() ?? Number.POSITIVE_INFINITY;
}

/** Why not now: somebody else is at work on the secret. */
function refuseNow(
  keyId: string,
  { labels, ledger, secretName }: RollbackObserved,
  rotateTimeout: number,
  now: Date,
): Refusal | undefined {
  const pending = versionWith(labels, AWSPENDING);
  if (pending !== undefined && pending !== versionWith(labels, AWSCURRENT) && !wasPromoted(pending, labels, ledger)) {
    return refuse('ROTATION_IN_PROGRESS', {
      found: `a rotation of ${secretName} is under way, or was left unfinished: its version ${pending} is AWSPENDING`,
      expected: `no rotation, which would take AWSCURRENT from ${keyId} again`,
      remedy:
        `follow it to its end (iam-key-rotator rotate ${secretName}); or if it fails again and again, give it up: aws secretsmanager ` +
        `update-secret-version-stage --secret-id ${secretName} --version-stage AWSPENDING --remove-from-version-id ${pending}, then roll back`,
    });
  }
  const open = unresolved(ledger).find((intent) => isOpen(intent, rotateTimeout, now));
  if (open === undefined) return undefined;
  return refuse('ROTATION_IN_PROGRESS', {
    found: `a rotation of ${secretName} announced a new key at ${iso(open.at)} and did not say how it went`,
    expected: `no rotation at work; this one is over by ${iso(settledAt(open, rotateTimeout))}`,
    remedy: 'roll back after that time',
  });
}

/** Why not to this key. */
function refuseKey(keyId: string, observed: RollbackObserved, policy: DeployedKey): Refusal | undefined {
  const { ledger, labels, userId, leaked } = observed;
  const { userName, secretName } = policy;
  const pinned = pinnedUserId(ledger, labels);
  if (!provesSameUser(observed) && userId !== pinned) return userRecreated(`the user ${userName} has`, userId, pinned);
  if (leaked.has(keyId)) {
    return refuse('KEY_LEAKED', {
      found: `${keyId} was reported as leaked`,
      expected: 'a key that only its applications know',
      remedy: `rotate instead (iam-key-rotator rotate ${secretName}): a new key is minted`,
    });
  }
  if (statusOf(keyId, observed) === undefined) {
    return refuse('ROLLBACK_KEY_GONE', {
      found: `${keyId} is deleted: it is not among the keys of ${userName}`,
      expected: 'a superseded key that is retiring or disabled; IAM brings no deleted key back',
      remedy: `rotate instead (iam-key-rotator rotate ${secretName}): a new key is minted`,
    });
  }
  if (ledger.entries.has(keyId)) return undefined;
  return refuse('ROLLBACK_NO_KEY', {
    found: `${keyId} is a key of ${userName} that the ledger does not know: a stranger, which the rotator never changes`,
    expected: 'a key with an entry in the ledger',
    remedy: `if it is the right one, store it by hand (aws secretsmanager put-secret-value --secret-id ${secretName}); else rotate`,
  });
}

/** The version to move to: a labelled one rather than one that Secrets Manager may remove. */
function versionOf(keyId: string, observed: RollbackObserved): string | Refusal {
  const { labels, ledger, held, unreadable } = observed;
  const candidates = [versionWith(labels, AWSPREVIOUS), ledger.entries.get(keyId)?.version];
  const found = candidates.find((version) => version !== undefined && held.get(version) === keyId);
  if (found !== undefined) return found;
  const recorded = ledger.entries.get(keyId)?.version;
  const why = recorded === undefined ? undefined : unreadable.get(recorded);
  if (why !== undefined) return { do: 'refuse', error: why };
  return refuse('ROLLBACK_VALUE_GONE', {
    found:
      recorded === undefined
        ? `no version ever held ${keyId}: it was made by hand and adopted, and only its applications know its secret`
        : `the version ${recorded}, which held ${keyId}, is gone: Secrets Manager removes versions without a label`,
    expected: 'a version of the secret that holds the key with its secret, which IAM tells only once',
    remedy:
      `if somebody has the whole key, store it by hand (aws secretsmanager put-secret-value --secret-id ${observed.secretName}); ` +
      `else rotate (iam-key-rotator rotate ${observed.secretName})`,
  });
}

/** The steps that lie ahead, for whoever is asked to confirm them. */
function stepsAhead(
  observed: RollbackObserved,
  route: Route,
  policy: DeployedKey,
  rotateTimeout: number,
  now: Date,
): StepName[] {
  const held = isHeld(route.keyId, observed, policy, rotateTimeout, now);
  const active = statusOf(route.keyId, observed) === 'Active';
  const waits = !active || !held || now < settled(route.keyId, observed, {}, policy, rotateTimeout, now);
  return [
    ...(held ? [] : (['reserve'] as const)),
    ...(active ? [] : (['activate'] as const)),
    ...(waits ? (['wait'] as const) : []),
    'verify',
    ...(versionWith(observed.labels, AWSPENDING) === route.from ? (['take-off'] as const) : []),
    'move',
  ];
}

function statusOf(keyId: string, { keys }: Standing): 'Active' | 'Inactive' | undefined {
  return keys.find(({ id }) => id === keyId)?.status;
}

/**
 * Whether no pass that looks from now on ends the key for as long as moving the label may take, whatever passes record meanwhile. Asked of the
 * very decision that passes take. Of a key that is Inactive it is told what holds once it is Active: a pass that deletes it before does no harm.
 */
function isHeld(
  keyId: string,
  observed: RollbackObserved,
  policy: DeployedKey,
  rotateTimeout: number,
  now: Date,
): boolean {
  let facts = asActive(keyId, observed);
  // What a pass records, the next one acts upon; after two records there is nothing left to be recorded.
  for (let passes = 1; ; passes += 1) {
    const soon = decisionOn(keyId, facts, policy, rotateTimeout, now);
    const late = decisionOn(keyId, facts, policy, rotateTimeout, after(now, GUARD));
    if (endsKey(soon) || endsKey(late)) return false;
    if (soon?.do !== 'record' || passes === 3) return true;
    const entries = new Map([...facts.ledger.entries, [keyId, soon.entry]]);
    facts = { ...facts, ledger: { ...facts.ledger, entries } };
  }
}

function decisionOn(
  keyId: string,
  facts: RetireObserved,
  policy: DeployedKey,
  rotateTimeout: number,
  now: Date,
): KeyDecision | undefined {
  return decideRetirement(facts, policy, rotateTimeout, now).find(
    (decision): decision is KeyDecision => decision.about === 'key' && decision.keyId === keyId,
  );
}

/** 'look' is an end too: what isn't known is no protection. */
const endsKey = (decision: KeyDecision | undefined): boolean =>
  decision === undefined || ['disable', 'delete', 'forget', 'look'].includes(decision.do);

/** As passes will find it: they take AWSPENDING off a version that was promoted, and do nothing to a key in a version that has it. */
function asActive(keyId: string, observed: RollbackObserved): RollbackObserved {
  const { labels, ledger } = observed;
  const keys = observed.keys.map((key) => (key.id === keyId ? { ...key, status: 'Active' as const } : key));
  const remaining = [...labels].map(([version, has]): [string, readonly string[]] => [
    version,
    wasPromoted(version, labels, ledger) ? has.filter((label) => label !== AWSPENDING) : has,
  ]);
  return { ...observed, keys, labels: new Map(remaining) };
}

/** When whoever has looked at the key before it was held is over with it. */
function settled(
  keyId: string,
  observed: RollbackObserved,
  { heldSince }: Progress,
  policy: DeployedKey,
  rotateTimeout: number,
  now: Date,
): Date {
  if (wasHeldBefore(keyId, observed, policy, rotateTimeout, now)) return now;
  // With an overlap of zero, finishSecret ends keys too, and by what it has read at its beginning.
  const over = policy.deactivateAfter === 0 ? IN_FLIGHT + rotateTimeout : PASS_IS_OVER;
  return after(heldSince ?? now, over);
}

/**
 * True within an overlap that began long enough ago, or when the key left AWSCURRENT: then there is no run that has looked before and may still end
 * the key. Whatever else keeps passes from ending it has a date in the entry that is younger.
 */
function wasHeldBefore(
  keyId: string,
  observed: RollbackObserved,
  policy: DeployedKey,
  rotateTimeout: number,
  now: Date,
): boolean {
  const entry = observed.ledger.entries.get(keyId);
  if (entry?.superseded === undefined || entry.disabled !== undefined) return false;
  if (decisionOn(keyId, observed, policy, rotateTimeout, now)?.reason !== 'in-overlap') return false;
  // Within an overlap, that is the current key.
  const { at, by } = entry.superseded;
  const leftAt = observed.ledger.entries.get(by)?.promoted;
  return at.getTime() === leftAt?.getTime() || now > surelyAfter(at, PASS_IS_OVER);
}

/** Dated ahead, the overlap lies before the key whole, and its end with it. An entry that a dying finishSecret left open is closed, or its repetition would date anew. */
function reserve({ keyId, from }: Route, observed: RollbackObserved, now: Date): RollbackStep {
  const { ledger, labels, currentKeyId = keyId } = observed;
  const entry: LedgerEntry = { keyId, ...ledger.entries.get(keyId) };
  const current = ledger.entries.get(currentKeyId);
  const until = after(now, RESERVED_FOR);
  const promoted = entry.promoted ?? (wasPromoted(entry.version, labels, ledger) ? now : undefined);
  const held: LedgerEntry = { ...entry, ...(promoted && { promoted }) };
  const open = current !== undefined && current.version === from && current.promoted === undefined;
  return {
    do: 'reserve',
    entries: [supersededEntry(held, until, currentKeyId), ...(open ? [{ ...current, promoted: now }] : [])],
    until,
  };
}

function observeMode({ secretName }: DeployedKey): Refusal {
  return refuse('OBSERVE_MODE', {
    found: `a rollback of ${secretName}, whose mode is 'observe'`,
    expected: "mode 'enforce' for a rollback",
    remedy: "set mode: 'enforce' for this key in rotator.config.ts and deploy",
  });
}

/**
 * Reported between the last look and the move: the response has disabled the key by then, taking it for superseded, and has a rotation started,
 * which leaves the other key its slot. Going forward again would run into that.
 */
function leakedMeanwhile({ keyId }: Route, { secretName, userName }: DeployedKey): Refusal {
  return refuse('KEY_LEAKED', {
    found: `AWSCURRENT has moved to ${keyId}, which was reported as leaked in that moment`,
    expected: 'a key that only its applications know',
    remedy:
      `delete it at once (aws iam delete-access-key --user-name ${userName} --access-key-id ${keyId}), and rotate ` +
      `(iam-key-rotator rotate ${secretName}): a new key is minted`,
  });
}

function overtaken({ keyId, from }: Route, current: string | undefined, currentKeyId: string | undefined): Refusal {
  return refuse('OVERTAKEN', {
    found: `AWSCURRENT stands on the version ${current} with ${currentKeyId ?? 'no key that could be read'} by now: a rotation or an operator has moved it`,
    expected: `the version ${from}, from which it was to go back to ${keyId}`,
    remedy: 'look what happened (iam-key-rotator status), then decide anew whether to roll back',
  });
}
