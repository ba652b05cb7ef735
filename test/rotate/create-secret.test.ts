import { describe, expect, it, vi } from 'vitest';
import type { AccessKey } from '../../lambdas/domain/model.ts';
import { createSecret } from '../../lambdas/rotate/create-secret.ts';
import { at, key, NEW, NOW, OLD, OTHER } from '../domain/world.ts';
import { DAY } from '../policy.ts';
import { DEFECT } from './defect.ts';
import {
  ARN,
  awsError,
  BOOTSTRAP,
  CURRENT,
  failureOf,
  type Given,
  Ports,
  rotationOf,
  TOKEN,
  told,
  USER_ID,
  valueWith,
  WHO,
} from './ports.ts';

vi.mock('../../lambdas/domain/secret-value.ts', async (original) => {
  const { withDefect } = await import('./defect.ts');
  return withDefect(await original());
});

const VERSION = 'bbbbbbbb-2222-3333-4444-555555555555';
const LABELS = { [CURRENT]: ['AWSCURRENT'], [TOKEN]: ['AWSPENDING'] };
const tagOf = (keyId: string) => `iam-key-rotator:key/${keyId}`;
const intentOf = (run: string) => `iam-key-rotator:intent/${run}`;
const USER_TAG = { 'iam-key-rotator:user-id': USER_ID };
/** The entry of the key that is current. */
const ENTRY = { [tagOf(OLD)]: `version=${CURRENT} minted=2026-03-07T12:00:00Z promoted=2026-03-07T12:05:00Z` };
/** What a new run announces when the user has the one current key. */
const ANNOUNCED = { [intentOf('run-now')]: `token=${TOKEN} at=2026-06-15T12:00:00Z before=${OLD}` };
const RESOLVED = { [intentOf('run-now')]: `token=${TOKEN} at=2026-06-15T12:00:00Z before=${OLD} minted=${NEW}` };
const RECORDED = { [tagOf(NEW)]: `version=${TOKEN} minted=2026-06-15T12:00:00Z` };
const stored = (more: Record<string, unknown> = {}) => valueWith(NEW, { CreateDate: '2026-06-15T12:00:00Z', ...more });

/** A user without a key, and a secret that no rotation has filled. */
const first = (more: Given = {}) => new Ports({ labels: LABELS, values: { [CURRENT]: BOOTSTRAP }, ...more });
/** A user whose one key is current. */
const rotated = ({ tags, values, ...more }: Given = {}) =>
  new Ports({
    labels: LABELS,
    keys: [key(OLD)],
    ...more,
    tags: { ...USER_TAG, ...ENTRY, ...tags },
    values: { [CURRENT]: valueWith(OLD), ...values },
  });
/** The pending version has a value already. */
const resumed = (pending: string, more: Given = {}) =>
  rotated({ keys: [key(OLD), key(NEW, 'Active', NOW)], ...more, values: { [TOKEN]: pending } });

const run = (
  ports: Ports,
  policy: Parameters<typeof rotationOf>[1] = {},
  more: Parameters<typeof rotationOf>[2] = {},
) => createSecret(rotationOf('createSecret', policy, more), ports.world);
const refusal = async (ports: Ports, policy: Parameters<typeof rotationOf>[1] = {}) =>
  told(await failureOf(run(ports, policy)));
const CHANGES = ['mint', 'remove', 'storePending', 'tag', 'moveLabel', 'disable'];
const changesOf = (ports: Ports) => ports.calls.filter(([operation]) => CHANGES.includes(operation));

