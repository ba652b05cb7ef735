import type { App } from 'aws-cdk-lib';
import type { ResolvedConfig } from './config/index.ts';
import { GLOBAL_EVENTS_REGION } from './leak-rules.ts';
import { LeakSignalsStack } from './leak-signals.ts';
import { RotatorStack } from './rotator-stack.ts';

/**
 * A stack for each target, and beside it `<stackName>-leak-signals` in us-east-1 where the target's Region is another one. A target without account
 * and Region gives a template that deploys anywhere, and hears of leaks only in us-east-1.
 *
 * @returns the former
 */
export function addStacks(app: App, config: ResolvedConfig): RotatorStack[] {
  return config.targets.map((target) => {
    const { stackName, account, region } = target;
    const env = { ...(account === undefined ? {} : { account }), ...(region === undefined ? {} : { region }) };
    if (region !== undefined && region !== GLOBAL_EVENTS_REGION) {
      const inAccount = account === undefined ? {} : { account };
      new LeakSignalsStack(app, `${stackName}-leak-signals`, { ...inAccount, forwardTo: region });
    }
    return new RotatorStack(app, stackName, { env, target, config });
  });
}
