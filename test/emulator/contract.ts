/** What the adapters promise to the domain, whoever plays AWS. */
import { DeleteSecretCommand } from '@aws-sdk/client-secrets-manager';
import { beforeEach, describe, expect, test } from 'vitest';
import { TAGS } from '../../lambdas/contract/names.ts';
import { entryTag, evidenceTag, intentTag, type Ledger, parseLedger, type Tags } from '../../lambdas/domain/ledger.ts';
import { AWSCURRENT, AWSPENDING, hasLabel, type MintedKey, versionWith } from '../../lambdas/domain/model.ts';
import { createSecret, REGION, type TestAccount } from './accounts.ts';

export const TOKEN = '11111111-1111-4111-8111-111111111111';
const OTHER_TOKEN = '22222222-2222-4222-8222-222222222222';
const UNKNOWN_KEY = { keyId: 'AKIAAAAAAAAAAAAAAAAA', secret: 'a'.repeat(40) };

/** @param makeAccount an empty account, for each test anew */
export function describeAdapterContract(name: string, makeAccount: () => Promise<TestAccount>): void {
  describe(`the adapters against ${name}`, () => {
    let account: TestAccount;
    beforeEach(async () => {
      account = await makeAccount();
      return account.close;
    });

    describeIamKeys(() => account);
    describeKeyIdentities(() => account);
    describeSecretStore(() => account);
  });
}

function describeIamKeys(current: () => TestAccount): void {
  describe('IamKeys', () => {
    const iam = () => current().adapters.iam;
    beforeEach(async () => {
      await current().createUser('app');
      await current().createUser('other');
    });
    const statuses = async (userName: string) =>
      Object.fromEntries((await iam().list(userName)).map(({ id, status }) => [id, status]));

    test('a user without keys has none', async () => {
      expect(await iam().list('app')).toEqual([]);
    });

    test('a minted key is listed as Active, with the id and the date that minting told', async () => {
      const { id, secret, created } = await iam().mint('app');
      expect(id).toMatch(/^AKIA[A-Z0-9]{16}$/);
      expect(secret).toMatch(/^[A-Za-z0-9/+]{40}$/);
      expect(Math.abs(created.getTime() - current().now())).toBeLessThan(5000);
      expect(await iam().list('app')).toEqual([{ id, status: 'Active', created }]);
    });

    test('the keys of one user are not those of another', async () => {
      const key = await iam().mint('app');
      await iam().mint('other');
      expect(Object.keys(await statuses('app'))).toEqual([key.id]);
    });

    test('a third key is refused with LimitExceeded, Inactive ones counting, and none is made', async () => {
      const first = await iam().mint('app');
      const second = await iam().mint('app');
      await iam().disable('app', first.id);
      await expect(iam().mint('app')).rejects.toMatchObject({
        ...{ code: 'AWS_CALL_FAILED', operation: 'CreateAccessKey', awsCode: 'LimitExceeded', refused: true },
      });
      expect(await statuses('app')).toEqual({ [first.id]: 'Inactive', [second.id]: 'Active' });
    });

    test('minting for a user that is not there is refused, so it is known that nothing was made', async () => {
      await expect(iam().mint('nobody')).rejects.toMatchObject({ awsCode: 'NoSuchEntity', refused: true });
    });

    test('listing and identifying a user that is not there fails with USER_NOT_FOUND', async () => {
      await expect(iam().list('nobody')).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
      await expect(iam().userId('nobody')).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
    });

    test('a user made again under the same name has another unique id', async () => {
      const before = await iam().userId('app');
      expect(await iam().userId('app')).toBe(before);
      await current().deleteUser('app');
      await current().createUser('app');
      expect(await iam().userId('app')).not.toBe(before);
    });

    test('a key is disabled, and disabling it again or after its end changes nothing and is no error', async () => {
      const key = await iam().mint('app');
      await iam().disable('app', key.id);
      await iam().disable('app', key.id);
      expect(await statuses('app')).toEqual({ [key.id]: 'Inactive' });
      await iam().remove('app', key.id);
      await iam().disable('app', key.id);
      expect(await statuses('app')).toEqual({});
    });

    test('a key is removed, its slot is free, and removing it again is no error', async () => {
      const [first, second] = [await iam().mint('app'), await iam().mint('app')];
      await iam().remove('app', first.id);
      await iam().remove('app', first.id);
      expect(Object.keys(await statuses('app'))).toEqual([second.id]);
      await expect(iam().mint('app')).resolves.toBeDefined();
    });

    test("a key can't be changed in the name of a user that doesn't own it", async () => {
      const key = await iam().mint('app');
      await iam().disable('other', key.id);
      await iam().remove('other', key.id);
      expect(await statuses('app')).toEqual({ [key.id]: 'Active' });
    });

    test('a key that was never used has no last use, and one that spoke to STS has that', async () => {
      const key = await iam().mint('app');
      expect(await iam().lastUse(key.id)).toBeUndefined();
      await current().adapters.identities.identify({ keyId: key.id, secret: key.secret }, REGION);
      expect(await iam().lastUse(key.id)).toEqual({ at: expect.any(Date), service: 'sts', region: REGION });
    });

    test('the last use of a key that is not there is an error, not "never"', async () => {
      await expect(iam().lastUse(UNKNOWN_KEY.keyId)).rejects.toMatchObject({ awsCode: 'NoSuchEntity', refused: true });
    });
  });
}

