import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { READ_ERRORS } from '../client/errors.ts';
import { CONSUMERS, safeOverlap } from '../infra/config/consumers.ts';
import { formatDuration } from '../infra/config/duration.ts';

const DOCS = join(import.meta.dirname, '../docs');
const page = readFileSync(join(DOCS, 'consumers.md'), 'utf8');

/** The cells of each row of the tables that begins with a text in code. */
const rows = [...page.matchAll(/^\| (`.*) \|$/gm)].map(([, cells = '']) => cells.split(' | '));

/** The anchor that GitHub gives a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

const anchorsOf = (text: string) => [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));

describe('docs/consumers.md', () => {
  it.each(Object.entries(CONSUMERS))('says how stale %s gets, and which overlap is safe', (name, staleFor) => {
    const [, stale, overlap] = rows.find(([first]) => first === `\`${name}\``) ?? [];
    if (staleFor === undefined) expect([stale, overlap]).toEqual(['no bound', 'see below']);
    else expect([stale, overlap]).toEqual([formatDuration(staleFor), formatDuration(safeOverlap(staleFor))]);
  });

  it.each(Object.entries(READ_ERRORS))('says what %s means', (code, meaning) => {
    expect(rows).toContainEqual([`\`${code}\``, meaning]);
  });

  it('lists no consumer and no error that there is not', () => {
    const names = rows.map(([first = '']) => first.slice(1, -1));
    expect(names.sort()).toEqual([...Object.keys(CONSUMERS), ...Object.keys(READ_ERRORS)].sort());
  });

  it('links to what is there', () => {
    const links = [...page.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, to = '']) => to)
      .filter((to) => !to.startsWith('http'));
    expect(links.length).toBeGreaterThan(10);
    const broken = links.filter((link) => {
      const [file = '', anchor] = link.split('#');
      const text = file === '' ? page : readFileSync(join(DOCS, file), 'utf8');
      return anchor !== undefined && !anchorsOf(text).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});
