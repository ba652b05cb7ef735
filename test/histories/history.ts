/** What a random history is made of: a set-up and commands. It is plain data, so that it can be printed, shrunk and run again. */
import fc from 'fast-check';
import type { SecretFormat } from '../../lambdas/contract/formats.ts';
import { DAY, HOUR, MINUTE } from '../policy.ts';
import { FORMS } from './forms.ts';

/** How keys are rotated and retired, in seconds. */
export interface Policy {
  readonly mode: 'enforce' | 'observe';
  readonly deactivateAfter: number;
  readonly settle: number;
  readonly ifInUse: 'hold' | 'disable';
  readonly holdAtMost: number;
  readonly quietFor: number;
  readonly deleteAfter: number;
  readonly verifyRegions: readonly string[];
  /** @default a document for credential_process */
  readonly format?: SecretFormat;
}

export interface UserSetup {
  readonly policy: Policy;
  /** Days between two scheduled rotations. */
  readonly days: number;
  /** What has happened before the first command. */
  readonly begin: 'not rotated' | 'rotated' | 'rotated twice' | 'adopts' | 'adopts the only key';
  /** Uses its key whenever time passes: the one that it reads each time, or the first one, until that is refused. */
  readonly application: 'none' | 'reads' | 'sticks';
}

export interface Setup {
  readonly users: readonly UserSetup[];
  readonly maxChangesPerRun: number;
  /** Seconds. */
  readonly activationDelay: number;
  /** Minutes. */
  readonly listingLag: number;
  /** Hours. */
  readonly lastUsedLag: number;
  /** Seconds. */
  readonly keyListingLag: number;
  /** Whether the next calls with a young key are refused once more, over and over; none: never. */
  readonly flicker: readonly boolean[];
  readonly pageSize: number;
  readonly attempts: number;
  readonly token: 'same' | 'new';
  readonly rotationToken: boolean;
  /** How long the functions' calls take, in ms, one after the other, over and over; none: no time. */
  readonly latency: readonly number[];
  /** How an operator puts things right at the end: the gentler way, or the harder one. */
  readonly mends: 'gently' | 'roughly';
}

/** A key of the user, by what it is at that moment; `nth` chooses among several. */
export interface WhichKey {
  readonly which: 'current' | 'pending' | 'superseded' | 'stranger' | 'inactive';
  readonly nth: number;
}

/** What an operator, a team or an application does at once. */
export type Deed = { readonly user: number } & (
  | { readonly do: 'make-key'; readonly force: boolean }
  | ({ readonly do: 'activate' | 'disable' | 'delete-key' | 'use' | 'store-key' } & WhichKey)
  | { readonly do: 'delete-user' | 'make-user'; readonly key: boolean }
  | { readonly do: 'delete-secret' | 'restore-secret' | 'make-secret-anew' }
  | { readonly do: 'edit' | 'put-back' }
  | { readonly do: 'break'; readonly how: 'no-json' | 'other-user' | 'no-key' }
  | { readonly do: 'pend'; readonly how: 'broken' | 'stranger' | 'foreign' | 'current' }
  | { readonly do: 'roll-back'; readonly to: 'previous' | 'any'; readonly nth: number }
  | { readonly do: 'take-pending-off' | 'cancel' }
  | { readonly do: 'remove-tag' | 'damage-tag'; readonly tag: Tag; readonly nth: number }
  | { readonly do: 'deploy'; readonly policy: Partial<Policy> }
  /** `beside`: the key is written under the names of the new form first, where nothing else would understand it. */
  | { readonly do: 'change-form'; readonly format: SecretFormat; readonly beside: boolean }
  | { readonly do: 'adopt'; readonly nth: number }
  | { readonly do: 'adopt-only-key' }
  | { readonly do: 'adopt-no-more' }
  | { readonly do: 'skew'; readonly seconds: number }
  | { readonly do: 'recycle' }
);

export type Tag = 'key' | 'intent' | 'verified' | 'user-id' | 'deployment';

/** A fault of the functions' `nth` next call that matches. `times`: 4 are all attempts at one call. */
export interface FaultCommand {
  readonly do: 'fault';
  readonly fn: 'rotate' | 'retire';
  readonly action?: string;
  readonly nth: number;
  readonly times: number;
  readonly kind: 'throttle' | 'deny' | 'fail' | 'network' | 'lose-answer' | 'crash-before' | 'crash-after' | 'late';
  readonly ms: number;
}

