/** The CDK app: reads the configuration and makes a stack of each target. `-c config=<path>` takes another file than rotator.config.ts. */
import { App } from 'aws-cdk-lib';
import { addStacks } from './add-stacks.ts';
import { ConfigError, describeWarning, type ResolvedConfig } from './config/index.ts';
import { ConfigFileError, loadConfig } from './load-config.ts';

const app = new App({ autoSynth: false });
try {
  const config = await loadConfig(app.node.tryGetContext('config'));
  addStacks(app, config);
  app.synth();
  // The CDK CLI, which sets this variable, shows the same warnings as annotations.
  if (process.env.CDK_OUTDIR === undefined) printWarnings(config);
} catch (error) {
  // What is wrong with the configuration is said in words; where in this program it was noticed helps nobody.
  if (!(error instanceof ConfigError || error instanceof ConfigFileError)) throw error;
  process.stderr.write(`\n${error.message}\n\n`);
  process.exitCode = 1;
}

function printWarnings({ targets }: ResolvedConfig): void {
  const warnings = targets.flatMap((target) => target.keys.flatMap((key) => key.warnings));
  for (const warning of warnings) process.stderr.write(`warning: ${describeWarning(warning)}\n`);
}
