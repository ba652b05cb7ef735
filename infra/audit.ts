import { Duration, RemovalPolicy, Stack, Token, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { AuditPolicy, Deployment } from '../lambdas/contract/deployment.ts';
import { ENV, SERVICES } from '../lambdas/contract/names.ts';
import { bundledCode } from './bundled-code.ts';
import { sendTo } from './permissions.ts';
import type { RotatedAccessKey } from './rotated-access-key.ts';
import { RotatorFunction } from './rotator-function.ts';
import { Schedule } from './schedule.ts';

/** What may be said of the audit. */
export interface AuditProps {
  /** @default Duration.days(1) */
  readonly every?: Duration;
  /**
   * What counts as too old or unused.
   * @default AUDIT_DEFAULTS
   */
  readonly policy?: Partial<AuditPolicy>;
  /** @default Duration.days(365) */
  readonly keepReportsFor?: Duration;
}

interface WiredAuditProps extends AuditProps {
  readonly deployment: Deployment;
  readonly keys: readonly RotatedAccessKey[];
  readonly deadLetters: sqs.IQueue;
  readonly logRetention: logs.RetentionDays;
}

/** The most that Lambda allows. An audit that doesn't get through writes no report. */
const TIMEOUT = Duration.minutes(15);

/** The audit of the whole account: its function and schedule, and the bucket of its reports. It can change no key and read no secret's value. */
export class Audit extends Construct {
  readonly function: lambda.Function;
  /** The function with its log group, whose lines become events. */
  readonly run: RotatorFunction;
  readonly reports: s3.Bucket;
  /** How often it runs. */
  readonly every: Duration;

  constructor(scope: Construct, id: string, props: WiredAuditProps) {
    super(scope, id);
    const { deployment, keys, deadLetters, logRetention, every = Duration.days(1) } = props;
    this.every = every;
    this.reports = reportBucket(this, props.keepReportsFor ?? Duration.days(365));
    const audit = new RotatorFunction(this, 'Run', {
      description: 'iam-key-rotator: audits the access keys of the account',
      code: bundledCode('lambdas/audit/handler.ts', deployment),
      timeout: TIMEOUT,
      serviceName: SERVICES.audit,
      logRetention,
      statements: [sendTo(deadLetters)],
    });
    audit.function.addEnvironment(ENV.reportBucket, this.reports.bucketName);
    // Thousands of answers are read and thrown away. Young ones in less room: an account of 5,000 users then takes 200 MB in place of 260 (npm run bench).
    audit.function.addEnvironment('NODE_OPTIONS', '--enable-source-maps --max-semi-space-size=4');
    this.function = audit.function;
    this.run = audit;
    grantAudit(audit, this.reports, keys, deployment.audit?.securityHub === true);
    new lambda.CfnEventInvokeConfig(this, 'Once', {
      functionName: audit.function.functionName,
      qualifier: '$LATEST',
      // It only reads, so it may be tried again: what failed by throttling may get through a minute later.
      maximumRetryAttempts: 1,
      maximumEventAgeInSeconds: Duration.hours(1).toSeconds(),
      destinationConfig: { onFailure: { destination: deadLetters.queueArn } },
    });
    new Schedule(this, 'Schedule', {
      target: audit.function,
      every,
      deadLetters,
      // Else the first report finds every rotation switched off.
      dependencies: keys,
      starts: 'the audit',
      does: 'audits the access keys of the account',
    });
  }
}

/** Who has which keys is nobody else's business: closed to the public and to plain HTTP, and kept when the stack goes. */
function reportBucket(scope: Construct, keepFor: Duration): s3.Bucket {
  const bucket = new s3.Bucket(scope, 'Reports', {
    encryption: s3.BucketEncryption.S3_MANAGED,
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    versioned: true,
    removalPolicy: RemovalPolicy.RETAIN,
    lifecycleRules: [
      { id: 'reports', prefix: 'reports/', expiration: keepFor },
      {
        id: 'leftovers',
        noncurrentVersionExpiration: Duration.days(30),
        abortIncompleteMultipartUploadAfter: Duration.days(1),
      },
    ],
  });
  Validations.of(bucket).acknowledge({
    id: 'AwsSolutions-S1',
    reason:
      'Server access logs would take a second bucket for a few requests a day. Reports hold no secret material; who reads them can be recorded by data events of CloudTrail.',
  });
  return bucket;
}

/** Reads of the whole account, and writing reports; nothing that changes a key, a secret or a user. */
function grantAudit(
  fn: RotatorFunction,
  reports: s3.Bucket,
  keys: readonly RotatedAccessKey[],
  securityHub: boolean,
): void {
  const { partition, account, region } = Stack.of(fn);
  // By itself, so that what is acknowledged is no more than this.
  const listing = fn.grantNamed(
    'Account',
    new iam.PolicyStatement({
      sid: 'SeeTheAccount',
      actions: ['iam:GenerateCredentialReport', 'iam:GetCredentialReport', 'secretsmanager:ListSecrets'],
      resources: ['*'],
    }),
  );
  acknowledgeWildcard(listing, '*', [
    'The credential report is one for the whole account, and ListSecrets has no resource: AWS offers no way to narrow either.',
    'They give names, dates and tags, never a key or a value.',
  ]);
  const everyUser = `arn:${partition}:iam::${account}:user/*`;
  const users = fn.grantNamed(
    'Users',
    new iam.PolicyStatement({
      sid: 'SeeKeysOfEveryUser',
      actions: ['iam:ListAccessKeys', 'iam:GetAccessKeyLastUsed'],
      resources: [everyUser],
    }),
  );
  acknowledgeWildcard(
    users,
    `arn:${shown(partition, 'AWS::Partition')}:iam::${shown(account, 'AWS::AccountId')}:user/*`,
    [
      'An audit of the account reads the keys of every user there is: their ids, dates and last uses. It can change nothing.',
    ],
  );
  fn.grantNamed(
    'Secrets',
    new iam.PolicyStatement({
      sid: 'SeeUntaggedSecrets',
      actions: ['secretsmanager:DescribeSecret'],
      resources: keys.map((key) => key.secret.secretArn),
    }),
  );
  const objects = (...prefixes: string[]) => prefixes.map((prefix) => `${reports.bucketArn}/${prefix}/*`);
  const written = fn.grantNamed(
    'Reports',
    new iam.PolicyStatement({
      sid: 'WriteReports',
      actions: ['s3:PutObject'],
      resources: objects('reports', ...(securityHub ? ['security-hub'] : [])),
    }),
    ...(securityHub
      ? [
          new iam.PolicyStatement({
            sid: 'ReadWhatWasImported',
            actions: ['s3:GetObject'],
            resources: objects('security-hub'),
          }),
          // Without it, an object that is not there is a refusal, which could be anything.
          new iam.PolicyStatement({
            sid: 'TellMissingFromRefused',
            actions: ['s3:ListBucket'],
            resources: [reports.bucketArn],
          }),
          new iam.PolicyStatement({
            sid: 'ImportFindings',
            actions: ['securityhub:BatchImportFindings'],
            resources: [`arn:${partition}:securityhub:${region}:${account}:product/${account}/default`],
          }),
        ]
      : []),
  );
  const bucketId = Stack.of(fn).getLogicalId(reports.node.defaultChild as s3.CfnBucket);
  for (const prefix of ['reports', ...(securityHub ? ['security-hub'] : [])]) {
    acknowledgeWildcard(written, `<${bucketId}.Arn>/${prefix}/*`, [
      'Each report has names of its own, made of the time of its audit: the function writes below a prefix of its own bucket.',
    ]);
  }
}

/** A value that is known when the stack is deployed, as cdk-nag names it. */
const shown = (value: string, name: string) => (Token.isUnresolved(value) ? `<${name}>` : value);

function acknowledgeWildcard(policy: Construct | undefined, resource: string, reason: readonly string[]): void {
  if (policy === undefined) return;
  Validations.of(policy).acknowledge({ id: `AwsSolutions-IAM5[Resource::${resource}]`, reason: reason.join(' ') });
}
