/**
 * How each key stands, and what needs somebody. Pure: a listing, last uses and `now` in, facts and problems out. What it rests on may be five
 * minutes old; nothing is decided here that is acted upon.
 */
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { RotatorError } from '../../lambdas/domain/errors.ts';
import { judgeSwitch, overlapEnd, retiringKeys } from '../../lambdas/domain/follow.ts';
import {
  entryOf,
  type LeakSignal,
  type Ledger,
  type LedgerEntry,
  parseLedger,
  surelyAfter,
} from '../../lambdas/domain/ledger.ts';
import { AWSCURRENT, AWSPENDING, after, hasLabel, type LastUse, versionWith } from '../../lambdas/domain/model.ts';
import { wasPromoted } from '../../lambdas/domain/roles.ts';
import { type Colour, distance, moment, span } from './page.ts';
import type { KnownUse, ListedSecret, Surveyed } from './survey.ts';

/** What may be the matter with a secret. `attention`: somebody has to do something. `note`: worth knowing, and passes by itself. */
export const PROBLEMS = {
  'secret-missing': 'attention',
  'deletion-scheduled': 'attention',
  'ledger-malformed': 'attention',
  'rotation-off': 'attention',
  'no-key-yet': 'attention',
  overdue: 'attention',
  'rotation-unfinished': 'attention',
  held: 'attention',
  'retirement-late': 'attention',
  leaked: 'attention',
  'first-rotation': 'note',
  rotating: 'note',
  'not-switched': 'note',
  'rolled-back': 'note',
  'leak-contained': 'note',
  'entry-missing': 'note',
  observed: 'note',
} as const satisfies Readonly<Record<string, 'attention' | 'note'>>;

export type ProblemCode = keyof typeof PROBLEMS;

export interface Problem {
  readonly code: ProblemCode;
  readonly severity: 'attention' | 'note';
  /** What is the matter, without a full stop. */
  readonly says: string;
  readonly remedy: string;
}

export interface SupersededKey {
  readonly keyId: string;
  readonly state: 'retiring' | 'held' | 'disabled';
  /** Since when another key is current. */
  readonly since?: Date;
  /** When the next thing happens to it: it is disabled, or deleted. */
  readonly due?: Date;
  readonly lastUse?: KnownUse;
}

export interface Standing {
  readonly secret: string;
  readonly user: string;
  readonly mode: DeployedKey['mode'];
  readonly current?: { readonly keyId: string; readonly minted?: Date };
  readonly lastRotated?: Date;
  readonly nextRotation?: Date;
  readonly superseded: readonly SupersededKey[];
  readonly problems: readonly Problem[];
}

/** Seconds that a rotation may take, its retries not counted. */
const ROTATION_TAKES = 3600;
/** Seconds: schedules have windows, passes come hourly or so, and the listing lags. Later than that, something is wrong. */
const MARGIN = 86_400;

/** The superseded keys of a secret, whose last use is worth asking for. */
export function supersededKeyIds({ policy, secret }: Surveyed): readonly { keyId: string; userName: string }[] {
  const ledger = secret && ledgerOf(secret);
  if (secret === undefined || ledger === undefined || ledger instanceof RotatorError) return [];
  return supersededEntries(secret, ledger).map(({ keyId }) => ({ keyId, userName: policy.userName }));
}

