/** The denials in the resource policy of a managed secret: they hold whatever IAM allows. */
import { DefaultStackSynthesizer, Fn, type Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { PROJECT } from '../lambdas/contract/names.ts';

/**
 * In the policy of a secret, all that the policy is attached to: the secret, and its copies in other Regions. Those get the policy too, but
 * have ARNs of their own, which a policy that names the secret would pass by.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
 */
export const THIS_SECRET = ['*'];

/** Whom the denials let past. */
export interface LedgerParties {
  /** May write values, labels and tags. */
  readonly rotatorRoleArns: readonly string[];
  /** May put the ledger right by hand. */
  readonly ledgerOperatorArns: readonly string[];
}

/** The principals of an exclusive secret. */
export interface ExclusiveParties extends LedgerParties {
  /** May read. */
  readonly readerArns: readonly string[];
  /** May read and write, in an emergency. */
  readonly breakGlassRoleArn: string;
}

const TAGGING = ['TagResource', 'UntagResource'];

/** Every tag of this project: the ledger, and the tag of the deployment. Tag keys are case-sensitive, and so is StringLike. */
const OF_THE_LEDGER: iam.Conditions = { 'ForAnyValue:StringLike': { 'aws:TagKeys': [`${PROJECT}:*`] } };

/**
 * CloudFormation has to go on managing the secret. It changes description, KMS key and tags by UpdateSecret, TagResource and UntagResource; such
 * calls carry `aws:CalledVia`, with and without a service role, so they pass.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/fas-requests-and-permission-evaluation.html
 */
const NOT_BY_CLOUDFORMATION: iam.Conditions = {
  'ForAllValues:StringNotEquals': { 'aws:CalledVia': ['cloudformation.amazonaws.com'] },
};

/**
 * The statement that closes the ledger of a secret that is not exclusive. Its value, its labels and the tags of others stay open to whoever IAM lets
 * write them. See docs/adr/0010-the-ledger-is-closed.md.
 */
export function ledgerStatements(stack: Stack, parties: LedgerParties): iam.PolicyStatement[] {
  const { rotatorRoleArns, ledgerOperatorArns } = parties;
  const taggers = [...rotatorRoleArns, ...ledgerOperatorArns, ...deploymentRoleArns(stack)];
  return [deny('OnlyRotatorKeepsLedger', TAGGING, taggers, { ...OF_THE_LEDGER, ...NOT_BY_CLOUDFORMATION })];
}

/**
 * The statements that close a secret: reading, and writing its value, labels and tags, be they of the ledger or not. They hold all that
 * `ledgerStatements` does.
 *
 * Reading does not pass by way of CloudFormation: a dynamic reference in anybody's stack would read the secret for them. Instead, the role that
 * CDK gives CloudFormation is let read, since its resource handler may do so; whoever deploys with that role could change this policy anyway.
 *
 * PutResourcePolicy, DeleteResourcePolicy, DeleteSecret, RotateSecret and CancelRotateSecret are not denied: nobody gets at the value by them, and
 * an administrator can always repair a policy that names a role that is gone.
 *
 * BatchGetSecretValue needs GetSecretValue for each secret, so it is covered.
 */
export function exclusiveStatements(stack: Stack, parties: ExclusiveParties): iam.PolicyStatement[] {
  const { rotatorRoleArns, ledgerOperatorArns, readerArns, breakGlassRoleArn } = parties;
  const writers = [...rotatorRoleArns, breakGlassRoleArn];
  const deployers = deploymentRoleArns(stack);
  return [
    deny('OnlyReadersRead', ['GetSecretValue'], [...readerArns, ...writers, ...deployers]),
    deny('OnlyRotatorWrites', ['PutSecretValue', 'UpdateSecretVersionStage'], writers),
    // Apart from the tags: by UpdateSecret an operator of the ledger could write the value.
    deny('OnlyRotatorAndStackChange', ['UpdateSecret'], [...writers, ...deployers], NOT_BY_CLOUDFORMATION),
    deny('OnlyRotatorAndStackTag', TAGGING, [...writers, ...ledgerOperatorArns, ...deployers], NOT_BY_CLOUDFORMATION),
  ];
}

/** `aws:PrincipalArn` of an assumed role is the ARN of the role, not of the session, so the roles are named as they are. */
function deny(
  sid: string,
  actions: readonly string[],
  exempt: readonly string[],
  conditions: iam.Conditions = {},
): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid,
    effect: iam.Effect.DENY,
    principals: [new iam.AnyPrincipal()],
    actions: actions.map((action) => `secretsmanager:${action}`),
    resources: THIS_SECRET,
    conditions: { ArnNotEquals: { 'aws:PrincipalArn': exempt }, ...conditions },
  });
}

/** The role by which CloudFormation deploys this stack, where CDK's bootstrap stack provides one. */
function deploymentRoleArns(stack: Stack): string[] {
  if (!(stack.synthesizer instanceof DefaultStackSynthesizer)) return [];
  // The synthesizer gives the ARN with CloudFormation's placeholders for partition, account and Region.
  return [Fn.sub(stack.synthesizer.cloudFormationExecutionRoleArn)];
}
