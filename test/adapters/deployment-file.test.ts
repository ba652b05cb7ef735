import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDeployment, readRegion } from '../../lambdas/adapters/deployment-file.ts';
import { deployedKey } from '../policy.ts';

const DEPLOYMENT = { formatVersion: 1, name: 'x', maxChangesPerRun: 25, rotateTimeout: 120 };
const holding = (content: string) => {
  const folder = mkdtempSync(join(tmpdir(), 'deployment-'));
  writeFileSync(join(folder, 'deployment.json'), content);
  return { LAMBDA_TASK_ROOT: folder };
};

describe('the deployment file', () => {
  it('can not be changed once it is read', () => {
    const content = JSON.stringify({ ...DEPLOYMENT, keys: [deployedKey({ userName: 'app' })] });
    expect(Object.isFrozen(readDeployment(holding(content)))).toBe(true);
  });

  it('is told to be wrong with every problem, and what to do', () => {
    const content = JSON.stringify({ ...DEPLOYMENT, name: '', rotateTimeout: 0, keys: [] });
    expect(() => readDeployment(holding(content))).toThrowErrorMatchingInlineSnapshot(
      `[RotatorError: DEPLOYMENT_MALFORMED: deployment.json is wrong: name: Invalid length: Expected >=1 but received 0; rotateTimeout: Invalid value: Expected >=1 but received 0. Expected: the file that the deployment of this very version writes. To do: deploy again (npx cdk deploy).]`,
    );
  });

  it('is told to be unreadable, and why', () => {
    const read = () => readDeployment(holding('{'));
    expect(read).toThrowErrorMatchingInlineSnapshot(
      `[RotatorError: DEPLOYMENT_MALFORMED: deployment.json beside the function can't be read as JSON. Expected: the file that the deployment of this very version writes. To do: deploy again (npx cdk deploy).]`,
    );
    expect(read).toThrow(expect.objectContaining({ code: 'DEPLOYMENT_MALFORMED', cause: expect.any(SyntaxError) }));
  });

  it('is looked for where Lambda says that the code is', () => {
    expect(() => readDeployment({})).toThrowErrorMatchingInlineSnapshot(
      `[RotatorError: DEPLOYMENT_MALFORMED: the environment has no LAMBDA_TASK_ROOT. Expected: the file that the deployment of this very version writes. To do: deploy again (npx cdk deploy).]`,
    );
  });
});

describe('the Region', () => {
  it('is the one that Lambda runs the function in', () => {
    expect(readRegion({ AWS_REGION: 'eu-central-1' })).toBe('eu-central-1');
  });

  it.each([
    ['missing', {}],
    ['empty', { AWS_REGION: '' }],
  ])('is needed, and is not taken for granted when it is %s', (_, environment) => {
    expect(() => readRegion(environment)).toThrow(
      'DEPLOYMENT_MALFORMED: the environment has no AWS_REGION. Expected: the file that',
    );
  });
});