/** How the key of one secret stands. */
export function standingOf({ policy, secret }: Surveyed, uses: ReadonlyMap<string, KnownUse>, now: Date): Standing {
  const { secretName, userName: user, mode } = policy;
  const about = { secret: secretName, user, mode };
  if (secret === undefined) {
    return {
      ...about,
      superseded: [],
      problems: [
        problem(
          'secret-missing',
          'the listing has no such secret of this deployment',
          'if it was deployed more than five minutes ago, look whether the secret, or its tag iam-key-rotator:deployment, was removed',
        ),
      ],
    };
  }
  const { lastRotated, nextRotation } = secret;
  const dates = { ...(lastRotated && { lastRotated }), ...(nextRotation && { nextRotation }) };
  const ledger = ledgerOf(secret);
  if (ledger instanceof RotatorError) {
    const { found, remedy } = ledger.details;
    return { ...about, ...dates, superseded: [], problems: [problem('ledger-malformed', found, remedy)] };
  }
  const entry = entryOf(ledger, versionWith(secret.labels, AWSCURRENT));
  const superseded = supersededEntries(secret, ledger).map((one) => supersededKey(one, policy, uses, now));
  return {
    ...about,
    ...dates,
    ...(entry && { current: { keyId: entry.keyId, ...(entry.minted && { minted: entry.minted }) } }),
    superseded,
    problems: [
      ...problemsOfSecret(secret, policy),
      ...problemsOfRotation(secret, ledger, entry, policy, now),
      ...superseded.flatMap((key) => problemsOfSuperseded(key, secret, ledger, policy, now)),
      ...problemsOfLeaks(entry, superseded, ledger, now),
    ],
  };
}

function ledgerOf({ tags }: ListedSecret): Ledger | RotatorError {
  try {
    return parseLedger(tags);
  } catch (error) {
    if (error instanceof RotatorError) return error;
    throw error;
  }
}

const isSuperseded = (entry: LedgerEntry, { labels }: ListedSecret, ledger: Ledger) =>
  !hasLabel(labels, entry.version, AWSCURRENT) &&
  !hasLabel(labels, entry.version, AWSPENDING) &&
  entry.deleted === undefined &&
  // After a rollback the newer key has no date until the next pass.
  (entry.superseded !== undefined || entry.disabled !== undefined || wasPromoted(entry.version, labels, ledger));

const supersededEntries = (secret: ListedSecret, ledger: Ledger) =>
  [...ledger.entries.values()].filter((entry) => isSuperseded(entry, secret, ledger));

function supersededKey(
  { keyId, superseded, disabled }: LedgerEntry,
  policy: DeployedKey,
  uses: ReadonlyMap<string, KnownUse>,
  now: Date,
): SupersededKey {
  const lastUse = uses.get(keyId);
  const since = superseded?.at;
  const told = { keyId, ...(since && { since }), ...(lastUse && { lastUse }) };
  if (disabled !== undefined) return { ...told, state: 'disabled', due: surelyAfter(disabled, policy.deleteAfter) };
  if (since === undefined) return { ...told, state: 'retiring' };
  const overlapOver = after(since, policy.deactivateAfter);
  if (now < overlapOver || !isInUse(lastUse, since, policy, now))
    return { ...told, state: 'retiring', due: overlapOver };
  return { ...told, state: 'held', due: after(overlapOver, policy.holdAtMost) };
}

/** As the retire pass judges it (lambdas/domain/retire.ts). */
function isInUse(lastUse: KnownUse | undefined, since: Date, policy: DeployedKey, now: Date): boolean {
  if (policy.ifInUse === 'disable' || !isUse(lastUse)) return false;
  return lastUse.at > after(since, policy.settle) && now < after(lastUse.at, policy.quietFor);
}

export const isUse = (use: KnownUse | undefined): use is LastUse => typeof use === 'object';

/**
 * "To turn on automatic rotation again, call RotateSecret." A deployment does not: CloudFormation leaves alone what is unchanged in the template.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CancelRotateSecret.html
 */
export const turnOn = (secretName: string) =>
  `aws secretsmanager rotate-secret --secret-id ${secretName} turns it on again, with a new key at once`;

function problemsOfSecret(secret: ListedSecret, { mode, secretName: name }: DeployedKey): Problem[] {
  if (secret.scheduledForDeletion) {
    return [
      problem(
        'deletion-scheduled',
        'the secret is scheduled for deletion: applications can not read it',
        'restore it (aws secretsmanager restore-secret), or take the key out of rotator.config.ts and deploy',
      ),
    ];
  }
  if (mode === 'observe')
    return [problem('observed', "mode 'observe': nothing is changed", "set mode: 'enforce' to rotate")];
  if (secret.rotationEnabled) return [];
  return [problem('rotation-off', 'rotation is turned off', turnOn(name))];
}

