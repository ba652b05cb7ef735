/** Checks of what each field alone can't show: the durations of a key against its schedule, and the keys against each other. */
import type { IfInUse, Mode } from '../../lambdas/contract/deployment.ts';
import { nameClash } from '../../lambdas/contract/field-names.ts';
import type { FieldNames } from '../../lambdas/contract/formats.ts';
import { type Consumer, safeOverlap } from './consumers.ts';
import { DAY, formatDuration } from './duration.ts';
import { exceededLimits } from './limits.ts';
import { PROBLEMS, type Problem, WARNINGS, type Warning } from './problems.ts';
import { join, type Place } from './read-fields.ts';
import type { RotationSchedule } from './rotation-schedule.ts';
import { type SesSmtp, secretFormat } from './secret-format.ts';

/** CIS AWS Foundations and Security Hub IAM.3 want access keys rotated within 90 days. */
const COMPLIANT_PERIOD = 90 * DAY;

/** As much of a key as could be read. */
export interface ReadKey {
  readonly user?: string | undefined;
  readonly userPath?: string | undefined;
  readonly secretName?: string | undefined;
  readonly schedule?: RotationSchedule | undefined;
  readonly deactivateAfter?: number | undefined;
  readonly settle?: number | undefined;
  readonly ifInUse?: IfInUse | undefined;
  readonly holdAtMost?: number | undefined;
  readonly deleteAfter?: number | undefined;
  readonly mode?: Mode | undefined;
  readonly readers?: readonly string[] | undefined;
  readonly consumers?: readonly Consumer[] | undefined;
  readonly kmsKeyArn?: string | undefined;
  readonly format?: FieldNames | undefined;
  readonly sesSmtp?: readonly SesSmtp[] | undefined;
}

export interface PlacedKey {
  readonly place: Place;
  readonly key: ReadKey;
}

export interface PlacedTarget {
  readonly place: Place;
  readonly stackName: string | undefined;
  readonly account: string | undefined;
  readonly region: string | undefined;
  readonly keys: readonly PlacedKey[];
}

export interface Findings {
  readonly problems: Problem[];
  readonly warnings: Warning[];
}

/** Checks one key. A field that couldn't be read was reported already, so what needs it is left out. */
export function checkKey({ place, key }: PlacedKey, retireEvery: number, { problems, warnings }: Findings): void {
  const { schedule, deactivateAfter, settle, mode } = key;
  checkNames(place, key, problems);
  if (schedule !== undefined) {
    checkFit(place, key, schedule, retireEvery, { problems, warnings });
    if (schedule.longestGap > COMPLIANT_PERIOD) {
      warnings.push({
        ...join(place, 'schedule'),
        code: WARNINGS.longPeriod,
        received: `up to ${formatDuration(schedule.longestGap)} between rotations`,
        expected: 'CIS AWS Foundations 1.14 (v7.0.0: 2.12) and Security Hub IAM.3 want 90 days at most',
        fix: 'Rotate more often, or record the exception.',
      });
    }
  }
  if (deactivateAfter === 0) {
    warnings.push({
      ...join(place, 'deactivateAfter'),
      code: WARNINGS.noOverlap,
      received: "'0d'",
      expected: 'the old key is disabled the moment the new one is current, so applications must follow at once',
      fix: 'Use an overlap longer than the slowest cache of the secret: the caching clients keep a value for an hour.',
    });
  } else if (deactivateAfter !== undefined && settle !== undefined && settle >= deactivateAfter) {
    warnings.push({
      ...join(place, 'settle'),
      code: WARNINGS.settleTooLong,
      received: `settle ${formatDuration(settle)}, overlap ${formatDuration(deactivateAfter)}`,
      expected: 'a use during the whole overlap counts as settling, so it holds nothing',
      fix: 'Use a settle well below deactivateAfter.',
    });
  }
  checkConsumers(place, key, warnings);
  if (mode === 'observe') {
    warnings.push({
      ...join(place, 'mode'),
      code: WARNINGS.observeOnly,
      received: "'observe'",
      expected: 'no rotation schedule is created and no key changes',
      fix: "Use 'enforce' once the reports look right.",
    });
  }
}

