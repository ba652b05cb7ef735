/**
 * Rotation schedules: from the configuration's words to those of CloudFormation.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-secretsmanager-rotationschedule-rotationrules.html
 */
import { readAwsCron } from './aws-cron.ts';
import { DAY, formatDuration, HOUR, parseDuration } from './duration.ts';

/** `RotationRules` of `AWS::SecretsManager::RotationSchedule`. `automaticallyAfterDays` excludes `scheduleExpression`. */
export interface RotationRules {
  readonly automaticallyAfterDays?: number;
  readonly scheduleExpression?: string;
  /** Length of the window, such as `4h`. */
  readonly duration?: string;
}

/** A schedule that Secrets Manager accepts. All durations in seconds. */
export interface RotationSchedule {
  readonly rules: RotationRules;
  /** The least time between two runs, windows left aside. */
  readonly shortestGap: number;
  readonly longestGap: number;
  /** How long the window stays open in which Secrets Manager picks the moment. */
  readonly window: number;
}

/** Why a schedule was refused. */
export interface ScheduleRefusal {
  readonly expected: string;
  readonly fix: string;
}

const SHORTEST = 4 * HOUR;
const LONGEST_DAYS = 1_000;
/** rate(…) ends one day earlier than AutomaticallyAfterDays does. */
const LONGEST_RATE_DAYS = 999;

const FORMS = "'30d', '12h', { every: '30d', window: '4h' } or { cron: 'cron(0 3 ? * SUN *)', window: '4h' }";

const refuse = (expected: string, fix: string): ScheduleRefusal => ({ expected, fix });

export const isRefusal = (result: RotationSchedule | ScheduleRefusal): result is ScheduleRefusal =>
  'expected' in result;

/** Reads a schedule as the configuration writes it. */
export function readSchedule(value: unknown): RotationSchedule | ScheduleRefusal {
  if (typeof value === 'string') {
    return value.startsWith('cron(') ? readCron(value, undefined) : readEvery(value, undefined);
  }
  if (typeof value !== 'object' || value === null)
    return refuse(`one of ${FORMS}`, 'write the schedule in one of these forms');
  const { every, cron, window, ...others } = value as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return refuse(`one of ${FORMS}`, `remove '${unknown}'`);
  if ((every === undefined) === (cron === undefined)) {
    return refuse("either 'every' or 'cron'", every === undefined ? 'add one of them' : 'remove one of them');
  }
  const seconds = window === undefined ? undefined : readWindow(window);
  if (window !== undefined && seconds === undefined) {
    return refuse("a window of whole hours from '1h' to '24h'", "write the window like '4h'");
  }
  return cron === undefined ? readEvery(every, seconds) : readCron(cron, seconds);
}

function readWindow(value: unknown): number | undefined {
  const seconds = typeof value === 'string' ? parseDuration(value) : undefined;
  return seconds !== undefined && seconds >= HOUR && seconds <= DAY && seconds % HOUR === 0 ? seconds : undefined;
}

function readEvery(value: unknown, window: number | undefined): RotationSchedule | ScheduleRefusal {
  const seconds = typeof value === 'string' ? parseDuration(value) : undefined;
  if (seconds === undefined) {
    return refuse("a whole number of days or hours, such as '30d' or '12h'", `write the schedule as one of ${FORMS}`);
  }
  if (seconds === 0) {
    return refuse(
      'a period longer than 0',
      "write how long a key is to live, such as '30d'; to stop rotating, use mode 'observe'",
    );
  }
  if (seconds < SHORTEST || seconds % HOUR !== 0) {
    return refuse(
      'whole hours, at least 4: Secrets Manager rotates no more often',
      "use '4h' or longer, such as '30d'",
    );
  }
  const longest = window === undefined ? LONGEST_DAYS : LONGEST_RATE_DAYS;
  if (seconds > longest * DAY) return refuse(`at most ${longest} days`, `use '${longest}d' or shorter`);
  if (window !== undefined && window > seconds) {
    return refuse('a window no longer than the period', `use a window of '${formatDuration(seconds)}' or shorter`);
  }
  const wholeDays = seconds % DAY === 0;
  return {
    rules: everyRules(seconds, wholeDays, window),
    shortestGap: seconds,
    longestGap: seconds,
    window: window ?? (wholeDays ? DAY : HOUR),
  };
}

function everyRules(seconds: number, wholeDays: boolean, window: number | undefined): RotationRules {
  if (wholeDays && window === undefined) return { automaticallyAfterDays: seconds / DAY };
  const [amount, unit] = wholeDays ? [seconds / DAY, 'day'] : [seconds / HOUR, 'hour'];
  return {
    scheduleExpression: `rate(${amount} ${unit}${amount === 1 ? '' : 's'})`,
    ...(window === undefined ? {} : { duration: `${window / HOUR}h` }),
  };
}

function readCron(value: unknown, window: number | undefined): RotationSchedule | ScheduleRefusal {
  if (typeof value !== 'string') return refuse("a cron expression such as 'cron(0 3 ? * SUN *)'", 'write it as text');
  const times = readAwsCron(value);
  if (typeof times === 'string') {
    return refuse(`an AWS cron expression: ${times}`, "write it like 'cron(0 3 ? * SUN *)', every Sunday at 03:00 UTC");
  }
  if (times.shortestGap < SHORTEST) {
    return refuse(
      `at least 4 hours between two rotations; these are ${formatDuration(times.shortestGap)} apart`,
      'name fewer hours in the second field',
    );
  }
  const untilMidnight = DAY - times.latestHour * HOUR;
  if (window !== undefined && window > untilMidnight) {
    return refuse(
      `a window that ends on the same UTC day: from ${times.latestHour}:00 there are ${formatDuration(untilMidnight)} left`,
      `use a window of '${untilMidnight / HOUR}h' or shorter, or an earlier hour`,
    );
  }
  if (window !== undefined && window > times.shortestGap) {
    return refuse(
      `a window no longer than the ${formatDuration(times.shortestGap)} between two rotations`,
      `use a window of '${formatDuration(times.shortestGap)}' or shorter`,
    );
  }
  return {
    rules: { scheduleExpression: value.trim(), ...(window === undefined ? {} : { duration: `${window / HOUR}h` }) },
    shortestGap: times.shortestGap,
    longestGap: times.longestGap,
    window: window ?? (times.shortestGap < DAY ? HOUR : DAY - times.earliestHour * HOUR),
  };
}
