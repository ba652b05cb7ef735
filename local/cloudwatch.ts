/**
 * CloudWatch, as far as alarms go: metrics, which functions log in the embedded metric format and services of the account publish, and alarms over
 * them. Alarms are evaluated from `start()` on, so that a year without them costs nothing.
 */
import type { SimulatedAccount } from './account.ts';
import { isRecord } from './wire/protocols.ts';

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

export interface AlarmDefinition {
  readonly name: string;
  readonly description: string;
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: 'Sum' | 'Maximum' | 'Minimum' | 'Average' | 'SampleCount';
  readonly periodSeconds: number;
  readonly threshold: number;
  readonly comparison: string;
  /** N of "M out of N". */
  readonly evaluationPeriods: number;
  /** M. */
  readonly datapointsToAlarm: number;
  /** @default 'missing' */
  readonly treatMissingData: string;
  /** ARNs of topics. */
  readonly alarmActions: readonly string[];
  readonly okActions: readonly string[];
}

export interface Alarm extends AlarmDefinition {
  state: AlarmState;
  /** Every state that it came into, with the time. */
  readonly changes: { readonly at: string; readonly state: AlarmState }[];
}

interface Sample {
  readonly at: number;
  readonly value: number;
}

type Verdict = 'breaching' | 'fine' | 'missing';

/** Periods before those that are evaluated in which existing data are looked for too. CloudWatch publishes no number; its table of examples shows two. */
const LOOK_BACK = 2;
const MINUTE_MS = 60_000;

export class CloudWatch {
  readonly #account: SimulatedAccount;
  readonly alarms = new Map<string, Alarm>();
  readonly #samples = new Map<string, Sample[]>();
  /** Queues by name, with their ARN: SQS tells of each how many messages it has. */
  readonly queues = new Map<string, string>();

  constructor(account: SimulatedAccount) {
    this.#account = account;
  }

