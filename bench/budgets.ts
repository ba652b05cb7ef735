/** The budgets of the design, as data, and what it means to keep within one. */

/** A KB is 1024 bytes and an MB 1024 KB, as Lambda counts them. */
export const KB = 1024;
export const MB = 1024 * KB;

export interface Budget {
  readonly what: string;
  /** The most that is within the budget, in `unit`. */
  readonly limit: number;
  readonly unit: 'KB' | 'MB' | '×' | 'calls' | 'writes' | 'ms' | 's';
  /** Decimals of the figure. */
  readonly decimals: number;
  /** How the budget comes about, as the design puts it. */
  readonly source: string;
}

/** Secrets in the retire pass that is counted, and how many of them have a key that is due. */
export const RETIRE_SECRETS = 1000;
export const RETIRE_DUE = 10;
/** Secrets, each with a user of its own, in the retire pass whose memory is measured. */
export const MEMORY_SECRETS = 5000;
/** Users and keys of the account that is audited, and how many of the users have a secret. */
export const AUDIT_USERS = 5000;
export const AUDIT_KEYS = 7000;
export const AUDIT_SECRETS = 100;
/** Secrets that an operator's command looks at. */
export const CLI_SECRETS = 1000;
/** Entries on a page of ListSecrets. */
const PAGE = 100;
const CALLS_A_KEY = 6;
const CALLS_TO_FOLLOW = 2;

const size = { limit: 450, unit: 'KB', decimals: 1, source: "each Lambda's bundle: ≤ 450 KB" } as const;
const load = {
  limit: 1.3,
  unit: '×',
  decimals: 2,
  source: 'its module load: ≤ 1.3 × that of the three bare SDK clients, in the same run',
} as const;
const pass = {
  limit: Math.ceil(RETIRE_SECRETS / PAGE) + CALLS_A_KEY * RETIRE_DUE,
  unit: 'calls',
  decimals: 0,
  source: 'retire pass, n secrets, d keys due: ⌈n/100⌉ + ≤ 6·d calls',
} as const;
const rotation = 'calls of one undisturbed rotation, all four steps: ≤ 18, of which ≤ 2 writes to values and labels';
const audit = 'audit of an account: ≤ 5 calls + 2 per user that has something to report';
const audited = `${AUDIT_USERS.toLocaleString('en')} users, ${AUDIT_KEYS.toLocaleString('en')} keys`;
const secrets = RETIRE_SECRETS.toLocaleString('en');

const answer = {
  limit: 2,
  unit: 's',
  decimals: 2,
  source: 'status, plan and doctor answer in under 2 s for 1,000 secrets on the simulated account',
} as const;

/** In the order in which they are printed. */
export const BUDGETS = {
  rotateSize: { what: 'rotate: bundle', ...size },
  retireSize: { what: 'retire: bundle', ...size },
  auditSize: { what: 'audit: bundle', ...size },
  rotateLoad: { what: 'rotate: module load, bare SDK clients = 1', ...load },
  retireLoad: { what: 'retire: module load, bare SDK clients = 1', ...load },
  auditLoad: { what: 'audit: module load, bare SDK clients = 1', ...load },
  notifySize: { what: 'notify: bundle', ...size },
  notifyLoad: { what: 'notify: module load, bare SDK clients = 1', ...load },
  respondSize: { what: 'respond: bundle', ...size },
  respondLoad: { what: 'respond: module load, bare SDK clients = 1', ...load },
  rotationCalls: { what: 'rotation, four steps', limit: 18, unit: 'calls', decimals: 0, source: rotation },
  rotationWrites: {
    what: '  of which write values and labels',
    limit: 2,
    unit: 'writes',
    decimals: 0,
    source: rotation,
  },
  disablePass: { what: `retire pass, ${secrets} secrets, ${RETIRE_DUE} keys to disable`, ...pass },
  deletePass: { what: `retire pass, ${secrets} secrets, ${RETIRE_DUE} keys to delete`, ...pass },
  followPass: {
    ...pass,
    what: `retire pass, ${secrets} secrets, ${RETIRE_DUE} retiring keys to follow`,
    limit: Math.ceil(RETIRE_SECRETS / PAGE) + CALLS_TO_FOLLOW * RETIRE_DUE,
    source: 'retire pass, n secrets, d keys within their overlap: ⌈n/100⌉ + ≤ 2·d calls',
  },
  memory: {
    what: `retire pass, ${MEMORY_SECRETS.toLocaleString('en')} secrets: memory`,
    limit: 256,
    unit: 'MB',
    decimals: 0,
    source: 'memory: 256 MB suffices at 5,000 users',
  },
  auditGathering: {
    what: `audit, ${audited}: gathering`,
    limit: 5,
    unit: 'calls',
    decimals: 0,
    source: audit,
  },
  auditUsers: {
    what: '  for each user that has something to report',
    limit: 2,
    unit: 'calls',
    decimals: 2,
    source: audit,
  },
  auditWrites: {
    what: '  to write the report: objects put',
    limit: 4,
    unit: 'writes',
    decimals: 0,
    source: 'page, CSV, JSON and the pointer to them: one PutObject each',
  },
  auditMemory: {
    what: `audit, ${audited}: memory`,
    limit: 256,
    unit: 'MB',
    decimals: 0,
    source: 'memory: 256 MB suffices at 5,000 users',
  },
  auditTime: {
    what: `audit, ${audited}: time`,
    limit: 900,
    unit: 's',
    decimals: 1,
    source: 'the 15 minutes that Lambda allows',
  },
  clientSize: {
    what: 'client: bundle without the SDK',
    limit: 10,
    unit: 'KB',
    decimals: 1,
    source: 'bundle of iam-key-rotator/client without the SDK: under 10 KB',
  },
  clientLoad: {
    what: 'client: load, beyond that of the SDK',
    limit: 5,
    unit: 'ms',
    decimals: 2,
    source: 'loading iam-key-rotator/client adds under 5 ms',
  },
  status: { what: `iam-key-rotator status, ${secrets} secrets`, ...answer },
  plan: { what: `iam-key-rotator plan, ${secrets} secrets`, ...answer },
  doctor: { what: `iam-key-rotator doctor, ${secrets} secrets`, ...answer },
} as const satisfies Record<string, Budget>;

export type BudgetName = keyof typeof BUDGETS;

/** A figure in its budget's unit, and what is worth knowing of how it came about. */
export interface Figure {
  readonly value: number;
  readonly how: string;
}

export type Figures = Readonly<Record<BudgetName, Figure>>;

export interface Row extends Budget {
  readonly name: string;
  /** Rounded up to the decimals that are printed: what is printed is what is judged. */
  readonly measured: number;
  readonly within: boolean;
  readonly how: string;
}

/** Holds a figure against its budget. Exactly the limit is within it. */
export function judge(name: string, budget: Budget, { value, how }: Figure): Row {
  const scale = 10 ** budget.decimals;
  // Cut to far more digits than are shown: 1.1 * 100 is 110.00000000000001.
  const measured = Math.ceil(Number((value * scale).toFixed(6))) / scale;
  return { ...budget, name, measured, within: measured <= budget.limit, how };
}

/** All rows of the table. */
export function judgeAll(figures: Figures): Row[] {
  const names = Object.keys(BUDGETS) as BudgetName[];
  return names.map((name) => judge(name, BUDGETS[name], figures[name]));
}
