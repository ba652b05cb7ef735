import { afterEach, describe, expect, it } from 'vitest';
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { FORMATS, type SecretFormat } from '../../lambdas/contract/formats.ts';
import { ownFields } from './own-fields.ts';
import { SES_SMTP } from './scenarios.ts';
import { finishAll, Simulation } from './world.ts';

afterEach(() => expect(finishAll()).toEqual([]));

const SECRET = 'iam/app';
const FORMS = {
  'credential-process': { fields: FORMATS['credential-process'], derived: [] },
  env: { fields: FORMATS.env, derived: [] },
  'env with SMTP credentials': { fields: FORMATS.env, derived: SES_SMTP },
  "one of the team's own, with SMTP credentials under names of its own": {
    fields: { accessKeyId: 'accessKeyId', secretAccessKey: 'secret', userName: 'iamUser', createDate: 'created' },
    derived: [
      { field: 'smtpUser', is: 'ses-smtp-username' },
      { field: 'smtpPassword', is: 'ses-smtp-password', region: 'ap-southeast-2' },
    ],
  },
} as const satisfies Record<string, SecretFormat>;
const { env } = FORMS;
const own = FORMS["one of the team's own, with SMTP credentials under names of its own"];
const TEAM = { Endpoint: 'https://example.test', username: 'db', Nested: { list: [1, null] } };

function withUser(policy: Partial<DeployedKey> = {}): Simulation {
  const simulation = new Simulation({ keys: [{ userName: 'app', ...policy }] });
  simulation.account.createUser('app');
  simulation.startApplications();
  return simulation;
}

/** Somebody writes the value by hand, and an hourly pass takes AWSPENDING off the version that this supersedes. */
async function put(simulation: Simulation, value: object): Promise<void> {
  const SecretString = JSON.stringify(value);
  simulation.account.operate('secretsmanager', 'PutSecretValue', { SecretId: SECRET, SecretString });
  await simulation.advanceWithPasses(0.1);
}

/** A key made by hand, in a value of the form. */
function handMade({ account }: Simulation, { fields }: SecretFormat, more: object = {}): Record<string, unknown> {
  const { accessKeyId, secretAccessKey } = account.createAccessKey('app');
  return {
    [fields.accessKeyId]: accessKeyId,
    [fields.secretAccessKey]: secretAccessKey,
    [fields.userName]: 'app',
    ...more,
  };
}

const promotions = (simulation: Simulation) => simulation.what().filter((what) => what === 'promoted').length;

describe.each(Object.entries(FORMS))('a secret of the form %s', (_, format) => {
  it('is filled by its first rotation', async () => {
    const simulation = withUser({ format });
    await simulation.schedule(SECRET, 30);
    expect(simulation.rotationErrors()).toEqual([]);
    expect(simulation.current(SECRET)).toEqual(ownFields(simulation, SECRET));
    expect(simulation.keys('app')).toEqual({ [String(simulation.currentKey(SECRET))]: 'Active' });
  });

  it('has the current key, what is derived from it, and the fields of the team through rotations and retirements', async () => {
    const simulation = withUser({ format });
    await simulation.schedule(SECRET, 30);
    await put(simulation, {
      ...simulation.current(SECRET),
      ...TEAM,
      ...(format.fields === FORMATS['credential-process'] && { username: 'x' }),
    });
    const team = format.fields === FORMATS['credential-process'] ? { ...TEAM, username: undefined } : TEAM;
    for (let rotation = 1; rotation <= 3; rotation += 1) {
      const before = simulation.currentKey(SECRET);
      await simulation.advanceWithPasses(30.1);
      expect(simulation.currentKey(SECRET)).not.toBe(before);
      expect(simulation.current(SECRET)).toEqual({ ...ownFields(simulation, SECRET), ...team });
    }
    await simulation.advanceWithPasses(15);
    expect(simulation.keys('app')).toEqual({ [String(simulation.currentKey(SECRET))]: 'Active' });
    expect(simulation.rotationErrors()).toEqual([]);
    expect(promotions(simulation)).toBe(4);
  });

  it("that holds the user's key before the first rotation is taken over, and that key is retired in its turn", async () => {
    const simulation = withUser({ format });
    const version = format.fields === FORMATS['credential-process'] ? { Version: 1 } : {};
    await put(simulation, handMade(simulation, format, { ...version, Team: 'a' }));
    const first = String(simulation.currentKey(SECRET));
    await simulation.schedule(SECRET, 30);
    expect(simulation.current(SECRET)).toEqual({ ...ownFields(simulation, SECRET), Team: 'a' });
    expect(simulation.keys('app')).toMatchObject({ [first]: 'Active' });
    await simulation.advanceWithPasses(12);
    expect(simulation.keys('app')).toEqual({ [String(simulation.currentKey(SECRET))]: 'Active' });
    expect(simulation.rotationErrors()).toEqual([]);
  });

  it("is left as it is in mode 'observe'", async () => {
    const simulation = withUser({ format, mode: 'observe' });
    const version = format.fields === FORMATS['credential-process'] ? { Version: 1 } : {};
    const value = handMade(simulation, format, version);
    await put(simulation, value);
    await simulation.advanceWithPasses(2);
    expect(simulation.passes.flatMap(({ failures }) => failures)).toEqual([]);
    expect(simulation.current(SECRET)).toEqual(value);
    expect(simulation.keys('app')).toEqual({ [String(simulation.currentKey(SECRET))]: 'Active' });
  });
});

