import type { Construct } from 'constructs';
import { Schedule, type ScheduleProps } from './schedule.ts';

/** Starts the retire pass. */
export class RetireSchedule extends Schedule {
  constructor(scope: Construct, id: string, props: Omit<ScheduleProps, 'starts' | 'does'>) {
    super(scope, id, {
      ...props,
      starts: 'the retire pass',
      does: 'disables and deletes superseded keys that are due',
    });
  }
}
