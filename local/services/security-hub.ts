/** Security Hub, as far as importing findings goes. */
import type { SimulatedAccount } from '../account.ts';
import { AwsError } from '../model.ts';
import { records, text } from '../wire/input.ts';
import { isRecord, type Protocol, type WireResponse } from '../wire/protocols.ts';
import type { Judged, Operation } from './registry.ts';

const BATCH = 100;
/** Required in every finding (AWS Security Finding Format). */
const REQUIRED = [
  ...['AwsAccountId', 'CreatedAt', 'Description', 'GeneratorId', 'Id', 'ProductArn', 'Resources', 'SchemaVersion'],
  ...['Severity', 'Title', 'Types', 'UpdatedAt'],
];

export const securityHubOperations: Readonly<Record<string, Operation>> = {
  /**
   * Up to 100 findings; one that has a known id is updated. What is refused is told in an answer that is a success.
   *
   * @see https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html
   */
  BatchImportFindings(account, input) {
    const findings = records(input, 'Findings') ?? [];
    if (findings.length === 0 || findings.length > BATCH)
      throw new AwsError('InvalidInputException', `1 to ${BATCH} findings are needed, not ${findings.length}`);
    const refused = findings.flatMap((finding) => {
      const missing = REQUIRED.filter((field) => finding[field] === undefined);
      if (missing.length === 0) {
        account.hubFindings.set(text(finding, 'Id'), finding);
        return [];
      }
      return [{ Id: String(finding.Id), ErrorCode: 'InvalidInput', ErrorMessage: `without ${missing.join(', ')}` }];
    });
    return { SuccessCount: findings.length - refused.length, FailedCount: refused.length, FailedFindings: refused };
  },
};

export function judgeSecurityHub(account: SimulatedAccount): Judged {
  return { resource: `arn:aws:securityhub:${account.region}:${account.id}:product/${account.id}/default` };
}

/** REST with JSON: the path names the operation. */
export const securityHubProtocol: Protocol = {
  parse({ method, path, body }) {
    const action = method === 'POST' && path === '/findings/import' ? 'BatchImportFindings' : `${method} ${path}`;
    const input: unknown = JSON.parse(body || '{}');
    return { action, input: isRecord(input) ? input : {} };
  },
  answer: (_, output, requestId) => respond(200, output, requestId),
  refuse: ({ status, code, message }, requestId) => respond(status, { Code: code, Message: message }, requestId),
};

const respond = (status: number, body: unknown, requestId: string): WireResponse => ({
  status,
  headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId },
  body: JSON.stringify(body),
});