function describeKeyIdentities(current: () => TestAccount): void {
  describe('KeyIdentities', () => {
    let key: MintedKey;
    const identify = (keyId: string, secret: string) =>
      current().adapters.identities.identify({ keyId, secret }, REGION);
    beforeEach(async () => {
      await current().createUser('app', '/team/batch/');
      key = await current().adapters.iam.mint('app');
    });

    test("an Active key is its user's: account, unique id, and the ARN with the user's path", async () => {
      const { id } = current();
      const userId = await current().adapters.iam.userId('app');
      const identity = { account: id, arn: `arn:aws:iam::${id}:user/team/batch/app`, userId };
      expect(await identify(key.id, key.secret)).toEqual({ kind: 'identified', identity });
    });

    test('a key that nobody has is refused', async () => {
      const refused = { kind: 'refused', awsCode: 'InvalidClientTokenId' };
      expect(await identify(UNKNOWN_KEY.keyId, UNKNOWN_KEY.secret)).toEqual(refused);
    });

    test('a deleted key is refused', async () => {
      await current().adapters.iam.remove('app', key.id);
      expect(await identify(key.id, key.secret)).toEqual({ kind: 'refused', awsCode: 'InvalidClientTokenId' });
    });

    test('a key with the secret of another one is refused', async () => {
      const other = await current().adapters.iam.mint('app');
      expect(await identify(key.id, other.secret)).toEqual({ kind: 'refused', awsCode: 'SignatureDoesNotMatch' });
    });
  });
}

