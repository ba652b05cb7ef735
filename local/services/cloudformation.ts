/** CloudFormation, as far as what was deployed is asked for. */
import type { SimulatedAccount } from '../account.ts';
import { AwsError } from '../model.ts';
import { optionalText, text } from '../wire/input.ts';
import type { Input, Output } from '../wire/protocols.ts';
import type { Operation } from './registry.ts';

/** A stack as its deployment left it. */
export interface SimulatedStack {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  /** @default CREATE_COMPLETE */
  readonly status?: string;
  readonly outputs: Readonly<Record<string, string>>;
  /** The Metadata section of the template. */
  readonly metadata: unknown;
  readonly resources: readonly { readonly logicalId: string; readonly type: string; readonly physicalId: string }[];
}

const PAGE = 100;

export const cloudFormationOperations: Readonly<Record<string, Operation>> = {
  /** "If the stack doesn't exist, a ValidationError is returned": https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html */
  DescribeStacks(account, input): Output {
    const stack = stackOf(account, input);
    return {
      Stacks: [
        {
          StackId: stack.arn,
          StackName: stack.name,
          StackStatus: stack.status ?? 'CREATE_COMPLETE',
          CreationTime: new Date(stack.createdAt).toISOString(),
          Outputs: Object.entries(stack.outputs).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue })),
        },
      ],
    };
  },

  /** Gives the metadata as a string: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplateSummary.html */
  GetTemplateSummary(account, input): Output {
    const { metadata } = stackOf(account, input);
    return metadata === undefined ? {} : { Metadata: JSON.stringify(metadata) };
  },

  /** Up to 100 resources a page: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html */
  ListStackResources(account, input): Output {
    const { resources } = stackOf(account, input);
    const start = Number(optionalText(input, 'NextToken') ?? 0);
    const page = resources.slice(start, start + PAGE);
    return {
      StackResourceSummaries: page.map(({ logicalId, type, physicalId }) => ({
        LogicalResourceId: logicalId,
        PhysicalResourceId: physicalId,
        ResourceType: type,
        ResourceStatus: 'CREATE_COMPLETE',
      })),
      ...(start + PAGE < resources.length ? { NextToken: String(start + PAGE) } : {}),
    };
  },
};

/** The ARN of the stack that a call is about. */
export function stackResource(account: SimulatedAccount, input: Input): string {
  const name = text(input, 'StackName');
  return stackArn(account, name, '*');
}

export const stackArn = (account: SimulatedAccount, name: string, id = '1') =>
  `arn:aws:cloudformation:${account.region}:${account.id}:stack/${name}/${id}`;

function stackOf(account: SimulatedAccount, input: Input): SimulatedStack {
  const name = text(input, 'StackName');
  const stack = account.stacks.get(name) ?? [...account.stacks.values()].find(({ arn }) => arn === name);
  if (stack === undefined) throw new AwsError('ValidationError', `Stack with id ${name} does not exist`);
  return stack;
}
