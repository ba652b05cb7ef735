/** What can be wrong with a configuration, and how it is told. */

/** Every kind of error. A configuration with one of these is not synthesized. */
export const PROBLEMS = {
  /** A field that this project doesn't know. */
  unknownField: 'unknown-field',
  /** A required field is not there. */
  missingField: 'missing-field',
  /** A value of the wrong type or form. */
  badValue: 'bad-value',
  /** A schedule that Secrets Manager would refuse, or that never fires. */
  badSchedule: 'bad-schedule',
  /** Overlap and recovery are longer than the time between two rotations. */
  doesNotFit: 'does-not-fit',
  /** Two secrets for one IAM user. */
  duplicateUser: 'duplicate-user',
  /** Two keys in one secret. */
  duplicateSecret: 'duplicate-secret',
  /** Two stacks of one name. */
  duplicateTarget: 'duplicate-target',
  /** Both or neither of `keys` and `targets`. */
  keysOrTargets: 'keys-or-targets',
  /** A role of another account reads a secret that only a KMS key of one's own can open to it. */
  readerNeedsKey: 'reader-needs-key',
  /** More keys than one stack's policies hold. */
  tooManyKeys: 'too-many-keys',
  /** A field of the secret's JSON has a name that is taken. */
  fieldClash: 'field-clash',
} as const;

/** Every kind of warning. A configuration with these is synthesized. */
export const WARNINGS = {
  /** A key that is held to the end is still there when the next rotation needs its place. */
  holdDoesNotFit: 'hold-does-not-fit',
  /** The old key goes so shortly before the next rotation that the first attempts may be refused. */
  tightFit: 'tight-fit',
  /** More than 90 days between rotations. */
  longPeriod: 'long-period',
  /** The settling margin swallows the overlap. */
  settleTooLong: 'settle-too-long',
  /** No overlap: the old key is disabled the moment the new one is current. */
  noOverlap: 'no-overlap',
  /** Something that reads the secret may use a key longer than its overlap lasts. */
  consumerTooStale: 'consumer-too-stale',
  /** Observed only: nothing rotates. */
  observeOnly: 'observe-only',
} as const;

export type ProblemCode = (typeof PROBLEMS)[keyof typeof PROBLEMS];
export type WarningCode = (typeof WARNINGS)[keyof typeof WARNINGS];

/** One thing that is wrong: where, what was found, what was expected, and what to do about it. */
export interface Finding<Code extends string> {
  readonly code: Code;
  /** The key or target that it is about, such as `key 'deploy-prod'`; undefined if it is about the whole file. */
  readonly about: string | undefined;
  /** The field, such as `keys[0].schedule`. */
  readonly path: string;
  /** The value found, as text; undefined if there was none. */
  readonly received: string | undefined;
  readonly expected: string;
  readonly fix: string;
}

export type Problem = Finding<ProblemCode>;
export type Warning = Finding<WarningCode>;

/** The configuration can't be deployed. `problems` holds everything that is wrong with it, `message` says it in words. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'INVALID_CONFIG';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(describeProblems(problems));
    this.problems = problems;
  }
}

function describeProblems(problems: readonly Problem[]): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return [`${count} in the configuration:`, ...problems.map((problem, n) => describeProblem(n + 1, problem))].join(
    '\n\n',
  );
}

function describeProblem(number: number, { about, path, received, expected, fix }: Problem): string {
  return [
    `${String(number).padStart(3)}. ${about === undefined ? path : `${about}, ${path}`}`,
    `     received  ${received ?? '(nothing)'}`,
    `     expected  ${expected}`,
    `     fix       ${fix}`,
  ].join('\n');
}

/** A warning in one line. */
export function describeWarning({ about, path, received, expected, fix }: Warning): string {
  return `${about === undefined ? path : `${about}, ${path}`}: ${received ?? '(nothing)'}; ${expected}. ${fix}`;
}
