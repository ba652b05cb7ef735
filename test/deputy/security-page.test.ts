import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8');
const sources = new Map<string, string>();

/** A file's text, with quotes in strings as they are read. */
function source(file: string): string {
  const text = sources.get(file) ?? readFileSync(join(ROOT, file), 'utf8').replaceAll("\\'", "'");
  sources.set(file, text);
  return text;
}

/** Files that the page names, each with the tests that follow it in “ ” up to the next file. */
const named = page
  .split(/`(?=(?:test|local)\/)/)
  .slice(1)
  .map((part) => {
    const [file = '', rest = ''] = part.split(/`(.*)/s);
    return { file, tests: [...rest.matchAll(/“([^”]+)”/g)].map(([, test = '']) => test.replace(/\s+/g, ' ')) };
  });

describe('SECURITY.md', () => {
  it('names files that are there', () => {
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(({ file }) => !existsSync(join(ROOT, file))).map(({ file }) => file)).toEqual([]);
  });

  it('names tests that are in them', () => {
    const tests = named.flatMap(({ file, tests }) => tests.map((test) => ({ file, test })));
    expect(tests.length).toBeGreaterThan(40);
    expect(tests.filter(({ file, test }) => !source(file).includes(test))).toEqual([]);
  });

  it('tells of every attack that is not stopped', () => {
    const file = source('test/deputy/own-user.test.ts');
    const open = [...file.matchAll(/['"](.*): not stopped, see SECURITY\.md['"]/g)].map(([, name = '']) => name);
    expect(open.length).toBeGreaterThan(15);
    const told = named.flatMap(({ tests }) => tests);
    expect(open.filter((name) => !told.some((test) => name.includes(test)))).toEqual([]);
  });
});
