/** What an application takes on: `npm run bench` has the figures. */
import { describe, expect, it } from 'vitest';
import { BUDGETS, judge, KB } from '../../bench/budgets.ts';
import { clientBundle } from '../../bench/measure-client.ts';

const textOf = (source?: string) => clientBundle(source).toString();

describe('the bundle of an application', () => {
  it('grows by no more than the budget', () => {
    expect(judge('size', BUDGETS.clientSize, { value: clientBundle().length / KB, how: '' })).toMatchObject({
      within: true,
    });
  });

  it('has no other package in it than the SDK, and nothing of Node but what files need', () => {
    const packages = [...textOf().matchAll(/(?:from|import)\s*\(?"([^"]+)"/g)].map(([, name = '']) => name);
    expect(packages.filter((name) => name !== '@aws-sdk/client-secrets-manager' && !name.startsWith('node:'))).toEqual(
      [],
    );
    expect(packages).toContain('@aws-sdk/client-secrets-manager');
  });

  it('has nothing of the provider if only withFreshCredentials is imported', () => {
    const text = textOf("export { withFreshCredentials } from './client/index.ts';");
    expect(text).toContain('forceRefresh');
    expect(text).not.toContain('GetSecretValue of');
    expect(text.length).toBeLessThan(3 * KB);
  });

  it('does nothing when it is loaded', () => {
    const rest = textOf("import './client/index.ts';").replaceAll(/import\s*(\{[^}]*\}\s*from)?\s*"[^"]+";/g, '');
    expect(rest.trim()).toBe('');
  });
});
