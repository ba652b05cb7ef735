/** Functions as they lie on disk in Lambda: the bundle and, beside it, what is deployed. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BundledFile, bundle } from '../infra/bundle.ts';
import type { Deployment } from '../lambdas/contract/deployment.ts';
import { DEPLOYMENT_FILE, ENV, PROJECT, SERVICES } from '../lambdas/contract/names.ts';

export const FUNCTIONS = ['rotate', 'retire', 'audit', 'notify', 'respond'] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

export const REGION = 'eu-central-1';
/** Where the audit writes. */
export const BUCKET = 'reports-of-the-audit';
/** As infra/ sets them for each function (NODE_OPTIONS). */
export const NODE_OPTIONS = ['--enable-source-maps'];
/** Those of the audit, by infra/audit.ts. */
export const AUDIT_NODE_OPTIONS = [...NODE_OPTIONS, '--max-semi-space-size=4'];

/** Files of a function's bundle. */
export function bundleOf(name: FunctionName): BundledFile[] {
  return bundle(`lambdas/${name}/handler.ts`);
}

/** Writes files below a folder, in one of their own with what is deployed, and gives its path. */
export function writeTaskRoot(
  folder: string,
  name: string,
  files: readonly BundledFile[],
  deployment: Deployment,
): string {
  const root = join(folder, name);
  mkdirSync(root);
  for (const file of files) writeFileSync(join(root, file.name), file.content);
  writeFileSync(join(root, DEPLOYMENT_FILE), JSON.stringify(deployment));
  return root;
}

/** The environment of a function's process, without anything of this one's. */
export function environment(root: string): Record<string, string> {
  return {
    [ENV.taskRoot]: root,
    [ENV.region]: REGION,
    [ENV.serviceName]: SERVICES.retire,
    [ENV.metricsNamespace]: PROJECT,
    // Only the audit has one.
    [ENV.reportBucket]: BUCKET,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
}

/** Does something with a temporary folder, which is gone afterwards. */
export async function withFolder<T>(work: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
