import type { Duration } from 'aws-cdk-lib';
import { RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { ENV, PROJECT } from '../lambdas/contract/names.ts';

/** One Lambda of the rotator. */
export interface RotatorFunctionProps {
  readonly description: string;
  readonly code: lambda.Code;
  readonly timeout: Duration;
  /** Service name in logs and metrics: one of `SERVICES`. */
  readonly serviceName: string;
  readonly logRetention: logs.RetentionDays;
  /**
   * Small concerns of its own, in one inline policy. The lists of secrets and users are granted by `grantNamed`.
   * @default - only what writing logs takes
   */
  readonly statements?: readonly iam.PolicyStatement[];
}

/** A Lambda with a log group and a role of its own. The role can do nothing but what is written here and by `grantNamed`. */
export class RotatorFunction extends Construct {
  readonly function: lambda.Function;
  readonly role: iam.Role;
  readonly logGroup: logs.LogGroup;
  /** The permissions of the role, for what has to wait for them. */
  readonly policies: Construct[] = [];

  constructor(scope: Construct, id: string, props: RotatorFunctionProps) {
    super(scope, id);
    this.logGroup = new logs.LogGroup(this, 'Logs', {
      retention: props.logRetention,
      // The record of which key was made, disabled and deleted when, and why. It ends by its retention, not with the stack.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.role = new iam.Role(this, 'Role', {
      description: props.description,
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    // Instead of AWSLambdaBasicExecutionRole, which may write to and create any log group of the account.
    const writeLogs = new iam.PolicyStatement({
      sid: 'WriteLogs',
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [this.logGroup.logGroupArn],
    });
    this.policies.push(
      new iam.Policy(this, 'Runtime', { roles: [this.role], statements: [writeLogs, ...(props.statements ?? [])] }),
    );
    this.function = new lambda.Function(this, 'Function', {
      description: props.description,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: 256,
      timeout: props.timeout,
      handler: 'index.handler',
      code: props.code,
      role: this.role,
      logGroup: this.logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      environment: {
        [ENV.serviceName]: props.serviceName,
        [ENV.metricsNamespace]: PROJECT,
        NODE_OPTIONS: '--enable-source-maps',
      },
    });
    this.function.node.addDependency(...this.policies);
  }

  /**
   * Grants what names every secret or every user, as a managed policy: all inline policies of a role together hold 10,240 characters, each
   * managed one has 6,144 of its own. A statement about nothing grants nothing.
   */
  grantNamed(id: string, ...granted: iam.PolicyStatement[]): iam.ManagedPolicy | undefined {
    const description = `iam-key-rotator: ${this.node.id}, ${id}`;
    const statements = granted.filter(({ resources }) => resources.length > 0);
    if (statements.length === 0) return undefined;
    const policy = new iam.ManagedPolicy(this, id, { description, roles: [this.role], statements });
    this.policies.push(policy);
    return policy;
  }
}
