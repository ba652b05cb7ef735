/** EventBridge Scheduler, as far as an operator asks for schedules. */
import type { SimulatedAccount } from '../account.ts';
import { AwsError } from '../model.ts';
import { text } from '../wire/input.ts';
import type { Input, Output } from '../wire/protocols.ts';
import { restJsonProtocol } from '../wire/rest-json.ts';
import type { Operation } from './registry.ts';

/** https://docs.aws.amazon.com/scheduler/latest/APIReference/API_GetSchedule.html */
export const schedulerProtocol = restJsonProtocol({
  GetSchedule: { method: 'GET', path: /^\/schedules\/(?<Name>[^/]+)$/ },
});

export const schedulerOperations: Readonly<Record<string, Operation>> = {
  GetSchedule(account, input): Output {
    const name = text(input, 'Name');
    const schedule = account.scheduler.schedules.find((one) => one.name === name);
    if (schedule === undefined) {
      throw new AwsError('ResourceNotFoundException', `Schedule ${name} does not exist.`, 404);
    }
    return {
      Name: name,
      State: 'ENABLED',
      ScheduleExpression: schedule.expression,
      Target: { Arn: schedule.targetArn, RoleArn: schedule.roleArn ?? '' },
    };
  },
};

/** The ARN of the schedule that a call is about. */
export const scheduleResource = (account: SimulatedAccount, input: Input): string =>
  `arn:aws:scheduler:${account.region}:${account.id}:schedule/default/${text(input, 'Name')}`;