function problemsOfRotation(
  secret: ListedSecret,
  ledger: Ledger,
  current: LedgerEntry | undefined,
  policy: DeployedKey,
  now: Date,
): Problem[] {
  if (policy.mode === 'observe' || secret.scheduledForDeletion) return [];
  const { labels } = secret;
  const pending = versionWith(labels, AWSPENDING);
  const unfinished =
    pending !== undefined && !hasLabel(labels, pending, AWSCURRENT) && !wasPromoted(pending, labels, ledger);
  const begun = unfinished ? begunAt(pending, secret, ledger) : undefined;
  const stuck = begun !== undefined && now > after(begun, ROTATION_TAKES);
  const ofCurrent = problemsOfCurrent(secret, ledger, current, policy, now, stuck ? begun : undefined, unfinished);
  if (!unfinished) return ofCurrent;
  if (!stuck) return [problem('rotating', 'a rotation is under way', 'nothing'), ...ofCurrent];
  // One matter, told once.
  if (ofCurrent.some(({ code }) => code === 'no-key-yet')) return ofCurrent;
  return [problem('rotation-unfinished', notEnded(begun, now), tellWhy(policy)), ...ofCurrent];
}

const notEnded = (begun: Date, now: Date) =>
  `a rotation that began ${moment(begun)} (${distance(begun, now)}) has not ended`;

const tellWhy = ({ userName }: DeployedKey) =>
  `iam-key-rotator doctor ${userName} tells what keeps it from working; iam-key-rotator rotate ${userName} tries again`;

function problemsOfCurrent(
  secret: ListedSecret,
  ledger: Ledger,
  current: LedgerEntry | undefined,
  policy: DeployedKey,
  now: Date,
  stuckSince: Date | undefined,
  unfinished: boolean,
): Problem[] {
  const { rotateEvery } = policy;
  if (current === undefined) {
    if ([...ledger.entries.values()].some(({ promoted }) => promoted !== undefined)) {
      return [
        problem(
          'entry-missing',
          'the ledger does not know the current key',
          'nothing: the next retire pass records it',
        ),
      ];
    }
    const young = secret.created !== undefined && now <= after(secret.created, ROTATION_TAKES);
    if (young) return unfinished ? [] : [problem('first-rotation', 'the first rotation has not begun', 'nothing')];
    return [
      problem(
        'no-key-yet',
        `no rotation has succeeded yet${stuckSince === undefined ? '' : `: ${notEnded(stuckSince, now)}`}`,
        tellWhy(policy),
      ),
    ];
  }
  const since = current.promoted ?? current.minted;
  const newer = newerThan(current, ledger);
  const back = `AWSCURRENT was moved back to ${current.keyId}`;
  if (since === undefined || now <= after(since, rotateEvery + MARGIN)) {
    if (newer === undefined) return [];
    const forward = ledger.leaks.has(newer)
      ? ''
      : `; to go forward again: iam-key-rotator rollback ${policy.userName} --key ${newer}`;
    return [
      problem(
        'rolled-back',
        `${back}; ${newer}, which was current before, is retired in its turn`,
        `mend the cause before the next rotation makes a new key${forward}`,
      ),
    ];
  }
  return [
    problem(
      'overdue',
      `the current key is ${span(now.getTime() - since.getTime())} old, and is to be rotated every ${span(rotateEvery * 1000)}${newer === undefined ? '' : `: ${back} from ${newer}`}`,
      newer === undefined
        ? tellWhy(policy)
        : `go forward again (iam-key-rotator rollback ${policy.userName} --key ${newer}), or mend the cause: the next rotation makes a new key, once a slot is free`,
    ),
  ];
}

/** The key that AWSCURRENT was moved back from, if it is not deleted yet. By the date of supersession until a pass has mended it, then by the promotions. */
function newerThan({ keyId, promoted, superseded }: LedgerEntry, { entries }: Ledger): string | undefined {
  const left = [...entries.values()].filter((entry) => entry.keyId !== keyId && entry.deleted === undefined);
  return left.find(
    (entry) =>
      superseded?.by === entry.keyId ||
      (promoted !== undefined && entry.promoted !== undefined && entry.promoted > promoted),
  )?.keyId;
}

