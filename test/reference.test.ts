import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { referencePages } from '../scripts/reference.ts';

describe('the reference', () => {
  it.each(Object.entries(referencePages()))('%s says what the source says (npm run docs)', (path, text) => {
    expect(readFileSync(join(import.meta.dirname, '..', path), 'utf8')).toBe(text);
  });
});