export type Command =
  | Deed
  | FaultCommand
  /** `passEvery` in seconds; 0: no pass. */
  | { readonly do: 'wait'; readonly seconds: number; readonly passEvery: number }
  | { readonly do: 'pass' }
  | { readonly do: 'two-passes'; readonly apart: number }
  /** `wait` in seconds. */
  | { readonly do: 'rotate'; readonly user: number; readonly wait: number }
  /** A pass some ms into a rotation. */
  | { readonly do: 'overlap'; readonly user: number; readonly lead: number }
  /** Something done some ms into a pass or a rotation. */
  | { readonly do: 'amid'; readonly of: 'pass' | 'rotation'; readonly ms: number; readonly deed: Deed }
  | {
      readonly do: 'repeat-step';
      readonly user: number;
      readonly step: 'createSecret' | 'setSecret' | 'testSecret' | 'finishSecret';
      readonly token: 'pending' | 'current' | 'previous';
      readonly times: number;
    };

export interface History {
  readonly setup: Setup;
  readonly commands: readonly Command[];
}

/** Every command by name: a campaign that never ran one of them is hollow. */
export const COMMANDS: readonly Command['do'][] = [
  'wait',
  'pass',
  'two-passes',
  'rotate',
  'overlap',
  'amid',
  'repeat-step',
  'fault',
  'make-key',
  'activate',
  'disable',
  'delete-key',
  'use',
  'store-key',
  'delete-user',
  'make-user',
  'delete-secret',
  'restore-secret',
  'make-secret-anew',
  'edit',
  'put-back',
  'break',
  'pend',
  'roll-back',
  'take-pending-off',
  'cancel',
  'remove-tag',
  'damage-tag',
  'deploy',
  'change-form',
  'adopt',
  'adopt-only-key',
  'adopt-no-more',
  'skew',
  'recycle',
];

const DEFAULTS: Policy = {
  mode: 'enforce',
  deactivateAfter: 3 * DAY,
  settle: 4 * HOUR,
  ifInUse: 'hold',
  holdAtMost: 14 * DAY,
  quietFor: 8 * DAY,
  deleteAfter: 7 * DAY,
  verifyRegions: [],
};

const formats: fc.Arbitrary<SecretFormat> = fc.constantFrom(...FORMS);

const policies: fc.Arbitrary<Policy> = fc
  .record({
    base: fc.constantFrom<Partial<Policy>>(
      {},
      {},
      { deactivateAfter: 0 },
      { ifInUse: 'disable' },
      { deleteAfter: 6 * HOUR },
      { deactivateAfter: DAY, holdAtMost: 2 * DAY, quietFor: 2 * DAY, deleteAfter: DAY },
      { deactivateAfter: 6 * HOUR, settle: HOUR, holdAtMost: DAY, quietFor: 12 * HOUR, deleteAfter: 2 * HOUR },
      { deactivateAfter: 2 * HOUR, settle: 0, holdAtMost: 3 * HOUR, quietFor: 2 * HOUR, deleteAfter: HOUR },
      { deactivateAfter: 0, deleteAfter: HOUR },
    ),
    mode: fc.oneof(
      { weight: 12, arbitrary: fc.constant('enforce' as const) },
      { weight: 1, arbitrary: fc.constant('observe' as const) },
    ),
    verifyRegions: fc.oneof(
      { weight: 6, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.constant(['us-east-1']) },
    ),
    format: formats,
  })
  .map(({ base, ...more }) => ({ ...DEFAULTS, ...base, ...more }));

const users: fc.Arbitrary<UserSetup> = fc.record({
  policy: policies,
  days: fc.constantFrom(30, 30, 90, 10),
  begin: fc.constantFrom('rotated', 'rotated', 'rotated twice', 'not rotated', 'adopts', 'adopts the only key'),
  application: fc.constantFrom('none', 'reads', 'sticks'),
});

