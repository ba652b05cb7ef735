/** The simulations judge by what the template grants: what is written out for many users is what it would have for them. */
import { IAMClient, ListAccessKeysCommand } from '@aws-sdk/client-iam';
import { afterEach, describe, expect, it } from 'vitest';
import type { Mode } from '../../lambdas/contract/deployment.ts';
import { isRecord } from '../../local/wire/protocols.ts';
import { deployUsers, type Named, statementsFor } from '../simulation/authorize.ts';
import { finishAll, Simulation } from '../simulation/world.ts';

afterEach(() => void finishAll());

/** By Sid, each with its resources in an order of their own, which means nothing. */
const bySid = (statements: readonly unknown[]) =>
  Object.fromEntries(
    statements.map((statement) => {
      if (!isRecord(statement)) throw new Error('not a statement');
      return [String(statement.Sid), { ...statement, Resource: [statement.Resource].flat().sort() }];
    }),
  );

describe('statements written out for a list of users', () => {
  it.each<[string, Mode[]]>([
    ['one user', ['enforce']],
    ['three users', ['enforce', 'enforce', 'enforce']],
    ['users of both modes', ['enforce', 'observe', 'enforce', 'observe']],
    ['a user in observe mode', ['observe']],
  ])('are those of the template synthesized for %s', (_, modes) => {
    const { placeholders: named, roles } = deployUsers(
      modes.map((mode, index) => ({ userName: `user${index}`, mode })),
    );
    for (const role of ['rotate', 'retire', 'respond', 'audit'] as const) {
      // What the stack itself makes, its log groups and queue, has the same names in every deployment of it.
      expect(statementsFor(role, named)).toHaveLength(roles[role].length);
      expect(bySid(statementsFor(role, named))).toEqual(bySid(roles[role]));
    }
  });

  it('name every one of a hundred users, each with its secret', () => {
    const named = Array.from({ length: 101 }, (_, index): Named => {
      const [user, secret] = [
        `arn:aws:iam::111122223333:user/u${index}`,
        `arn:aws:secretsmanager:eu-central-1:111122223333:secret:u${index}-AbCdEf`,
      ];
      return { user, secret, mode: 'enforce' };
    });
    const named101 = statementsFor('retire', named).filter(
      (statement) => isRecord(statement) && Array.isArray(statement.Resource) && statement.Resource.length === 101,
    );
    expect(Object.keys(bySid(named101)).sort()).toEqual([
      'ClearLedger',
      'EndAbandonedRotations',
      'RetireKeysOfTheUsers',
      'SeeKeysOfTheUsers',
      'SeeWhichKeysAreCurrent',
      'WriteLedger',
    ]);
  });
});

describe('a simulation', () => {
  /** A client with the rotate function's role. */
  function asRotate({ account }: Simulation): IAMClient {
    const arn = `arn:aws:sts::${account.id}:assumed-role/rotate-role/rotate`;
    const credentials = account.session({ kind: 'role', arn, name: 'rotate-role', userId: 'AROA:rotate' });
    return new IAMClient(account.clientConfig(credentials));
  }

  it('reports a call that the template does not allow like a broken invariant', async () => {
    const simulation = new Simulation();
    for (const name of ['app', 'admin']) simulation.account.createUser(name);
    const list = (UserName: string) =>
      simulation.account.clock.run(asRotate(simulation).send(new ListAccessKeysCommand({ UserName })));
    await list('app');
    expect(simulation.denied).toEqual([]);
    await expect(list('admin')).rejects.toMatchObject({ name: 'AccessDenied' });
    const what = expect.stringMatching(/^rotate may not iam:ListAccessKeys on arn:aws:iam::111122223333:user\/admin/);
    expect(simulation.denied).toMatchObject([{ what }]);
    expect(simulation.oracle.broken).toMatchObject([{ what }]);
    expect(finishAll()).toMatchObject([{ what }]);
  });

  it('goes by the users and the configuration of the moment', async () => {
    const simulation = new Simulation();
    const list = async () => {
      await simulation.account.clock.run(asRotate(simulation).send(new ListAccessKeysCommand({ UserName: 'app' })));
    };
    simulation.account.createUser('app');
    await list();
    simulation.account.deleteUser('app');
    simulation.account.createUser('app', { path: '/team/' });
    await list();
    const [key] = simulation.deployment.keys;
    if (key === undefined) throw new Error('no key');
    simulation.deployment = { ...simulation.deployment, keys: [{ ...key, mode: 'observe' }] };
    await expect(list()).rejects.toMatchObject({ name: 'AccessDenied' });
    simulation.deployment = { ...simulation.deployment, keys: [{ ...key, userName: 'other' }] };
    await expect(list()).rejects.toMatchObject({ name: 'AccessDenied' });
    expect(simulation.denied).toHaveLength(2);
  });

  it('judges a life with secrets of any ending', async () => {
    for (const seed of [1, 2, 3]) {
      const simulation = new Simulation({ account: { seed } });
      simulation.account.createUser('app');
      await simulation.schedule('iam/app', 30);
      await simulation.advanceWithPasses(12, 6);
      expect(simulation.oracle.finish()).toEqual([]);
      expect(simulation.current('iam/app').AccessKeyId).toMatch(/^AKIA/);
    }
  });
});
