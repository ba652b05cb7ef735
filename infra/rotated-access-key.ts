import { Duration, RemovalPolicy, SecretValue, Stack, Tags, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct, type IDependable } from 'constructs';
import type { DeployedKey, IfInUse, Mode, OnLeak } from '../lambdas/contract/deployment.ts';
import { BOOTSTRAP_VALUE, TAGS } from '../lambdas/contract/names.ts';
import { defaultSecretName, KEY_DEFAULTS } from './config/defaults.ts';
import { parseDuration } from './config/duration.ts';
import { secretFormat } from './config/secret-format.ts';
import type { FormatInput, SesSmtpInput } from './config/types.ts';
import { exclusiveStatements, ledgerStatements, THIS_SECRET } from './secret-policy.ts';

/** A copy of the secret in another Region. */
export interface Replica {
  readonly region: string;
  /**
   * The KMS key in that Region that encrypts the copy.
   * @default - the AWS managed key `aws/secretsmanager`
   */
  readonly encryptionKey?: kms.IKey;
}

/** Who else may touch a secret that is otherwise closed to all but its readers and the rotator. */
export interface ExclusiveAccess {
  /** ARN of the role that may read and write the secret in an emergency. */
  readonly breakGlassRoleArn: string;
}

/** One IAM user, its secret, and what becomes of its keys. The defaults are those of `rotator.config.ts`. */
export interface RotatedAccessKeyProps {
  /** Name of the IAM user, without its path. */
  readonly userName: string;
  /**
   * IAM path of the user: part of its ARN in the rotator's policies.
   * @default '/'
   */
  readonly userPath?: string;
  /**
   * Create the user in this stack. It is kept when it leaves the stack: deleting a user takes its keys from its applications.
   * @default false
   */
  readonly createUser?: boolean;
  /** @default `iam-key-rotator/<userName>` */
  readonly secretName?: string;
  /**
   * When Secrets Manager rotates. Taken as it is: `resolveConfig` is where schedules are checked.
   * @default - every 30 days
   */
  readonly rotationRules?: secretsmanager.CfnRotationSchedule.RotationRulesProperty;
  /**
   * The longest time from one scheduled rotation to the next, its window included: what `rotationRules` come to. Older than that, a current key
   * is overdue.
   * @default Duration.days(31)
   */
  readonly rotateEvery?: Duration;
  /**
   * What a leaked current key is answered with. `'disable-first'` takes it from its applications before they have another one.
   * @default 'rotate-then-disable'
   */
  readonly onLeak?: OnLeak;
  /**
   * Rotate when the schedule is deployed, which fills a new secret, and again whenever the schedule is changed.
   * @default true
   */
  readonly rotateOnDeploy?: boolean;
  /**
   * Overlap: how long a superseded key stays Active.
   * @default Duration.days(3)
   */
  readonly deactivateAfter?: Duration;
  /**
   * A use of the old key this soon after the promotion doesn't hold it.
   * @default Duration.hours(4)
   */
  readonly settle?: Duration;
  /**
   * What becomes of a key that is still in use when its overlap is over.
   * @default 'hold'
   */
  readonly ifInUse?: IfInUse;
  /**
   * How long a key in use is held at most, from the end of the overlap.
   * @default Duration.days(14)
   */
  readonly holdAtMost?: Duration;
  /**
   * A key that was not used for this long is no longer in use.
   * @default Duration.days(8)
   */
  readonly quietFor?: Duration;
  /**
   * Recovery: how long a disabled key stays before it is deleted.
   * @default Duration.days(7)
   */
  readonly deleteAfter?: Duration;
  /**
   * `'observe'` creates no rotation schedule and changes no key.
   * @default 'enforce'
   */
  readonly mode?: Mode;
  /**
   * A hand-made key of the user to retire once the rotator's first key is current: its id, or `'only-key'` for the one that the user has when
   * that first key is made.
   * @default - keys that the rotator didn't make are left alone
   */
  readonly adopt?: string;
  /**
   * Further Regions whose STS must know a new key before it is promoted.
   * @default []
   */
  readonly verifyRegions?: readonly string[];
  /**
   * Who may read the secret, besides those that `grantRead` is called for. Granted by the secret's resource policy, so that no role of
   * another stack is changed. The roles must exist.
   * @default []
   */
  readonly readerArns?: readonly string[];
  /**
   * The user itself may read the secret, for applications whose only credentials are the rotated ones. The user must exist, unless it is created
   * here.
   * @default false
   */
  readonly userReads?: boolean;
  /**
   * The KMS key that encrypts the secret. Readers need `kms:Decrypt` on it, which only its own policy or theirs can give.
   * @default - the AWS managed key `aws/secretsmanager`
   */
  readonly encryptionKey?: kms.IKey;
  /**
   * Copies of the secret in other Regions.
   * @default []
   */
  readonly replicas?: readonly Replica[];
  /**
   * Roles that may put the ledger right by hand: the tags `iam-key-rotator:*` of the secret, which its policy otherwise leaves to the rotator and
   * to CloudFormation.
   * @default []
   */
  readonly ledgerOperatorArns?: readonly string[];
  /**
   * Deny reading and writing the value and all tags to everyone but `readerArns` (read only), `ledgerOperatorArns` (tags only), the rotator,
   * CloudFormation and the break-glass role.
   * @default - whoever IAM allows may read and write it, but for the tags of the ledger
   */
  readonly exclusive?: ExclusiveAccess;
  /**
   * The form of the secret's JSON: a built-in one, or the names of its fields. A change takes effect with the next rotation.
   * @default 'credential-process'
   */
  readonly format?: FormatInput;
  /**
   * Regions of SES whose SMTP user name and password are derived from each new key, and stand in the secret too.
   * @default []
   */
  readonly sesSmtp?: readonly SesSmtpInput[];
}

