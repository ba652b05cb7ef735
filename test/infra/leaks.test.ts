/** What hears of leaks: the rules of the rotator's Region, and of the one that AWS sends global events to. */
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { LeakSignalsStack } from '../../infra/leak-signals.ts';
import { SERVICES } from '../../lambdas/contract/names.ts';
import { SimulatedAccount } from '../../local/account.ts';
import { type CodeOf, deployTemplate } from '../../local/assembly.ts';
import type { BusEvent } from '../../local/events.ts';
import { judgeByPolicies } from '../../local/policy-engine.ts';
import { exposed, quarantined } from '../simulation/world.ts';
import { stacksOf, statementsOf, UNCHECKED } from './synth.ts';

const ACCOUNT = '111122223333';
const keys = [{ user: 'u' }];
const at = (region: string) => ({ targets: [{ name: 't', account: ACCOUNT, region, keys }] });

/** The stacks that a configuration makes, by name. */
function stacksIn(config: Parameters<typeof stacksOf>[0]) {
  const [stack] = stacksOf(config, UNCHECKED);
  return (stack?.node.root.node.children ?? []).map((child) => child.node.id);
}

describe('the rules for leaks', () => {
  const [stack] = stacksOf(at('eu-central-1'), UNCHECKED);
  if (stack === undefined) throw new Error('no stack');
  const template = Template.fromStack(stack);

  /** Those that invoke the respond function; others tell people. */
  const leakRules = () =>
    Object.values(template.findResources('AWS::Events::Rule')).filter(({ Properties }) =>
      JSON.stringify(Properties.Targets).includes('LeakRespond'),
    );

  test("take AWS Health's events about exposed credentials, and the quarantine policy by its prefix", () => {
    expect(leakRules()).toHaveLength(2);
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.health'],
        detail: { service: ['RISK'], eventTypeCode: Match.arrayWith(['AWS_RISK_CREDENTIALS_EXPOSED']) },
      },
    });
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.iam'],
        detail: {
          eventName: ['AttachUserPolicy'],
          errorCode: [{ exists: false }],
          requestParameters: {
            policyArn: [{ prefix: 'arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantine' }],
          },
        },
      },
    });
  });

  test('call the respond function, and leave what they can not deliver in the dead-letter queue', () => {
    for (const { Properties } of leakRules()) {
      expect(Properties.Targets).toMatchObject([
        { DeadLetterConfig: { Arn: { 'Fn::GetAtt': [expect.stringMatching(/DeadLetters/), 'Arn'] } } },
      ]);
    }
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: Match.stringLikeRegexp('Respond') },
      MaximumRetryAttempts: 2,
      DestinationConfig: { OnFailure: Match.anyValue() },
    });
    template.hasOutput('RespondFunctionName', {});
  });

  test('are forwarded from us-east-1 by a role that may do nothing else', () => {
    const forwarding = stack.node.root.node.children.find((child) => child instanceof LeakSignalsStack);
    if (forwarding === undefined) throw new Error('no stack');
    expect([forwarding.stackName, forwarding.region]).toEqual(['iam-key-rotator-t-leak-signals', 'us-east-1']);
    const signals = Template.fromStack(forwarding);
    signals.resourceCountIs('AWS::Events::Rule', 2);
    const allowed = statementsOf(signals).filter(({ Action }) => Action !== 'sts:AssumeRole');
    const bus = `:events:eu-central-1:${ACCOUNT}:event-bus/default`;
    expect(allowed.map(({ Action }) => Action)).toEqual(['events:PutEvents']);
    expect(JSON.stringify(allowed[0]?.Resource)).toContain(bus);
    for (const { Properties } of Object.values(signals.findResources('AWS::Events::Rule'))) {
      expect(JSON.stringify(Properties.Targets[0].Arn)).toContain(bus);
      expect(Properties.Targets[0].RoleArn).toBeDefined();
    }
  });
});

describe('the forwarding stack', () => {
  test.each([
    [
      'is there where the rotator is elsewhere',
      at('eu-west-1'),
      ['iam-key-rotator-t-leak-signals', 'iam-key-rotator-t'],
    ],
    ['is not there where the events arrive anyway', at('us-east-1'), ['iam-key-rotator-t']],
    ['is not there where nobody knows the Region', { keys }, ['iam-key-rotator']],
  ])('%s', (_, config, names) => {
    expect(stacksIn(config).filter((name) => name.startsWith('iam-key-rotator'))).toEqual(names);
  });
});

describe('an event in us-east-1', () => {
  test('gets to the respond function of another Region by way of both stacks, and by their policies', async () => {
    const [stack] = stacksOf(at('eu-central-1'), UNCHECKED);
    const forwarding = stack?.node.root.node.children.find((child) => child instanceof LeakSignalsStack);
    if (stack === undefined || forwarding === undefined) throw new Error('no stack');
    const account = new SimulatedAccount({ accountId: ACCOUNT, region: 'eu-central-1' });
    const received: unknown[] = [];
    const codeOf: CodeOf =
      ({ env }) =>
      () =>
      (event) => {
        if (Object.values(env).includes(SERVICES.respond)) received.push(event);
      };
    deployTemplate(account, 'signals', Template.fromStack(forwarding).toJSON(), codeOf, 'us-east-1');
    judgeByPolicies(account);
    const put = async (event: BusEvent, region: string) => {
      account.events.put(event, region);
      await account.clock.advance(1000);
    };
    await put(exposed('AKIAIOSFODNN7EXAMPLE'), 'us-east-1');
    expect(received).toEqual([]);
    deployTemplate(account, 'main', Template.fromStack(stack).toJSON(), codeOf);
    await put(exposed('AKIAIOSFODNN7EXAMPLE'), 'us-east-1');
    await put(quarantined('u', account.clock.now()), 'us-east-1');
    await put(quarantined('u', account.clock.now(), 'ReadOnlyAccess'), 'us-east-1');
    await put(exposed('AKIAIOSFODNN7EXAMPLE'), 'eu-west-1');
    expect(received).toMatchObject([{ source: 'aws.health', region: 'us-east-1' }, { source: 'aws.iam' }]);
  });
});
