/** The deployed configuration, read once when a function starts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Deployment, parseDeployment } from '../contract/deployment.ts';
import { DEPLOYMENT_FILE, ENV } from '../contract/names.ts';
import { RotatorError } from '../domain/errors.ts';

/**
 * Reads the file that `cdk deploy` put beside the function's code.
 *
 * @throws RotatorError DEPLOYMENT_MALFORMED, telling all problems at once
 */
export function readDeployment(environment: Readonly<Record<string, string | undefined>>): Deployment {
  const root = environment[ENV.taskRoot];
  if (root === undefined) throw malformed(`the environment has no ${ENV.taskRoot}`);
  let content: unknown;
  try {
    // Stryker disable next-line StringLiteral: JSON.parse takes bytes for UTF-8 by itself; the encoding is for the compiler.
    content = JSON.parse(readFileSync(join(root, DEPLOYMENT_FILE), 'utf8'));
  } catch (error) {
    throw malformed(`${DEPLOYMENT_FILE} beside the function can't be read as JSON`, { cause: error });
  }
  const parsed = parseDeployment(content);
  if (parsed.ok) return Object.freeze(parsed.value);
  throw malformed(`${DEPLOYMENT_FILE} is wrong: ${parsed.problems.join('; ')}`);
}

/** @throws RotatorError DEPLOYMENT_MALFORMED when the environment names no Region, which Lambda always sets */
export function readRegion(environment: Readonly<Record<string, string | undefined>>): string {
  const region = environment[ENV.region];
  if (region === undefined || region === '') throw malformed(`the environment has no ${ENV.region}`);
  return region;
}

/** @throws RotatorError DEPLOYMENT_MALFORMED when the environment names no bucket, which the template sets */
export function readReportBucket(environment: Readonly<Record<string, string | undefined>>): string {
  const bucket = environment[ENV.reportBucket];
  if (bucket === undefined || bucket === '') throw malformed(`the environment has no ${ENV.reportBucket}`);
  return bucket;
}

function malformed(found: string, options?: ErrorOptions): RotatorError {
  return new RotatorError(
    'DEPLOYMENT_MALFORMED',
    {
      found,
      expected: 'the file that the deployment of this very version writes',
      remedy: 'deploy again (npx cdk deploy)',
    },
    options,
  );
}