describe('createSecret mints a key', () => {
  it('announces it, looks for another run, mints, stores and records, in this order', async () => {
    const ports = first();
    await run(ports, {}, { rotationToken: 'rotation-token' });
    const announced = { [intentOf('run-now')]: `token=${TOKEN} at=2026-06-15T12:00:00Z` };
    expect(ports.calls).toStrictEqual([
      ['describe', ARN],
      ['read', ARN, { version: TOKEN, label: 'AWSPENDING' }],
      ['read', ARN, { label: 'AWSCURRENT' }],
      ['list', 'app'],
      ['tag', ARN, announced, []],
      ['describe', ARN],
      ['mint', 'app'],
      ['storePending', ARN, TOKEN, stored(), 'rotation-token'],
      ['tag', ARN, { ...RECORDED, [intentOf('run-now')]: `token=${TOKEN} at=2026-06-15T12:00:00Z minted=${NEW}` }, []],
    ]);
    expect(ports.happenings).toEqual([{ what: 'minted', ...WHO, keyId: NEW }]);
  });

  it('beside a current key names that one in the announcement, and needs no look for another run', async () => {
    const ports = rotated({ values: { [CURRENT]: valueWith(OLD, { Endpoint: 'https://example.test' }) } });
    await run(ports);
    expect(ports.calls).toEqual([
      ['describe', ARN],
      ['read', ARN, { version: TOKEN, label: 'AWSPENDING' }],
      ['read', ARN, { label: 'AWSCURRENT' }],
      ['list', 'app'],
      ['tag', ARN, ANNOUNCED, []],
      ['mint', 'app'],
      ['storePending', ARN, TOKEN, stored({ Endpoint: 'https://example.test' }), undefined],
      ['tag', ARN, { ...RECORDED, ...RESOLVED }, []],
    ]);
    expect(ports.happenings).toEqual([{ what: 'minted', ...WHO, keyId: NEW }]);
  });

  it('registers the current key, which a team may have stored by hand, with the announcement', async () => {
    const ports = new Ports({ labels: LABELS, keys: [key(OLD)], values: { [CURRENT]: valueWith(OLD) } });
    await run(ports);
    const registered = {
      [tagOf(OLD)]: `version=${CURRENT} minted=2026-03-07T12:00:00Z promoted=2026-06-15T12:00:00Z`,
    };
    expect(ports.of('tag')[0]).toEqual([ARN, { ...ANNOUNCED, ...registered }, []]);
  });

  it('takes away what earlier runs announced and nothing came of', async () => {
    const ports = rotated({
      tags: { [intentOf('run-old')]: `token=${VERSION} at=2026-06-01T12:00:00Z before=${OLD}` },
    });
    await run(ports);
    expect(ports.of('tag')[0]).toEqual([ARN, ANNOUNCED, [intentOf('run-old')]]);
  });

  it("pins the user's id where the run that promoted the first key has died before", async () => {
    const { 'iam-key-rotator:user-id': _, ...tags } = {
      ...USER_TAG,
      ...ENTRY,
      'iam-key-rotator:verified': `token=${CURRENT} key=${OLD} account=1 user=${USER_ID} at=2026-03-07T12:04:00Z`,
    };
    const ports = new Ports({ labels: LABELS, keys: [key(OLD)], values: { [CURRENT]: valueWith(OLD) }, tags });
    await run(ports);
    expect(ports.of('tag')).toEqual([
      [ARN, { ...ANNOUNCED, ...USER_TAG }, []],
      [ARN, { ...RECORDED, ...USER_TAG, ...RESOLVED }, []],
    ]);
  });

  it("asks for the user's id when the current key is not listed", async () => {
    const ports = rotated({ keys: [] });
    await run(ports);
    expect(ports.operations().slice(0, 5)).toEqual(['describe', 'read', 'read', 'list', 'userId']);
    expect(ports.of('userId')).toEqual([['app']]);
    expect(ports.happenings).toEqual([{ what: 'minted', ...WHO, keyId: NEW }]);
  });
});

