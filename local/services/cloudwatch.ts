/** CloudWatch, as far as an operator asks for alarms. */
import { texts } from '../wire/input.ts';
import type { Output } from '../wire/protocols.ts';
import type { Operation } from './registry.ts';

export const cloudWatchOperations: Readonly<Record<string, Operation>> = {
  /** Those named, in the order of their names; the ones that are not there are left out. All on one page. */
  DescribeAlarms(account, input): Output {
    const named = texts(input, 'AlarmNames');
    const alarms = [...account.cloudWatch.alarms.values()]
      .filter(({ name }) => named === undefined || named.includes(name))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return {
      MetricAlarms: alarms.map(({ name, state }) => ({ AlarmName: name, StateValue: state, ActionsEnabled: true })),
    };
  },
};
