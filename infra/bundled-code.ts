import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssetHashType, DockerImage, type ILocalBundling } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { type Deployment, parseDeployment } from '../lambdas/contract/deployment.ts';
import { DEPLOYMENT_FILE } from '../lambdas/contract/names.ts';
import { bundle } from './bundle.ts';

const LAMBDAS = fileURLToPath(new URL('../lambdas', import.meta.url));

/**
 * The code of a function: one file with all its dependencies, the SDK included, and beside it what is deployed (`DEPLOYMENT_FILE`).
 *
 * @param entry TypeScript file that exports `handler`, relative to the project's root
 */
export function bundledCode(entry: string, deployment: Deployment): lambda.Code {
  // Read as the functions will read it: a file that they would refuse is not deployed.
  const parsed = parseDeployment(deployment);
  if (!parsed.ok) throw new Error(`the functions would refuse this deployment: ${parsed.problems.join('; ')}`);
  const content = JSON.stringify(parsed.value, null, 2);
  return lambda.Code.fromAsset(LAMBDAS, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      local: new EsbuildBundling(entry, `${content}\n`),
      // Never used: local bundling always succeeds or throws.
      image: DockerImage.fromRegistry('scratch'),
    },
  });
}

/** Bundles in this process, without Docker. */
class EsbuildBundling implements ILocalBundling {
  // CDK builds assets with equal properties once: these two tell the functions and the stacks apart.
  readonly entry: string;
  readonly deploymentDigest: string;
  readonly #content: string;

  constructor(entry: string, content: string) {
    this.entry = entry;
    this.deploymentDigest = createHash('sha256').update(content).digest('hex');
    this.#content = content;
  }

  tryBundle(outputDir: string): boolean {
    for (const { name, content } of bundle(this.entry)) writeFileSync(join(outputDir, name), content);
    writeFileSync(join(outputDir, DEPLOYMENT_FILE), this.#content);
    return true;
  }
}
