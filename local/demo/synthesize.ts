/** Synthesizes the CDK app as `cdk synth` would, in a process of its own: without the CLI, an AWS account or a network. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Deployment, parseDeployment } from '../../lambdas/contract/deployment.ts';
import { DEPLOYMENT_FILE } from '../../lambdas/contract/names.ts';

const PROJECT_ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The CDK app gave no cloud assembly; the message ends with what it printed. */
export class SynthesisFailedError extends Error {
  override readonly name = 'SynthesisFailedError';
  readonly code = 'SYNTHESIS_FAILED';
}

/**
 * Writes the cloud assembly of a configuration into a folder.
 *
 * @param config path of the configuration, from the root
 * @throws SynthesisFailedError
 */
export async function synthesize(folder: string, config = 'local/demo/rotator.config.ts'): Promise<void> {
  const { context }: { context: Record<string, unknown> } = JSON.parse(
    readFileSync(join(PROJECT_ROOT, 'cdk.json'), 'utf8'),
  );
  const env = { ...process.env, CDK_OUTDIR: folder, CDK_CONTEXT_JSON: JSON.stringify({ ...context, config }) };
  const child = spawn(process.execPath, ['infra/app.ts'], {
    cwd: PROJECT_ROOT,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  const ended = await new Promise<string | undefined>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => {
      resolve(status === 0 ? undefined : signal === null ? `exited with ${status}` : `was ended by ${signal}`);
    });
  });
  if (ended !== undefined) throw new SynthesisFailedError(`node infra/app.ts ${ended}:\n${said}`);
}

/** What the assembly tells its functions: the file beside their bundles, the same for all functions of the one stack. */
export function deploymentOf(folder: string): Deployment {
  const asset = readdirSync(folder).find(
    (name) => name.startsWith('asset.') && readdirSync(join(folder, name)).includes(DEPLOYMENT_FILE),
  );
  if (asset === undefined) throw new SynthesisFailedError(`The cloud assembly has no asset with a ${DEPLOYMENT_FILE}`);
  const parsed = parseDeployment(JSON.parse(readFileSync(join(folder, asset, DEPLOYMENT_FILE), 'utf8')));
  if (!parsed.ok) throw new SynthesisFailedError(`${DEPLOYMENT_FILE} is wrong: ${parsed.problems.join('; ')}`);
  return parsed.value;
}
