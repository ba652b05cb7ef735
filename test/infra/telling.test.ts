/** What the stack tells, whom and how: subscriptions, rules, topic, alarms and dashboard. */
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { NEEDED_FUNCTIONS, OTHER_FUNCTIONS } from '../../cli/operator/health.ts';
import { TOLD_LINES_PATTERN } from '../../infra/notify.ts';
import { TOLD_LINES } from '../../lambdas/contract/lines.ts';
import { METRICS, SERVICES } from '../../lambdas/contract/names.ts';
import { parsePattern } from '../../local/log-subscriptions.ts';
import { stacksOf, statement, statementsOf, UNCHECKED } from './synth.ts';

const stackOf = (config: Parameters<typeof stacksOf>[0]) => {
  const [stack] = stacksOf(config, UNCHECKED);
  if (stack === undefined) throw new Error('no stack');
  return stack;
};
const LONG = 'a-secret-with-a-name/'.repeat(12);
const keys = Array.from({ length: 6 }, (_, n) => ({ user: `user-${n}`, secretName: `${LONG}${n}` }));
const stack = stackOf({ keys, notices: { emails: ['one@example.com', 'two@example.com'] } });
const template = Template.fromStack(stack);
const own = Template.fromStack(
  stackOf({
    keys: [{ user: 'app', mode: 'observe' }],
    name: 'other',
    retireEvery: '90m',
    notices: { topicArn: 'arn:aws:sns:eu-central-1:123456789012:on-call' },
    alarms: { holdLongerThan: '36h' },
  }),
);
const propertiesOf = (type: string, of = template) =>
  Object.values(of.findResources(type)).map(({ Properties }) => Properties);

/** The rules that tell people; others hand reports of leaks to the respond function. */
const noticeRules = (of: Template) => {
  const rules = propertiesOf('AWS::Events::Rule', of).filter(
    ({ EventPattern }) => !['aws.health', 'aws.iam'].includes(EventPattern.source[0]),
  );
  expect(rules.length).toBeGreaterThan(3);
  return rules;
};

test('every function that doctor looks at is an output of the stack, and doctor looks at every function', () => {
  const outputs = Object.entries(template.findOutputs('*')).flatMap(([name, { Value }]) =>
    name.endsWith('FunctionName') ? [[name, Value.Ref]] : [],
  );
  expect(outputs.map(([name]) => name).sort()).toEqual([...NEEDED_FUNCTIONS, ...OTHER_FUNCTIONS].sort());
  const functions = Object.entries(
    template.findResources('AWS::Lambda::Function', { Properties: { Handler: 'index.handler' } }),
  );
  expect(outputs.map(([, id]) => id).sort()).toEqual(functions.map(([id]) => id).sort());
});

describe('the logs of the functions', () => {
  test('are handed to notify: of each but its own, by a permission that names account and log group', () => {
    const groups = propertiesOf('AWS::Logs::SubscriptionFilter').map(({ LogGroupName }) => LogGroupName.Ref);
    expect(groups.map((id) => id.replace(/Logs.*/, ''))).toEqual([
      'RotatorRotate',
      'RotatorRetire',
      'RotatorLeakRespond',
      'RotatorAuditRun',
    ]);
    const permissions = propertiesOf('AWS::Lambda::Permission').filter(
      ({ Principal }) => Principal === 'logs.amazonaws.com',
    );
    expect(permissions.map(({ SourceAccount, SourceArn }) => [SourceAccount, SourceArn])).toEqual(
      groups.map((id) => [{ Ref: 'AWS::AccountId' }, { 'Fn::GetAtt': [id, 'Arn'] }]),
    );
  });

  test('are handed on by a pattern that takes the lines that become events, and no others, and is not too long', () => {
    expect(TOLD_LINES_PATTERN.length).toBeLessThanOrEqual(1_024);
    const matches = parsePattern(TOLD_LINES_PATTERN);
    expect(TOLD_LINES.filter((message) => !matches({ message }))).toEqual([]);
    for (const message of ['followed', 'recorded', 'events were not sent', ''])
      expect(matches({ message })).toBe(false);
    template.allResourcesProperties('AWS::Logs::SubscriptionFilter', { FilterPattern: TOLD_LINES_PATTERN });
  });

  test('that could not be made events lie in the dead-letter queue after three attempts', () => {
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: Match.stringLikeRegexp('Notify') },
      MaximumRetryAttempts: 2,
      DestinationConfig: {
        OnFailure: { Destination: { 'Fn::GetAtt': [Match.stringLikeRegexp('DeadLetters'), 'Arn'] } },
      },
    });
  });
});

