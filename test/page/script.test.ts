import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderPage } from '../../lambdas/audit/page/index.ts';
import { SCRIPT } from '../../lambdas/audit/page/script.ts';
import { STYLE } from '../../lambdas/audit/page/style.ts';
import { smallReport } from './sample.ts';

const packageFolder = (name: string) => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));

/** What a tool says of a file; nothing if it is content. */
function complaints(program: string, args: readonly string[]): string {
  try {
    execFileSync(process.execPath, [program, ...args], { encoding: 'utf8', stdio: 'pipe' });
    return '';
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return stdout + stderr;
  }
}

describe("the page's script, which is text to the project's own checks", () => {
  let folder: string;
  let file: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'iam-key-rotator-page-'));
    file = join(folder, 'page.cjs');
    writeFileSync(file, SCRIPT);
    writeFileSync(
      join(folder, 'biome.json'),
      JSON.stringify({ linter: { rules: { preset: 'recommended', style: { useTemplate: 'off' } } } }),
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('passes the compiler with strict types of the browser', () => {
    const options = [
      '--ignoreConfig',
      '--noEmit',
      '--allowJs',
      '--checkJs',
      '--strict',
      '--noUnusedLocals',
      '--target',
      'es2024',
    ];
    const lib = ['--lib', 'es2024,dom,dom.iterable'];
    expect(complaints(join(packageFolder('typescript'), 'bin/tsc'), [...options, ...lib, file])).toBe('');
  });

  it('passes the linter', () => {
    const biome = join(packageFolder('@biomejs/biome'), 'bin/biome');
    expect(complaints(biome, ['lint', '--error-on-warnings', '--config-path', folder, file])).toBe('');
  });

  it('and its style cannot end the elements that hold them', () => {
    expect(SCRIPT + STYLE).not.toMatch(/<\/|<!--/);
    const page = renderPage(smallReport());
    expect(page).toContain(`<script>${SCRIPT}</script>`);
    expect(page).toContain(`<style>${STYLE}</style>`);
  });
});
