/**
 * The deployed truth: what the stack of the rotator says of itself. Not the local rotator.config.ts, which may be ahead of the deployment, or on
 * another machine.
 */
import {
  type CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateSummaryCommand,
} from '@aws-sdk/client-cloudformation';
import { nearest } from '../../infra/config/nearest.ts';
import { call, isAws } from '../../lambdas/adapters/call.ts';
import { type DeployedKey, type Deployment, parseDeployment } from '../../lambdas/contract/deployment.ts';
import { PROJECT } from '../../lambdas/contract/names.ts';
import { OperatorError } from './errors.ts';

/** Names of the stack's outputs (infra/rotator-stack.ts). */
export type OutputName =
  | 'RotateFunctionName'
  | 'RetireFunctionName'
  | 'RespondFunctionName'
  | 'AuditFunctionName'
  | 'NotifyFunctionName'
  | 'DeadLetterQueueUrl'
  | 'ReportBucketName'
  | 'NoticesTopicArn'
  | 'DashboardName';

export interface Stack {
  readonly name: string;
  readonly region: string;
  /** Out of the stack's ARN. */
  readonly account: string;
  /** Such as UPDATE_COMPLETE. */
  readonly status: string;
  readonly outputs: Readonly<Partial<Record<OutputName, string>>>;
  readonly deployment: Deployment;
  /** The version of iam-key-rotator that was deployed. */
  readonly version: string;
}

/**
 * Reads the stack: its outputs, and the metadata of its template, which GetTemplateSummary gives as a string: "The value that's defined for the
 * Metadata property of the template".
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplateSummary.html
 * @throws OperatorError STACK_NOT_FOUND, AwsCallError
 */
export async function readStack(client: CloudFormationClient, name: string, region: string): Promise<Stack> {
  const ofStack = async <T>(operation: string, send: () => Promise<T>) => {
    try {
      return await call(operation, send);
    } catch (error) {
      // Both answer so for a stack that isn't there: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
      if (!isAws(error, 'ValidationError')) throw error;
      throw notFound(`there is no stack '${name}' in ${region}`, error);
    }
  };
  const [described, summary] = await Promise.all([
    ofStack('DescribeStacks', () => client.send(new DescribeStacksCommand({ StackName: name }))),
    ofStack('GetTemplateSummary', () => client.send(new GetTemplateSummaryCommand({ StackName: name }))),
  ]);
  const stack = described.Stacks?.[0];
  if (stack === undefined) throw notFound(`there is no stack '${name}' in ${region}`);
  const { deployment, version } = metadataOf(summary.Metadata, name);
  const outputs = (stack.Outputs ?? []).flatMap(({ OutputKey, OutputValue }) =>
    OutputKey === undefined || OutputValue === undefined ? [] : [[OutputKey, OutputValue]],
  );
  return {
    name,
    region,
    account: stack.StackId?.split(':')[4] ?? '',
    status: stack.StackStatus ?? 'UNKNOWN',
    outputs: Object.fromEntries(outputs),
    deployment,
    version,
  };
}

/** What the template carries under `PROJECT`: see infra/rotator-stack.ts. */
function metadataOf(
  text: string | undefined,
  name: string,
): { readonly deployment: Deployment; readonly version: string } {
  const own = field(json(text), PROJECT);
  if (own === undefined) {
    throw notFound(`the stack '${name}' is not one of iam-key-rotator, or was deployed before it told what it deploys`);
  }
  const parsed = parseDeployment(field(own, 'deployment'));
  if (!parsed.ok) {
    throw notFound(
      `the stack '${name}' was deployed by another version of iam-key-rotator: ${parsed.problems.join('; ')}`,
    );
  }
  return { deployment: parsed.value, version: String(field(own, 'version') ?? 'unknown') };
}

const notFound = (found: string, cause?: unknown) =>
  new OperatorError(
    'STACK_NOT_FOUND',
    {
      found,
      expected: 'the stack that npx cdk deploy of this version makes',
      remedy: 'name it by --stack, look at --region and --profile, or deploy (npx cdk deploy)',
    },
    cause === undefined ? {} : { cause },
  );

function json(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;

/**
 * The key that an operator means by the name of a secret, of its user, or by the secret's ARN.
 *
 * @throws OperatorError SECRET_UNKNOWN
 */
export function keyNamed({ deployment, name: stack }: Stack, name: string): DeployedKey {
  const fromArn = /^arn:[^:]+:secretsmanager:[^:]+:\d+:secret:(.+)-[A-Za-z0-9]{6}$/.exec(name)?.[1];
  const { keys } = deployment;
  const found =
    keys.find(({ secretName }) => secretName === name || secretName === fromArn) ??
    keys.find(({ userName }) => userName === name);
  if (found !== undefined) return found;
  const guess = nearest(
    name,
    keys.flatMap(({ secretName, userName }) => [userName, secretName]),
  );
  throw new OperatorError('SECRET_UNKNOWN', {
    found: `the stack '${stack}' has no secret and no user '${name}'`,
    expected: `one of its ${keys.length} secrets, by its name or ARN or by its user`,
    remedy: `${guess === undefined ? '' : `did you mean '${guess}'? `}iam-key-rotator status lists them`,
  });
}
