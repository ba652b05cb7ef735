/** Paged listings. */
import { RotatorError } from '../domain/errors.ts';

export interface Page<T> {
  readonly items: readonly T[];
  /** Absent on the last page. An empty page with a token is no last page. */
  readonly next: string | undefined;
}

/**
 * Walks through all pages, the empty ones in the middle too.
 *
 * @throws RotatorError LISTING_LOOPS when AWS answers a token that it has answered before: half a listing is never taken for a whole one
 */
export async function* pages<T>(
  operation: string,
  read: (token: string | undefined) => Promise<Page<T>>,
): AsyncIterable<readonly T[]> {
  const seen = new Set<string>();
  let token: string | undefined;
  do {
    const page = await read(token);
    yield page.items;
    token = page.next;
    // Stryker disable next-line ConditionalExpression: undefined was never seen; the comparison is for the compiler.
    if (token !== undefined && seen.has(token)) {
      throw new RotatorError('LISTING_LOOPS', {
        found: `${operation} answered the same page token twice`,
        expected: 'a new token a page, and none on the last one',
        remedy: 'nothing: the next run lists again; if this lasts, ask AWS support',
      });
    }
    // Stryker disable next-line ConditionalExpression: where no token is added, the loop ends; the comparison is for the compiler.
    if (token !== undefined) seen.add(token);
  } while (token !== undefined);
}