const setups: fc.Arbitrary<Setup> = fc.record({
  users: fc.array(users, { minLength: 1, maxLength: 3, size: 'max' }),
  maxChangesPerRun: fc.constantFrom(25, 25, 1, 2),
  activationDelay: fc.constantFrom(8, 0, 2, 20, 30),
  listingLag: fc.constantFrom(0, 0, 5),
  lastUsedLag: fc.constantFrom(0, 0, 1, 4),
  keyListingLag: fc.constantFrom(0, 0, 0, 3, 10),
  flicker: fc.constantFrom<readonly boolean[]>(
    [],
    [],
    [],
    [false, false, true],
    [true, false, false, false, false, true, false],
  ),
  pageSize: fc.constantFrom(100, 100, 1, 2),
  attempts: fc.constantFrom(3, 1, 2),
  token: fc.constantFrom('same', 'new'),
  rotationToken: fc.boolean(),
  latency: fc.constantFrom<readonly number[]>(
    [],
    [],
    [40, 0, 300, 10],
    [0, 1500, 20, 0, 700],
    [4000, 100, 0, 0, 0, 900, 0],
  ),
  mends: fc.constantFrom('gently', 'roughly'),
});

const user = fc.integer({ min: 0, max: 2 });
const nth = fc.integer({ min: 0, max: 3 });
const KEYS: readonly WhichKey['which'][] = ['current', 'pending', 'superseded', 'superseded', 'stranger', 'stranger'];
const ofKey = <T extends string>(verb: T) =>
  fc.record({ do: fc.constant(verb), user, which: fc.constantFrom(...KEYS), nth });
const simple = <T extends string>(verb: T) => fc.record({ do: fc.constant(verb), user });

const tags = <T extends string>(verb: T) =>
  fc.record({
    do: fc.constant(verb),
    user,
    tag: fc.constantFrom<Tag>('key', 'key', 'intent', 'verified', 'user-id', 'deployment'),
    nth,
  });

const changes: fc.Arbitrary<Partial<Policy>> = fc.constantFrom<Partial<Policy>>(
  { deactivateAfter: 0 },
  { deactivateAfter: 6 * HOUR },
  { deactivateAfter: 5 * DAY },
  { deleteAfter: HOUR },
  { deleteAfter: 7 * DAY },
  { deleteAfter: 10 * DAY },
  { ifInUse: 'disable' },
  { ifInUse: 'hold' },
  { holdAtMost: DAY },
  { mode: 'observe' },
  { mode: 'enforce' },
  { mode: 'enforce' },
);

const deeds: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('make-key'), user, force: fc.nat(5).map((n) => n === 5) }) },
  { weight: 4, arbitrary: ofKey('use') },
  { weight: 3, arbitrary: ofKey('disable') },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('activate'), user, which: fc.constant('inactive'), nth }),
  },
  { weight: 3, arbitrary: ofKey('delete-key') },
  { weight: 2, arbitrary: ofKey('store-key') },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete-user'), user, key: fc.constant(false) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('make-user'), user, key: fc.boolean() }) },
  { weight: 1, arbitrary: simple('delete-secret') },
  { weight: 3, arbitrary: simple('restore-secret') },
  { weight: 1, arbitrary: simple('make-secret-anew') },
  { weight: 3, arbitrary: simple('edit') },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('break'),
      user,
      how: fc.constantFrom('no-json', 'other-user', 'no-key'),
    }),
  },
  { weight: 3, arbitrary: simple('put-back') },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('pend'),
      user,
      how: fc.constantFrom('broken', 'stranger', 'foreign', 'current'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('roll-back'),
      user,
      to: fc.constantFrom('previous', 'previous', 'any'),
      nth,
    }),
  },
  { weight: 2, arbitrary: simple('take-pending-off') },
  { weight: 2, arbitrary: simple('cancel') },
  { weight: 2, arbitrary: tags('remove-tag') },
  { weight: 1, arbitrary: tags('damage-tag') },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('deploy'), user, policy: changes }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('change-form'), user, format: formats, beside: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('adopt'), user, nth }) },
  { weight: 1, arbitrary: simple('adopt-only-key') },
  { weight: 1, arbitrary: simple('adopt-no-more') },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('skew'), user: fc.constant(0), seconds: fc.integer({ min: -30, max: 30 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('recycle'), user: fc.constant(0) }) },
) as fc.Arbitrary<Deed>;