  /** All values of a metric, oldest first. */
  valuesOf(namespace: string, metricName: string, dimensions: Readonly<Record<string, string>>): readonly number[] {
    return (this.#samples.get(keyOf(namespace, metricName, dimensions)) ?? []).map(({ value }) => value);
  }

  /** Publishes one value. A metric is its namespace, its name and exactly its dimensions. */
  record(namespace: string, metricName: string, dimensions: Readonly<Record<string, string>>, value: number): void {
    const key = keyOf(namespace, metricName, dimensions);
    const samples = this.#samples.get(key) ?? [];
    samples.push({ at: this.#account.clock.nowMs, value });
    this.#samples.set(key, samples);
  }

  /**
   * Takes the metrics out of a line of a log, if it is in the embedded metric format.
   *
   * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
   */
  logged(line: string): void {
    if (!line.includes('"_aws"')) return;
    const parsed: unknown = JSON.parse(line);
    if (!isRecord(parsed) || !isRecord(parsed._aws)) return;
    for (const directive of recordsIn(parsed._aws.CloudWatchMetrics)) {
      for (const names of listIn(directive.Dimensions)) {
        const dimensions = Object.fromEntries(
          listIn(names).map((name) => [String(name), String(parsed[String(name)])]),
        );
        for (const { Name } of recordsIn(directive.Metrics)) {
          for (const value of [parsed[String(Name)]].flat()) {
            this.record(String(directive.Namespace), String(Name), dimensions, Number(value));
          }
        }
      }
    }
  }

  /** An alarm of several periods has to say what missing data are: what CloudWatch does otherwise with some data and some missing is not simulated. */
  put(definition: AlarmDefinition): void {
    const { name, evaluationPeriods, treatMissingData } = definition;
    if (evaluationPeriods > 1 && !['breaching', 'notBreaching'].includes(treatMissingData))
      throw new Error(`${name}: missing data taken as ${treatMissingData}, over several periods, are not simulated`);
    this.alarms.set(definition.name, { ...definition, state: 'INSUFFICIENT_DATA', changes: [] });
  }

  /** From now on all alarms are evaluated, every so many minutes: in AWS it is each. @param everyMinutes a divisor of the periods */
  start(everyMinutes = 1): void {
    const turn = () => {
      this.#account.clock.setTimeout(turn, everyMinutes * MINUTE_MS);
      for (const [name, arn] of this.queues) {
        const waiting = this.#account.functions.queues.get(arn)?.length ?? 0;
        this.record('AWS/SQS', 'ApproximateNumberOfMessagesVisible', { QueueName: name }, waiting);
      }
      for (const alarm of this.alarms.values()) this.#evaluate(alarm);
    };
    turn();
  }

  /**
   * The documented rules. The window slides. If the range that is looked at has as many data points as are evaluated, the latest of them count, and
   * missing ones are passed over; otherwise so many missing ones as are needed are taken for what the alarm says.
   *
   * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
   */
  #evaluate(alarm: Alarm): void {
    const { evaluationPeriods: n, datapointsToAlarm: m, treatMissingData } = alarm;
    const range = Array.from({ length: n + LOOK_BACK }, (_, age) => this.#point(alarm, age));
    const existing = range.filter((verdict) => verdict !== 'missing');
    const count = (of: Verdict) => existing.slice(0, n).filter((verdict) => verdict === of).length;
    const lacking = Math.max(0, n - existing.length);
    if (lacking === n && treatMissingData === 'ignore') return;
    const breaching = count('breaching') + (treatMissingData === 'breaching' ? lacking : 0);
    const unknown = lacking === n && treatMissingData === 'missing';
    this.#become(alarm, unknown ? 'INSUFFICIENT_DATA' : breaching >= m ? 'ALARM' : 'OK');
  }

  /** One data point: the statistic over a period that ended `age` periods ago. */
  #point(alarm: Alarm, age: number): Verdict {
    const { namespace, metricName, dimensions, periodSeconds, threshold, comparison } = alarm;
    const end = this.#account.clock.nowMs - age * periodSeconds * 1000;
    const start = end - periodSeconds * 1000;
    const samples = this.#samples.get(keyOf(namespace, metricName, dimensions)) ?? [];
    const from = samples.findLastIndex(({ at }) => at <= start) + 1;
    const values = samples.slice(from).flatMap(({ at, value }) => (at <= end ? [value] : []));
    if (values.length === 0) return 'missing';
    const value = statistic(alarm.statistic, values);
    const compare: Record<string, boolean> = {
      GreaterThanOrEqualToThreshold: value >= threshold,
      GreaterThanThreshold: value > threshold,
      LessThanThreshold: value < threshold,
      LessThanOrEqualToThreshold: value <= threshold,
    };
    const breaches = compare[comparison];
    if (breaches === undefined) throw new Error(`The comparison ${comparison} is not simulated`);
    return breaches ? 'breaching' : 'fine';
  }

  /** Actions follow a change of state, and nothing else. */
  #become(alarm: Alarm, state: AlarmState): void {
    if (alarm.state === state) return;
    const old = alarm.state;
    alarm.state = state;
    alarm.changes.push({ at: this.#account.clock.now().toISOString(), state });
    const actions = { ALARM: alarm.alarmActions, OK: alarm.okActions, INSUFFICIENT_DATA: [] }[state];
    for (const arn of actions) {
      const message = {
        AlarmName: alarm.name,
        AlarmDescription: alarm.description,
        NewStateValue: state,
        OldStateValue: old,
      };
      this.#account.topics.publish(
        arn,
        'cloudwatch.amazonaws.com',
        JSON.stringify(message),
        `${state}: "${alarm.name}"`,
      );
    }
  }
}

function statistic(name: AlarmDefinition['statistic'], values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  switch (name) {
    case 'Sum':
      return sum;
    case 'Average':
      return sum / values.length;
    case 'Maximum':
      return Math.max(...values);
    case 'Minimum':
      return Math.min(...values);
    case 'SampleCount':
      return values.length;
  }
}

function keyOf(namespace: string, metricName: string, dimensions: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([namespace, metricName, sorted]);
}

const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const recordsIn = (value: unknown) => listIn(value).filter(isRecord);
