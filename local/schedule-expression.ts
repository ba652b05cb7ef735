/** `rate(…)` and `cron(…)` as EventBridge and Secrets Manager write them, in UTC. */
import { CronExpressionParser } from 'cron-parser';

const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

export type ScheduleExpression =
  | { readonly kind: 'rate'; readonly everyMs: number; readonly unit: keyof typeof UNIT_MS }
  | { readonly kind: 'cron'; readonly next: (after: number) => number };

/** Reads an expression; throws if it is neither, or not valid. */
export function parseSchedule(expression: string): ScheduleExpression {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  const [, count, unit] = rate ?? [];
  if (count !== undefined && (unit === 'minute' || unit === 'hour' || unit === 'day') && Number(count) > 0) {
    return { kind: 'rate', everyMs: Number(count) * UNIT_MS[unit], unit };
  }
  const fields = /^cron\((.+)\)$/.exec(expression)?.[1]?.trim().split(/\s+/);
  const [minute, hour, dayOfMonth, month, dayOfWeek, year] = fields ?? [];
  if (fields?.length !== 6 || dayOfWeek === undefined || year !== '*') {
    throw new Error(
      `Not a schedule that is simulated: ${expression}; give rate(N minutes|hours|days) or cron(M H D M W *)`,
    );
  }
  // AWS counts weekdays from SUN=1, cron from SUN=0; the number after `#` is the week of the month.
  const weekday = dayOfWeek.replace(/(?<!#)\d/g, (digit) => String(Number(digit) - 1));
  const cron = [minute, hour, dayOfMonth, month, weekday].join(' ').replaceAll('?', '*');
  const parse = (after: number) => CronExpressionParser.parse(cron, { currentDate: new Date(after), tz: 'UTC' });
  parse(0);
  return { kind: 'cron', next: (after) => parse(after).next().getTime() };
}
