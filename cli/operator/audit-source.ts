/** An operator's audit: that of the function, with the operator's credentials. */
import { credentialReports } from '../../lambdas/adapters/credential-reports.ts';
import { iamKeys } from '../../lambdas/adapters/iam-keys.ts';
import { secretListing } from '../../lambdas/adapters/secret-listing.ts';
import { userKeys } from '../../lambdas/adapters/user-keys.ts';
import { runAudit } from '../../lambdas/audit/audit.ts';
import { renderPage } from '../../lambdas/audit/page/index.ts';
import { renderCsv } from '../../lambdas/audit/render-csv.ts';
import type { AuditSource } from '../commands/audit.ts';

/** As patient as the function is: IAM throttles whoever reads thousands of users. */
const PATIENT = { maxAttempts: 10, retryMode: 'adaptive' } as const;
/** How long an audit may take, in ms: twice what the function has. */
const LONGEST = 30 * 60_000;

export const auditSource: AuditSource = {
  async run({ connect, region, now, sleep }, { deployment }) {
    const [iam, secrets] = await Promise.all([connect('iam', PATIENT), connect('secretsmanager', PATIENT)]);
    return runAudit(
      {
        reports: credentialReports(iam),
        users: userKeys(iam, iamKeys(iam, iam)),
        secrets: secretListing(secrets),
        now,
        sleep,
        deadline: new Date(now().getTime() + LONGEST),
      },
      deployment,
      { region },
    );
  },
  csv: renderCsv,
  page: renderPage,
};
