/**
 * What a secret's policy closes: the ledger of every secret, and all of an exclusive one. The ways in that test/deputy/own-user.test.ts shows are
 * tried by a role that IAM allows everything in Secrets Manager. The calls are judged by the template's policies, that of the secret included.
 */
import {
  CancelRotateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, describe, expect, it } from 'vitest';
import { differences, snapshotOf } from '../bad-input/row.ts';
import { finishAll } from '../simulation/world.ts';
import { LONG_AGO, OTHER, type Scene, SECRET, scene, TOKEN } from './world.ts';

const ROLE = (name: string) => `arn:aws:iam::111122223333:role/${name}`;
const ledgerOperators = [ROLE('operator')];
const config = { readers: [ROLE('reader')], ledgerOperators, exclusive: { breakGlassRoleArn: ROLE('break-glass') } };

afterEach(() => {
  // Whoever may do anything is refused here: that is no fault of the rotator's.
  finishAll();
});

/** A client of a role that IAM allows everything in Secrets Manager. */
function clientOf(s: Scene, name: string): SecretsManagerClient {
  const { account } = s.world;
  const everything = { Effect: 'Allow', Action: 'secretsmanager:*', Resource: '*' };
  const role = account.createRole(name, [everything]);
  const arn = `arn:aws:sts::${account.id}:assumed-role/${name}/session`;
  return new SecretsManagerClient(
    account.clientConfig(account.session({ kind: 'role', name, arn, userId: `${role.id}:session` })),
  );
}

async function outcome(client: SecretsManagerClient, command: object): Promise<string> {
  try {
    await client.send(command as never);
    return 'allowed';
  } catch (error) {
    return error instanceof Error ? error.name : 'thrown';
  }
}

type Commands = Readonly<Record<string, (s: Scene, SecretId: string) => object>>;
const tags = (entries: Readonly<Record<string, string>>) =>
  Object.entries(entries).map(([Key, Value]) => ({ Key, Value }));

/** Writing what is not the ledger's. */
const WRITES: Commands = {
  PutSecretValue: (_, SecretId) => new PutSecretValueCommand({ SecretId, SecretString: '{"Bootstrap":"mine"}' }),
  UpdateSecretVersionStage: (s, SecretId) =>
    new UpdateSecretVersionStageCommand({
      SecretId,
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: s.version('AWSPREVIOUS', SecretId),
      RemoveFromVersionId: s.version('AWSCURRENT', SecretId),
    }),
  TagResource: (_, SecretId) => new TagResourceCommand({ SecretId, Tags: tags({ Team: 'mine' }) }),
  UntagResource: (_, SecretId) => new UntagResourceCommand({ SecretId, TagKeys: ['Owner'] }),
};

const tagged = (entriesOf: (s: Scene, SecretId: string) => Readonly<Record<string, string>>) => {
  return (s: Scene, SecretId: string) => new TagResourceCommand({ SecretId, Tags: tags(entriesOf(s, SecretId)) });
};
const untagged = (tagOf: (s: Scene, SecretId: string) => string) => {
  return (s: Scene, SecretId: string) => new UntagResourceCommand({ SecretId, TagKeys: [tagOf(s, SecretId)] });
};
const entryOf = (s: Scene, SecretId: string) => `iam-key-rotator:key/${s.world.current(SecretId).AccessKeyId}`;

/** Writing the ledger: what every attack by tags begins with. */
const FORGERIES: Commands = {
  'a forged entry': tagged(() => ({ 'iam-key-rotator:key/AKIAIOSFODNN7EXAMPLE': `superseded=${LONG_AGO} by=x` })),
  'an entry written over': tagged((s, id) => ({ [entryOf(s, id)]: `version=${TOKEN} superseded=${LONG_AGO} by=x` })),
  'an entry removed': untagged(entryOf),
  'a forged announcement': tagged(() => ({ 'iam-key-rotator:intent/forged': `token=${TOKEN} at=${LONG_AGO}` })),
  'forged evidence': tagged(() => ({
    'iam-key-rotator:verified': `token=${TOKEN} key=K account=1 user=U at=${LONG_AGO}`,
  })),
  'evidence removed': untagged(() => 'iam-key-rotator:verified'),
  'a forged pin': tagged(() => ({ 'iam-key-rotator:user-id': 'AIDAFORGED' })),
  'the pin removed': untagged(() => 'iam-key-rotator:user-id'),
  'a forged leak': tagged((s, id) => ({
    [`iam-key-rotator:leak/${s.world.current(id).AccessKeyId}`]: `at=${LONG_AGO} signal=health`,
  })),
  'a malformed tag': tagged(() => ({ 'iam-key-rotator:key/AKIAIOSFODNN7EXAMPLE': 'promoted' })),
  'another deployment': tagged(() => ({ 'iam-key-rotator:deployment': 'mine' })),
  'a forged pin among tags of teams': tagged(() => ({ Team: 'mine', 'iam-key-rotator:user-id': 'AIDAFORGED' })),
};
const READ = (SecretId: string) => new GetSecretValueCommand({ SecretId });

