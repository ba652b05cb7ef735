/** What the deployed audit has written in the end: taken out of its bucket, to be opened in a browser. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

/** What is read of the account: its buckets, by name, and in each the versions of its objects, by key, the newest last. */
export interface AccountOfReports {
  readonly id: string;
  readonly buckets?: ReadonlyMap<
    string,
    { readonly objects: ReadonlyMap<string, readonly { readonly body: string }[]> }
  >;
}

/** The object that names those of the newest whole report; the audit writes it last. */
const LATEST = 'reports/latest.json';
const latestSchema = z.object({ html: z.string(), csv: z.string(), json: z.string() });

/**
 * Writes `report.html`, `report.csv` and `report.json` as the audit wrote them.
 *
 * @returns the path of the page; undefined if no audit has run
 * @throws if the bucket lacks what its pointer names
 */
export function writeReport({ buckets = new Map() }: AccountOfReports, folder: string): string | undefined {
  const objects = [...buckets.values()].map((bucket) => bucket.objects).find((keys) => keys.has(LATEST));
  const read = (key: string): string => {
    const body = objects?.get(key)?.at(-1)?.body;
    if (body === undefined) throw new Error(`The bucket of reports has no ${key}`);
    return body;
  };
  if (objects === undefined) return undefined;
  const latest = latestSchema.parse(JSON.parse(read(LATEST)));
  const files = (['html', 'csv', 'json'] as const).map((kind) => [`report.${kind}`, read(latest[kind])] as const);
  mkdirSync(folder, { recursive: true });
  for (const [name, body] of files) writeFileSync(join(folder, name), body);
  return join(folder, 'report.html');
}
