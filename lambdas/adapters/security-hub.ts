/** Security Hub: importing findings, over signed requests. */
import type { FindingSink } from '../domain/audit.ts';
import { AwsCallError } from '../domain/errors.ts';
import { suffixOf } from './report-bucket.ts';
import { type SignerConfig, send } from './signed-request.ts';
import { sleep } from './time.ts';

/** The most that one call takes (API reference). */
const BATCH = 100;

/**
 * BatchImportFindings: a finding of a known id is updated, another one is new. It answers 200 also if it has refused some.
 *
 * @see https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html
 */
export function securityHub(
  config: SignerConfig,
  {
    region,
    endpoint,
    sleep: wait = sleep,
  }: { readonly region: string; readonly endpoint?: string | undefined; readonly sleep?: typeof sleep },
): FindingSink {
  const url = new URL(`${endpoint ?? `https://securityhub.${region}.${suffixOf(region)}`}/findings/import`);
  const call = { operation: 'BatchImportFindings', service: 'securityhub', region, method: 'POST', url } as const;
  return {
    async send(findings) {
      for (let start = 0; start < findings.length; start += BATCH) {
        const body = JSON.stringify({ Findings: findings.slice(start, start + BATCH) });
        const answer = await send({ ...call, headers: { 'content-type': 'application/json' }, body }, config, wait);
        const refused = /"FailedCount"\s*:\s*(\d+)/.exec(answer.body)?.[1];
        if (refused === '0') continue;
        const [, code = 'an answer without FailedCount'] = /"ErrorCode"\s*:\s*"([^"]{1,100})"/.exec(answer.body) ?? [];
        throw new AwsCallError(
          call.operation,
          code,
          false,
          `${refused ?? 'unknown how many'} findings of ${findings.length} were refused`,
        );
      }
    },
  };
}
