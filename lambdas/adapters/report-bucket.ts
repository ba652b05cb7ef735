/** The bucket of the reports: one object at a time, over signed requests. */
import type { ReportStore } from '../domain/audit.ts';
import { isAws } from './call.ts';
import { type SignerConfig, send } from './signed-request.ts';
import { sleep } from './time.ts';

export interface BucketOptions {
  readonly bucket: string;
  readonly region: string;
  /** For an AWS that is not AWS: the bucket is then part of the path. @default that of the Region, the bucket in its host name */
  readonly endpoint?: string | undefined;
  /** @default the process's clock */
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

/**
 * PutObject and GetObject. S3 writes an object whole or not at all, checks it against the hash that is signed, and shows it to whoever reads
 * afterwards.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel
 */
export function reportBucket(config: SignerConfig, options: BucketOptions): ReportStore {
  const { bucket, region, endpoint } = options;
  const wait = options.sleep ?? sleep;
  const urlOf = (name: string) =>
    new URL(
      endpoint === undefined
        ? `https://${bucket}.s3.${region}.${suffixOf(region)}/${name}`
        : `${endpoint}/${bucket}/${name}`,
    );
  const common = { service: 's3', region } as const;
  return {
    async put(name, contentType, body) {
      const headers = { 'content-type': contentType };
      await send({ ...common, operation: 'PutObject', method: 'PUT', url: urlOf(name), headers, body }, config, wait);
    },

    async get(name) {
      try {
        return (await send({ ...common, operation: 'GetObject', method: 'GET', url: urlOf(name) }, config, wait)).body;
      } catch (error) {
        // Told only to who may list the bucket; others are refused, and a refusal is no "none".
        if (isAws(error, 'NoSuchKey')) return undefined;
        throw error;
      }
    },
  };
}

/** The domain of the Region's partition. @see https://docs.aws.amazon.com/general/latest/gr/s3.html */
export const suffixOf = (region: string): string => (region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com');