describe('the topic', () => {
  test('is encrypted with a key of its own that rotates, and is reached by TLS only', () => {
    const [key] = Object.keys(template.findResources('AWS::KMS::Key'));
    template.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: { 'Fn::GetAtt': [key, 'Arn'] } });
    template.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true });
    expect(statement(template, 'AllowPublishThroughSSLOnly')).toMatchObject({
      Effect: 'Deny',
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    });
  });

  test('and its key take notices from EventBridge, alarms of this account from CloudWatch, and nothing from others', () => {
    const ofAccount = { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } };
    for (const [sid, service, condition] of [
      ['EventBridgePublishes', 'events', undefined],
      ['EventBridgeEncrypts', 'events', undefined],
      ['AlarmsPublish', 'cloudwatch', ofAccount],
      ['AlarmsEncrypt', 'cloudwatch', ofAccount],
    ] as const) {
      const { Principal, Condition } = statement(template, sid);
      expect([Principal, Condition]).toEqual([{ Service: `${service}.amazonaws.com` }, condition]);
    }
    const publishing = statementsOf(template).filter(
      ({ Effect, Action }) => Effect === 'Allow' && [Action].flat().includes('sns:Publish'),
    );
    expect(publishing).toHaveLength(2);
  });

  test('has the addresses that the configuration names', () => {
    expect(propertiesOf('AWS::SNS::Subscription').map(({ Protocol, Endpoint }) => [Protocol, Endpoint])).toEqual([
      ['email', 'one@example.com'],
      ['email', 'two@example.com'],
    ]);
  });

  test('may be one that is there: then none is made, and rules and alarms use that one', () => {
    for (const type of ['AWS::SNS::Topic', 'AWS::SNS::TopicPolicy', 'AWS::KMS::Key']) own.resourceCountIs(type, 0);
    const arn = 'arn:aws:sns:eu-central-1:123456789012:on-call';
    for (const { Targets } of noticeRules(own)) expect(Targets).toMatchObject([{ Arn: arn }]);
    own.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [arn], OKActions: [arn] });
    own.hasOutput('NoticesTopicArn', { Value: arn });
  });
});

describe('the rules', () => {
  const rules = noticeRules(template);

  test('take events of this deployment only, and of its secrets', () => {
    const patterns = rules.map(({ EventPattern }) => EventPattern);
    const ours = patterns.filter(({ source }) => source[0] === 'iam-key-rotator');
    expect(ours).toHaveLength(3);
    for (const { detail } of ours) expect(detail.deployment).toEqual(['iam-key-rotator']);
    const secrets = patterns.flatMap(({ detail }) => detail.additionalEventData?.SecretId ?? []);
    expect(new Set(secrets.map(({ Ref }: { Ref: string }) => Ref)).size).toBe(6);
  });

  test('have patterns that EventBridge takes, however long the names of the secrets are', () => {
    const lengths = rules.map(({ EventPattern }) => {
      const secrets: unknown[] = EventPattern.detail.additionalEventData?.SecretId ?? [];
      return JSON.stringify(EventPattern).length + secrets.length * (LONG.length + 90);
    });
    expect(Math.max(...lengths)).toBeLessThan(2_048);
    expect(lengths.length).toBe(5);
  });

  test('write sentences, and not events', () => {
    for (const { Targets } of rules) {
      const { InputTemplate, InputPathsMap } = Targets[0].InputTransformer;
      const used = [...JSON.stringify(InputTemplate).matchAll(/<(\w+)>/g)].map(([, name]) => name);
      expect(used.sort()).toEqual(Object.keys(InputPathsMap).sort());
    }
  });
});