/** A consumer that goes on with a key when its overlap is over finds it disabled, unless it is held for as long. */
function checkConsumers(place: Place, { consumers = [], deactivateAfter }: ReadKey, warnings: Warning[]): void {
  if (deactivateAfter === undefined) return;
  for (const [n, { name, staleFor }] of consumers.entries()) {
    if (staleFor !== undefined && staleFor < deactivateAfter) continue;
    const stale = staleFor === undefined ? 'for as long as its process runs' : `for up to ${formatDuration(staleFor)}`;
    warnings.push({
      ...join(join(place, 'consumers'), n),
      code: WARNINGS.consumerTooStale,
      received: `'${name}' goes on with the old key ${stale}, overlap ${formatDuration(deactivateAfter)}`,
      expected: 'after the overlap the old key is held only while IAM reports a use, and disabled then',
      fix:
        staleFor === undefined
          ? `Restart it after each rotation, and say { name: '${name}', staleFor: … } with the longest time that takes.`
          : `Use deactivateAfter: '${formatDuration(safeOverlap(staleFor))}' or more, or let it read the secret more often.`,
    });
  }
}

function checkNames(place: Place, { format, sesSmtp }: ReadKey, problems: Problem[]): void {
  if (format === undefined || sesSmtp === undefined) return;
  const clash = nameClash(secretFormat(format, sesSmtp));
  if (clash === undefined) return;
  const { where, name, takenBy } = clash;
  problems.push({
    ...(typeof where === 'number' ? join(place, 'sesSmtp') : join(join(place, 'format'), where)),
    code: PROBLEMS.fieldClash,
    received: `'${name}', which is taken by ${takenBy}`,
    expected: 'a name of its own for each field of the secret, letters in upper and lower case being the same',
    fix: 'choose another name',
  });
}

function checkFit(
  place: Place,
  { deactivateAfter, deleteAfter, ifInUse, holdAtMost }: ReadKey,
  { shortestGap, window }: RotationSchedule,
  retireEvery: number,
  { problems, warnings }: Findings,
): void {
  if (deactivateAfter === undefined || deleteAfter === undefined) return;
  const path = join(place, 'deactivateAfter').path;
  const parts = `overlap ${formatDuration(deactivateAfter)} + recovery ${formatDuration(deleteAfter)}`;
  const gap = formatDuration(shortestGap);
  const needed = deactivateAfter + deleteAfter;
  if (needed > shortestGap) {
    problems.push({
      about: place.about,
      path,
      code: PROBLEMS.doesNotFit,
      received: `${parts} = ${formatDuration(needed)}, with ${gap} between rotations`,
      expected: `at most ${gap} together: IAM keeps two keys a user, so the old one must be gone before the next is made`,
      fix: "shorten deactivateAfter or deleteAfter, or rotate less often with 'schedule'",
    });
    return;
  }
  if (needed + window + retireEvery > shortestGap) {
    warnings.push({
      about: place.about,
      path,
      code: WARNINGS.tightFit,
      received: `${parts}, with ${gap} between rotations`,
      expected: `a rotation late in one window (${formatDuration(window)}) leaves the next too little time, and its first attempts are refused`,
      fix: 'Shorten deactivateAfter or deleteAfter, or give the schedule a shorter window.',
    });
  }
  if (ifInUse === 'hold' && holdAtMost !== undefined && needed + holdAtMost > shortestGap) {
    warnings.push({
      ...join(place, 'holdAtMost'),
      code: WARNINGS.holdDoesNotFit,
      received: `${parts} + hold ${formatDuration(holdAtMost)}, with ${gap} between rotations`,
      expected: 'while a key is held for that long, the next rotation finds no free place and is refused',
      fix: 'Shorten holdAtMost, or be ready to move the application that still uses the old key.',
    });
  }
}