const SIGNALS: Readonly<Record<LeakSignal, string>> = {
  health: 'AWS Health',
  quarantine: 'a quarantine policy of AWS',
  operator: 'an operator',
};

/** Of the keys that the ledger has as leaked. */
function problemsOfLeaks(
  current: LedgerEntry | undefined,
  superseded: readonly SupersededKey[],
  { leaks }: Ledger,
  now: Date,
): Problem[] {
  return [...(current === undefined ? [] : [{ keyId: current.keyId, state: 'current' }]), ...superseded].flatMap(
    ({ keyId, state }) => {
      const leak = leaks.get(keyId);
      if (leak === undefined) return [];
      const reported = `${keyId} was reported as leaked by ${SIGNALS[leak.signal]} (${distance(leak.at, now)})`;
      return state === 'disabled'
        ? [problem('leak-contained', `${reported}, and is disabled`, 'nothing')]
        : [problem('leaked', `${reported}, and is ${state}`, `iam-key-rotator revoke ${keyId} ends it`)];
    },
  );
}

/** When the rotation of a version began: as it was announced, or else as the secret was last changed. */
function begunAt(version: string, secret: ListedSecret, ledger: Ledger): Date | undefined {
  const announced = ledger.intents.filter(({ token }) => token === version).map(({ at }) => at);
  const minted = entryOf(ledger, version)?.minted;
  const known = [...announced, ...(minted ? [minted] : [])].sort((a, b) => a.getTime() - b.getTime());
  return known[0] ?? secret.lastChanged ?? secret.created;
}

function problemsOfSuperseded(
  key: SupersededKey,
  { labels }: ListedSecret,
  ledger: Ledger,
  policy: DeployedKey,
  now: Date,
): Problem[] {
  const { keyId, state, due, lastUse } = key;
  if (policy.mode === 'observe') return [];
  if (due !== undefined && now > after(due, MARGIN)) {
    const next = state === 'disabled' ? 'deleted' : 'disabled';
    return [
      problem(
        'retirement-late',
        `${keyId} was to be ${next} ${moment(due)} (${distance(due, now)}) and is not`,
        'iam-key-rotator plan tells what the next pass does; iam-key-rotator doctor whether passes run',
      ),
    ];
  }
  if (!isUse(lastUse)) return [];
  const used = `last used ${distance(lastUse.at, now)} with ${lastUse.service} in ${lastUse.region}`;
  if (state === 'held' && due !== undefined) {
    return [
      problem(
        'held',
        `${keyId} is held because it is still in use: ${used}; it is disabled ${moment(due)} at the latest`,
        'let that application read the secret',
      ),
    ];
  }
  const retiring = retiringKeys(labels, ledger, policy).find((one) => one.keyId === keyId);
  if (retiring === undefined || judgeSwitch(retiring, lastUse, [], policy, now).switched !== 'no') return [];
  return [
    problem(
      'not-switched',
      `${keyId} was used after the switch: ${used}; it is disabled ${moment(overlapEnd(retiring, policy))} unless it is in use then`,
      'let that application read the secret',
    ),
  ];
}

const problem = (code: ProblemCode, says: string, remedy: string): Problem => ({
  ...{ code, severity: PROBLEMS[code] },
  ...{ says, remedy },
});

/** The gravest of a standing's problems. */
export const severityOf = ({ problems }: Pick<Standing, 'problems'>): 'attention' | 'note' | 'well' =>
  problems.some(({ severity }) => severity === 'attention') ? 'attention' : problems.length > 0 ? 'note' : 'well';

export const MARKS = { attention: '!', note: '·', well: ' ' } as const;
export const SEVERITY_COLOURS = { attention: ['bold', 'red'], note: 'yellow', well: 'dim' } as const satisfies Readonly<
  Record<string, Colour>
>;
