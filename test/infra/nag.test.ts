/** The stacks against the rules of the AWS Solutions Library, as cdk-nag has them. */
import { type Stack, Validations } from 'aws-cdk-lib';
import { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import type { RotatorConfig } from '../../infra/config/index.ts';
import { LeakSignalsStack } from '../../infra/leak-signals.ts';
import type { RotatorStack } from '../../infra/rotator-stack.ts';
import { stacksOf } from './synth.ts';

const ROLES = 'arn:aws:iam::123456789012:role';
const KMS_KEY = 'arn:aws:kms:eu-central-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef';
const REPLICA_KEY = 'arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef';

const EVERYTHING: RotatorConfig = {
  name: 'everything',
  maxChangesPerRun: 5,
  audit: { securityHub: true },
  retireEvery: '30m',
  notices: { emails: ['team@example.com'] },
  alarms: { overdueMargin: '1d', holdLongerThan: '3d', actions: ['arn:aws:sns:eu-central-1:123456789012:pager'] },
  runbookUrl: 'https://wiki.example.com/keys',
  defaults: { deactivateAfter: '1d', quietFor: '2d', verifyRegions: ['us-east-1'] },
  targets: [
    {
      name: 'prod',
      account: '123456789012',
      region: 'eu-central-1',
      keys: [
        {
          user: 'everything',
          userPath: '/service/',
          createUser: true,
          secretName: 'prod/everything',
          schedule: { cron: 'cron(0 3 1 * ? *)', window: '4h' },
          rotateOnDeploy: false,
          adopt: 'AKIAIOSFODNN7EXAMPLE',
          readers: [`${ROLES}/reader`],
          ledgerOperators: [`${ROLES}/operator`],
          kmsKeyArn: KMS_KEY,
          replicas: [{ region: 'eu-west-1', kmsKeyArn: REPLICA_KEY }, { region: 'us-east-1' }],
          exclusive: { breakGlassRoleArn: `${ROLES}/break-glass` },
        },
        { user: 'no-overlap', deactivateAfter: '0d', ifInUse: 'disable' },
        { user: 'watched', mode: 'observe' },
      ],
    },
    { name: 'dev', keys: [{ user: 'plain' }] },
  ],
};

/** What the rules have against a tree of constructs: the rule and the construct. */
function findings(scope: Stack): string[] {
  const { violations } = new AwsSolutionsChecks().validateScope(scope);
  return violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
  );
}

/** Every acknowledgement in a tree: the rule, the construct and the reason. */
function acknowledged(scope: RotatorStack): [rule: string, path: string, reason: string][] {
  return scope.node.findAll().flatMap(({ node }) =>
    node.metadata
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) => Object.entries(data))
      // The CDK files the rules of all plug-ins under a prefix of its own.
      .map(([rule, reason]) => [rule.replace(/^Annotation::/, ''), node.path, String(reason)]),
  );
}

describe('the rules of AwsSolutions', () => {
  test.each<[string, RotatorConfig]>([
    ['the defaults', { keys: [{ user: 'app' }] }],
    ['everything switched on', EVERYTHING],
    ['observe mode alone', { keys: [{ user: 'app', mode: 'observe' }] }],
  ])('have nothing against a deployment with %s', (_, config) => {
    const stacks = stacksOf(config);
    const forwarding = stacks[0]?.node.root.node.children.filter((child) => child instanceof LeakSignalsStack) ?? [];
    expect([...stacks, ...forwarding].flatMap(findings)).toEqual([]);
  });

  test('would have: a bucket without encryption, access log and TLS is found', () => {
    const [stack] = stacksOf({ keys: [{ user: 'app' }] });
    if (stack === undefined) throw new Error('no stack');
    new CfnBucket(stack, 'Careless', { publicAccessBlockConfiguration: { blockPublicAcls: false } });
    expect(findings(stack)).toEqual([
      'AwsSolutions-S1 at iam-key-rotator/Careless',
      'AwsSolutions-S2 at iam-key-rotator/Careless',
      'AwsSolutions-S10 at iam-key-rotator/Careless',
    ]);
  });

  test('are put aside in few places only, each with a reason', () => {
    const all = stacksOf(EVERYTHING).flatMap(acknowledged);
    const user = { dev: 'arn:<AWS::Partition>:iam::<AWS::AccountId>:user/*', prod: 'arn:aws:iam::123456789012:user/*' };
    const [reports = ''] = all.flatMap(([rule]) => /<(\w+)\.Arn>/.exec(rule)?.[1] ?? []);
    const ofBoth = (['dev', 'prod'] as const).flatMap((name) => {
      const rotator = `everything-${name}/Rotator`;
      return [
        `AwsSolutions-IAM5[Resource::*] at ${rotator}/Audit/Run/Account`,
        `AwsSolutions-IAM5[Resource::${user[name]}] at ${rotator}/Audit/Run/Users`,
        `AwsSolutions-IAM5[Resource::<${reports}.Arn>/reports/*] at ${rotator}/Audit/Run/Reports`,
        `AwsSolutions-IAM5[Resource::<${reports}.Arn>/security-hub/*] at ${rotator}/Audit/Run/Reports`,
        `AwsSolutions-S1 at ${rotator}/Audit/Reports`,
        `AwsSolutions-IAM5[Resource::*] at ${rotator}/Leak/Respond/Listing`,
        `AwsSolutions-IAM5[Resource::*] at ${rotator}/Retire/Listing`,
        `AwsSolutions-SQS3 at ${rotator}/DeadLetters`,
      ];
    });
    const paths = all.map(([rule, path]) => `${rule} at ${path}`);
    expect(paths.sort()).toEqual([...ofBoth, 'AwsSolutions-SMG4 at everything-prod/watched/Secret'].sort());
    for (const [, , reason] of all) expect(reason.length).toBeGreaterThan(60);
  });
});
