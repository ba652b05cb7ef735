import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { addVersion, moveLabel } from '../../local/services/secrets-manager.ts';
import { DAY, errorOf, HOUR, MINUTE, simulate, token } from './helpers.ts';

const SecretId = 's';
const [v1, v2, v3] = [token('one'), token('two'), token('three')];

/** A secret with v1 as AWSCURRENT and v2 as AWSPENDING. */
async function withPending() {
  const world = simulate();
  const { run, secrets } = world;
  await run(secrets.send(new CreateSecretCommand({ Name: SecretId, SecretString: 'old', ClientRequestToken: v1 })));
  const pending = { SecretString: 'new', VersionStages: ['AWSPENDING'] };
  await run(secrets.send(new PutSecretValueCommand({ SecretId, ClientRequestToken: v2, ...pending })));
  const send = {
    get: (query: object) => run(secrets.send(new GetSecretValueCommand({ SecretId, ...query }))),
    put: (ClientRequestToken: string, SecretString: string, VersionStages?: string[]) =>
      run(secrets.send(new PutSecretValueCommand({ SecretId, ClientRequestToken, SecretString, VersionStages }))),
    move: (VersionStage: string, RemoveFromVersionId?: string, MoveToVersionId?: string) =>
      run(
        secrets.send(
          new UpdateSecretVersionStageCommand({ SecretId, VersionStage, RemoveFromVersionId, MoveToVersionId }),
        ),
      ),
    labels: async () => (await run(secrets.send(new DescribeSecretCommand({ SecretId })))).VersionIdsToStages,
  };
  return { ...world, ...send };
}

describe('versions of a secret', () => {
  it('are read by label, by id, or by both if they agree', async () => {
    const { get } = await withPending();
    expect((await get({})).SecretString).toBe('old');
    expect((await get({ VersionStage: 'AWSPENDING' })).SecretString).toBe('new');
    expect((await get({ VersionId: v2 })).SecretString).toBe('new');
    expect((await get({ VersionId: v2, VersionStage: 'AWSPENDING' })).VersionStages).toEqual(['AWSPENDING']);
    expect((await errorOf(get({ VersionId: v2, VersionStage: 'AWSCURRENT' }))).name).toBe('InvalidRequestException');
  });

  it('can not be found while they are empty, and are filled by a put with their token', async () => {
    const { account, get, put } = await withPending();
    const secret = account.findSecret(SecretId);
    if (secret === undefined) throw new Error('No secret');
    addVersion(account, secret, v3);
    moveLabel(account, secret, 'AWSPENDING', v3);
    const byId = await errorOf(get({ VersionId: v3 }));
    const message = `Secrets Manager can't find the specified secret value for VersionId: ${v3}`;
    expect(byId).toEqual({ name: 'ResourceNotFoundException', message, status: 400 });
    expect((await errorOf(get({ VersionStage: 'AWSPENDING' }))).message).toContain('staging label: AWSPENDING');
    await put(v3, 'filled', ['AWSPENDING']);
    expect((await get({ VersionId: v3 })).SecretString).toBe('filled');
  });

  it('are listed with the UTC day of their last read, a page at a time, without those that have no label unless asked for', async () => {
    const { account, run, secrets, get, put } = await withPending();
    const list = (more: object = {}) => run(secrets.send(new ListSecretVersionIdsCommand({ SecretId, ...more })));
    await put(v3, 'newer', ['AWSPENDING']);
    await account.clock.advance(3 * DAY + 7 * HOUR);
    const day = new Date(account.clock.nowMs - (account.clock.nowMs % DAY));
    await get({ VersionId: v1 });
    await errorOf(get({ VersionId: v3, VersionStage: 'AWSCURRENT' }));
    await account.clock.advance(4 * HOUR);
    const { ARN, Name, Versions, NextToken } = await list();
    expect({ ARN, Name, NextToken }).toEqual({
      ARN: account.findSecret(SecretId)?.arn,
      Name: SecretId,
      NextToken: undefined,
    });
    expect(Versions?.map(({ CreatedDate: _, ...version }) => version)).toEqual([
      { VersionId: v1, VersionStages: ['AWSCURRENT'], LastAccessedDate: day },
      { VersionId: v3, VersionStages: ['AWSPENDING'] },
    ]);
    const all = await list({ IncludeDeprecated: true, MaxResults: 2 });
    expect(all.Versions?.map(({ VersionId }) => VersionId)).toEqual([v1, v2]);
    const rest = await list({ IncludeDeprecated: true, MaxResults: 2, NextToken: all.NextToken });
    expect(rest.Versions?.map(({ VersionId }) => VersionId)).toEqual([v3]);
  });

  it('take the same value again, and no other one', async () => {
    const { put, labels } = await withPending();
    const before = await labels();
    expect((await put(v2, 'new', ['AWSPENDING'])).VersionId).toBe(v2);
    expect(await labels()).toEqual(before);
    expect((await errorOf(put(v2, 'other', ['AWSPENDING']))).name).toBe('ResourceExistsException');
  });

  it('become AWSCURRENT when a put names no label, and leave AWSPREVIOUS behind', async () => {
    const { put, labels } = await withPending();
    await put(v3, 'third');
    expect(await labels()).toEqual({ [v1]: ['AWSPREVIOUS'], [v2]: ['AWSPENDING'], [v3]: ['AWSCURRENT'] });
  });

  it('hold 65,536 bytes and not one more', async () => {
    const { put, get } = await withPending();
    await put(v3, 'ü'.repeat(32_768), ['AWSPENDING']);
    expect((await get({ VersionId: v3 })).SecretString).toHaveLength(32_768);
    expect((await errorOf(put(token('big'), `${'ü'.repeat(32_768)}x`))).name).toBe('ValidationException');
  });

  it('want a token of 32 to 64 characters', async () => {
    const { put } = await withPending();
    expect((await errorOf(put('x'.repeat(31), 'value'))).name).toBe('InvalidParameterException');
  });
});