describe('createSecret frees a slot', () => {
  const ORPHAN: AccessKey = key(OTHER, 'Active', at(-DAY));
  const ORPHANED = { [intentOf('run-old')]: `token=${VERSION} at=2026-06-14T12:00:00Z before=${OLD}` };
  const orphaned = (more: Given = {}) => rotated({ keys: [key(OLD), ORPHAN], tags: ORPHANED, ...more });
  const DISABLED = {
    [tagOf(OTHER)]:
      'version=v0 minted=2026-01-01T00:00:00Z promoted=2026-01-01T00:05:00Z superseded=2026-03-07T12:05:00Z ' +
      `by=${OLD} disabled=2026-03-10T12:05:00Z`,
  };
  const disabled = (more: Given = {}) => rotated({ keys: [key(OLD), key(OTHER, 'Inactive')], tags: DISABLED, ...more });

  it('of an orphan that was never used, and says so', async () => {
    const ports = orphaned();
    await run(ports);
    expect(ports.calls.slice(4)).toEqual([
      ['read', ARN, { version: VERSION }],
      ['lastUse', OTHER],
      ['remove', 'app', OTHER],
      ['tag', ARN, ANNOUNCED, [intentOf('run-old')]],
      ['mint', 'app'],
      ['storePending', ARN, TOKEN, stored(), undefined],
      ['tag', ARN, { ...RECORDED, ...RESOLVED }, []],
    ]);
    expect(ports.happenings).toEqual([
      { what: 'orphan-cleared', ...WHO, keyId: OTHER, reason: 'orphan-never-used', observed: false },
      { what: 'minted', ...WHO, keyId: NEW },
    ]);
  });

  it('of a key whose recovery time is over, and forgets it', async () => {
    const ports = disabled();
    await run(ports);
    expect(ports.calls.slice(4)).toEqual([
      ['lastUse', OTHER],
      ['remove', 'app', OTHER],
      ['tag', ARN, {}, [tagOf(OTHER)]],
      ['tag', ARN, ANNOUNCED, []],
      ['mint', 'app'],
      ['storePending', ARN, TOKEN, stored(), undefined],
      ['tag', ARN, { ...RECORDED, ...RESOLVED }, []],
    ]);
    expect(ports.happenings).toEqual([
      { what: 'deleted', ...WHO, keyId: OTHER, reason: 'recovery-over', observed: false },
      { what: 'minted', ...WHO, keyId: NEW },
    ]);
  });

  it('of an adopted key, of which an entry remains since the configuration goes on naming it', async () => {
    const ports = disabled();
    await run(ports, { adopt: OTHER });
    expect(ports.calls.slice(5, 7)).toEqual([
      ['remove', 'app', OTHER],
      ['tag', ARN, { [tagOf(OTHER)]: 'deleted=2026-06-15T12:00:00Z' }, []],
    ]);
  });

  it.each([
    ['an orphan', orphaned],
    ['a disabled key', disabled],
  ])('of %s as long as what was read is 15 seconds old, and not a moment later', async (_, given) => {
    const fresh = given().slow('list', 15_000);
    await run(fresh);
    expect(fresh.of('remove')).toEqual([['app', OTHER]]);
    const stale = given().slow('list', 15_001);
    expect(await refusal(stale)).toBe(
      `READ_STALE: what was read at 2026-06-15T12:00:00Z, on which the change of the key ${OTHER} rests, was complete only at ` +
        '2026-06-15T12:00:16Z. Expected: at most 15 seconds between: later, the key may have become current or be in use. ' +
        'To do: nothing: the key was left as it is, and the next run reads anew; if this lasts, see why AWS answers late.',
    );
    expect(changesOf(stale)).toEqual([]);
  });

  it('of no key that somebody uses: it asks for every last use, once, and names both keys', async () => {
    const use = { at: at(-60), service: 's3', region: 'eu-central-1' };
    const ports = orphaned({ lastUse: { [OTHER]: use } });
    expect(await refusal(ports)).toContain(
      `user app has 2 access keys: ${OLD} (current, Active, 100 days old, never used) and ` +
        `${OTHER} (orphan, Active, 1 day old, last used 2026-06-15T11:59:00Z with s3 in eu-central-1)`,
    );
    expect(ports.of('lastUse')).toEqual([[OTHER], [OLD]]);
    expect(changesOf(ports)).toEqual([]);
  });

  it('of no orphan while the run that announced it may still be at work', async () => {
    const tags = { [intentOf('run-old')]: `token=${VERSION} at=2026-06-15T11:59:00Z` };
    const ports = rotated({ keys: [key(OLD), key(OTHER, 'Active', at(-60))], tags });
    expect(await refusal(ports)).toMatch(/^MINT_UNSETTLED: a run announced a new key at 2026-06-15T11:59:00Z/);
    expect(changesOf(ports)).toEqual([]);
  });

  it('of the orphan once that run is surely over, and not a second before', async () => {
    const tags = { [intentOf('run-old')]: `token=${VERSION} at=2026-06-15T11:57:00Z` };
    const keys = [key(OLD), key(OTHER, 'Active', at(-180))];
    expect(await refusal(rotated({ keys, tags }).slow('describe', -1000))).toContain('MINT_UNSETTLED');
    const ports = rotated({ keys, tags });
    await run(ports);
    expect(ports.of('remove')).toEqual([['app', OTHER]]);
  });
});

