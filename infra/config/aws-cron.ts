/**
 * The cron expressions that Secrets Manager takes for a rotation schedule, and when they fire.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
 */
import { CronExpressionParser } from 'cron-parser';

export interface CronTimes {
  /** Seconds between the two runs that follow each other most closely. */
  readonly shortestGap: number;
  /** Seconds between the two runs that are furthest apart. */
  readonly longestGap: number;
  /** The latest hour of the day, UTC, in which it fires. */
  readonly latestHour: number;
  /** The earliest hour of the day, UTC, in which it fires. */
  readonly earliestHour: number;
}

const HOURS = /^(\*|\d{1,2}(-\d{1,2})?)(\/\d{1,2})?(,\d{1,2}(-\d{1,2})?(\/\d{1,2})?)*$/;
const DAYS_OF_MONTH = /^(\?|L|(\*|\d{1,2}(-\d{1,2})?)(\/\d{1,2})?(,\d{1,2}(-\d{1,2})?(\/\d{1,2})?)*)$/;
const MONTHS = /^(\*|\d{1,2}|[A-Z]{3})([-,/](\d{1,2}|[A-Z]{3}))*$/i;
const DAYS_OF_WEEK = /^(\?|\*|[1-7]?L|([1-7]|[A-Z]{3})(#[1-5])?|([1-7]|[A-Z]{3})([-,/]([1-7]|[A-Z]{3}))*)$/i;

/** Four years from here have every length of month and a leap day. Fixed, so that the same configuration always gives the same answer. */
const FROM = '2024-12-31T23:59:59Z';
const UNTIL = Date.UTC(2029, 0, 1);

/**
 * When `expression` fires.
 *
 * @returns the gaps between runs, or in words why Secrets Manager would refuse it
 */
export function readAwsCron(expression: string): CronTimes | string {
  const inner = /^cron\((.*)\)$/.exec(expression.trim())?.[1];
  if (inner === undefined) return 'cron(…) around six fields';
  const [minute, hour, dayOfMonth, month, dayOfWeek, year, ...more] = inner.trim().split(/\s+/);
  if (
    minute === undefined ||
    hour === undefined ||
    dayOfMonth === undefined ||
    month === undefined ||
    dayOfWeek === undefined ||
    year === undefined ||
    more.length > 0
  ) {
    return 'six fields: minutes, hours, day of month, month, day of week, year';
  }
  if (minute !== '0') return '0 in the minutes field: windows open on the hour';
  if (!HOURS.test(hour)) return 'hours from 0 to 23';
  if (!DAYS_OF_MONTH.test(dayOfMonth)) return 'days of the month from 1 to 31, L, * or ?';
  if (!MONTHS.test(month)) return 'months from 1 to 12, JAN to DEC, or *';
  if (!DAYS_OF_WEEK.test(dayOfWeek)) return 'days of the week from 1 (Sunday) to 7, SUN to SAT, L, #, * or ?';
  if (year !== '*') return '* in the year field';
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    return '? in exactly one of day of month and day of week';
  }
  const unix = `0 ${hour} ${dayOfMonth.replace('?', '*')} ${month} ${toUnixDayOfWeek(dayOfWeek)}`;
  try {
    return times(unix);
  } catch {
    // The parser's own words are about its own, different syntax.
    return 'fields inside their ranges, on a date that exists';
  }
}

/** AWS counts the days of the week from 1, Sunday, cron from 0. */
function toUnixDayOfWeek(field: string): string {
  if (field === '?') return '*';
  if (field === 'L') return '6';
  return field.replace(/(^|[-,])([1-7])/g, (_, before: string, day: string) => `${before}${Number(day) - 1}`);
}

function times(unix: string): CronTimes {
  const runs = CronExpressionParser.parse(unix, { currentDate: FROM, tz: 'UTC' });
  let previous = runs.next().getTime();
  let shortest = Number.POSITIVE_INFINITY;
  let longest = 0;
  const hours = new Set([new Date(previous).getUTCHours()]);
  while (previous < UNTIL) {
    const next = runs.next().getTime();
    shortest = Math.min(shortest, next - previous);
    longest = Math.max(longest, next - previous);
    hours.add(new Date(next).getUTCHours());
    previous = next;
  }
  return {
    shortestGap: shortest / 1_000,
    longestGap: longest / 1_000,
    latestHour: Math.max(...hours),
    earliestHour: Math.min(...hours),
  };
}
