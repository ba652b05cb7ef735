/** Templates for the tests, without bundling: that has a test of its own. */
import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { addStacks } from '../../infra/add-stacks.ts';
import { type RotatorConfig, resolveConfig } from '../../infra/config/index.ts';
import type { RotatorStack } from '../../infra/rotator-stack.ts';

/** The feature flags of the project, which the CDK CLI would pass on. */
const { context }: { context: Record<string, unknown> } = JSON.parse(
  readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'),
);

export function stacksOf(config: RotatorConfig): RotatorStack[] {
  return addStacks(new App({ context: { ...context, 'aws:cdk:bundling-stacks': [] } }), resolveConfig(config));
}

export function templateOf(config: RotatorConfig): Template {
  const [stack] = stacksOf(config);
  if (stack === undefined) throw new Error('no stack');
  return Template.fromStack(stack);
}

export interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource?: unknown;
  readonly Principal?: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Every policy statement of a template, whatever resource it belongs to. */
export function statementsOf(template: Template): Statement[] {
  return findStatements(template.toJSON());
}

function findStatements(value: unknown): Statement[] {
  if (Array.isArray(value)) return value.flatMap(findStatements);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'Statement' ? ([inner].flat() as Statement[]) : findStatements(inner),
  );
}

/** The statement with a Sid, which must be the only one unless `of` tells the roles apart. */
export function statement(template: Template, sid: string): Statement {
  const [found, ...others] = statementsOf(template).filter((candidate) => candidate.Sid === sid);
  if (found === undefined || others.length > 0) throw new Error(`${others.length + (found ? 1 : 0)} statements ${sid}`);
  return found;
}