describe('the alarms', () => {
  const dimensionsOf = ({ Namespace, MetricName, Dimensions }: Record<string, unknown>) => [
    Namespace,
    MetricName,
    Dimensions,
  ];

  test('watch metrics by the namespace and the dimension under which the functions publish them', () => {
    const ours = propertiesOf('AWS::CloudWatch::Alarm').filter(({ Namespace }) => Namespace === 'iam-key-rotator');
    const of = (name: string, service: string) => ['iam-key-rotator', name, [{ Name: 'service', Value: service }]];
    expect(ours.map(dimensionsOf).sort()).toEqual(
      [
        of(METRICS.longestHold, SERVICES.retire),
        of(METRICS.keysOverdue, SERVICES.retire),
        of(METRICS.changeLimitReached, SERVICES.retire),
        of('AuditsCompleted', SERVICES.audit),
        of('LeaksNotContained', SERVICES.respond),
      ].sort(),
    );
  });

  test('have windows that CloudWatch takes: up to a day of short periods, a week of hours', () => {
    for (const { Period, EvaluationPeriods } of [template, own].flatMap((of) =>
      propertiesOf('AWS::CloudWatch::Alarm', of),
    )) {
      expect(Period * EvaluationPeriods).toBeLessThanOrEqual(Period < 3_600 ? 86_400 : 604_800);
    }
  });

  test('go by how often passes run, and by the hold that is configured', () => {
    const byMetric = (name: string) =>
      propertiesOf('AWS::CloudWatch::Alarm', own).find(({ MetricName }) => MetricName === name);
    expect(byMetric('KeysOverdue')).toMatchObject({
      Period: 7_200,
      EvaluationPeriods: 3,
      TreatMissingData: 'breaching',
    });
    expect(byMetric('LongestHold')).toMatchObject({ Period: 7_200, Threshold: 129_600 });
    expect(byMetric('LongestHold')?.AlarmDescription).toContain('longer than 36 hours');
  });
});

describe('the dashboard', () => {
  test('is named for the stack and the Region, and shows how the keys stand, what was done, and the functions', () => {
    const [dashboard] = propertiesOf('AWS::CloudWatch::Dashboard');
    const body = JSON.stringify(dashboard.DashboardBody);
    for (const title of [
      'Keys by state',
      'Age of the oldest current key',
      'Rotations',
      'Longest hold',
      'Duration',
      'Errors',
      'Dead letters',
    ]) {
      expect(body).toContain(title);
    }
    for (const label of ['rotate', 'retire', 'respond', 'audit', 'notify'])
      expect(body.split(`\\"label\\":\\"${label}\\"`)).toHaveLength(3);
    expect(body).toContain('docs/runbook.md#rotation-failed');
    template.hasOutput('DashboardName', { Value: dashboard.DashboardName });
  });
});

describe('the metrics of the construct', () => {
  test('are each of a name that a function publishes, with what the caller asks for', () => {
    const { rotator } = stack;
    const known = new Set<string>([
      ...Object.values(METRICS),
      'AuditsCompleted',
      'LeaksNotContained',
      'Errors',
      'ApproximateNumberOfMessagesVisible',
    ]);
    const names = Object.getOwnPropertyNames(Object.getPrototypeOf(rotator)).filter((name) =>
      /^metric[A-Z]/.test(name),
    );
    expect(names.length).toBeGreaterThan(15);
    for (const name of names) {
      const metric = Reflect.get(rotator, name).call(rotator, { label: 'mine' });
      expect([name, known.has(metric.metricName), metric.label]).toEqual([name, true, 'mine']);
    }
  });
});

describe('the alarm of an audit that did not run', () => {
  const alarmOf = (every: '6h' | '1d' | '6d') =>
    propertiesOf(
      'AWS::CloudWatch::Alarm',
      Template.fromStack(stackOf({ keys: [{ user: 'app', mode: 'observe' }], audit: { every } })),
    ).find(({ MetricName }) => MetricName === METRICS.auditsCompleted);

  test.each([
    ['6h', 2],
    ['1d', 5],
    ['6d', 25],
  ] as const)('looks back further than audits are apart, and no further than CloudWatch can: %s', (every, periods) => {
    expect(alarmOf(every)).toMatchObject({ Period: 21_600, EvaluationPeriods: periods, DatapointsToAlarm: periods });
  });
});

describe('the first pass and the first audit', () => {
  test('wait for users and rotations: Scheduler starts a rate at once, and would find neither', () => {
    const deployed = Template.fromStack(stackOf({ keys: [{ user: 'app', createUser: true }] }));
    const idsOf = (type: string) => Object.keys(deployed.findResources(type));
    const needed = [...idsOf('AWS::IAM::User'), ...idsOf('AWS::SecretsManager::RotationSchedule')];
    const schedules = Object.values(deployed.findResources('AWS::Scheduler::Schedule'));
    expect(schedules).toHaveLength(2);
    for (const { DependsOn } of schedules) expect(DependsOn).toEqual(expect.arrayContaining(needed));
  });
});
