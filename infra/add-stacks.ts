import type { App } from 'aws-cdk-lib';
import type { ResolvedConfig } from './config/index.ts';
import { RotatorStack } from './rotator-stack.ts';

/** A stack for each target. A target without account and Region gives a template that deploys anywhere. */
export function addStacks(app: App, config: ResolvedConfig): RotatorStack[] {
  return config.targets.map((target) => {
    const { stackName, account, region } = target;
    const env = { ...(account === undefined ? {} : { account }), ...(region === undefined ? {} : { region }) };
    return new RotatorStack(app, stackName, { env, target, config });
  });
}