function describeSecretStore(current: () => TestAccount): void {
  describe('SecretStore', () => {
    let arn: string;
    let first: string;
    const store = () => current().adapters.secrets;
    const labelled = async (label: string) => versionWith((await store().describe(arn)).labels, label);
    beforeEach(async () => {
      arn = await createSecret(current(), 'iam/app', 'first', { [TAGS.deployment]: 'prod', team: 'blue' });
      first = (await labelled(AWSCURRENT)) ?? '';
    });

    test('a new secret is described with its ARN, labels and tags, and with rotation off', async () => {
      expect(arn).toMatch(
        new RegExp(`^arn:aws:secretsmanager:${REGION}:${current().id}:secret:iam/app-[A-Za-z0-9]{6}$`),
      );
      expect(await store().describe(arn)).toEqual({
        ...{ arn, name: 'iam/app', created: expect.any(Date), rotationEnabled: false, scheduledForDeletion: false },
        labels: new Map([[first, [AWSCURRENT]]]),
        tags: { [TAGS.deployment]: 'prod', team: 'blue' },
      });
    });

    test('describing a secret that is not there is an error', async () => {
      await expect(store().describe(`${arn.slice(0, -6)}AAAAAA`)).rejects.toMatchObject({
        ...{ operation: 'DescribeSecret', awsCode: 'ResourceNotFoundException', refused: true },
      });
    });

    test('a secret that is scheduled for deletion says so, is not listed, and gives no value', async () => {
      await current().secrets.send(new DeleteSecretCommand({ SecretId: arn, RecoveryWindowInDays: 7 }));
      expect((await store().describe(arn)).scheduledForDeletion).toBe(true);
      expect(await listed(store().list('prod'))).toEqual([]);
      await expect(store().read(arn, { label: AWSCURRENT })).rejects.toMatchObject({
        awsCode: 'InvalidRequestException',
      });
    });

    test('a rotation just begun has a pending version without a value, and the current one is untouched', async () => {
      await current().beginRotation(arn, TOKEN);
      const { labels, rotationEnabled } = await store().describe(arn);
      expect(rotationEnabled).toBe(true);
      expect(labels).toEqual(
        new Map([
          [first, [AWSCURRENT]],
          [TOKEN, [AWSPENDING]],
        ]),
      );
      expect(await store().read(arn, { version: TOKEN, label: AWSPENDING })).toBeUndefined();
      expect(await store().read(arn, { version: TOKEN })).toBeUndefined();
      expect(await store().read(arn, { label: AWSPENDING })).toBeUndefined();
      expect(await store().read(arn, { label: AWSCURRENT })).toEqual({ version: first, value: 'first' });
    });

    test('the pending value fills the version of the token and leaves AWSCURRENT where it is', async () => {
      await current().beginRotation(arn, TOKEN);
      await store().storePending(arn, TOKEN, 'second', 'rotation token '.repeat(3));
      const pending = { version: TOKEN, value: 'second' };
      expect(await store().read(arn, { version: TOKEN, label: AWSPENDING })).toEqual(pending);
      expect(await store().read(arn, { version: TOKEN })).toEqual(pending);
      expect(await store().read(arn, { label: AWSPENDING })).toEqual(pending);
      expect(await store().read(arn, { label: AWSCURRENT })).toEqual({ version: first, value: 'first' });
    });

    test('storing the same value under the same token again is no error and changes nothing', async () => {
      await current().beginRotation(arn, TOKEN);
      await store().storePending(arn, TOKEN, 'second');
      const before = await store().describe(arn);
      await store().storePending(arn, TOKEN, 'second');
      expect(await store().describe(arn)).toEqual(before);
      expect(await store().read(arn, { label: AWSPENDING })).toEqual({ version: TOKEN, value: 'second' });
    });

    test('a label or version that is not there has no value', async () => {
      expect(await store().read(arn, { label: AWSPENDING })).toBeUndefined();
      expect(await store().read(arn, { version: OTHER_TOKEN })).toBeUndefined();
    });

    test('a version that does not carry the label asked for is an error, not "none"', async () => {
      await expect(store().read(arn, { version: first, label: AWSPENDING })).rejects.toMatchObject({
        ...{ awsCode: 'InvalidRequestException', refused: true },
      });
    });

    test('moving AWSCURRENT takes AWSPREVIOUS along, forth and back', async () => {
      await current().beginRotation(arn, TOKEN);
      await store().storePending(arn, TOKEN, 'second');
      await store().moveLabel(arn, AWSCURRENT, first, TOKEN);
      expect([await labelled(AWSCURRENT), await labelled('AWSPREVIOUS'), await labelled(AWSPENDING)]).toEqual([
        TOKEN,
        first,
        TOKEN,
      ]);
      expect(await store().read(arn, { label: AWSCURRENT })).toEqual({ version: TOKEN, value: 'second' });
      expect(await store().read(arn, { label: 'AWSPREVIOUS' })).toEqual({ version: first, value: 'first' });
      await store().moveLabel(arn, AWSCURRENT, TOKEN, first);
      expect([await labelled(AWSCURRENT), await labelled('AWSPREVIOUS')]).toEqual([first, TOKEN]);
    });

    test('moving a label away from a version that does not carry it is refused and changes nothing', async () => {
      await current().beginRotation(arn, TOKEN);
      await store().storePending(arn, TOKEN, 'second');
      const before = await store().describe(arn);
      await expect(store().moveLabel(arn, AWSCURRENT, TOKEN, TOKEN)).rejects.toMatchObject({
        ...{ awsCode: 'InvalidParameterException', refused: true },
      });
      expect(await store().describe(arn)).toEqual(before);
    });

    test('a label moved to none is on none', async () => {
      await current().beginRotation(arn, TOKEN);
      await store().moveLabel(arn, AWSPENDING, TOKEN);
      const { labels } = await store().describe(arn);
      expect([hasLabel(labels, TOKEN, AWSPENDING), versionWith(labels, AWSPENDING)]).toEqual([false, undefined]);
    });

    test('tags are added, overwritten and removed, and the others stay', async () => {
      await store().tag(arn, { a: '1', b: '2' }, []);
      await store().tag(arn, { b: '3', c: '4' }, ['a', 'never-there']);
      expect((await store().describe(arn)).tags).toEqual({ [TAGS.deployment]: 'prod', team: 'blue', b: '3', c: '4' });
    });

    test('the ledger comes back as it was written', async () => {
      const [at, keyId] = [new Date('2026-01-01T00:00:00Z'), UNKNOWN_KEY.keyId];
      const entry = { keyId, version: TOKEN, minted: at, superseded: { at, by: 'AKIABBBBBBBBBBBBBBBB' }, disabled: at };
      const intent = {
        run: '33333333-3333-4333-8333-333333333333',
        token: TOKEN,
        at,
        before: [keyId, 'AKIABBBBBBBBBBBBBBBB'],
      };
      const evidence = { token: TOKEN, keyId, account: current().id, userId: 'AIDACCCCCCCCCCCCCCCC', at };
      const tags: Tags = {
        ...entryTag(entry),
        ...intentTag(intent),
        ...evidenceTag(evidence),
        [TAGS.userId]: evidence.userId,
      };
      await store().tag(arn, tags, []);
      const written: Ledger = {
        entries: new Map([[keyId, entry]]),
        leaks: new Map(),
        intents: [intent],
        evidence,
        userId: evidence.userId,
      };
      expect(parseLedger((await store().describe(arn)).tags)).toEqual(written);
    });

    test('the secrets of a deployment are listed with their tags and labels, and no others', async () => {
      await createSecret(current(), 'iam/longer', 'x', { [TAGS.deployment]: 'prod-2' });
      await createSecret(current(), 'iam/elsewhere', 'x', { [TAGS.deployment]: 'test', environment: 'prod' });
      await createSecret(current(), 'iam/no-tag', 'x', { environment: 'prod' });
      expect(await listed(store().list('prod'))).toEqual([await store().describe(arn)]);
    });

    test('more than a page of secrets is listed page by page, each once', async () => {
      const names = Array.from({ length: 101 }, (_, index) => `iam/${index}`);
      for (const name of names) await createSecret(current(), name, 'x', { [TAGS.deployment]: 'many' });
      const pages: number[] = [];
      const found: string[] = [];
      for await (const page of store().list('many')) {
        pages.push(page.length);
        found.push(...page.map((secret) => secret.name));
      }
      expect(pages).toEqual([100, 1]);
      expect(found.sort()).toEqual(names.sort());
    });
  });
}

async function listed<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(...page);
  return all;
}
