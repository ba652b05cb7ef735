import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ASK_AGAIN, ASKED_BEFORE } from '../../client/program/document.ts';
import { EXIT_CODES, EXIT_UNEXPECTED, MEANINGS, type ProgramErrorCode } from '../../client/program/exit-codes.ts';
import { help } from '../../client/program/help.ts';
import { OPTIONS } from '../../client/program/options.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/credentials-command.md'), 'utf8');

/** Rows of the page's tables that begin so. */
const rows = (beginning: RegExp) => page.split('\n').filter((line) => beginning.test(line));

it('docs/credentials-command.md lists every option, in the words of --help', () => {
  const options = Object.entries(OPTIONS).map(([name, { says, ...rest }]) => {
    const value = 'value' in rest ? ` ${rest.value}` : '';
    expect(help()).toContain(`--${name}${value}`);
    return `| \`--${name}${value}\` | ${says} |`;
  });
  expect(rows(/^\| `--/)).toEqual(options);
});

it('docs/credentials-command.md and --help list every exit code, which are all different', () => {
  const codes = Object.keys(EXIT_CODES) as ProgramErrorCode[];
  expect(rows(/^\| \d+ \|/)).toEqual([
    `| ${EXIT_UNEXPECTED} | UNEXPECTED | a defect of this program |`,
    ...codes.map((code) => `| ${EXIT_CODES[code]} | ${code} | ${MEANINGS[code]} |`),
  ]);
  for (const code of codes)
    expect(help()).toMatch(new RegExp(`^ +${EXIT_CODES[code]} +${code} +${MEANINGS[code]}$`, 'm'));
  expect(new Set([0, EXIT_UNEXPECTED, ...Object.values(EXIT_CODES)]).size).toBe(codes.length + 2);
});

it('docs/credentials-command.md says the times that the program goes by', () => {
  expect(ASKED_BEFORE).toBe(15 * 60_000);
  expect(ASK_AGAIN).toBe(60_000);
  expect(page).toContain('`--ttl` + 15 minutes');
  expect(page).toContain('`Expiration` 16 minutes ahead');
});
