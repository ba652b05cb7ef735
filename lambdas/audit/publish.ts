/** Writing a report: in an order in which half of it is never taken for the whole. */
import type { Deployment } from '../contract/deployment.ts';
import type { FindingSink, ReportStore } from '../domain/audit.ts';
import { type AuditOptions, type AuditWorld, runAudit } from './audit.ts';
import { renderPage } from './page/index.ts';
import { renderCsv } from './render-csv.ts';
import type { AuditReport, Severity } from './report.ts';
import { tellSecurityHub } from './security-hub.ts';

/** Names the newest whole report; written last. */
export const LATEST = 'reports/latest.json';

/** What `LATEST` says: names of objects in the same bucket. */
export interface Latest {
  readonly at: string;
  readonly json: string;
  readonly csv: string;
  readonly html: string;
}

/**
 * Writes page, CSV and JSON under names of this audit's own, and then, when all three are there, the pointer to them. S3 writes an object whole or
 * not at all, and whoever reads after that reads the new one: a reader who begins with the pointer, or with a folder's `report.json`, which
 * is the last of the three, has a whole report.
 *
 * @returns where it is
 * @throws AwsCallError; what was written by then is under no pointer, and its folder has no report.json
 */
export async function publish(report: AuditReport, store: ReportStore): Promise<Latest> {
  const [day = '', time = ''] = report.at.split('T');
  const folder = `reports/${day.replaceAll('-', '/')}/${time.replaceAll(':', '')}`;
  const names: Latest = {
    at: report.at,
    json: `${folder}/report.json`,
    csv: `${folder}/report.csv`,
    html: `${folder}/report.html`,
  };
  await store.put(names.html, 'text/html; charset=utf-8', renderPage(report));
  await store.put(names.csv, 'text/csv; charset=utf-8', renderCsv(report));
  await store.put(names.json, 'application/json', `${JSON.stringify(report)}\n`);
  await store.put(LATEST, 'application/json', `${JSON.stringify(names)}\n`);
  return names;
}

/** What a scheduled audit may reach. */
export interface PublishWorld extends AuditWorld {
  readonly store: ReportStore;
  readonly hub: FindingSink;
}

/** What a scheduled audit tells. */
export interface Published {
  readonly findings: Readonly<Record<Severity, number>>;
  readonly users: number;
  readonly keys: number;
  readonly latest: Latest;
}

/**
 * Audits the account, writes the report, and tells Security Hub if the deployment says so.
 *
 * @throws RotatorError, AwsCallError; nothing is written unless the audit got through
 */
export async function auditAndPublish(
  world: PublishWorld,
  deployment: Deployment,
  options: AuditOptions,
): Promise<Published> {
  const report = await runAudit(world, deployment, options);
  const latest = await publish(report, world.store);
  if ((options.policy ?? deployment.audit)?.securityHub === true) await tellSecurityHub(report, world.store, world.hub);
  const { findings, users, keys } = report.summary;
  return { findings, users, keys, latest };
}
