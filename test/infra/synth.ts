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

/** @param flags context that overrides the project's */
export function stacksOf(config: RotatorConfig, flags: Readonly<Record<string, unknown>> = {}): RotatorStack[] {
  const app = new App({ context: { ...context, 'aws:cdk:bundling-stacks': [], ...flags } });
  return addStacks(app, resolveConfig(config));
}

export function templateOf(config: RotatorConfig, flags?: Readonly<Record<string, unknown>>): Template {
  const [stack] = stacksOf(config, flags);
  if (stack === undefined) throw new Error('no stack');
  return Template.fromStack(stack);
}

/** The CDK's own checks of the template take seconds, and are no concern of tests that only use it; nor are its warnings. */
export const UNCHECKED = {
  '@aws-cdk/core:validateAgainstDefaultRules': false,
  '@aws-cdk/core:annotationsInValidationReport': false,
};

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
