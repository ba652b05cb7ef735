/** Findings in the AWS Security Finding Format: imported, updated, and archived when what they tell of is no more. */

import { PROJECT } from '../contract/names.ts';
import type { FindingSink, ReportStore } from '../domain/audit.ts';
import type { AuditReport, ComplianceName, Finding } from './report.ts';

/** What Security Hub was told, with when first: kept in the bucket, so that a finding that is gone can be archived. */
export const IMPORTED = 'security-hub/imported.json';

interface Imported {
  readonly finding: Finding;
  /** ISO 8601. */
  readonly since: string;
}

/** Whose findings, and where they are shown. */
export interface HubContext {
  readonly account: string;
  readonly partition: string;
  readonly region: string;
  readonly deployment: string;
}

/**
 * Brings Security Hub up to date with a report.
 *
 * What is about to be told is written down before, and what is archived is struck off afterwards: after a run that ended in between, the next one
 * archives what this one may have imported.
 *
 * @throws AwsCallError
 */
export async function tellSecurityHub(report: AuditReport, store: ReportStore, hub: FindingSink): Promise<void> {
  const context: HubContext = { ...report, partition: report.partition ?? 'aws' };
  const before = new Map(readImported(await store.get(IMPORTED)).map((one) => [one.finding.id, one]));
  const open = report.findings.map(
    (finding): Imported => ({ finding, since: before.get(finding.id)?.since ?? report.at }),
  );
  const ids = new Set(open.map(({ finding }) => finding.id));
  const gone = [...before.values()].filter(({ finding }) => !ids.has(finding.id));
  await write([...open, ...gone], store);
  await hub.send([
    ...open.map((one) => toAsff(one, 'ACTIVE', report.at, context)),
    ...gone.map((one) => toAsff(one, 'ARCHIVED', report.at, context)),
  ]);
  if (gone.length > 0) await write(open, store);
}

const write = (findings: readonly Imported[], store: ReportStore) =>
  store.put(IMPORTED, 'application/json', `${JSON.stringify({ formatVersion: 1, findings })}\n`);

/** Written by `write` and by nobody else; what is not in that form fails as JSON does. */
function readImported(content: string | undefined): readonly Imported[] {
  return content === undefined ? [] : JSON.parse(content).findings;
}

const TYPE = 'Software and Configuration Checks/Industry and Regulatory Standards';
const LABELS = { critical: 'CRITICAL', high: 'HIGH', medium: 'MEDIUM', low: 'LOW', info: 'INFORMATIONAL' } as const;

/**
 * One finding in the format that Security Hub imports.
 *
 * @see https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-attributes.html
 */
export function toAsff(
  { finding, since }: Imported,
  state: 'ACTIVE' | 'ARCHIVED',
  at: string,
  context: HubContext,
): object {
  const { account, partition, region, deployment } = context;
  const { check, severity, title, evidence, remedy, compliance } = finding;
  return {
    SchemaVersion: '2018-10-08',
    Id: `${PROJECT}/${deployment}/${finding.id}`,
    ProductArn: `arn:${partition}:securityhub:${region}:${account}:product/${account}/default`,
    GeneratorId: `${PROJECT}/${check}`,
    AwsAccountId: account,
    Types: [TYPE],
    CreatedAt: since,
    UpdatedAt: at,
    Severity: { Label: LABELS[severity] },
    // A finding may grow graver. What is above counts when it is new: a provider updates it here.
    // https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html
    FindingProviderFields: { Severity: { Label: LABELS[severity] }, Types: [TYPE] },
    Title: title,
    Description: cut(`${finding.user}: ${evidence}`, 1024),
    Remediation: { Recommendation: { Text: cut(remedy, 512) } },
    Resources: [resourceOf(finding, context)],
    ...(compliance.length > 0 && { Compliance: { Status: 'FAILED', RelatedRequirements: compliance.map(nameOf) } }),
    RecordState: state,
  };
}

function resourceOf({ user, keyId, secret }: Finding, { account, partition, region }: HubContext): object {
  const common = { Partition: partition, Region: region };
  if (keyId !== undefined) return { ...common, Type: 'AwsIamAccessKey', Id: `AWS::IAM::AccessKey:${keyId}` };
  if (secret !== undefined)
    return {
      ...common,
      Type: 'AwsSecretsManagerSecret',
      Id: `arn:${partition}:secretsmanager:${region}:${account}:secret:${secret}`,
    };
  if (user.startsWith('<')) return { ...common, Type: 'AwsAccount', Id: `AWS::::Account:${account}` };
  return { ...common, Type: 'AwsIamUser', Id: `arn:${partition}:iam::${account}:user/${user}` };
}

const nameOf = ({ framework, version, id }: ComplianceName) =>
  [framework, version, id].filter((part) => part !== undefined).join(' ');

const cut = (text: string, length: number) => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);
