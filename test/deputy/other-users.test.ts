/**
 * Confused deputy: whoever may write one managed secret tries to make the rotator touch a key of another user, or publish one where the writer
 * can read it. Each attack ends in a refusal that is told or in nothing, and nothing of any other user changes.
 *
 * Attacks that the code stops are tried with and without the policies of the template, so that neither leans on the other. "Last line" says what
 * holds when all before it is gone.
 */
import {
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  GetUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import { afterEach, describe, expect, it } from 'vitest';
import { type FieldNames, FORMATS } from '../../lambdas/contract/formats.ts';
import { iso } from '../../lambdas/domain/model.ts';
import { finishAll } from '../simulation/world.ts';
import { BOTH, LONG_AGO, OTHER, OWN, type Scene, SECRET, scene, TOKEN } from './world.ts';

afterEach(() => {
  expect(finishAll()).toEqual([]);
});

/** Nobody but user app has lost anything, whatever goes on while overlap, hold and recovery time pass. */
async function expectNoHarm(s: Scene): Promise<void> {
  await s.world.advanceWithPasses(26, 24);
  expect(s.changedElsewhere()).toEqual([]);
}

describe.each(BOTH)('by %s', (defence) => {
  describe('a value', () => {
    // Last line: parseValue (domain/secret-value.ts); behind it every call names the bound user, and the role's policy only configured ones.
    it('that names another user stops its rotation and its retirement, which both say so', async () => {
      const s = await scene({ defence });
      s.put({ Version: 1, UserName: 'ops', ...s.stolen('ops') });
      await s.rotate();
      expect(s.lastRotationError()).toMatch(/^VALUE_OTHER_USER: .*To do: /);
      s.tag('key/AKIAIOSFODNN7EXAMPLE', `version=${TOKEN}`);
      expect(await s.pass()).toContain('VALUE_OTHER_USER');
      expect(s.changedKeys()).toEqual([]);
      await expectNoHarm(s);
    });

    it('that names a user whom nobody configured has no key made for that user', async () => {
      const s = await scene({ defence });
      s.put({ Version: 1, UserName: 'admin', ...s.stolen('admin') });
      await s.rotate();
      expect(s.lastRotationError()).toContain('VALUE_OTHER_USER');
      await expectNoHarm(s);
    });

    it('that names another user is refused under AWSPENDING too', async () => {
      const s = await scene({ defence });
      s.put({ Version: 1, UserName: 'ops', ...s.stolen('ops') }, pending());
      await s.rotate();
      expect(s.lastRotationError()).toContain('VALUE_OTHER_USER');
      expect(s.changedKeys()).toEqual([]);
      await expectNoHarm(s);
    });

    // Last line: keys are looked for among those of the bound user only; IAM refuses a key under another user's name.
    it("that has another user's key under the bound name has no key retired by it, and the next rotation replaces it", async () => {
      const s = await scene({ defence });
      const real = s.current;
      s.put(s.value(s.stolen('ops')));
      await s.world.advanceWithPasses(20, 12);
      expect(s.changedKeys()).toEqual([]);
      await s.rotate();
      expect(s.lastRotationError()).toBe('none');
      expect(Object.keys(s.world.keys('app'))).toContain(s.current);
      expect(s.current).not.toBe(real);
      await expectNoHarm(s);
    });

    // Last line: setSecret looks the key up; testSecret asks STS whose it is (assertBoundUser).
    it("that has another user's stolen key under AWSPENDING is not promoted, and loses its label", async () => {
      const s = await scene({ defence });
      const real = s.current;
      s.put(s.value(s.stolen('ops')), pending());
      await s.rotate();
      expect(s.lastRotationError()).toContain('PENDING_KEY_GONE');
      expect(s.current).toBe(real);
      await expectToGoOnAtOnce(s);
      await expectNoHarm(s);
    });

    it("that has another user's stolen key is told so when rotation is only tested", async () => {
      const s = await scene({ defence });
      s.put(s.value(s.stolen('admin')));
      await s.rotate({ RotateImmediately: false });
      const failed = s.world.account.history.filter(
        (entry) => entry.kind === 'event' && entry.name === 'TestRotationFailed',
      );
      expect(JSON.stringify(failed)).toContain('IDENTITY_MISMATCH');
      expect(s.changedKeys()).toEqual([]);
      await expectNoHarm(s);
    });

    describe.each([
      ['env', FORMATS.env],
      ["a form of one's own", { accessKeyId: 'id', secretAccessKey: 'secret', userName: 'user', createDate: 'made' }],
      ["a form of one's own with the key fields of env", { ...FORMATS.env, userName: 'user' }],
    ])('where %s is configured,', (_, fields) => {
      const format = { fields, derived: [] };
      const NAMES = [...new Set([fields, ...Object.values(FORMATS)])];
      const under = (
        { accessKeyId, secretAccessKey, userName }: FieldNames,
        s: Scene,
        owner: string,
        named: string,
      ) => {
        const { AccessKeyId, SecretAccessKey } = s.stolen(owner);
        return { Version: 1, [accessKeyId]: AccessKeyId, [secretAccessKey]: SecretAccessKey, [userName]: named };
      };

      it("with another user's key in any form, or in two, has no key of that user touched, made or published", async () => {
        const s = await scene({ defence, policy: { format } });
        const real = s.world.currentKey(SECRET);
        const own = s.world.current(SECRET);
        for (const names of NAMES) {
          for (const value of [
            under(names, s, 'ops', 'app'),
            under(names, s, 'ops', 'ops'),
            { ...own, ...under(names, s, 'ops', 'app') },
            { ...own, ...under(names, s, 'ops', 'ops') },
          ]) {
            s.put(value, { VersionStages: ['AWSPENDING'] });
            await s.rotate();
            expect(s.lastRotationError()).toMatch(/VALUE_MALFORMED|VALUE_OTHER_USER|PENDING_KEY_GONE/);
            expect(s.world.currentKey(SECRET)).toBe(real);
          }
          s.put(under(names, s, 'ops', 'ops'));
          await s.rotate();
          expect(s.lastRotationError()).toContain('VALUE_OTHER_USER');
          s.put(own);
          await s.world.advanceWithPasses(0.1);
        }
        expect(s.changedKeys()).toEqual([]);
        await expectNoHarm(s);
      });

      it('has the user in each form that it has a key in', async () => {
        const s = await scene({ defence, policy: { format } });
        const own = s.world.current(SECRET);
        for (const { userName } of NAMES.filter((names) => names.accessKeyId === fields.accessKeyId)) {
          s.put({ ...own, [fields.userName]: undefined, [userName]: 'ops' });
          await s.rotate();
          expect(s.lastRotationError()).toContain('VALUE_OTHER_USER');
        }
        expect(s.changedKeys()).toEqual([]);
        await expectNoHarm(s);
      });
    });

    it('that names two users in one object is read as its reader reads it, and made anew from the configuration', async () => {
      const s = await scene({ defence });
      const { AccessKeyId, SecretAccessKey } = s.world.current(SECRET);
      const rest = `"Version":1,"AccessKeyId":"${AccessKeyId}","SecretAccessKey":"${SecretAccessKey}"`;
      s.put(`{"UserName":"app","UserName":"ops",${rest}}`);
      await s.rotate();
      expect(s.lastRotationError()).toContain('VALUE_OTHER_USER');
      s.put(`{"UserName":"ops","UserName":"app",${rest}}`);
      await s.world.advanceWithPasses(0.1);
      s.attack('UpdateSecretVersionStage', {
        VersionStage: 'AWSPENDING',
        RemoveFromVersionId: s.version('AWSPENDING'),
      });
      await s.rotate();
      expect(s.world.account.valueOf(SECRET)?.match(/"UserName"/g)).toHaveLength(1);
      expect(s.world.current(SECRET).UserName).toBe('app');
      await expectNoHarm(s);
    });

    it.each(['__proto__', 'constructor', 'prototype', 'toJSON'])(
      'with a field %s changes no field of the next',
      async (field) => {
        const s = await scene({ defence });
        const evil = JSON.stringify({ UserName: 'ops', AccessKeyId: 'AKIAEVIL', polluted: true });
        s.put(JSON.stringify(s.world.current(SECRET)).replace(/^\{/, `{"${field}":${evil},`));
        await s.rotate();
        expect(s.lastRotationError()).toBe('none');
        expect(s.world.current(SECRET)).toMatchObject({
          Version: 1,
          UserName: 'app',
          AccessKeyId: s.happened('promoted').at(-1),
        });
        expect(Reflect.get({}, 'polluted')).toBeUndefined();
        await expectNoHarm(s);
      },
    );

    it('with the fields in other letters binds no other user and keeps no other key', async () => {
      const s = await scene({ defence });
      s.put({ ...s.world.current(SECRET), username: 'ops', USERNAME: 'admin', userName: 'ops' });
      await s.rotate();
      expect(s.lastRotationError()).toBe('none');
      expect(s.world.current(SECRET).UserName).toBe('app');
      await expectNoHarm(s);
    });

    it('that is too large for the next one stops rotation before a key is made', async () => {
      const s = await scene({ defence });
      s.put({ ...s.world.current(SECRET), Notes: 'x'.repeat(65_300) });
      await s.rotate();
      expect(s.lastRotationError()).toContain('VALUE_TOO_LARGE');
      expect(s.changedKeys()).toEqual([]);
      await expectNoHarm(s);
    });
  });

  describe('a forged entry', () => {
    // Last line: only keys that IAM lists for the bound user are decided about.
    it.each([
      ['superseded long ago', (by: string) => `version=${TOKEN} superseded=${LONG_AGO} by=${by}`],
      ['disabled long ago', (by: string) => `version=${TOKEN} superseded=${LONG_AGO} by=${by} disabled=${LONG_AGO}`],
      ['without a version, as of an adopted key', (by: string) => `superseded=${LONG_AGO} by=${by}`],
      ['of the version that is current', () => 'current'],
    ])("that says that another user's key was %s is forgotten", async (_, words) => {
      const s = await scene({ defence });
      const text = words(s.current);
      s.tag(`key/${s.keyOf('admin')}`, text === 'current' ? `version=${s.version('AWSCURRENT')}` : text);
      expect(await s.pass()).toBe('ok');
      await s.rotate();
      expect(s.lastRotationError()).toBe('none');
      expect(s.happened('disabled')).toEqual([]);
      await expectNoHarm(s);
    });

    it('of an adopted key that the configuration does not adopt changes nothing of the bound user either', async () => {
      const s = await scene({ defence });
      const stranger = await s.stranger();
      const forge = () => {
        s.tag(`key/${stranger}`, `superseded=${LONG_AGO} by=${s.current} disabled=${LONG_AGO}`);
        // So that a pass looks closely.
        s.tag('intent/forged', `token=${TOKEN} at=${LONG_AGO}`);
      };
      forge();
      await expectNoHarm(s);
      expect(s.world.keys('app')[stranger]).toBe('Active');
      s.world.account.setAccessKeyStatus(stranger, 'Inactive');
      forge();
      await expectNoHarm(s);
      expect(s.world.keys('app')[stranger]).toBe('Inactive');
      expect(s.happened('recorded')).not.toContain(stranger);
    });

    // Last line: isAdopted. A key that was made since is younger than the current one.
    it('of an only key, as the configuration adopts one, makes none of a key that is younger than those of the rotator', async () => {
      const s = await scene({ defence, policy: { adopt: 'only-key' } });
      const stranger = await s.stranger();
      for (const status of ['Active', 'Inactive'] as const) {
        s.world.account.setAccessKeyStatus(stranger, status);
        s.tag(`key/${s.current}`, `version=${s.version('AWSCURRENT')} promoted=${LONG_AGO}`);
        s.tag(`key/${stranger}`, `minted=${LONG_AGO} superseded=${LONG_AGO} by=${s.current} disabled=${LONG_AGO}`);
        await expectNoHarm(s);
        expect(s.world.keys('app')[stranger]).toBe(status);
      }
      expect(s.happened('recorded')).not.toContain(stranger);
    });

    it("of another user's key, as of the only one, is forgotten, and has none adopted", async () => {
      const s = await scene({ defence, policy: { adopt: 'only-key' } });
      const stranger = await s.stranger();
      s.tag(`key/${s.keyOf('admin')}`, `superseded=${LONG_AGO} by=${s.current}`);
      await expectNoHarm(s);
      expect(s.world.keys('app')[stranger]).toBe('Active');
    });

    // Last line: IAM, which knows no key of that id under the bound user.
    it("of another user's key does no harm where the old key is disabled at once", async () => {
      const s = await scene({ defence, policy: { deactivateAfter: 0 } });
      s.tag(`key/${s.keyOf('admin')}`, `version=${s.version('AWSCURRENT')}`);
      s.tag(`key/${s.keyOf('ops')}`, `version=${s.version('AWSCURRENT')}`);
      await s.rotate();
      expect(s.lastRotationError()).toBe('none');
      await expectNoHarm(s);
    });

    it('copied with the whole ledger of another secret is forgotten, and the pin that came along is told', async () => {
      const s = await scene({ defence });
      for (const [tag, value] of Object.entries(s.world.tags(OTHER))) {
        if (!tag.endsWith(':deployment')) s.tag(tag.replace('iam-key-rotator:', ''), value);
      }
      await s.pass();
      await s.rotate();
      expect(s.lastRotationError()).toContain('USER_RECREATED');
      await expectNoHarm(s);
    });
  });

  describe('a forged announcement', () => {
    it.each(['', ' before=AKIAIOSFODNN7EXAMPLE'])(
      "does not make an orphan of another user's key (%s)",
      async (before) => {
        const s = await scene({ defence });
        const created = new Date(s.world.account.keys.get(s.keyOf('admin'))?.createdAt ?? 0);
        s.tag('intent/forged', `token=${TOKEN} at=${iso(created)}${before}`);
        expect(await s.pass()).toBe('ok');
        await s.rotate();
        expect(s.happened('orphan-cleared')).toEqual([]);
        await expectNoHarm(s);
      },
    );

    it('that names the keys there were before keeps nothing from being told apart: a key in AWSCURRENT is no orphan', async () => {
      const s = await scene({ defence });
      const created = new Date(s.world.account.keys.get(s.current)?.createdAt ?? 0);
      s.untag(`key/${s.current}`);
      s.tag('intent/forged', `token=${TOKEN} at=${iso(created)}`);
      expect(await s.pass()).toBe('ok');
      expect(s.changedKeys()).toEqual([]);
      await expectNoHarm(s);
    });
  });

  describe('forged evidence', () => {
    // Last line: finishSecret demands that evidence and ledger name the same key, and testSecret writes it anew in every rotation.
    it('of a key that STS never saw is written over by the rotation that it was meant for', async () => {
      const s = await scene({ defence });
      const user = String(s.world.account.users.get('app')?.id);
      s.tag(
        'verified',
        `token=${TOKEN} key=AKIAIOSFODNN7EXAMPLE account=111122223333 user=${user} at=${iso(s.world.now)}`,
      );
      await s.rotate({ ClientRequestToken: TOKEN });
      expect(s.lastRotationError()).toBe('none');
      expect(s.world.tags(SECRET)['iam-key-rotator:verified']).toContain(`key=${s.current} `);
      await expectNoHarm(s);
    });

    it('does not help a pending key of which STS knows nothing', async () => {
      const s = await scene({ defence });
      const real = s.current;
      const stranger = await s.stranger();
      const user = String(s.world.account.users.get('app')?.id);
      s.put(s.value({ AccessKeyId: stranger, SecretAccessKey: 'not its secret' }), pending());
      s.tag('verified', `token=${TOKEN} key=${stranger} account=111122223333 user=${user} at=${iso(s.world.now)}`);
      await s.rotate();
      expect(s.lastRotationError()).toContain('KEY_NOT_USABLE');
      expect(s.current).toBe(real);
      await expectNoHarm(s);
      expect(s.world.keys('app')[stranger]).toBe('Active');
    });
  });

  describe('an entry forged for the version to come', () => {
    it('keeps that version from being promoted, which every rotation says, for as long as the entry stands', async () => {
      const s = await scene({ defence });
      const real = s.current;
      s.tag('key/AKIAIOSFODNN7EXAMPLE', `version=${TOKEN}`);
      await s.rotate({ ClientRequestToken: TOKEN });
      await s.world.advanceWithPasses(0.1);
      await s.rotate();
      const refusal = expect.stringMatching(/^NOT_VERIFIED: .* Expected: one of AKIAIOSFODNN7EXAMPLE/);
      expect(s.world.rotationErrors()).toEqual([refusal, refusal]);
      expect(s.current).toBe(real);
      s.untag('key/AKIAIOSFODNN7EXAMPLE');
      await expectToGoOn(s);
      await expectNoHarm(s);
      expect(s.world.keys('app')).toEqual({ [s.current]: 'Active' });
    });
  });

  describe("a forged pin of the user's id", () => {
    it('stops promotion, which says so, and makes no key after key', async () => {
      const s = await scene({ defence });
      const real = s.current;
      s.tag('user-id', 'AIDAFORGED');
      for (let n = 0; n < 3; n += 1) await s.rotate();
      expect(s.lastRotationError()).toContain('USER_RECREATED');
      expect(s.current).toBe(real);
      expect(Object.keys(s.world.keys('app'))).toHaveLength(2);
      s.untag('user-id');
      await expectToGoOn(s);
      await expectNoHarm(s);
    });
  });

  describe('the tag of the deployment', () => {
    // Last line: the names of the secrets are deployed; the listing only saves reads.
    it("moved to the attacker's secret hides nothing and adds nothing", async () => {
      const s = await scene({ defence });
      const first = await s.supersede();
      s.untag('deployment');
      s.attack('TagResource', {
        SecretId: OWN,
        Tags: [{ Key: 'iam-key-rotator:deployment', Value: 'iam-key-rotator' }],
      });
      s.attack('TagResource', {
        SecretId: OWN,
        Tags: [{ Key: `iam-key-rotator:key/${s.keyOf('admin')}`, Value: `version=x disabled=${LONG_AGO}` }],
      });
      await s.world.advanceWithPasses(11, 6);
      expect(s.world.keys('app')).not.toHaveProperty(first);
      expect(Object.fromEntries(s.world.secret(OWN).tags)).toHaveProperty(`iam-key-rotator:key/${s.keyOf('admin')}`);
      await expectNoHarm(s);
    });

    it('with the name of another deployment hides nothing', async () => {
      const s = await scene({ defence });
      const first = await s.supersede();
      s.tag('deployment', 'iam-key-rotator-2');
      await s.world.advanceWithPasses(11, 6);
      expect(s.world.keys('app')).not.toHaveProperty(first);
      await expectNoHarm(s);
    });
  });

  describe('a label', () => {
    it('AWSPENDING on the version before promotes nothing again', async () => {
      const s = await scene({ defence });
      await s.supersede();
      const real = s.current;
      s.attack('UpdateSecretVersionStage', { VersionStage: 'AWSPENDING', MoveToVersionId: s.version('AWSPREVIOUS') });
      await s.rotate();
      expect(s.lastRotationError()).toContain('ROLLED_BACK');
      expect(s.current).toBe(real);
      expect(s.world.secret(SECRET).labels.has('AWSPENDING')).toBe(false);
      await expectNoHarm(s);
    });

    it('AWSPREVIOUS on a pending version keeps it from being promoted, and says so', async () => {
      const s = await scene({ defence });
      s.put(s.world.current(SECRET), { VersionStages: ['AWSPENDING', 'AWSPREVIOUS'], ClientRequestToken: TOKEN });
      await s.rotate();
      expect(s.lastRotationError()).toContain('ROLLED_BACK');
      await expectToGoOn(s);
      await expectNoHarm(s);
    });

    // Last line: none for what applications read, see SECURITY.md; but nothing is retired while no Active key of the user stands there.
    it("AWSCURRENT on a version with the attacker's own key has no key of the user retired, and no key of the attacker's", async () => {
      const s = await scene({ defence });
      const first = await s.supersede();
      const real = s.current;
      s.put(s.value(s.stolen('admin')));
      await s.world.advanceWithPasses(30, 12);
      expect(s.world.keys('app')).toEqual({ [first]: 'Active', [real]: 'Active' });
      expect(s.changedElsewhere()).toEqual([]);
    });
  });

  describe('a token', () => {
    it('that was used before makes no second key and promotes nothing again', async () => {
      const s = await scene({ defence });
      await s.rotate({ ClientRequestToken: TOKEN });
      await s.world.advanceWithPasses(0.1);
      const used = s.current;
      await s.world.advanceWithPasses(12, 6);
      await s.rotate();
      const now = s.current;
      await s.world.advanceWithPasses(0.1);
      await s.rotate({ ClientRequestToken: TOKEN });
      expect(s.lastRotationError()).toContain('ROLLED_BACK');
      expect(s.current).toBe(now);
      expect(now).not.toBe(used);
      await expectNoHarm(s);
    });

    it('of the current version makes no key and disables none', async () => {
      const s = await scene({ defence });
      await s.rotate({ ClientRequestToken: s.version('AWSCURRENT') });
      expect(s.lastRotationError()).toBe('none');
      expect(s.changedKeys()).toEqual([]);
      await expectNoHarm(s);
    });

    it('with words of the ledger in it is refused', async () => {
      const s = await scene({ defence });
      const real = s.current;
      await s.rotate({ ClientRequestToken: 'aaaaaaaaaaaaaaaa disabled=2020-01-01T00:00:00Z' });
      expect(s.lastRotationError()).toContain('EVENT_MALFORMED');
      expect(s.current).toBe(real);
      expect(s.world.keys('app')).toEqual({ [real]: 'Active' });
      await expectNoHarm(s);
    });
  });

  describe('tags up to the limit of fifty', () => {
    const fill = (s: Scene, left: number) => {
      const free = 50 - Object.keys(s.world.tags(SECRET)).length - left;
      const Tags = Array.from({ length: free }, (_, n) => ({ Key: `fill-${n}`, Value: 'x' }));
      s.attack('TagResource', { Tags });
      return () => s.attack('UntagResource', { TagKeys: Tags.map(({ Key }) => Key) });
    };

    it('keep a key from being made: what can not be announced is not minted', async () => {
      const s = await scene({ defence });
      const empty = fill(s, 0);
      await s.rotate();
      expect(s.lastRotationError()).toMatch(/^AWS_CALL_FAILED: TagResource .* at most 50 tags/);
      expect(s.changedKeys()).toEqual([]);
      empty();
      await s.rotate();
      expect(Object.keys(s.world.keys('app'))).toEqual(expect.arrayContaining([s.current]));
      await expectNoHarm(s);
    });

    it('with room for the announcement alone stop the rotation after its key is stored, which is then taken up', async () => {
      const s = await scene({ defence });
      const real = s.current;
      const empty = fill(s, 1);
      for (let n = 0; n < 3; n += 1) await s.rotate();
      expect(s.lastRotationError()).toContain('at most 50 tags');
      expect(Object.keys(s.world.keys('app'))).toHaveLength(2);
      expect(s.current).toBe(real);
      empty();
      await expectToGoOn(s);
      expect(s.world.keys('app')).toHaveProperty(s.current, 'Active');
      await expectNoHarm(s);
    });

    it('do not keep a key from being disabled, and its date is written when there is room', async () => {
      const s = await scene({ defence });
      const first = await s.supersede();
      const empty = fill(s, 0);
      await s.world.advanceWithPasses(4, 6);
      expect(s.world.keys('app')[first]).toBe('Inactive');
      empty();
      await s.world.advanceWithPasses(8, 6);
      expect(s.world.keys('app')).toEqual({ [s.current]: 'Active' });
      await expectNoHarm(s);
    });
  });

  describe('forged announcements by the dozen', () => {
    it('cost reads, and change nothing', async () => {
      const s = await scene({ defence });
      for (let n = 0; n < 40; n += 1) s.tag(`intent/${n}`, `token=${TOKEN.slice(0, -2)}${10 + n} at=${LONG_AGO}`);
      expect(await s.pass()).toBe('ok');
      expect(s.changedKeys()).toEqual([]);
      expect(Object.keys(s.world.tags(SECRET)).filter((tag) => tag.includes('intent/'))).toEqual([]);
      await expectNoHarm(s);
    });
  });
});

describe('another secret', () => {
  /** The attacker's secret, bound to nobody, with the rotate function. */
  const pointAtFunction = (s: Scene, SecretId: string) =>
    s.rotate({ SecretId, RotationLambdaARN: s.world.rotateArn, ClientRequestToken: TOKEN });

  // Last line: the function's resource policy, which names each secret (infra/key-rotator.ts).
  it('can not even be given the function: its policy names the secrets', async () => {
    const s = await scene();
    expect(await pointAtFunction(s, OWN)).toContain('cannot invoke the specified Lambda function');
    expect(s.world.rotationErrors()).toEqual([]);
    await expectNoHarm(s);
  });

  // Last line: parseRotation, by the deployed configuration.
  it('gets nothing from the code either', async () => {
    const s = await scene({ defence: 'the code alone' });
    expect(await pointAtFunction(s, OWN)).toBeUndefined();
    expect(s.lastRotationError()).toContain('SECRET_NOT_BOUND');
    await expectNoHarm(s);
  });

  it.each(['iam/app-AbCdEf', 'iam/app/', 'IAM/APP', 'iam/ops2', 'x/iam/app'])('named %s is not bound', async (name) => {
    const s = await scene({ defence: 'the code alone' });
    s.world.account.createSecret(name, { value: '{}' });
    await pointAtFunction(s, name);
    expect(s.lastRotationError()).toContain('SECRET_NOT_BOUND');
    expect(s.changedKeys()).toEqual([]);
  });

  // Last line: the roles' policies name the secrets by their whole ARN. Secrets Manager never sends such an event: the function's policy names
  // the account and the ARN.
  it.each([
    ['another account', 'arn:aws:secretsmanager:eu-central-1:999999999999:secret:iam/app-a1B2c3'],
    ['another Region', 'arn:aws:secretsmanager:us-east-1:111122223333:secret:iam/app-a1B2c3'],
    ['another partition', 'arn:aws-cn:secretsmanager:eu-central-1:111122223333:secret:iam/app-a1B2c3'],
  ])('of the bound name in %s is not read, and no key is made', async (_, SecretId) => {
    for (const defence of BOTH) {
      const s = await scene({ defence });
      for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret']) {
        const result = await s.world.invoke('rotate', { Step, SecretId, ClientRequestToken: TOKEN });
        expect(result).toMatchObject({ ok: false, errorMessage: expect.stringMatching(/^AWS_CALL_FAILED: /) });
      }
      expect(s.changedKeys()).toEqual([]);
      await expectNoHarm(s);
    }
    // The calls that were refused are what was to be shown.
    finishAll();
  });

  /** Deletes the managed secret without a recovery window, and makes one of the same name. */
  const remade = async (s: Scene) => {
    const { account } = s.world;
    const value = account.valueOf(SECRET);
    const arn = s.world.secret(SECRET).arn;
    account.operate('secretsmanager', 'CancelRotateSecret', { SecretId: SECRET });
    account.secrets.delete(arn);
    account.createSecret(SECRET, {
      ...(value && { value }),
      tags: { 'iam-key-rotator:deployment': 'iam-key-rotator' },
    });
    expect(s.world.secret(SECRET).arn).not.toBe(arn);
    return s.rotate({ RotationLambdaARN: s.world.rotateArn, ClientRequestToken: TOKEN });
  };

  // Last line: the policies of function and roles name the ARN that the deleted secret had. The code knows names only: without them it would
  // publish the next key in the attacker's secret.
  it('made anew under the bound name is not served: the policies name the ARN of the one that is gone', async () => {
    const s = await scene();
    expect(await remade(s)).toContain('cannot invoke the specified Lambda function');
    const SecretId = s.world.secret(SECRET).arn;
    const forced = await s.world.invoke('rotate', { Step: 'createSecret', SecretId, ClientRequestToken: TOKEN });
    expect(forced).toMatchObject({ ok: false, errorMessage: expect.stringContaining('AccessDenied') });
    s.tag(`key/${s.keyOf('app')}`, `version=${TOKEN} superseded=${LONG_AGO} by=AKIAIOSFODNN7EXAMPLE`);
    expect(await s.pass()).toMatch(/^PASS_FAILED: .*DescribeSecret failed with AccessDenied/);
    expect(s.changedKeys()).toEqual([]);
    await expectNoHarm(s);
    // The calls that were refused are what was to be shown.
    finishAll();
  });

  it('made anew under the bound name is served by the code alone: the ARNs in the policies are the only line here', async () => {
    const s = await scene({ defence: 'the code alone' });
    expect(await remade(s)).toBeUndefined();
    expect(s.lastRotationError()).toBe('none');
    expect(s.changedKeys()).toHaveLength(1);
    expect(s.world.keys('app')).toHaveProperty(s.current, 'Active');
    expect(s.changedElsewhere()).toEqual([]);
  });
});

describe('the roles of the functions', () => {
  /** Calls IAM as the function would. */
  const attempt = async (s: Scene, name: string, command: (UserName: string) => object, UserName: string) => {
    const { account } = s.world;
    const role = account.roles.get(account.functions.get(name).roleArn);
    if (role === undefined) throw new Error(`no role ${name}`);
    const arn = `arn:aws:sts::${account.id}:assumed-role/${role.name}/${name}`;
    const credentials = account.session({ kind: 'role', name: role.name, arn, userId: role.id });
    const client = new IAMClient({ ...account.clientConfig(credentials), maxAttempts: 1 });
    try {
      await client.send(command(UserName) as never);
    } catch (error) {
      return error instanceof Error ? error.name : 'thrown';
    }
    return 'allowed';
  };
  const AccessKeyId = 'AKIAIOSFODNN7EXAMPLE';
  const COMMANDS = {
    CreateAccessKey: (UserName: string) => new CreateAccessKeyCommand({ UserName }),
    ListAccessKeys: (UserName: string) => new ListAccessKeysCommand({ UserName }),
    UpdateAccessKey: (UserName: string) => new UpdateAccessKeyCommand({ UserName, AccessKeyId, Status: 'Inactive' }),
    DeleteAccessKey: (UserName: string) => new DeleteAccessKeyCommand({ UserName, AccessKeyId }),
    GetUser: (UserName: string) => new GetUserCommand({ UserName }),
  };

  // Last line: IAM. Should the code ever name another user, it is refused.
  it.each(Object.entries(COMMANDS))('do not allow %s for a user who is not configured', async (_, command) => {
    const s = await scene();
    expect(await attempt(s, 'rotate', command, 'app')).not.toBe('AccessDenied');
    expect(await attempt(s, 'rotate', command, 'admin')).toBe('AccessDenied');
    expect(await attempt(s, 'retire', command, 'admin')).toBe('AccessDenied');
  });

  it('let the retire pass make no key for anybody', async () => {
    const s = await scene();
    expect(await attempt(s, 'retire', COMMANDS.CreateAccessKey, 'app')).toBe('AccessDenied');
  });
});

describe('the scene', () => {
  it("would notice harm to another user's key, to another secret, and to the keys of the bound user", async () => {
    const s = await scene();
    s.world.account.setAccessKeyStatus(s.keyOf('ops'), 'Inactive');
    s.world.account.operate('secretsmanager', 'UntagResource', {
      SecretId: OTHER,
      TagKeys: ['iam-key-rotator:deployment'],
    });
    expect(s.changedElsewhere()).toEqual([
      expect.stringMatching(/^~ key \w+ of ops: /),
      expect.stringMatching(/^- tag iam-key-rotator:deployment of iam\/ops: /),
    ]);
    expect(s.changedKeys()).toEqual([]);
    await s.stranger();
    s.world.account.setAccessKeyStatus(s.current, 'Inactive');
    expect(s.changedKeys()).toEqual([expect.stringMatching(/^~ key \w+ of app: /)]);
  });
});

const pending = () => ({ VersionStages: ['AWSPENDING'], ClientRequestToken: TOKEN });

async function expectToGoOnAtOnce(s: Scene): Promise<void> {
  expect(s.world.secret(SECRET).labels.has('AWSPENDING')).toBe(false);
  const errors = s.world.rotationErrors().length;
  const before = s.current;
  await s.rotate();
  expect(s.world.rotationErrors()).toHaveLength(errors);
  expect(s.current).not.toBe(before);
}

/** Rotation goes on, at the second try at the latest: the first may have a label to take off. */
async function expectToGoOn(s: Scene): Promise<void> {
  const before = s.current;
  await s.rotate();
  await s.world.advanceWithPasses(0.1);
  if (s.current === before) await s.rotate();
  expect(s.current).not.toBe(before);
}