describe('staging labels', () => {
  it('move only away from the version that is named', async () => {
    const { move, labels } = await withPending();
    const unnamed = await errorOf(move('AWSCURRENT', undefined, v2));
    expect(unnamed).toMatchObject({ name: 'InvalidParameterException', status: 400 });
    expect(unnamed.message).toContain(`currently attached to version ${v1}`);
    expect((await errorOf(move('AWSCURRENT', v2, v2))).name).toBe('InvalidParameterException');
    expect(await labels()).toEqual({ [v1]: ['AWSCURRENT'], [v2]: ['AWSPENDING'] });
  });

  it('bring AWSPREVIOUS along when AWSCURRENT moves, and AWSPENDING stays until it is taken off', async () => {
    const { move, labels, get } = await withPending();
    await move('AWSCURRENT', v1, v2);
    expect(await labels()).toEqual({ [v1]: ['AWSPREVIOUS'], [v2]: ['AWSCURRENT', 'AWSPENDING'] });
    await move('AWSPENDING', v2);
    expect(await labels()).toEqual({ [v1]: ['AWSPREVIOUS'], [v2]: ['AWSCURRENT'] });
    expect((await get({})).SecretString).toBe('new');
    await move('AWSCURRENT', v2, v1);
    expect(await labels()).toEqual({ [v1]: ['AWSCURRENT'], [v2]: ['AWSPREVIOUS'] });
  });

  it('never leave a secret without AWSCURRENT, and never go to a version that is not there', async () => {
    const { move } = await withPending();
    expect((await errorOf(move('AWSCURRENT', v1))).message).toContain("can't be completely removed");
    expect((await errorOf(move('AWSCURRENT', v1, v3))).name).toBe('ResourceNotFoundException');
  });
});

