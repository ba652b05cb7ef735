import { DefaultStackSynthesizer, Fn, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';

/** The principals of an exclusive secret. */
export interface ExclusiveParties {
  /** May read. */
  readonly readerArns: readonly string[];
  /** May read and write, in an emergency. */
  readonly breakGlassRoleArn: string;
  /** May read and write. */
  readonly rotatorRoleArns: readonly string[];
}

/**
 * Statements for a secret's resource policy that deny reading and writing its value and its ledger to everyone else, whatever IAM allows them.
 *
 * `aws:PrincipalArn` of an assumed role is the ARN of the role, not of the session, so the roles are named as they are.
 *
 * CloudFormation has to go on managing the secret. It changes description, KMS key and tags by UpdateSecret, TagResource and UntagResource; such
 * calls carry `aws:CalledVia`, with and without a service role, so they pass. Reading does not pass that way: a dynamic reference in anybody's
 * stack would read the secret for them. Instead, the role that CDK gives CloudFormation is let read, since its resource handler may do so;
 * whoever deploys with that role could change this policy anyway.
 *
 * PutResourcePolicy, DeleteResourcePolicy, DeleteSecret, RotateSecret and CancelRotateSecret are not denied: nobody gets at the value by them, and
 * an administrator can always repair a policy that names a role that is gone.
 *
 * BatchGetSecretValue needs GetSecretValue for each secret, so it is covered.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/fas-requests-and-permission-evaluation.html
 */
export function exclusiveStatements(secret: secretsmanager.Secret, parties: ExclusiveParties): iam.PolicyStatement[] {
  const writers = [...parties.rotatorRoleArns, parties.breakGlassRoleArn];
  const deployers = deploymentRoleArns(Stack.of(secret));
  const deny = (sid: string, actions: string[], exempt: readonly string[], conditions: iam.Conditions = {}) =>
    new iam.PolicyStatement({
      sid,
      effect: iam.Effect.DENY,
      principals: [new iam.AnyPrincipal()],
      actions: actions.map((action) => `secretsmanager:${action}`),
      resources: [secret.secretArn],
      conditions: { ArnNotEquals: { 'aws:PrincipalArn': exempt }, ...conditions },
    });
  return [
    deny('OnlyReadersRead', ['GetSecretValue'], [...parties.readerArns, ...writers, ...deployers]),
    deny('OnlyRotatorWrites', ['PutSecretValue', 'UpdateSecretVersionStage'], writers),
    deny('OnlyRotatorAndStackChange', ['UpdateSecret', 'TagResource', 'UntagResource'], [...writers, ...deployers], {
      'ForAllValues:StringNotEquals': { 'aws:CalledVia': ['cloudformation.amazonaws.com'] },
    }),
  ];
}

/** The role by which CloudFormation deploys this stack, where CDK's bootstrap stack provides one. */
function deploymentRoleArns(stack: Stack): string[] {
  if (!(stack.synthesizer instanceof DefaultStackSynthesizer)) return [];
  // The synthesizer gives the ARN with CloudFormation's placeholders for partition, account and Region.
  return [Fn.sub(stack.synthesizer.cloudFormationExecutionRoleArn)];
}
