import type { IfInUse, Mode, OnLeak } from '../../lambdas/contract/deployment.ts';
import type { FormatName } from '../../lambdas/contract/formats.ts';
import type { ConsumerName } from './consumers.ts';

/**
 * A whole number and a unit: `'30d'` days, `'12h'` hours, `'15m'` minutes, `'90s'` seconds.
 * A day is 24 hours.
 */
export type DurationText = `${number}${'d' | 'h' | 'm' | 's'}`;

/**
 * When a key rotates, in UTC. Secrets Manager picks a time inside the window.
 *
 * - `'30d'`, `'12h'`: every 30 days, every 12 hours. Whole hours, at least 4.
 * - `{ every: '30d', window: '4h' }`: the same, inside a window that opens at midnight.
 * - `{ cron: 'cron(0 3 ? * SUN *)', window: '4h' }`: six fields, on the hour, any year. The window may not reach into the next day.
 */
export type ScheduleInput =
  | DurationText
  | { readonly every: DurationText; readonly window?: DurationText }
  | { readonly cron: string; readonly window?: DurationText };

/** A copy of the secret in another Region. */
export interface ReplicaInput {
  readonly region: string;
  /**
   * ARN of the KMS key there that encrypts the copy.
   * @default - the AWS managed key `aws/secretsmanager` of that Region
   */
  readonly kmsKeyArn?: string;
}

/** Who else may touch a secret that is otherwise closed to all but its readers and the rotator. */
export interface ExclusiveInput {
  /** ARN of the role that may read and write the secret in an emergency. */
  readonly breakGlassRoleArn: string;
}

/** Something that reads a secret, and how long after a rotation it may still use the key before. */
export interface ConsumerInput {
  /** Any name; it is what a warning says. */
  readonly name: string;
  /** Worst staleness: the longest that a value is cached, or that a process runs which was started with one. */
  readonly staleFor: DurationText;
}

/** The fields of the secret's JSON under names of one's own. */
export interface FieldNamesInput {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /**
   * Holds the name of the user. It is always written, and always checked.
   * @default 'UserName'
   */
  readonly userName?: string | undefined;
  /** @default 'CreateDate' */
  readonly createDate?: string | undefined;
}

/**
 * Which field of the secret's JSON holds what.
 *
 * - `'credential-process'`: `Version`, `AccessKeyId`, `SecretAccessKey`, `UserName`, `CreateDate`.
 * - `'env'`: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `IAM_USER_NAME`, `IAM_KEY_CREATE_DATE`.
 */
export type FormatInput = FormatName | FieldNamesInput;

/** A Region of SES whose SMTP credentials stand in the secret too; its code alone, or with the names of the fields. */
export type SesSmtpInput =
  | string
  | {
      readonly region: string;
      /**
       * Holds the SMTP user name, which is the id of the access key. Regions may share it.
       * @default 'SES_SMTP_USERNAME'
       */
      readonly usernameField?: string | undefined;
      /** @default - `SES_SMTP_PASSWORD_` and the Region, such as `SES_SMTP_PASSWORD_EU_WEST_1` */
      readonly passwordField?: string | undefined;
    };

/** What may stand in `defaults` as well as with a key. The key's own word wins. */
export interface PolicyInput {
  /** @default '30d' */
  readonly schedule?: ScheduleInput;
  /**
   * Overlap: how long a superseded key stays Active. `'0d'` disables it the moment the new key is current.
   * @default '3d'
   */
  readonly deactivateAfter?: DurationText;
  /**
   * A use of the old key this soon after the promotion doesn't hold it: applications are still switching.
   * @default '4h'
   */
  readonly settle?: DurationText;
  /**
   * What becomes of a key that is still in use when its overlap is over: `'hold'` waits, `'disable'` doesn't.
   * @default 'hold'
   */
  readonly ifInUse?: IfInUse;
  /**
   * How long a key in use is held at most, from the end of the overlap.
   * @default '14d'
   */
  readonly holdAtMost?: DurationText;
  /**
   * A key that was not used for this long is no longer in use.
   * @default '8d'
   */
  readonly quietFor?: DurationText;
  /**
   * Recovery: how long a disabled key stays before it is deleted. Until then it can be switched on again.
   * @default '7d'
   */
  readonly deleteAfter?: DurationText;
  /**
   * `'observe'` changes nothing, creates no rotation schedule, and reports what it would do.
   * @default 'enforce'
   */
  readonly mode?: Mode;
  /**
   * Further Regions whose STS must know a new key before it becomes current.
   * @default []
   */
  readonly verifyRegions?: readonly string[];
  /**
   * What a leaked current key is answered with: `'rotate-then-disable'` disables it as soon as a new key is current, `'disable-first'` at once,
   * before its applications have another one.
   * @default 'rotate-then-disable'
   */
  readonly onLeak?: OnLeak;
  /**
   * Rotate when the schedule is first deployed (which puts the first key into the secret) and whenever it is changed.
   * @default true
   */
  readonly rotateOnDeploy?: boolean;
  /**
   * IAM path of the user.
   * @default '/'
   */
  readonly userPath?: string;
  /**
   * Create the IAM user in the stack. It is kept when the stack goes.
   * @default false
   */
  readonly createUser?: boolean;
  /**
   * ARNs of the roles that may read the secret; granted by the secret's resource policy.
   * @default []
   */
  readonly readers?: readonly string[];
  /**
   * The user itself may read the secret: for applications whose only credentials are the rotated ones. They read the next key with the last one,
   * within its overlap.
   * @default false
   */
  readonly userReads?: boolean;
  /**
   * What reads the secret: known kinds by their name, others with their staleness. Only checked, against the overlap.
   * @default []
   */
  readonly consumers?: readonly (ConsumerName | ConsumerInput)[];
  /**
   * ARNs of the roles that may put the ledger right by hand: the tags `iam-key-rotator:*` of the secret, which are otherwise left to the rotator and
   * to CloudFormation. IAM must let them tag, too.
   * @default []
   */
  readonly ledgerOperators?: readonly string[];
  /**
   * ARN of the KMS key that encrypts the secret.
   * @default - the AWS managed key `aws/secretsmanager`
   */
  readonly kmsKeyArn?: string;
  /**
   * Copies of the secret in other Regions.
   * @default []
   */
  readonly replicas?: readonly ReplicaInput[];
  /**
   * Deny reading and writing the secret to everyone but `readers`, `ledgerOperators` (its tags only), the rotator, CloudFormation and this role.
   * @default - whoever IAM allows may read and write it, but for the tags of the ledger
   */
  readonly exclusive?: ExclusiveInput;
  /**
   * The form of the secret's JSON. A change takes effect with the next rotation.
   * @default 'credential-process'
   */
  readonly format?: FormatInput;
  /**
   * Regions of SES whose SMTP user name and password are derived from each new key, and stand in the secret too.
   * @default []
   */
  readonly sesSmtp?: readonly SesSmtpInput[];
}

