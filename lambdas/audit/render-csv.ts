/** The findings as CSV, for spreadsheets. */
import { csvRecord } from './csv.ts';
import type { AuditReport, ComplianceName } from './report.ts';

const COLUMNS = ['severity', 'check', 'user', 'key_id', 'secret', 'finding', 'evidence', 'remedy', 'compliance', 'id'];

/** One record a finding, in the order of the report. */
export function renderCsv({ findings }: AuditReport): string {
  const records = findings.map(
    ({ severity, check, user, keyId = '', secret = '', title, evidence, remedy, compliance, id }) =>
      csvRecord([severity, check, user, keyId, secret, title, evidence, remedy, compliance.map(name).join('; '), id]),
  );
  return [csvRecord(COLUMNS), ...records].join('');
}

const name = ({ framework, version, id }: ComplianceName) =>
  [framework, version, id].filter((part) => part !== undefined).join(' ');
