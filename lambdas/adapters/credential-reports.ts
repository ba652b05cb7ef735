/** The credential report of the account, over the AWS SDK. */
import { GenerateCredentialReportCommand, GetCredentialReportCommand, type IAMClient } from '@aws-sdk/client-iam';
import type { CredentialReports } from '../domain/audit.ts';
import { call, isAws } from './call.ts';
import { need } from './need.ts';

/** Codes of throttling, once the SDK has given up; IAM refuses GenerateCredentialReport with LimitExceeded when it is asked too often. */
const THROTTLED = [
  'LimitExceeded',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'RequestLimitExceeded',
];

/**
 * The codes on the wire, and the names that the SDK makes of them.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetCredentialReport.html
 */
const IN_PROGRESS = ['ReportInProgress', 'CredentialReportNotReadyException'];
const ABSENT = [
  ...['ReportNotPresent', 'CredentialReportNotPresentException'],
  ...['ReportExpired', 'CredentialReportExpiredException'],
];

export function credentialReports(client: IAMClient): CredentialReports {
  return {
    async request() {
      try {
        const answer = await call('GenerateCredentialReport', () =>
          client.send(new GenerateCredentialReportCommand({})),
        );
        return need('GenerateCredentialReport', 'State', answer.State) === 'COMPLETE' ? 'ready' : 'started';
      } catch (error) {
        if (isAws(error, ...THROTTLED)) return 'throttled';
        throw error;
      }
    },

    async fetch() {
      try {
        const answer = await call('GetCredentialReport', () => client.send(new GetCredentialReportCommand({})));
        return {
          content: new TextDecoder().decode(need('GetCredentialReport', 'Content', answer.Content)),
          at: need('GetCredentialReport', 'GeneratedTime', answer.GeneratedTime),
        };
      } catch (error) {
        if (isAws(error, ...IN_PROGRESS)) return 'in-progress';
        if (isAws(error, ...ABSENT)) return 'absent';
        if (isAws(error, ...THROTTLED)) return 'throttled';
        throw error;
      }
    },
  };
}