const ROTATE_CALLS = [
  'DescribeSecret',
  'GetSecretValue',
  'ListAccessKeys',
  'TagResource',
  'UntagResource',
  'CreateAccessKey',
  'CreateAccessKey',
  'PutSecretValue',
  'PutSecretValue',
  'GetCallerIdentity',
  'UpdateSecretVersionStage',
  'UpdateSecretVersionStage',
  'DeleteAccessKey',
  'GetAccessKeyLastUsed',
  'UpdateAccessKey',
];
const RETIRE_CALLS = [
  'ListSecrets',
  'DescribeSecret',
  'GetSecretValue',
  'ListAccessKeys',
  'GetAccessKeyLastUsed',
  'TagResource',
  'UntagResource',
  'UpdateAccessKey',
  'UpdateAccessKey',
  'DeleteAccessKey',
  'DeleteAccessKey',
  'UpdateSecretVersionStage',
];

const KINDS: readonly FaultCommand['kind'][] = [
  'throttle',
  'deny',
  'fail',
  'network',
  'lose-answer',
  'lose-answer',
  'crash-before',
  'crash-after',
  'crash-after',
  'late',
];

const faults: fc.Arbitrary<Command> = fc.oneof(
  ...([['rotate', ROTATE_CALLS] as const, ['retire', RETIRE_CALLS] as const] as const).flatMap(([fn, calls]) => {
    const common = {
      do: fc.constant('fault' as const),
      fn: fc.constant(fn),
      times: fc.constantFrom(1, 1, 4, 12),
      kind: fc.constantFrom(...KINDS),
      ms: fc.constantFrom(500, 3000, 10_000, 30_000, 130_000),
    };
    return [
      {
        weight: fn === 'rotate' ? 4 : 2,
        arbitrary: fc.record({ ...common, action: fc.constantFrom(...calls), nth: fc.integer({ min: 1, max: 3 }) }),
      },
      { weight: fn === 'rotate' ? 2 : 1, arbitrary: fc.record({ ...common, nth: fc.integer({ min: 1, max: 14 }) }) },
    ];
  }),
);

const waits: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      seconds: fc.integer({ min: 1, max: 90 }),
      passEvery: fc.constant(0),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      seconds: fc.integer({ min: 2, max: 50 }).map((minutes) => minutes * MINUTE),
      passEvery: fc.constant(0),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      seconds: fc.integer({ min: 1, max: 30 }).map((hours) => hours * HOUR),
      passEvery: fc.constantFrom(HOUR, 6 * HOUR, 0),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      seconds: fc.integer({ min: 1, max: 12 }).map((days) => days * DAY),
      passEvery: fc.constantFrom(6 * HOUR, 6 * HOUR, 12 * HOUR),
    }),
  },
);

const commands: fc.Arbitrary<Command> = fc.oneof(
  { weight: 12, arbitrary: waits },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('two-passes' as const), apart: fc.constantFrom(0, 0, 200, 2000) }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant('rotate' as const), user, wait: fc.constantFrom(600, 600, 0, 0, 12, 100) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('overlap' as const), user, lead: fc.integer({ min: 0, max: 20_000 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('amid' as const),
      of: fc.constantFrom('pass', 'rotation'),
      ms: fc.integer({ min: 0, max: 20_000 }),
      deed: deeds,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('repeat-step' as const),
      user,
      step: fc.constantFrom('createSecret', 'createSecret', 'setSecret', 'testSecret', 'finishSecret', 'finishSecret'),
      token: fc.constantFrom('pending', 'pending', 'pending', 'current', 'previous'),
      times: fc.constantFrom(1, 1, 2),
    }),
  },
  { weight: 10, arbitrary: faults },
  { weight: 24, arbitrary: deeds },
);

const hours = (min: number, max: number): fc.Arbitrary<Command> =>
  fc.record({
    do: fc.constant('wait' as const),
    seconds: fc.integer({ min, max }).map((count) => count * HOUR),
    passEvery: fc.constantFrom(HOUR, 6 * HOUR),
  });
const minutes: fc.Arbitrary<Command> = fc.record({
  do: fc.constant('wait' as const),
  seconds: fc.integer({ min: 0, max: 40 }).map((count) => count * MINUTE),
  passEvery: fc.constant(0),
});
const pass: fc.Arbitrary<Command> = fc.record({ do: fc.constant('pass' as const) });
const rotation = (...wait: number[]): fc.Arbitrary<Command> =>
  fc.record({ do: fc.constant('rotate' as const), user, wait: fc.constantFrom(...wait) });