describe('createSecret refuses', () => {
  it('a secret that is scheduled for deletion', async () => {
    const ports = rotated({ scheduledForDeletion: true, rotationEnabled: false });
    expect(await refusal(ports)).toMatchInlineSnapshot(
      `"SECRET_NOT_USABLE: the secret iam/app is scheduled for deletion. Expected: a secret in use. To do: restore it (aws secretsmanager restore-secret), or remove the key from rotator.config.ts."`,
    );
    expect(ports.operations()).toEqual(['describe']);
  });

  it('a secret whose rotation is off', async () => {
    const ports = rotated({ rotationEnabled: false });
    expect(await refusal(ports)).toMatchInlineSnapshot(
      `"ROTATION_NOT_ENABLED: rotation of iam/app is off. Expected: a rotation under way. To do: turn it on (npx cdk deploy, or aws secretsmanager rotate-secret)."`,
    );
    expect(ports.operations()).toEqual(['describe']);
  });

  it('a version without a label', async () => {
    const ports = rotated({ labels: { [CURRENT]: ['AWSCURRENT'] } });
    expect(await refusal(ports)).toMatchInlineSnapshot(
      `"TOKEN_NOT_PENDING: the version 11111111-2222-3333-4444-555555555555 has no label. Expected: AWSPENDING, which Secrets Manager puts there before it calls createSecret. To do: start another rotation (aws secretsmanager rotate-secret)."`,
    );
    expect(ports.operations()).toEqual(['describe']);
  });

  it('a version with other labels, which it names', async () => {
    const ports = rotated({ labels: { [CURRENT]: ['AWSCURRENT'], [TOKEN]: ['AWSPREVIOUS', 'theirs'] } });
    expect(await refusal(ports)).toContain(`the version ${TOKEN} has AWSPREVIOUS, theirs. Expected: AWSPENDING`);
  });

  it('a secret without a current version', async () => {
    const ports = rotated({ labels: { [TOKEN]: ['AWSPENDING'] } });
    expect(await refusal(ports)).toMatch(/^CURRENT_MISSING: no version labelled AWSCURRENT/);
    expect(ports.operations()).toEqual(['describe', 'read', 'read']);
  });

  it('a ledger that is damaged, before anything is read', async () => {
    const ports = rotated({ tags: { [tagOf(OTHER)]: 'damaged' } });
    expect(await refusal(ports)).toMatch(/^LEDGER_MALFORMED/);
    expect(ports.operations()).toEqual(['describe']);
  });

  it('nothing, but has nothing to do, when the version is current', async () => {
    const ports = rotated({ labels: { [TOKEN]: ['AWSCURRENT', 'AWSPENDING'] } });
    await run(ports);
    expect(ports.operations()).toEqual(['describe']);
    expect(ports.happenings).toEqual([
      { what: 'nothing-to-do', ...WHO, step: 'createSecret', why: 'the version is current already' },
    ]);
  });
});

