/** Calls in flight at once: IAM publishes no rates, so an operator's command stays modest. */
export const CONCURRENCY = 10;

/**
 * Does the work for all items, at most `CONCURRENCY` at a time.
 *
 * @returns the results in the order of the items
 * @throws what the first failing work threw; no further work is begun then
 */
export async function concurrently<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next;
      next += 1;
      try {
        results[index] = await work(items[index] as T);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker));
  return results;
}
