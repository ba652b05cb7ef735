import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const IMPORT = /(?:from|import)\s*\(?\s*'([^']+)'/g;

/** All TypeScript files below a folder, as paths from the root. */
function files(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file));
}

/** What a file imports: paths from the root, or names of packages. */
function imports(file: string): string[] {
  const source = readFileSync(join(ROOT, file), 'utf8');
  return [...source.matchAll(IMPORT)].map(([, name = '']) =>
    name.startsWith('.') ? normalize(join(dirname(file), name)) : name,
  );
}

const isLocal = (name: string) => name.endsWith('.ts');

/** Imports of a folder's files that the rule does not allow. */
function violations(folder: string, allowed: (imported: string, file: string) => boolean): string[] {
  const found = files(folder);
  expect(found.length).toBeGreaterThan(0);
  return found.flatMap((file) =>
    imports(file)
      .filter((imported) => !allowed(imported, file))
      .map((imported) => `${relative('.', file)} imports ${imported}`),
  );
}

const within =
  (...folders: string[]) =>
  (imported: string) =>
    folders.some((folder) => imported.startsWith(`${folder}/`));

describe('dependencies point one way', () => {
  it('the domain knows the contract and itself: no AWS, no Node, no package', () => {
    expect(violations('lambdas/domain', within('lambdas/domain', 'lambdas/contract'))).toEqual([]);
  });

  it('the domain has no clock and no environment', () => {
    const impure = /\bprocess\b|Date\.now|new Date\(\)|setTimeout|Math\.random|performance\./;
    expect(files('lambdas/domain').filter((file) => impure.test(readFileSync(join(ROOT, file), 'utf8')))).toEqual([]);
  });

  it('the contract knows nothing but the library that checks it', () => {
    expect(violations('lambdas/contract', (name) => name === 'valibot' || within('lambdas/contract')(name))).toEqual(
      [],
    );
  });

  it('adapters know the domain and the contract, and no function', () => {
    const local = within('lambdas/adapters', 'lambdas/domain', 'lambdas/contract');
    expect(violations('lambdas/adapters', (name) => !isLocal(name) || local(name))).toEqual([]);
  });

  const FUNCTIONS = ['rotate', 'retire', 'audit', 'notify', 'respond'].filter((name) =>
    existsSync(join(ROOT, 'lambdas', name)),
  );

  it('a function knows no other function, and shares what retirement is with others', () => {
    for (const name of FUNCTIONS) {
      const local = within(
        `lambdas/${name}`,
        'lambdas/retirement',
        'lambdas/adapters',
        'lambdas/domain',
        'lambdas/contract',
      );
      expect(violations(`lambdas/${name}`, (imported) => !isLocal(imported) || local(imported))).toEqual([]);
    }
  });

  it('looking at a secret and carrying out what was decided go through ports, and know no function', () => {
    const local = within('lambdas/retirement', 'lambdas/domain', 'lambdas/contract');
    expect(violations('lambdas/retirement', local)).toEqual([]);
  });

  it('only the edge of a function and the adapters know AWS: the steps and the pass go through ports', () => {
    const edge = (file: string) => file.endsWith('/handler.ts');
    for (const name of FUNCTIONS) {
      const aws = (imported: string) => imported.startsWith('@aws') || imported.startsWith('lambdas/adapters/');
      expect(violations(`lambdas/${name}`, (imported, file) => edge(file) || !aws(imported))).toEqual([]);
    }
  });

  it('only adapters and handlers ask for the time', () => {
    const impure = /Date\.now|new Date\(\)|setTimeout\(/;
    const inner = files('lambdas').filter((file) => !file.startsWith('lambdas/adapters/'));
    expect(inner.filter((file) => impure.test(readFileSync(join(ROOT, file), 'utf8')))).toEqual([]);
  });

  it('infra takes only the contract from the Lambdas', () => {
    expect(
      violations(
        'infra',
        (name) => !isLocal(name) || within('infra', 'lambdas/contract')(name) || name === 'rotator.config.ts',
      ),
    ).toEqual([]);
  });

  it('nothing imports infra but tests, benchmarks and the configuration that it checks', () => {
    for (const folder of ['lambdas', 'local']) {
      const demoConfig = (file: string) => file.endsWith('rotator.config.ts');
      expect(violations(folder, (name, file) => !name.startsWith('infra/') || demoConfig(file))).toEqual([]);
    }
  });

  it('the simulated account is no part of what is deployed', () => {
    for (const folder of ['lambdas', 'infra']) {
      expect(violations(folder, (name) => !name.startsWith('local/') && !name.startsWith('test/'))).toEqual([]);
    }
  });

  it('the program takes decisions from the functions and their checks from the configuration, and knows no handler and no app', () => {
    const local = within('cli', 'client', 'lambdas', 'infra/config');
    const known = (name: string) => local(name) && !name.endsWith('/handler.ts');
    expect(violations('cli', (name) => !isLocal(name) || known(name))).toEqual([]);
  });

  it('what an application imports knows itself, the contract, the SDK and Node, and no other package', () => {
    const known = (name: string) =>
      within('client', 'lambdas/contract')(name) ||
      name === '@aws-sdk/client-secrets-manager' ||
      name.startsWith('node:');
    expect(violations('client', (name) => known(name) || name === '@smithy/types')).toEqual([]);
  });

  it('what an application imports takes nothing but types from a package that it does not depend on', () => {
    const values = /import\s+(?!type\b)[^;]*from '@smithy\/types'/;
    expect(files('client').filter((file) => values.test(readFileSync(join(ROOT, file), 'utf8')))).toEqual([]);
  });
});
