/** Getting hold of a credential report: asking for one, and waiting until IAM has made it. */
import type { CredentialReport, CredentialReports } from '../domain/audit.ts';
import { RotatorError } from '../domain/errors.ts';
import { after, iso } from '../domain/model.ts';

export interface ObtainWorld {
  readonly reports: CredentialReports;
  readonly now: () => Date;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** When the audit must be over. */
  readonly deadline: Date;
}

/** IAM makes a report at most every four hours; a little more, because its clock is not ours. In seconds. */
const OLDEST = 4.25 * 3600;
/** Waits between two looks, in ms. How long a report takes is not published; seconds have been seen, for a large account more. */
const FIRST_WAIT = 3_000;
const LONGEST_WAIT = 30_000;
/** What reading the users and writing the report may still take, in ms. */
const RESERVE = 120_000;

/**
 * Has a report made unless there is a young one, and waits for it.
 *
 * Answers of IAM: ReportInProgress while it is being made; ReportNotPresent and ReportExpired, on which it is asked for again; throttling, after which
 * the next look comes later.
 *
 * @throws RotatorError AUDIT_INCOMPLETE when time runs out first
 * @throws AwsCallError
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetCredentialReport.html
 */
export async function obtainReport(world: ObtainWorld): Promise<CredentialReport> {
  const { reports, now, sleep, deadline } = world;
  let wait = FIRST_WAIT;
  let last = 'asked for and not there';
  const pause = async (found: string) => {
    last = found;
    if (now().getTime() + wait + RESERVE > deadline.getTime()) throw incomplete(`the credential report was ${last}`);
    await sleep(wait);
    wait = Math.min(2 * wait, LONGEST_WAIT);
  };
  let asked = false;
  for (;;) {
    if (!asked) {
      const state = await reports.request();
      asked = state !== 'throttled';
      if (state !== 'ready') await pause(state === 'started' ? 'still being made' : 'refused by throttling');
      if (!asked) continue;
    }
    const report = await reports.fetch();
    if (typeof report === 'object') {
      if (now() <= after(report.at, OLDEST)) return report;
      asked = false;
      await pause(`of ${iso(report.at)}, which is too old`);
    } else if (report === 'absent') {
      asked = false;
      await pause('not there, or expired');
    } else await pause(report === 'throttled' ? 'refused by throttling' : 'still being made');
  }
}

/** @param found a sentence: how far the audit came */
export function incomplete(found: string): RotatorError {
  return new RotatorError('AUDIT_INCOMPLETE', {
    found: `time ran out: ${found}`,
    expected: 'an audit of the whole account; half of one is not reported',
    remedy:
      'nothing if it was passing: the next audit starts anew. If this lasts, see whether something else calls IAM all the time',
  });
}
