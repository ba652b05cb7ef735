import {
  type AuditPolicy,
  DEPLOYMENT_STANDARDS,
  type IfInUse,
  type Mode,
  type OnLeak,
} from '../../lambdas/contract/deployment.ts';
import type { FieldNames } from '../../lambdas/contract/formats.ts';
import { checkKey, checkTogether, type PlacedTarget } from './checks.ts';
import type { Consumer } from './consumers.ts';
import { DEPLOYMENT_DEFAULTS, defaultSecretName, HOLD_LONGER_THAN, KEY_DEFAULTS } from './defaults.ts';
import { HOUR } from './duration.ts';
import { isRecord, keyFields, policyFields, rootFields, targetFields } from './fields.ts';
import { ConfigError, PROBLEMS, type Problem, type Warning } from './problems.ts';
import { join, type Place, readFields, requireFields, show } from './read-fields.ts';
import type { RotationSchedule } from './rotation-schedule.ts';
import type { SesSmtp } from './secret-format.ts';

/** One key with nothing left open. Durations in seconds. */
export interface ResolvedKey {
  readonly user: string;
  readonly userPath: string;
  readonly createUser: boolean;
  readonly secretName: string;
  readonly schedule: RotationSchedule;
  readonly rotateOnDeploy: boolean;
  readonly deactivateAfter: number;
  readonly settle: number;
  readonly ifInUse: IfInUse;
  readonly holdAtMost: number;
  readonly quietFor: number;
  readonly deleteAfter: number;
  readonly mode: Mode;
  readonly adopt?: string | undefined;
  readonly verifyRegions: readonly string[];
  readonly onLeak: OnLeak;
  readonly readers: readonly string[];
  readonly userReads: boolean;
  readonly consumers: readonly Consumer[];
  readonly ledgerOperators: readonly string[];
  readonly kmsKeyArn?: string | undefined;
  readonly replicas: readonly { readonly region: string; readonly kmsKeyArn?: string | undefined }[];
  readonly exclusive?: { readonly breakGlassRoleArn: string } | undefined;
  readonly format: FieldNames;
  readonly sesSmtp: readonly SesSmtp[];
  /** What can be deployed but is worth a second look. */
  readonly warnings: readonly Warning[];
}

/** One stack. */
export interface ResolvedTarget {
  readonly stackName: string;
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  readonly keys: readonly ResolvedKey[];
}

/** What the audit goes by. Durations in seconds. */
export interface ResolvedAudit extends AuditPolicy {
  readonly every: number;
  readonly keepReportsFor: number;
}

/** Who is told. */
export interface ResolvedNotices {
  readonly emails: readonly string[];
  readonly topicArn?: string | undefined;
}

/** When an alarm is raised, in seconds. */
export interface ResolvedAlarms {
  readonly overdueMargin: number;
  readonly holdLongerThan: number;
  readonly actions: readonly string[];
}

/** A configuration that can be deployed. */
export interface ResolvedConfig {
  readonly maxChangesPerRun: number;
  /** Seconds. */
  readonly retireEvery: number;
  readonly audit: ResolvedAudit;
  readonly notices: ResolvedNotices;
  readonly alarms: ResolvedAlarms;
  readonly runbookUrl: string;
  readonly targets: readonly ResolvedTarget[];
}

/** A key as far as it could be read. */
type KeyDraft = { readonly [K in Exclude<keyof ResolvedKey, 'warnings'>]?: ResolvedKey[K] | undefined };
interface PlacedDraft {
  readonly place: Place;
  readonly key: KeyDraft;
  readonly warnings: Warning[];
}
interface TargetDraft extends PlacedTarget {
  readonly keys: readonly PlacedDraft[];
}

const TOP: Place = { about: undefined, path: '' };

/**
 * Checks a configuration, all of it, and fills in the defaults.
 *
 * @param input what the configuration file exports; anything at all
 * @throws ConfigError with every problem that was found
 */
export function resolveConfig(input: unknown): ResolvedConfig {
  const problems: Problem[] = [];
  if (!isRecord(input)) {
    throw new ConfigError([notAnObject(TOP, input, 'export default defineConfig({ keys: [ … ] })')]);
  }
  const root = { ...rootDefaults(), ...readFields(rootFields, input, TOP, problems) };
  const defaults = readFields(policyFields, root.defaults ?? {}, join(TOP, 'defaults'), problems);
  const keyDefaults = { ...readFields(policyFields, KEY_DEFAULTS, TOP, problems), ...defaults };
  const targets = requireEither(input, problems)
    ? [
        ...(root.keys === undefined ? [] : [readKeys(TOP, root.name, {}, root.keys, keyDefaults, problems)]),
        ...(root.targets ?? []).map((item, n) =>
          readTarget(join(join(TOP, 'targets'), n), root.name, item, keyDefaults, problems),
        ),
      ]
    : [];
  for (const key of targets.flatMap((target) => target.keys)) {
    checkKey(key, root.retireEvery ?? HOUR, { problems, warnings: key.warnings });
  }
  checkTogether(targets, problems);
  if (problems.length > 0) throw new ConfigError(problems.sort(inOrder));
  return {
    maxChangesPerRun: root.maxChangesPerRun ?? DEPLOYMENT_DEFAULTS.maxChangesPerRun,
    retireEvery: root.retireEvery ?? HOUR,
    audit: completeAudit(root.audit),
    notices: { emails: root.notices?.emails ?? [], topicArn: root.notices?.topicArn },
    alarms: {
      overdueMargin: root.alarms?.overdueMargin ?? DEPLOYMENT_STANDARDS.overdueMargin,
      holdLongerThan: root.alarms?.holdLongerThan ?? HOLD_LONGER_THAN,
      actions: root.alarms?.actions ?? [],
    },
    runbookUrl: root.runbookUrl ?? DEPLOYMENT_STANDARDS.runbookUrl,
    targets: targets.map(complete),
  };
}

