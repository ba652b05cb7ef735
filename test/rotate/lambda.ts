/** The handler of a function as Lambda loads it, with the ports in the place of AWS, and what it prints. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import type { Deployment } from '../../lambdas/contract/deployment.ts';
import { NOW } from '../domain/world.ts';
import { type Ports, REGION } from './ports.ts';

/** Emulates what Lambda and the stack set. Undone by `vi.unstubAllEnvs()`, `vi.useRealTimers()` and `vi.doUnmock()`. */
export function deployed(deployment: Deployment, ports: Ports) {
  const folder = mkdtempSync(join(tmpdir(), 'function-'));
  writeFileSync(join(folder, 'deployment.json'), JSON.stringify(deployment));
  vi.stubEnv('LAMBDA_TASK_ROOT', folder);
  vi.stubEnv('AWS_REGION', REGION);
  vi.stubEnv('POWERTOOLS_METRICS_NAMESPACE', 'test');
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', 'test-service');
  vi.useFakeTimers({ now: NOW, toFake: ['Date', 'setTimeout', 'clearTimeout'] });

  const regions: string[] = [];
  const { secrets, versions, iam, identities, rotations } = ports.world;
  const of = <T>(port: T) => {
    return (region: string): T => {
      regions.push(region);
      return port;
    };
  };
  vi.resetModules();
  vi.doMock('../../lambdas/adapters/clients.ts', () => ({
    iamAdapter: of(iam),
    secretsAdapter: of(secrets),
    versionsAdapter: of(versions),
    rotationsAdapter: of(rotations),
    identitiesAdapter: () => identities,
  }));

  const printed: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  const lines = () =>
    printed
      .join('')
      .trim()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line));
  return {
    /** The Regions that the adapters were made for. */
    regions,
    /** All that was printed. */
    printed: () => printed.join(''),
    /** Lines of the log, without what the logger adds of its own. */
    logged: () =>
      lines().flatMap(({ _aws, timestamp: _t, sampling_rate: _s, xray_trace_id: _x, ...line }) =>
        _aws === undefined ? [line] : [],
      ),
    /** The metrics of each invocation, by name. */
    counted: () =>
      lines().flatMap((line) => {
        const names = namesOf(line._aws);
        return names === undefined ? [] : [Object.fromEntries(names.map((name) => [name, line[name]]))];
      }),
  };
}

/** Of a line in the embedded metric format. */
function namesOf(aws: unknown): readonly string[] | undefined {
  if (aws === undefined) return undefined;
  const found = JSON.stringify(aws).matchAll(/"Name":"(\w+)","Unit":"(?:Count|Seconds)"/g);
  return [...found].map(([, name = '']) => name);
}

/** What Lambda tells of an invocation. */
export const contextOf = (awsRequestId: string, timeLeft = 120_000) => ({
  awsRequestId,
  functionName: 'the-function',
  functionVersion: '1',
  invokedFunctionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:the-function',
  memoryLimitInMB: '256',
  logGroupName: 'group',
  logStreamName: 'stream',
  callbackWaitsForEmptyEventLoop: true,
  getRemainingTimeInMillis: () => timeLeft,
  done() {},
  fail() {},
  succeed() {},
});