describe('createSecret, when the pending version has a value already', () => {
  const NOTHING = [{ what: 'nothing-to-do', ...WHO, step: 'createSecret', why: 'the pending version has a key' }];
  const OPEN = { [intentOf('run-old')]: `token=${TOKEN} at=2026-06-15T12:00:00Z before=${OLD}` };

  it('takes the label off a version that somebody stored the value of a new secret in', async () => {
    const ports = resumed(BOOTSTRAP);
    expect(await refusal(ports)).toMatchInlineSnapshot(
      `"PENDING_VALUE_MISSING: the pending version 11111111-2222-3333-4444-555555555555 holds no key, but the value of a new secret: somebody stored that there. Expected: no value, or a key. To do: rotate again (aws secretsmanager rotate-secret): the version has lost its label, and a new key will be minted."`,
    );
    expect(changesOf(ports)).toEqual([['moveLabel', ARN, 'AWSPENDING', TOKEN]]);
    expect(ports.happenings).toEqual([]);
  });

  it('takes the label off a version whose value can not be read, and says that its form may have been configured once', async () => {
    const ports = resumed(JSON.stringify({ id: NEW, secret: 'the secret', user: 'app' }));
    expect(await refusal(ports)).toMatchInlineSnapshot(
      `"VALUE_MALFORMED: in the pending version 11111111-2222-3333-4444-555555555555, the field 'Version' is not 1. Expected: a JSON object with Version 1, AccessKeyId, SecretAccessKey and UserName, or the bootstrap value of a new secret. To do: rotate again (aws secretsmanager rotate-secret): the version has lost its label. If names of your own have been taken out of rotator.config.ts, its key is taken up once they are back; otherwise a new one is minted, and that one retired."`,
    );
    expect(changesOf(ports)).toEqual([['moveLabel', ARN, 'AWSPENDING', TOKEN]]);
    expect(ports.happenings).toEqual([]);
    const foreign = resumed(valueWith(NEW, { UserName: 'ops' }));
    expect(await refusal(foreign)).toContain(`VALUE_OTHER_USER: in the pending version ${TOKEN}, the value's UserName`);
    expect(changesOf(foreign)).toEqual([['moveLabel', ARN, 'AWSPENDING', TOKEN]]);
  });

  it('hides no defect that reading that value brings to light', async () => {
    const ports = resumed(DEFECT);
    expect(await failureOf(run(ports))).toEqual(new TypeError(DEFECT));
    expect(changesOf(ports)).toEqual([]);
  });

  it('takes the label off a version that was promoted and rolled back', async () => {
    const ports = resumed(valueWith(NEW), { labels: { ...LABELS, [TOKEN]: ['AWSPENDING', 'AWSPREVIOUS'] } });
    expect(await refusal(ports)).toMatch(new RegExp(`^ROLLED_BACK: the version ${TOKEN} was promoted before`));
    expect(changesOf(ports)).toEqual([['moveLabel', ARN, 'AWSPENDING', TOKEN]]);
    expect(ports.happenings).toEqual([]);
  });

  it('takes the label off a version whose key was promoted in another one: what was edited since stands there', async () => {
    const promoted = `version=${VERSION} minted=2026-06-01T12:00:00Z promoted=2026-06-01T12:05:00Z`;
    const ports = resumed(valueWith(NEW), { tags: { [tagOf(NEW)]: promoted } });
    expect(await refusal(ports)).toMatch(/^ROLLED_BACK: /);
    expect(changesOf(ports)).toEqual([['moveLabel', ARN, 'AWSPENDING', TOKEN]]);
  });

  it('leaves everything as it is if the key is recorded', async () => {
    const ports = resumed(valueWith(NEW), { tags: { ...OPEN, ...RECORDED } });
    await run(ports);
    expect(ports.operations()).toEqual(['describe', 'read']);
    expect(ports.happenings).toEqual(NOTHING);
  });

  it('records the key that the announcement explains, and resolves that', async () => {
    const ports = resumed(valueWith(NEW), { tags: OPEN });
    await run(ports);
    expect(ports.calls.slice(2)).toEqual([
      ['list', 'app'],
      [
        'tag',
        ARN,
        {
          ...RECORDED,
          [intentOf('run-old')]: `token=${TOKEN} at=2026-06-15T12:00:00Z before=${OLD} minted=${NEW}`,
        },
        [],
      ],
    ]);
    expect(ports.happenings).toEqual(NOTHING);
  });

  it('records a key of the ledger that has come into another version, with the date that the ledger has', async () => {
    const ports = resumed(valueWith(NEW), { tags: { [tagOf(NEW)]: `version=${VERSION} minted=2026-06-14T00:00:00Z` } });
    await run(ports);
    expect(changesOf(ports)).toEqual([
      ['tag', ARN, { [tagOf(NEW)]: `version=${TOKEN} minted=2026-06-14T00:00:00Z` }, []],
    ]);
  });

  it('records a key of the ledger that has no date of its own with the date that IAM has', async () => {
    const ports = resumed(valueWith(NEW), { tags: { [tagOf(NEW)]: `version=${VERSION}` } });
    await run(ports);
    expect(changesOf(ports)).toEqual([['tag', ARN, RECORDED, []]]);
  });

  it.each([
    [
      "that was announced for another version: it may be a stranger's",
      { [intentOf('run-old')]: `token=${VERSION} at=2026-06-15T12:00:00Z` },
    ],
    [
      'that was there before the announcement',
      { [intentOf('run-old')]: `token=${TOKEN} at=2026-06-15T12:00:00Z before=${NEW}` },
    ],
    [
      'of whose announcement another key came',
      { [intentOf('run-old')]: `token=${TOKEN} at=2026-06-15T12:00:00Z minted=${OTHER}` },
    ],
    ['that nobody announced', {}],
  ])('does not record a key %s', async (_, tags) => {
    const ports = resumed(valueWith(NEW), { tags });
    await run(ports);
    expect(ports.operations()).toEqual(['describe', 'read', 'list']);
    expect(ports.happenings).toEqual(NOTHING);
  });

  it('does not record a key that IAM does not list', async () => {
    const ports = resumed(valueWith(NEW), { tags: OPEN, keys: [key(OLD)] });
    await run(ports);
    expect(ports.operations()).toEqual(['describe', 'read', 'list']);
    expect(ports.happenings).toEqual(NOTHING);
  });
});