/** What a rotator brings when it takes a key on. */
export interface RotatorBinding {
  /** Value of the tag by which the functions find their secrets. */
  readonly deploymentName: string;
  readonly rotateFunction: lambda.IFunction;
  /** The roles of the functions. */
  readonly roles: readonly iam.IRole[];
  /** What must be there before Secrets Manager calls the rotate function: permission to call it, and the permissions of its role. */
  readonly dependencies: readonly IDependable[];
}

/**
 * A secret that holds the newest access key of an IAM user. `KeyRotator` rotates it.
 *
 * The secret outlives the stack, as does a user that was created here.
 */
export class RotatedAccessKey extends Construct {
  /** The secret. Once the first rotation is through, its value is what `credential_process` expects, or of another `format`. */
  readonly secret: secretsmanager.Secret;
  /** ARN of the IAM user, path included. */
  readonly userArn: string;
  /** What the functions are told about this key. */
  readonly deployed: DeployedKey;
  /** The key that encrypts the secret, if it is not the AWS managed one. */
  readonly encryptionKey: kms.IKey | undefined;
  readonly #props: RotatedAccessKeyProps;
  readonly #user: iam.User | undefined;
  readonly #readerArns: readonly string[];

  constructor(scope: Construct, id: string, props: RotatedAccessKeyProps) {
    super(scope, id);
    this.#props = props;
    const { userName, userPath = KEY_DEFAULTS.userPath, secretName = defaultSecretName(userName) } = props;
    this.encryptionKey = props.encryptionKey;
    this.deployed = deployedKey(secretName, props);
    const { partition, account } = Stack.of(this);
    this.userArn = `arn:${partition}:iam::${account}:user${userPath}${userName}`;
    this.#user = props.createUser ? new iam.User(this, 'User', { userName, path: userPath }) : undefined;
    this.#user?.applyRemovalPolicy(RemovalPolicy.RETAIN);
    this.secret = new secretsmanager.Secret(this, 'Secret', {
      secretName,
      description: `Access key of the IAM user ${userName}, rotated by iam-key-rotator`,
      // Not a secret: it says that there is none yet. It may never change, see BOOTSTRAP_VALUE. Without any value CDK would have a password made.
      secretStringValue: SecretValue.unsafePlainText(BOOTSTRAP_VALUE),
      // Sets UpdateReplacePolicy as well: a renamed secret leaves the old one, with a key that still works, behind.
      removalPolicy: RemovalPolicy.RETAIN,
      ...(props.encryptionKey === undefined ? {} : { encryptionKey: props.encryptionKey }),
      replicaRegions: (props.replicas ?? []).map((replica) => ({ ...replica })),
    });
    this.#readerArns = [...(props.readerArns ?? []), ...(props.userReads ? [this.userArn] : [])];
    if (this.#readerArns.length > 0) this.secret.addToResourcePolicy(readersRead(this.#readerArns));
    // A policy that names a user who isn't there yet is refused.
    if (props.userReads && this.#user !== undefined) this.secret.node.addDependency(this.#user);
  }

  /**
   * Lets `grantee` read the secret. On an `exclusive` secret the readers are those of `readerArns` and, with `userReads`, the user: the denial there is stronger than any grant.
   */
  grantRead(grantee: iam.IGrantable): iam.Grant {
    return this.secret.grantRead(grantee);
  }

  /** Puts this key under a rotator. Called by `KeyRotator`. */
  bindRotator({ deploymentName, rotateFunction, roles, dependencies }: RotatorBinding): void {
    const {
      mode,
      exclusive,
      ledgerOperatorArns = [],
      rotationRules,
      rotateOnDeploy = KEY_DEFAULTS.rotateOnDeploy,
    } = this.#props;
    Tags.of(this.secret).add(TAGS.deployment, deploymentName, {
      includeResourceTypes: [secretsmanager.CfnSecret.CFN_RESOURCE_TYPE_NAME],
    });
    const stack = Stack.of(this);
    const parties = { ledgerOperatorArns, rotatorRoleArns: roles.map((role) => role.roleArn) };
    const denials =
      exclusive === undefined
        ? ledgerStatements(stack, parties)
        : exclusiveStatements(stack, { ...parties, ...exclusive, readerArns: this.#readerArns });
    for (const statement of denials) this.secret.addToResourcePolicy(statement);
    // A rotation schedule is what makes Secrets Manager call the function: without one nothing is minted.
    if (mode === 'observe') {
      Validations.of(this.secret).acknowledge({
        id: 'AwsSolutions-SMG4',
        reason: "mode 'observe' asks that nothing be rotated; the secret holds no credentials of the rotator's making.",
      });
      return;
    }
    const schedule = new secretsmanager.CfnRotationSchedule(this, 'Schedule', {
      secretId: this.secret.secretArn,
      rotationLambdaArn: rotateFunction.functionArn,
      rotationRules: rotationRules ?? { automaticallyAfterDays: 30 },
      rotateImmediatelyOnUpdate: rotateOnDeploy,
    });
    // Creating the schedule rotates at once, so all that the function needs has to be there first.
    // The secret's policy too, so that the ledger is closed before its first entry.
    schedule.node.addDependency(this.secret, ...dependencies, ...(this.#user === undefined ? [] : [this.#user]));
  }
}

/** Not `grantRead`, which takes an ARN of this very account for one of another and asks for a KMS key. */
const readersRead = (readerArns: readonly string[]) =>
  new iam.PolicyStatement({
    sid: 'ReadersRead',
    principals: readerArns.map((arn) => new iam.ArnPrincipal(arn)),
    actions: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
    resources: THIS_SECRET,
  });

/** The default of a duration, which is written only once, in the words of the configuration. */
const standard = (field: 'deactivateAfter' | 'settle' | 'holdAtMost' | 'quietFor' | 'deleteAfter'): number =>
  parseDuration(KEY_DEFAULTS[field]) ?? Number.NaN;

function deployedKey(secretName: string, props: RotatedAccessKeyProps): DeployedKey {
  const seconds = (field: Parameters<typeof standard>[0]) => props[field]?.toSeconds() ?? standard(field);
  return {
    secretName,
    userName: props.userName,
    mode: props.mode ?? KEY_DEFAULTS.mode,
    ...(props.adopt === undefined ? {} : { adopt: props.adopt }),
    deactivateAfter: seconds('deactivateAfter'),
    settle: seconds('settle'),
    ifInUse: props.ifInUse ?? KEY_DEFAULTS.ifInUse,
    holdAtMost: seconds('holdAtMost'),
    quietFor: seconds('quietFor'),
    deleteAfter: seconds('deleteAfter'),
    verifyRegions: [...(props.verifyRegions ?? KEY_DEFAULTS.verifyRegions)],
    rotateEvery: (props.rotateEvery ?? Duration.days(31)).toSeconds(),
    onLeak: props.onLeak ?? KEY_DEFAULTS.onLeak,
    format: secretFormat(props.format ?? KEY_DEFAULTS.format, props.sesSmtp ?? KEY_DEFAULTS.sesSmtp),
  };
}