/** Checks the keys of all targets against each other. */
export function checkTogether(targets: readonly PlacedTarget[], problems: Problem[]): void {
  const stacks = new Map<string, string>();
  const users = new Map<string, string>();
  const secrets = new Map<string, string>();
  for (const { place, stackName, account, region, keys } of targets) {
    if (stackName !== undefined) {
      const first = remember(stacks, stackName, place.path);
      if (first !== undefined) problems.push(duplicateTarget(place, stackName, first));
      checkLimits(place, stackName, keys, problems);
    }
    for (const { place: at, key } of keys) {
      checkReaders(at, key, account, problems);
      // IAM is one for the whole account, and takes names that differ only in case for the same. Secrets are one a Region.
      const user = key.user && remember(users, `${account} ${key.user.toLowerCase()}`, at.path);
      if (user) problems.push(duplicateUser(at, key.user ?? '', user));
      const secret = key.secretName && remember(secrets, `${account} ${region} ${key.secretName}`, at.path);
      if (secret) problems.push(duplicateSecret(at, key.secretName ?? '', secret));
    }
  }
}

/** The AWS managed key `aws/secretsmanager` can't be opened to another account, so a reader there would be refused by KMS. */
function checkReaders(place: Place, key: ReadKey, account: string | undefined, problems: Problem[]): void {
  if (account === undefined || key.kmsKeyArn !== undefined) return;
  for (const [n, reader] of (key.readers ?? []).entries()) {
    if (reader.split(':')[4] === account) continue;
    problems.push({
      ...join(join(place, 'readers'), n),
      code: PROBLEMS.readerNeedsKey,
      received: `'${reader}', for a secret in account ${account}`,
      expected: 'a KMS key of your own: the one that AWS manages is closed to other accounts',
      fix: 'set kmsKeyArn to a key whose policy lets this role decrypt',
    });
  }
}

/** The path remembered for `id`, if there was one; otherwise remembers this. */
function remember(seen: Map<string, string>, id: string, path: string): string | undefined {
  const first = seen.get(id);
  if (first === undefined) seen.set(id, path);
  return first;
}

const duplicateTarget = (place: Place, stackName: string, first: string): Problem => ({
  ...join(place, 'name'),
  code: PROBLEMS.duplicateTarget,
  received: `a second stack '${stackName}'; the first is ${first}`,
  expected: 'a name of its own for each target',
  fix: 'rename one of the two, or put their keys together',
});

const duplicateUser = (place: Place, user: string, first: string): Problem => ({
  ...join(place, 'user'),
  code: PROBLEMS.duplicateUser,
  received: `'${user}', which ${first} has already`,
  expected: 'one secret a user: two rotations would take the two places for keys from each other',
  fix: 'remove one of the two and let all applications read the same secret',
});

const duplicateSecret = (place: Place, secretName: string, first: string): Problem => ({
  ...join(place, 'secretName'),
  code: PROBLEMS.duplicateSecret,
  received: `'${secretName}', which ${first} has already`,
  expected: 'a secret of its own for each user',
  fix: 'choose another secretName for one of the two',
});

function checkLimits(place: Place, stackName: string, keys: readonly PlacedKey[], problems: Problem[]): void {
  const names = keys.map(({ key: { user = '', userPath = '/', secretName = '' } }) => ({ user, userPath, secretName }));
  const [exceeded] = exceededLimits(stackName, names);
  if (exceeded === undefined) return;
  problems.push({
    ...join(place, 'keys'),
    code: PROBLEMS.tooManyKeys,
    received: `${keys.length} keys, whose names take about ${exceeded.used} ${exceeded.what}`,
    expected: `at most ${exceeded.limit}: with names as long as these, ${Math.floor((keys.length * exceeded.limit) / exceeded.used)} keys a target`,
    fix: 'split the keys into several targets',
  });
}