describe('createSecret takes up a key that an earlier run has stored', () => {
  const OPEN = { [intentOf('run-old')]: `token=${VERSION} at=2026-06-14T12:00:00Z before=${OLD}` };
  const abandoned = (value: string, more: Given = {}) =>
    rotated({ keys: [key(OLD), key(OTHER, 'Active', at(-DAY))], tags: OPEN, ...more, values: { [VERSION]: value } });

  it('stores it in the new version, keeps the fields of the current value, and resolves what announced it', async () => {
    const ports = rotated({
      keys: [key(OLD), key(OTHER, 'Active', at(-DAY))],
      tags: { [intentOf('run-older')]: `token=${CURRENT} at=2026-06-13T12:00:00Z`, ...OPEN },
      values: { [CURRENT]: valueWith(OLD, { Endpoint: 'x' }), [VERSION]: valueWith(OTHER, { Old: 'y' }) },
    });
    await run(ports, {}, { rotationToken: 'rotation-token' });
    expect(ports.calls.slice(4)).toEqual([
      ['read', ARN, { version: VERSION }],
      ['tag', ARN, {}, []],
      [
        'storePending',
        ARN,
        TOKEN,
        valueWith(OTHER, { CreateDate: '2026-06-14T12:00:00Z', Endpoint: 'x' }),
        'rotation-token',
      ],
      [
        'tag',
        ARN,
        {
          [tagOf(OTHER)]: `version=${TOKEN} minted=2026-06-14T12:00:00Z`,
          [intentOf('run-old')]: `token=${VERSION} at=2026-06-14T12:00:00Z before=${OLD} minted=${OTHER}`,
        },
        [],
      ],
    ]);
    expect(ports.happenings).toEqual([{ what: 'taken-up', ...WHO, keyId: OTHER }]);
  });

  it('registers the current key first, and records a key that no announcement is open for', async () => {
    const ports = new Ports({
      labels: LABELS,
      keys: [key(OLD), key(OTHER, 'Active', at(-DAY))],
      tags: { [tagOf(OTHER)]: `version=${VERSION} minted=2026-06-14T12:00:00Z` },
      values: { [CURRENT]: valueWith(OLD), [VERSION]: valueWith(OTHER) },
    });
    await run(ports);
    expect(ports.of('tag')).toEqual([
      [ARN, { [tagOf(OLD)]: `version=${CURRENT} minted=2026-03-07T12:00:00Z promoted=2026-06-15T12:00:00Z` }, []],
      [ARN, { [tagOf(OTHER)]: `version=${TOKEN} minted=2026-06-14T12:00:00Z` }, []],
    ]);
  });

  it.each([
    ['is not a key', 'not JSON', 'STRANGERS_HOLD_SLOTS'],
    ['is the one of a new secret', BOOTSTRAP, 'STRANGERS_HOLD_SLOTS'],
    [
      "names another user, though the key is the bound user's",
      '{"Version":1,"AccessKeyId":"AKIAOTHEROTHEROTHER4","SecretAccessKey":"x","UserName":"ops"}',
      'SLOT_NOT_FREE_YET',
    ],
  ])('but not out of a version whose value %s', async (_, value, code) => {
    const use = { at: at(-60), service: 's3', region: 'eu-central-1' };
    const ports = abandoned(value, { lastUse: { [OTHER]: use } });
    expect(await refusal(ports)).toMatch(new RegExp(`^${code}: `));
    expect(changesOf(ports)).toEqual([]);
  });

  it('but leaves one alone that stands in a version under names that are configured no more: it is no orphan', async () => {
    const value = JSON.stringify({ id: OTHER, secret: 'x', user: 'app' });
    const ports = abandoned(value);
    expect(await refusal(ports)).toMatch(/^SLOT_NOT_FREE_YET: .* \(superseded, Active/);
    expect(changesOf(ports)).toEqual([]);
  });

  it('but hides no defect that reading its value brings to light', async () => {
    expect(await failureOf(run(abandoned(DEFECT)))).toEqual(new TypeError(DEFECT));
  });

  it('but fails when the version could not be read', async () => {
    const denied = awsError('GetSecretValue', 'AccessDeniedException');
    const ports = abandoned(valueWith(OTHER)).before('read', (nth) => {
      if (nth === 3) throw denied;
    });
    expect(await failureOf(run(ports))).toBe(denied);
    expect(changesOf(ports)).toEqual([]);
  });

  it('knows the key of an announcement whose version is the current one', async () => {
    // The run died between the promotion and its record: what stands in AWSCURRENT came of it, and the other key did not.
    const tags = { [intentOf('run-old')]: `token=${CURRENT} at=2026-06-14T12:00:00Z before=${OLD}` };
    const ports = new Ports({
      labels: LABELS,
      keys: [key(OLD), key(OTHER, 'Active', at(-DAY))],
      tags: { ...USER_TAG, ...tags },
      values: { [CURRENT]: valueWith(OLD) },
    });
    expect(await refusal(ports)).toContain(`${OTHER} (stranger, Active`);
    expect(changesOf(ports)).toEqual([]);
  });
});

describe('createSecret that meets another run', () => {
  it('withdraws its announcement and stands back', async () => {
    const ports = first().before('describe', (nth) => {
      if (nth === 2) ports.tags[intentOf('run-other')] = `token=${VERSION} at=2026-06-15T12:00:01Z`;
    });
    expect(await refusal(ports)).toMatchInlineSnapshot(
      `"MINT_UNSETTLED: a run announced a new key at 2026-06-15T12:00:01Z and did not say how it went. Expected: no other run at work; this one is over by 2026-06-15T12:03:01Z. To do: nothing: a rotation started after that time puts it right."`,
    );
    expect(ports.calls.slice(4)).toEqual([
      ['tag', ARN, { [intentOf('run-now')]: `token=${TOKEN} at=2026-06-15T12:00:00Z` }, []],
      ['describe', ARN],
      ['tag', ARN, {}, [intentOf('run-now')]],
    ]);
    expect(ports.happenings).toEqual([]);
  });

  it('goes on when the other one has said what came of it', async () => {
    const ports = first().before('describe', (nth) => {
      if (nth === 2) ports.tags[intentOf('run-other')] = `token=${VERSION} at=2026-06-15T12:00:01Z minted=${OTHER}`;
    });
    await run(ports);
    expect(ports.of('mint')).toEqual([['app']]);
  });
});

describe('createSecret, when a call fails,', () => {
  it('mints as long as the announcement is 15 seconds old, and not a moment later', async () => {
    const inTime = rotated().before('tag', (nth) => {
      if (nth === 1) inTime.pass(15_000);
    });
    await run(inTime);
    expect(inTime.of('mint')).toEqual([['app']]);
    const late = rotated().slow('tag', 15_001);
    expect(await refusal(late)).toMatchInlineSnapshot(
      `"MINT_TOO_LATE: announcing a new key took until 2026-06-15T12:00:16Z. Expected: at most 15 seconds from 2026-06-15T12:00:00Z: a key made later could not be told from a stranger. To do: nothing: the next rotation announces anew."`,
    );
    expect(changesOf(late)).toEqual([['tag', ARN, ANNOUNCED, []]]);
  });

  it('leaves the announcement standing if it is unknown whether a key was minted', async () => {
    const lost = awsError('CreateAccessKey', 'TimeoutError', false);
    const ports = rotated().before('mint', () => {
      throw lost;
    });
    expect(await failureOf(run(ports))).toBe(lost);
    expect(changesOf(ports)).toEqual([
      ['tag', ARN, ANNOUNCED, []],
      ['mint', 'app'],
    ]);
    expect(ports.happenings).toEqual([]);
  });

  it('takes only an error of AWS for a refusal to mint', async () => {
    const other = Object.assign(new Error('damaged'), { refused: true });
    const ports = rotated().before('mint', () => {
      throw other;
    });
    expect(await failureOf(run(ports))).toBe(other);
    expect(ports.of('tag')).toHaveLength(1);
  });

  it('withdraws the announcement if IAM refuses to mint', async () => {
    const refused = awsError('CreateAccessKey', 'AccessDenied');
    const ports = rotated().before('mint', () => {
      throw refused;
    });
    const failure = await failureOf(run(ports));
    expect(told(failure)).toMatchInlineSnapshot(
      `"MINT_REFUSED: IAM refused to create a key for app (AccessDenied). Expected: a new key. To do: mend what IAM names; the next rotation tries again."`,
    );
    expect(failure).toMatchObject({ code: 'MINT_REFUSED', cause: refused });
    expect(changesOf(ports).slice(1)).toEqual([
      ['mint', 'app'],
      ['tag', ARN, {}, [intentOf('run-now')]],
    ]);
  });

  it('says what to do if the user has as many keys as IAM allows by then', async () => {
    const ports = rotated().before('mint', () => {
      throw awsError('CreateAccessKey', 'LimitExceeded');
    });
    expect(await refusal(ports)).toMatchInlineSnapshot(
      `"MINT_REFUSED: IAM refused to create a key for app (LimitExceeded). Expected: a new key. To do: see which keys the user has now (aws iam list-access-keys): one was made since they were counted."`,
    );
  });

  it('deletes the key again and withdraws the announcement if Secrets Manager refuses to store it', async () => {
    const refused = awsError('PutSecretValue', 'AccessDeniedException');
    const ports = rotated().before('storePending', () => {
      throw refused;
    });
    const failure = await failureOf(run(ports));
    expect(told(failure)).toMatchInlineSnapshot(
      `"STORE_FAILED: Secrets Manager refused to store the key AKIANEWNEWNEWNEWNEW3 (AccessDeniedException); the key, which nobody has used, was deleted again. Expected: the pending version to take the value. To do: mend what Secrets Manager names (often the function's permission on the secret or its KMS key); the next rotation tries again."`,
    );
    expect(failure).toMatchObject({ code: 'STORE_FAILED', cause: refused });
    expect(changesOf(ports).slice(1)).toEqual([
      ['mint', 'app'],
      ['storePending', ARN, TOKEN, stored(), undefined],
      ['remove', 'app', NEW],
      ['tag', ARN, {}, [intentOf('run-now')]],
    ]);
    expect(ports.happenings).toEqual([]);
  });

  it.each([
    ['an answer that was lost', awsError('PutSecretValue', 'TimeoutError', false)],
    ['an error that is not one of AWS', Object.assign(new Error('damaged'), { refused: true })],
  ])('deletes nothing after %s: the value may have been stored', async (_, error) => {
    const ports = rotated().before('storePending', () => {
      throw error;
    });
    expect(await failureOf(run(ports))).toBe(error);
    expect(ports.operations().slice(-2)).toEqual(['mint', 'storePending']);
  });

  it('tells why it failed also if the announcement could not be withdrawn', async () => {
    const ports = rotated()
      .before('mint', () => {
        throw awsError('CreateAccessKey', 'AccessDenied');
      })
      .before('tag', (nth) => {
        if (nth === 2) throw awsError('UntagResource', 'ThrottlingException', false);
      });
    expect(await failureOf(run(ports))).toMatchObject({ code: 'MINT_REFUSED' });
  });

  it('hides no error that is not one of AWS behind that', async () => {
    const other = new Error('a defect');
    const ports = rotated()
      .before('mint', () => {
        throw awsError('CreateAccessKey', 'AccessDenied');
      })
      .before('tag', (nth) => {
        if (nth === 2) throw other;
      });
    expect(await failureOf(run(ports))).toBe(other);
  });

  it('has told that the key was minted before it fails to record that', async () => {
    const throttled = awsError('TagResource', 'ThrottlingException', false);
    const ports = rotated().before('tag', (nth) => {
      if (nth === 2) throw throttled;
    });
    expect(await failureOf(run(ports))).toBe(throttled);
    expect(ports.happenings).toEqual([{ what: 'minted', ...WHO, keyId: NEW }]);
  });
});
