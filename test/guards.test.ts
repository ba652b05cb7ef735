/** `npm run guards` takes the guards away; here only that it still finds them, and that docs/safety.md names them all. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GUARDS } from '../scripts/guards/list.ts';
import { guardRow } from '../scripts/guards/row.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

describe.each(GUARDS.map((guard) => [guard.name, guard] as const))('the guard: %s', (_, guard) => {
  it('stands in the source, once', () => {
    for (const { file, find } of guard.edits) expect(read(file).split(find)).toHaveLength(2);
  });

  it('has suites, and its row in docs/safety.md', () => {
    expect(guard.suites.filter((suite) => !existsSync(join(ROOT, suite)))).toEqual([]);
    expect(read('docs/safety.md')).toContain(guardRow(guard));
  });
});