/** One IAM user and the secret that holds its key. */
export interface KeyInput extends PolicyInput {
  /** Name of the IAM user, without its path. */
  readonly user: string;
  /** @default 'iam-key-rotator/<user>' */
  readonly secretName?: string;
  /**
   * A hand-made access key of the user that is to be retired once the rotator's first key is current: its id, or `'only-key'` for the one that
   * the user has when that first key is made. A user without a key has none adopted then, and none later; one with two is refused.
   * @default - any key that the rotator didn't make is left alone
   */
  readonly adopt?: string;
}

/** One stack: an account, a Region and the keys there. */
export interface TargetInput {
  /** Unique; the stack is called `<name of the deployment>-<name>`. */
  readonly name: string;
  /** @default - the account of the credentials that deploy */
  readonly account?: string;
  /** @default - the Region of the credentials that deploy */
  readonly region?: string;
  readonly keys: readonly KeyInput[];
}

/** What the audit of the whole account goes by. */
export interface AuditInput {
  /**
   * How often it runs: whole hours, from `'6h'` to `'6d'`. IAM makes a credential report at most every four hours.
   * @default '1d'
   */
  readonly every?: DurationText;
  /**
   * An Active key older than this is a finding. Whole days, as the two below.
   * @default '90d'
   */
  readonly maxKeyAge?: DurationText;
  /**
   * An Active key last used longer ago than this is a finding.
   * @default '45d'
   */
  readonly unusedFor?: DurationText;
  /**
   * An Active key that was never used and is older than this is a finding.
   * @default '45d'
   */
  readonly neverUsedFor?: DurationText;
  /**
   * Import the findings into Security Hub, which must be enabled in the account and Region.
   * @default false
   */
  readonly securityHub?: boolean;
  /**
   * How long reports are kept. Whole days, at least 7.
   * @default '365d'
   */
  readonly keepReportsFor?: DurationText;
}

/** Who is told, and how. One of the two. */
export interface NoticesInput {
  /**
   * Addresses that get what needs somebody by e-mail. AWS asks each of them to confirm.
   * @default []
   */
  readonly emails?: readonly string[];
  /**
   * ARN of an SNS topic of one's own, in the stack's Region, which EventBridge and CloudWatch may publish to.
   * @default - a topic in the stack
   */
  readonly topicArn?: string;
}

/** When an alarm is raised. */
export interface AlarmsInput {
  /**
   * How much later than its period a rotation may be before the key counts as overdue.
   * @default '2d'
   */
  readonly overdueMargin?: DurationText;
  /**
   * A key that is held for longer raises an alarm.
   * @default '7d'
   */
  readonly holdLongerThan?: DurationText;
  /**
   * ARNs of SNS topics that get every alarm besides the topic of the notices, such as that of a pager.
   * @default []
   */
  readonly actions?: readonly string[];
}

/** What `rotator.config.ts` says. Exactly one of `keys` and `targets`. */
export interface RotatorConfig {
  /**
   * Name of the deployment: of its stack, and in the tag that marks its secrets.
   * @default 'iam-key-rotator'
   */
  readonly name?: string;
  /**
   * The most keys that one retire pass disables or deletes; it stops there and says so.
   * @default 25
   */
  readonly maxChangesPerRun?: number;
  /**
   * How often the retire pass runs: whole minutes, from `'15m'` to `'1d'`.
   * @default '1h'
   */
  readonly retireEvery?: DurationText;
  /** The audit of the account: how often, and what it counts as too old or unused. */
  readonly audit?: AuditInput;
  /** Who is told of what needs somebody. */
  readonly notices?: NoticesInput;
  /** When alarms are raised. */
  readonly alarms?: AlarmsInput;
  /**
   * Where the runbook is to be read: alarms and notices link its sections. An address, or a path.
   * @default 'docs/runbook.md'
   */
  readonly runbookUrl?: string;
  /** Policy of every key that doesn't say otherwise. */
  readonly defaults?: PolicyInput;
  /** The keys of one stack that is not bound to an account or Region. */
  readonly keys?: readonly KeyInput[];
  /** One stack each. */
  readonly targets?: readonly TargetInput[];
}