const deed = <T extends Deed['do']>(verb: T, more: object): fc.Arbitrary<Command> =>
  fc.record({ do: fc.constant(verb), user, ...more }) as fc.Arbitrary<Command>;
const back = deed('roll-back', { to: fc.constant('previous'), nth });

/** What seldom comes about by chance: commands that follow one another. Each is still a command of its own. */
const sequences: fc.Arbitrary<readonly Command[]> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(faults, rotation(600, 0, 60)) },
  { weight: 3, arbitrary: fc.tuple(hours(8, 300), faults, rotation(600, 0), minutes, pass) },
  { weight: 2, arbitrary: fc.tuple(faults, faults, rotation(0, 12), minutes, rotation(600), pass) },
  {
    weight: 2,
    arbitrary: fc.tuple(deed('make-key', { force: fc.constant(true) }), faults, rotation(600), minutes, pass),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(faults, rotation(0, 30), deed('make-key', { force: fc.constant(true) }), minutes, pass),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(
      deed('activate', { which: fc.constant('inactive'), nth }),
      deed('use', { which: fc.constant('superseded'), nth }),
      hours(0, 30),
      deed('disable', { which: fc.constant('superseded'), nth }),
      hours(1, 30),
    ),
  },
  { weight: 2, arbitrary: fc.tuple(back, hours(0, 20), back, hours(0, 80)) },
  { weight: 1, arbitrary: fc.tuple(faults, back, minutes, rotation(600), back, faults, rotation(600)) },
  { weight: 1, arbitrary: fc.tuple(rotation(0, 9, 13), deed('cancel', {}), minutes, rotation(0, 600)) },
  {
    weight: 1,
    arbitrary: fc.tuple(rotation(0, 9), deed('take-pending-off', {}), minutes, rotation(0, 600), hours(20, 60)),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(rotation(600), deed('delete-key', { which: fc.constant('current'), nth }), rotation(600)),
  },
  { weight: 1, arbitrary: fc.tuple(deed('delete-secret', {}), minutes, deed('restore-secret', {}), rotation(600)) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      deed('pend', { how: fc.constantFrom('current', 'current', 'stranger') }),
      hours(1, 60),
      deed('store-key', { which: fc.constant('superseded'), nth }),
      rotation(600),
      hours(1, 60),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      rotation(600),
      back,
      fc.record({
        do: fc.constant('repeat-step' as const),
        user,
        step: fc.constant('finishSecret' as const),
        token: fc.constantFrom('pending', 'previous'),
        times: fc.constant(1),
      }),
      minutes,
      rotation(600),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(deed('break', { how: fc.constantFrom('no-json', 'other-user') }), pass, deed('put-back', {})),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      deed('make-secret-anew', {}),
      deed('adopt', { nth }),
      rotation(600),
      deed('adopt-no-more', {}),
      hours(1, 100),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      faults,
      rotation(0, 600),
      deed('change-form', { format: formats, beside: fc.boolean() }),
      minutes,
      rotation(600),
      hours(1, 100),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      deed('make-secret-anew', {}),
      deed('adopt-only-key', {}),
      faults,
      rotation(0, 600),
      deed('make-key', { force: fc.boolean() }),
      minutes,
      rotation(600),
      hours(1, 100),
    ),
  },
);

/** At most this many commands and sequences a history. */
const LONGEST = 24;

// Without fast-check's bias to small values: each campaign's history is the first of its own seed, and would be a small one.
export const histories: fc.Arbitrary<History> = fc.noBias(
  fc.record({
    setup: setups,
    commands: fc
      .array(fc.oneof({ weight: 3, arbitrary: fc.tuple(commands) }, { weight: 1, arbitrary: sequences }), {
        minLength: 1,
        maxLength: LONGEST,
        size: 'max',
      })
      .map((parts) => parts.flat()),
  }),
);

/** Seed of the `index`th history of a campaign, evenly spread. */
export function seedOf(seed: number, index: number): number {
  let mixed = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) | 0;
}

/** The `index`th history of a campaign. */
export function historyOf(seed: number, index: number): History {
  const [history] = fc.sample(histories, { seed: seedOf(seed, index), numRuns: 1 });
  if (history === undefined) throw new Error('fast-check made no history');
  return history;
}