describe('the form of a secret', () => {
  it('may be changed between rotations: an application that reads any of them is never turned away', async () => {
    const simulation = withUser();
    await simulation.schedule(SECRET, 30);
    for (const format of [env, FORMS['credential-process'], FORMS['env with SMTP credentials'], own]) {
      const before = simulation.current(SECRET);
      const old = String(simulation.currentKey(SECRET));
      simulation.deploy('app', { format });
      // Deploying writes nothing into the secret, and the passes go on with the value that there is.
      await simulation.advanceWithPasses(1);
      expect(simulation.current(SECRET)).toEqual(before);
      await simulation.advanceWithPasses(29.1);
      expect(simulation.currentKey(SECRET)).not.toBe(old);
      expect(simulation.current(SECRET)).toEqual(ownFields(simulation, SECRET));
      expect(await simulation.useDirectly(old)).toBe(true);
    }
    expect(simulation.rotationErrors()).toEqual([]);
    expect(simulation.passes.flatMap(({ failures }) => failures)).toEqual([]);
  });

  it('may be changed in the names beside the key alone: the old key is read, and no date of it stays', async () => {
    const simulation = withUser({ format: env });
    await simulation.schedule(SECRET, 30);
    for (const names of [{ createDate: 'Created' }, { userName: 'User', createDate: 'Created' }]) {
      simulation.deploy('app', { format: { fields: { ...FORMATS.env, ...names }, derived: [] } });
      await simulation.advanceWithPasses(30.1);
      expect(simulation.rotationErrors()).toEqual([]);
      expect(simulation.passes.flatMap(({ failures }) => failures)).toEqual([]);
      expect(simulation.current(SECRET)).toEqual(ownFields(simulation, SECRET));
    }
  });

  it("is changed away from names of one's own after the key was written under those of a built-in form, too", async () => {
    const simulation = withUser({ format: own });
    await simulation.schedule(SECRET, 90);
    const value = simulation.current(SECRET);
    await put(simulation, {
      ...value,
      AWS_ACCESS_KEY_ID: value.accessKeyId,
      AWS_SECRET_ACCESS_KEY: value.secret,
      IAM_USER_NAME: 'app',
    });
    simulation.deploy('app', { format: env });
    await simulation.rotate(SECRET);
    expect(simulation.rotationErrors()).toEqual([]);
    // What repeats the key goes; the rest, which the configuration names no more, is left to the team.
    const { iamUser, created, smtpPassword } = value;
    expect(simulation.current(SECRET)).toEqual({ ...ownFields(simulation, SECRET), iamUser, created, smtpPassword });
  });

  it('is refused when it is of names that are not configured any more: nothing is minted, and no key is retired', async () => {
    const simulation = withUser({ format: own });
    await simulation.schedule(SECRET, 90);
    const before = simulation.current(SECRET);
    const keys = simulation.keys('app');
    simulation.deploy('app', { format: env });
    await simulation.rotate(SECRET);
    expect(simulation.rotationErrors()[0]).toContain("VALUE_MALFORMED: the field 'AWS_ACCESS_KEY_ID' is not the id");
    expect(simulation.current(SECRET)).toEqual(before);
    expect(simulation.keys('app')).toEqual(keys);
    simulation.deploy('app', { format: own });
    await simulation.advanceWithPasses(1);
    await simulation.rotate(SECRET);
    expect(simulation.current(SECRET)).toEqual(ownFields(simulation, SECRET));
    expect(simulation.current(SECRET)).not.toEqual(before);
  });

  describe('is changed away from names of its own while a rotation is unfinished', () => {
    /** The last rotation has failed, and the current key was written under the names of the new form as well. */
    async function unfinished(fault: Parameters<Simulation['account']['faults']['add']>[0]): Promise<Simulation> {
      const simulation = new Simulation({
        keys: [{ userName: 'app', format: own }],
        account: { rotationRetry: { attempts: 1, spacingMs: 1, token: 'same' } },
      });
      simulation.account.createUser('app');
      await simulation.schedule(SECRET, 90);
      await simulation.advanceWithPasses(0.1);
      const heal = simulation.account.faults.add(fault);
      await simulation.rotate(SECRET);
      heal();
      const { accessKeyId, secret } = simulation.current(SECRET);
      const key = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secret, IAM_USER_NAME: 'app' };
      await put(simulation, { ...simulation.current(SECRET), ...key });
      return simulation;
    }
    const STS_AWAY = {
      match: { action: 'GetCallerIdentity' },
      kind: 'network',
      times: Number.POSITIVE_INFINITY,
    } as const;
    const DIES = { match: { action: 'PutSecretValue', functionName: 'rotate' }, kind: 'crash-after' } as const;

    it.each([
      ['is recorded', STS_AWAY],
      ['was stored by a run that could not record it', DIES],
    ])('the key in its pending version, which %s, is retired in its turn, and rotation goes on', async (_, fault) => {
      const simulation = await unfinished(fault);
      const pending = Object.keys(simulation.keys('app')).find((id) => id !== simulation.currentKey(SECRET)) ?? '';
      simulation.deploy('app', { format: env });
      await simulation.rotate(SECRET);
      expect(simulation.rotationErrors().at(-1)).toContain('VALUE_MALFORMED: in the pending version');
      await simulation.rotate(SECRET);
      expect(simulation.rotationErrors().at(-1)).toContain('SLOT_NOT_FREE_YET');
      await simulation.advanceWithPasses(1);
      expect(simulation.passes.at(-1)?.failures).toEqual([]);
      expect(simulation.keys('app')).toMatchObject({ [pending]: 'Active' });
      await simulation.advanceWithPasses(11);
      expect(simulation.keys('app')).not.toHaveProperty(pending);
      await simulation.rotate(SECRET);
      expect(simulation.current(SECRET)).toMatchObject(ownFields(simulation, SECRET));
    });

    it.each([
      ['is recorded', STS_AWAY],
      ['was stored by a run that could not record it', DIES],
    ])('the key in its pending version, which %s, is taken up if the names come back', async (_, fault) => {
      const simulation = await unfinished(fault);
      const pending = Object.keys(simulation.keys('app')).find((id) => id !== simulation.currentKey(SECRET)) ?? '';
      simulation.deploy('app', { format: env });
      await simulation.rotate(SECRET);
      simulation.deploy('app', { format: own });
      await simulation.rotate(SECRET);
      expect(simulation.currentKey(SECRET)).toBe(pending);
      expect(simulation.current(SECRET)).toEqual(ownFields(simulation, SECRET));
    });
  });

  it('loses the SMTP credentials with the next rotation once they are not derived any more', async () => {
    const simulation = withUser({ format: FORMS['env with SMTP credentials'] });
    await simulation.schedule(SECRET, 90);
    expect(Object.keys(simulation.current(SECRET))).toHaveLength(7);
    simulation.deploy('app', { format: { ...env, derived: SES_SMTP.slice(0, 2) } });
    await simulation.rotate(SECRET);
    expect(simulation.current(SECRET)).toEqual(ownFields(simulation, SECRET));
    expect(Object.keys(simulation.current(SECRET))).toHaveLength(6);
    simulation.deploy('app', { format: env });
    await simulation.advanceWithPasses(12);
    await simulation.rotate(SECRET);
    expect(simulation.current(SECRET)).toEqual(ownFields(simulation, SECRET));
    expect(Object.keys(simulation.current(SECRET))).toHaveLength(4);
  });

  it('is written by a rotation that takes up a key stored in the form before', async () => {
    const simulation = new Simulation({
      account: { rotationRetry: { attempts: 2, spacingMs: 20 * 60_000, token: 'new' } },
    });
    simulation.account.createUser('app');
    const match = { service: 'sts', action: 'GetCallerIdentity' } as const;
    simulation.account.faults.add({ match, kind: 'network', times: 25 });
    await simulation.schedule(SECRET, 30);
    simulation.deploy('app', { format: FORMS['env with SMTP credentials'] });
    await simulation.advance(3 * 3600);
    expect(simulation.what()).toContain('taken-up');
    expect(simulation.what().filter((what) => what === 'minted')).toHaveLength(1);
    expect(simulation.current(SECRET)).toEqual(ownFields(simulation, SECRET));
  });
});