describe('an exclusive secret', () => {
  it.each(Object.entries(WRITES))('refuses %s, which other secrets take', async (_, command) => {
    const s = await scene({ config });
    for (const SecretId of [SECRET, OTHER]) s.attack('TagResource', { SecretId, Tags: tags({ Owner: 'a team' }) });
    const attacker = clientOf(s, 'attacker');
    const before = snapshotOf(s.world.account);
    expect(await outcome(attacker, command(s, SECRET))).toBe('AccessDeniedException');
    expect(differences(before, snapshotOf(s.world.account))).toEqual([]);
    expect(await outcome(attacker, command(s, OTHER))).toBe('allowed');
    expect(differences(before, snapshotOf(s.world.account))).not.toEqual([]);
  });

  it('is read by its readers and by nobody else, and not written by them', async () => {
    const s = await scene({ config });
    expect(await outcome(clientOf(s, 'attacker'), READ(SECRET))).toBe('AccessDeniedException');
    const reader = clientOf(s, 'reader');
    expect(await outcome(reader, READ(SECRET))).toBe('allowed');
    for (const command of Object.values({ ...WRITES, ...FORGERIES }))
      expect(await outcome(reader, command(s, SECRET))).toBe('AccessDeniedException');
  });

  it('takes tags from the operators of its ledger, and no value or label', async () => {
    const s = await scene({ config });
    const operator = clientOf(s, 'operator');
    for (const [name, command] of Object.entries({ ...WRITES, ...FORGERIES })) {
      const expected = /Value|Stage/.test(name) ? 'AccessDeniedException' : 'allowed';
      expect([name, await outcome(operator, command(s, SECRET))]).toEqual([name, expected]);
    }
    expect(await outcome(operator, READ(SECRET))).toBe('AccessDeniedException');
  });

  it.each(Object.entries({ ...WRITES, ...FORGERIES }))('takes %s from the break-glass role', async (_, command) => {
    const s = await scene({ config });
    expect(await outcome(clientOf(s, 'break-glass'), command(s, SECRET))).toBe('allowed');
  });

  it('is rotated and its old key retired as any other', async () => {
    const s = await scene({ config });
    const first = await s.supersede();
    await s.world.advanceWithPasses(11, 6);
    expect(s.world.keys('app')).toEqual({ [s.current]: 'Active' });
    expect(s.current).not.toBe(first);
    expect(finishAll()).toEqual([]);
  });

  it('can still have its rotation switched off: that is not denied, see SECURITY.md', async () => {
    const s = await scene({ config });
    expect(await outcome(clientOf(s, 'attacker'), new CancelRotateSecretCommand({ SecretId: SECRET }))).toBe('allowed');
    expect(s.world.secret(SECRET).rotation?.enabled).toBe(false);
  });
});

describe('a secret that is not exclusive', () => {
  it.each(Object.entries(FORGERIES))('refuses %s, whatever IAM allows', async (_, command) => {
    const s = await scene();
    const before = snapshotOf(s.world.account);
    expect(await outcome(clientOf(s, 'tagger'), command(s, SECRET))).toBe('AccessDeniedException');
    expect(differences(before, snapshotOf(s.world.account))).toEqual([]);
  });

  it.each(Object.entries(WRITES))('takes %s from whomever IAM lets', async (_, command) => {
    const s = await scene();
    expect(await outcome(clientOf(s, 'team'), command(s, SECRET))).toBe('allowed');
  });

  it.each(Object.entries(FORGERIES))('takes %s from the operators whom the configuration names', async (_, command) => {
    const s = await scene({ config: { ledgerOperators } });
    const operator = clientOf(s, 'operator');
    expect(await outcome(operator, command(s, SECRET))).toBe('allowed');
    // Named for one secret, they are nobody at another.
    expect(await outcome(operator, command(s, OTHER))).toBe('AccessDeniedException');
  });

  it('can have its tags used up by a team, which stops its rotation: not stopped, see SECURITY.md', async () => {
    const s = await scene();
    const first = s.current;
    const free = 50 - Object.keys(s.world.tags(SECRET)).length;
    const mine = Object.fromEntries(Array.from({ length: free }, (_, n) => [`Team-${n}`, 'mine']));
    expect(await outcome(clientOf(s, 'team'), tagged(() => mine)(s, SECRET))).toBe('allowed');
    await s.rotate();
    expect(s.lastRotationError()).not.toBe('none');
    expect(s.world.keys('app')).toEqual({ [first]: 'Active' });
    expect(s.current).toBe(first);
  });

  it('whose user was made again is put right by an operator, and by nobody else', async () => {
    const s = await scene({ config: { ledgerOperators } });
    s.world.account.deleteUser('app');
    await s.world.advance(60);
    s.world.account.createUser('app');
    await s.rotate();
    expect(s.lastRotationError()).toContain('USER_RECREATED');
    expect(s.lastRotationError()).toContain('ledgerOperators');
    const remedy = tagged(() => ({ 'iam-key-rotator:user-id': String(s.world.account.users.get('app')?.id) }));
    expect(await outcome(clientOf(s, 'administrator'), remedy(s, SECRET))).toBe('AccessDeniedException');
    expect(await outcome(clientOf(s, 'operator'), remedy(s, SECRET))).toBe('allowed');
    await s.rotate();
    expect(s.world.keys('app')).toEqual({ [s.current]: 'Active' });
  });

  it('whose ledger is malformed is put right by an operator, and by nobody else', async () => {
    const s = await scene({ config: { ledgerOperators } });
    s.tag('key/AKIAIOSFODNN7EXAMPLE', 'promoted');
    const first = s.current;
    await s.rotate();
    expect(s.lastRotationError()).toContain('LEDGER_MALFORMED');
    expect(s.lastRotationError()).toContain('ledgerOperators');
    const remedy = untagged(() => 'iam-key-rotator:key/AKIAIOSFODNN7EXAMPLE');
    expect(await outcome(clientOf(s, 'administrator'), remedy(s, SECRET))).toBe('AccessDeniedException');
    expect(await outcome(clientOf(s, 'operator'), remedy(s, SECRET))).toBe('allowed');
    await s.rotate();
    expect(s.current).not.toBe(first);
  });
});
