/** What an audit may be answered: reports that are damaged, cut off or never come, and reads that fail. None of it ends in a report. */
import type { ErrorCode } from '../../lambdas/domain/errors.ts';
import type { SimulatedAccount } from '../../local/account.ts';
import { NONE, reportOf, rowOf as userRow } from '../audit/reports.ts';
import { DAY } from '../policy.ts';
import { deployAudit, objectIn } from '../simulation/audit.ts';
import type { Simulation } from '../simulation/world.ts';
import { answer, failing, type Row, row } from './row.ts';

const WHOLE = reportOf([userRow('app', ['true', '2025-01-01T00:00:00+00:00', 'N/A', 'N/A', 'N/A'])]);

function audit(wrong: string, code: ErrorCode, bring: (world: Simulation) => unknown): Row {
  return row(wrong, code, {
    bring: async (world) => {
      deployAudit(world.account, () => world.deployment);
      await world.advance(100 * DAY);
      await bring(world);
    },
    run: async (world) => {
      const result = await world.invoke('audit', {});
      if (objectIn(world.account, 'reports/latest.json') !== undefined) throw new Error('a report was written');
      return result;
    },
  });
}

/** IAM gives this report. */
const reported = (wrong: string, content: string, code: ErrorCode = 'CREDENTIAL_REPORT_MALFORMED') =>
  audit(`the credential report ${wrong}`, code, ({ account }) => give(account, content));

function give(account: SimulatedAccount, content: string): void {
  account.credentialReport.latest = { at: account.clock.nowMs, content };
}

export const audits: readonly Row[] = [
  reported('is empty', ''),
  reported('is a page of a proxy', '<html><body>502 Bad Gateway</body></html>'),
  reported('has a header and no row', WHOLE.split('\n')[0] ?? ''),
  reported('lacks a column', WHOLE.replace('access_key_2_active', 'access_key_two_active')),
  reported('has its columns in German', WHOLE.replace('access_key_1_last_used_date', 'zuletzt_verwendet')),
  reported('is cut off in the middle of a row', WHOLE.slice(0, -40)),
  reported('is cut off in the middle of a flag', WHOLE.slice(0, -6)),
  reported('has a date that is none', WHOLE.replace('2025-01-01T00:00:00+00:00,N/A', '0000-99-99,N/A')),
  reported('says nothing where a flag should be', reportOf([userRow('app', ['', ...NONE.slice(1)])])),
  reported('has a quote that is never closed', WHOLE.replace('app,', '"app,')),
  reported('is of two accounts', WHOLE.replace('111122223333:user', '444455556666:user')),
  audit('the credential report has no content', 'AWS_CALL_FAILED', () =>
    answer('GetCredentialReport', ({ Content: _, ...real }) => real),
  ),
  audit('the credential report has no date', 'AWS_CALL_FAILED', () =>
    answer('GetCredentialReport', ({ GeneratedTime: _, ...real }) => real),
  ),
  audit('making a credential report is answered without a state', 'AWS_CALL_FAILED', () =>
    answer('GenerateCredentialReport', () => ({})),
  ),
  audit('the credential report is never done', 'AUDIT_INCOMPLETE', (world) =>
    failing(world, 'GetCredentialReport', 'ReportInProgress', 404),
  ),
  audit('the keys of a user can not be listed', 'AWS_CALL_FAILED', (world) =>
    failing(world, 'ListAccessKeys', 'ServiceFailure', 500),
  ),
  audit('the secrets can not be listed', 'AWS_CALL_FAILED', (world) =>
    failing(world, 'ListSecrets', 'AccessDeniedException', 400),
  ),
  audit('the bucket refuses the report', 'AWS_CALL_FAILED', (world) =>
    failing(world, 'PutObject', 'AccessDenied', 403),
  ),
];