describe('tags', () => {
  it('are fifty at most', async () => {
    const { account, run, secrets } = simulate();
    account.createSecret(SecretId, { value: 'x' });
    const tag = (names: string[]) =>
      run(secrets.send(new TagResourceCommand({ SecretId, Tags: names.map((Key) => ({ Key, Value: 'v' })) })));
    await tag(Array.from({ length: 50 }, (_, number) => `tag-${number}`));
    expect((await errorOf(tag(['one-more']))).name).toBe('InvalidParameterException');
    await tag(['tag-7']);
    await run(secrets.send(new UntagResourceCommand({ SecretId, TagKeys: ['tag-7', 'never-there'] })));
    await tag(['one-more']);
    expect([...(account.findSecret(SecretId)?.tags.keys() ?? [])]).toEqual(
      expect.arrayContaining(['one-more', 'tag-49']),
    );
  });

  it.each([
    ['a key of 129 characters', { Key: 'k'.repeat(129), Value: 'v' }],
    ['a value of 257 characters', { Key: 'k', Value: 'v'.repeat(257) }],
    ['braces', { Key: 'k', Value: '{}' }],
    ['the reserved prefix', { Key: 'aws:k', Value: 'v' }],
  ])('refuse %s', async (_, tag) => {
    const { account, run, secrets } = simulate();
    account.createSecret(SecretId);
    const error = await errorOf(run(secrets.send(new TagResourceCommand({ SecretId, Tags: [tag] }))));
    expect(['ValidationException', 'InvalidParameterException']).toContain(error.name);
    expect(account.findSecret(SecretId)?.tags.size).toBe(0);
  });
});

describe('the listing', () => {
  it('comes in pages of a hundred, and filters by tag key, tag value and name', async () => {
    const { account, run, secrets } = simulate();
    for (let number = 0; number < 105; number++) {
      const tags = number % 2 === 0 ? { managed: `by-${number}` } : {};
      account.createSecret(`secret-${number}`, { tags });
    }
    const list = async (query: object) => {
      const { SecretList = [], NextToken } = await run(secrets.send(new ListSecretsCommand(query)));
      return { names: SecretList.map(({ Name }) => Name), NextToken };
    };
    const first = await list({});
    const second = await list({ NextToken: first.NextToken });
    expect([first.names.length, second.names.length, second.NextToken]).toEqual([100, 5, undefined]);
    expect((await list({ Filters: [{ Key: 'tag-key', Values: ['managed'] }] })).names).toHaveLength(53);
    expect((await list({ Filters: [{ Key: 'tag-value', Values: ['by-104'] }] })).names).toEqual(['secret-104']);
    expect((await list({ Filters: [{ Key: 'name', Values: ['secret-10'] }] })).names).toHaveLength(6);
  });

  it('shows tags, labels and dates, and may lag behind DescribeSecret', async () => {
    const { account, run, secrets } = simulate({ listingLag: 5 * MINUTE });
    account.createSecret(SecretId, { value: 'x', tags: { a: 'b' } });
    const list = async () => (await run(secrets.send(new ListSecretsCommand({})))).SecretList;
    expect(await list()).toEqual([]);
    await account.clock.advance(5 * MINUTE);
    const version = account.findSecret(SecretId)?.labels.get('AWSCURRENT') ?? '';
    expect(await list()).toMatchObject([
      { Name: SecretId, Tags: [{ Key: 'a', Value: 'b' }], SecretVersionsToStages: { [version]: ['AWSCURRENT'] } },
    ]);
    await run(secrets.send(new TagResourceCommand({ SecretId, Tags: [{ Key: 'a', Value: 'c' }] })));
    const described = await run(secrets.send(new DescribeSecretCommand({ SecretId })));
    expect(described.Tags).toEqual([{ Key: 'a', Value: 'c' }]);
    await account.clock.advance(5 * MINUTE - 1);
    expect((await list())?.[0]?.Tags).toEqual([{ Key: 'a', Value: 'b' }]);
    await account.clock.advance(1);
    expect((await list())?.[0]?.Tags).toEqual([{ Key: 'a', Value: 'c' }]);
  });
});

describe('a secret', () => {
  it('that is to be deleted is described, and not used or listed any more', async () => {
    const { get, run, secrets } = await withPending();
    await run(secrets.send(new DeleteSecretCommand({ SecretId })));
    expect((await errorOf(get({}))).name).toBe('InvalidRequestException');
    expect((await run(secrets.send(new ListSecretsCommand({})))).SecretList).toEqual([]);
    expect((await run(secrets.send(new DescribeSecretCommand({ SecretId })))).DeletedDate).toBeInstanceOf(Date);
  });

  it('can not be created twice', async () => {
    const { run, secrets } = await withPending();
    const again = run(secrets.send(new CreateSecretCommand({ Name: SecretId })));
    expect((await errorOf(again)).name).toBe('ResourceExistsException');
  });
});