function completeAudit(
  given: Partial<{ readonly [K in keyof ResolvedAudit]: ResolvedAudit[K] | undefined }> = {},
): ResolvedAudit {
  const standard = rootDefaults().audit;
  const complete = {
    ...standard,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
  if (!isCompleteAudit(complete)) throw new TypeError('an audit with missing fields passed the checks');
  return complete;
}

const isCompleteAudit = (audit: object): audit is ResolvedAudit =>
  Object.keys(DEPLOYMENT_DEFAULTS.audit).every((field) => Reflect.get(audit, field) !== undefined);

/** In the order of the file, so that all that is wrong with a key stands together. */
const inOrder = (a: Problem, b: Problem) => a.path.localeCompare(b.path, 'en', { numeric: true });

const rootDefaults = () => readFields(rootFields, DEPLOYMENT_DEFAULTS, TOP, []);

function readTarget(
  at: Place,
  deployment: string | undefined,
  item: unknown,
  keyDefaults: KeyDraft,
  problems: Problem[],
): TargetDraft {
  if (!isRecord(item)) {
    problems.push(notAnObject(at, item, "write { name: 'prod', keys: [ … ] }"));
    return readKeys(at, undefined, {}, [], keyDefaults, problems);
  }
  const place = { ...at, about: typeof item.name === 'string' ? `target '${item.name}'` : undefined };
  const target = readFields(targetFields, item, place, problems);
  requireFields(['name', 'keys'], item, place, problems);
  const stackName = deployment && target.name && `${deployment}-${target.name}`;
  return readKeys(place, stackName, target, target.keys ?? [], keyDefaults, problems);
}

function readKeys(
  place: Place,
  stackName: string | undefined,
  { account, region }: { readonly account?: string | undefined; readonly region?: string | undefined },
  keys: readonly unknown[],
  keyDefaults: KeyDraft,
  problems: Problem[],
): TargetDraft {
  const list = join(place, 'keys');
  return {
    place,
    stackName,
    account,
    region,
    keys: keys.map((key, n) => readKey(join(list, n), key, keyDefaults, problems)),
  };
}

function readKey(at: Place, item: unknown, keyDefaults: KeyDraft, problems: Problem[]): PlacedDraft {
  if (!isRecord(item)) {
    problems.push(notAnObject(at, item, "write { user: 'deploy-prod' }"));
    return { place: at, key: {}, warnings: [] };
  }
  const place = { ...at, about: typeof item.user === 'string' ? `key '${item.user}'` : undefined };
  const own = readFields(keyFields, item, place, problems);
  requireFields(['user'], item, place, problems);
  const standard =
    own.user === undefined || item.secretName !== undefined ? {} : readStandardName(own.user, place, problems);
  return { place, key: { ...keyDefaults, ...standard, ...own }, warnings: [] };
}

/** A user's name may hold characters that a secret's may not. */
const readStandardName = (user: string, place: Place, problems: Problem[]) =>
  readFields({ secretName: keyFields.secretName }, { secretName: defaultSecretName(user) }, place, problems);

function requireEither(input: Readonly<Record<string, unknown>>, problems: Problem[]): boolean {
  const given = ['keys', 'targets'].filter((field) => input[field] !== undefined);
  if (given.length === 1) return true;
  problems.push({
    about: undefined,
    path: 'keys, targets',
    code: PROBLEMS.keysOrTargets,
    received: given.length === 0 ? undefined : 'both',
    expected: "either 'keys' (one stack) or 'targets' (a stack each)",
    fix: given.length === 0 ? "add keys: [{ user: 'deploy-prod' }]" : "move the keys into a target, and remove 'keys'",
  });
  return false;
}

const notAnObject = (place: Place, received: unknown, fix: string): Problem => ({
  about: place.about,
  path: place.path || 'the file',
  code: received === undefined ? PROBLEMS.missingField : PROBLEMS.badValue,
  received: received === undefined ? undefined : show(received),
  expected: 'an object',
  fix,
});

/** What has no problems has all its fields; said to the compiler. */
function complete({ stackName, account, region, keys }: TargetDraft): ResolvedTarget {
  if (stackName === undefined) throw new TypeError('a target without a name passed the checks');
  return { stackName, account, region, keys: keys.map(completeKey) };
}

function completeKey({ key, warnings }: PlacedDraft): ResolvedKey {
  if (!isComplete(key)) throw new TypeError(`a key with missing fields passed the checks: ${show(key)}`);
  return { ...key, warnings };
}

const REQUIRED = ['user', 'secretName', 'schedule', ...Object.keys(KEY_DEFAULTS)] as (keyof KeyDraft)[];

const isComplete = (key: KeyDraft): key is Omit<ResolvedKey, 'warnings'> =>
  REQUIRED.every((field) => key[field] !== undefined);
