/** The credential report of IAM: one for the account, made on request, at most every four hours. */
import type { SimulatedAccount } from '../account.ts';
import { type AccessKey, AwsError, type User } from '../model.ts';
import type { Operation } from './registry.ts';

/** What the account has of its credential report. */
export interface ReportState {
  /** When IAM is done with the one that it is making, in ms. */
  readyAt?: number;
  /** The latest one. */
  latest?: { readonly at: number; readonly content: string };
}

const FOUR_HOURS = 4 * 3_600_000;
/** How long a report takes, in ms. AWS publishes no figure; seconds have been seen. */
const TAKES = 5_000;

const COLUMNS = [
  ...['user', 'arn', 'user_creation_time', 'password_enabled', 'password_last_used', 'password_last_changed'],
  ...['password_next_rotation', 'mfa_active'],
  ...['1', '2'].flatMap((slot) =>
    ['active', 'last_rotated', 'last_used_date', 'last_used_region', 'last_used_service'].map(
      (of) => `access_key_${slot}_${of}`,
    ),
  ),
  ...['cert_1_active', 'cert_1_last_rotated', 'cert_2_active', 'cert_2_last_rotated'],
];

export const credentialReportOperations: Readonly<Record<string, Operation>> = {
  /**
   * STARTED, then INPROGRESS, then COMPLETE; COMPLETE at once while the latest report is younger than four hours.
   *
   * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateCredentialReport.html
   */
  GenerateCredentialReport(account) {
    const state = settled(account);
    if (state.readyAt !== undefined) return { State: 'INPROGRESS' };
    if (state.latest !== undefined && account.clock.nowMs - state.latest.at < FOUR_HOURS) return { State: 'COMPLETE' };
    state.readyAt = account.clock.nowMs + (account.options.credentialReportTakes ?? TAKES);
    const Description =
      state.latest === undefined
        ? 'No report exists. Starting a new report generation task'
        : 'The last report is too old. Starting a new report generation task';
    return { State: 'STARTED', Description };
  },

  /**
   * The latest report, in Base64. ReportInProgress while one is being made; ReportExpired when it is older than four hours.
   *
   * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetCredentialReport.html
   */
  GetCredentialReport(account) {
    const { readyAt, latest } = settled(account);
    if (readyAt !== undefined)
      throw new AwsError('ReportInProgress', 'Credential report is still being generated', 404);
    if (latest === undefined) throw new AwsError('ReportNotPresent', 'There is no credential report', 410);
    if (account.clock.nowMs - latest.at >= FOUR_HOURS)
      throw new AwsError('ReportExpired', 'The credential report has expired', 410);
    return {
      Content: Buffer.from(latest.content).toString('base64'),
      ReportFormat: 'text/csv',
      GeneratedTime: instant(latest.at),
    };
  },
};

/** The state as of now: a report that is due by now is there, of the moment in which it was done. */
function settled(account: SimulatedAccount): ReportState {
  const state = account.credentialReport;
  if (state.readyAt !== undefined && state.readyAt <= account.clock.nowMs) {
    state.latest = { at: state.readyAt, content: contentOf(account) };
    delete state.readyAt;
  }
  return state;
}

/** As IAM writes it: no key ids, dates with an offset, and N/A for what is not there. */
function contentOf(account: SimulatedAccount): string {
  const root = [
    ...['<root_account>', `arn:aws:iam::${account.id}:root`, date(0), 'not_supported', 'no_information'],
    ...['not_supported', 'not_supported', 'true', ...slotOf(account, undefined), ...slotOf(account, undefined)],
    ...NO_CERTIFICATES,
  ];
  const rows = [...account.users.values()].map((user) => rowOf(account, user));
  return [COLUMNS, root, ...rows].map((fields) => fields.join(',')).join('\n');
}

const NO_CERTIFICATES = ['false', 'N/A', 'false', 'N/A'];

function rowOf(account: SimulatedAccount, { name, arn, createdAt, keys }: User): string[] {
  const [first, second] = keys;
  const password = ['false', 'N/A', 'N/A', 'N/A', 'false'];
  return [
    name,
    arn,
    date(createdAt),
    ...password,
    ...slotOf(account, first),
    ...slotOf(account, second),
    ...NO_CERTIFICATES,
  ];
}

/** `last_rotated` is "created or last changed"; of an Inactive key too, as has been seen (cloud-custodian/cloud-custodian#5551). */
function slotOf(account: SimulatedAccount, key: AccessKey | undefined): string[] {
  if (key === undefined) return ['false', 'N/A', 'N/A', 'N/A', 'N/A'];
  const visible = account.clock.nowMs - (account.options.lastUsedLag ?? 0);
  const use = key.uses.findLast(({ at }) => at <= visible);
  const used = use === undefined ? ['N/A', 'N/A', 'N/A'] : [date(use.at), use.region, use.service];
  return [String(key.status === 'Active'), date(key.changedAt ?? key.createdAt), ...used];
}

const date = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, '+00:00');
const instant = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
