import { describe, expect, it } from 'vitest';
import { IF_IN_USE, LONGEST, MODES, ONLY_KEY, parseDeployment } from '../../lambdas/contract/deployment.ts';
import { DEFAULT_FORMAT, FORMATS } from '../../lambdas/contract/formats.ts';
import { BOOTSTRAP_FIELD, BOOTSTRAP_VALUE, DEPLOYMENT_FILE, SERVICES, TAGS } from '../../lambdas/contract/names.ts';
import { deployedKey } from '../policy.ts';

const KEY = deployedKey({ userName: 'app' });
const DEPLOYMENT = { formatVersion: 1, name: 'production', maxChangesPerRun: 25, rotateTimeout: 120, keys: [KEY] };
const problems = (content: unknown) => {
  const parsed = parseDeployment(content);
  return parsed.ok ? [] : parsed.problems;
};

describe('the content of the deployment file', () => {
  it('is taken as it is when nothing is wrong with it', () => {
    expect(parseDeployment(DEPLOYMENT)).toStrictEqual({ ok: true, value: DEPLOYMENT });
    const adopting = { ...DEPLOYMENT, keys: [{ ...KEY, adopt: 'AKIAIOSFODNN7EXAMPLE', verifyRegions: ['us-east-1'] }] };
    expect(parseDeployment(adopting)).toStrictEqual({ ok: true, value: adopting });
  });

  it('may adopt a key by its id or as the only one, and nothing that is neither', () => {
    const adopting = (adopt: string) => problems({ ...DEPLOYMENT, keys: [{ ...KEY, adopt }] });
    expect(adopting(ONLY_KEY)).toEqual([]);
    for (const adopt of ['', 'only', 'only-key ', 'xonly-key', 'ASIAIOSFODNN7EXAMPLE', 'AKIAIOSFODNN7EXAMPLE1', 'akia'])
      expect(adopting(adopt)).toEqual(["keys.0.adopt: neither 'only-key' nor an access key id"]);
  });

  it('may have each mode, and each way to treat a key still in use', () => {
    const each = [
      ...MODES.map((mode) => deployedKey({ userName: mode, mode })),
      ...IF_IN_USE.map((ifInUse) => deployedKey({ userName: ifInUse, ifInUse })),
    ];
    expect(problems({ ...DEPLOYMENT, keys: each })).toEqual([]);
  });

  it('may have durations of zero, and limits of one', () => {
    const none = { deactivateAfter: 0, settle: 0, holdAtMost: 0, quietFor: 0, deleteAfter: 0 };
    const least = { maxChangesPerRun: 1, rotateTimeout: 1, keys: [{ ...KEY, ...none }] };
    expect(problems({ ...DEPLOYMENT, ...least })).toEqual([]);
  });

  it('may have durations of ten years, and no longer ones', () => {
    const lasting = (seconds: number) => ({ ...DEPLOYMENT, keys: [{ ...KEY, deleteAfter: seconds }] });
    expect(LONGEST).toBe(315_360_000);
    expect(problems(lasting(LONGEST))).toEqual([]);
    expect(problems(lasting(LONGEST + 1))).toEqual([
      'keys.0.deleteAfter: Invalid value: Expected <=315360000 but received 315360001',
    ]);
  });

  it('is refused when it binds a user or a secret twice', () => {
    const other = deployedKey({ userName: 'other' });
    expect(problems({ ...DEPLOYMENT, keys: [KEY, other] })).toEqual([]);
    expect(problems({ ...DEPLOYMENT, keys: [KEY, other, { ...KEY, secretName: 'iam/third' }] })).toEqual([
      'keys: one user is bound to two secrets',
    ]);
    expect(problems({ ...DEPLOYMENT, keys: [KEY, other, { ...KEY, userName: 'third' }] })).toEqual([
      'keys: one secret is bound to two users',
    ]);
  });

  it('is refused with all its problems at once, each with the path of its field', () => {
    const key = {
      secretName: '',
      userName: 7,
      mode: 'dry-run',
      adopt: null,
      deactivateAfter: -1,
      settle: 0.5,
      ifInUse: 'wait',
      holdAtMost: '1',
      quietFor: Number.NaN,
      verifyRegions: [1],
      rotateEvery: 0,
      onLeak: 'disable',
      format: { fields: { ...DEFAULT_FORMAT.fields, userName: '' }, derived: [{ field: 'a', is: 'b' }], version: 1 },
    };
    expect(
      parseDeployment({ formatVersion: 2, name: '', maxChangesPerRun: 0, rotateTimeout: 0, keys: [KEY, key] }),
    ).toEqual({
      ok: false,
      problems: [
        'formatVersion: Invalid type: Expected 1 but received 2',
        'name: Invalid length: Expected >=1 but received 0',
        'maxChangesPerRun: Invalid value: Expected >=1 but received 0',
        'rotateTimeout: Invalid value: Expected >=1 but received 0',
        'keys.1.secretName: Invalid length: Expected >=1 but received 0',
        'keys.1.userName: Invalid type: Expected string but received 7',
        'keys.1.mode: Invalid type: Expected ("enforce" | "observe") but received "dry-run"',
        'keys.1.adopt: Invalid type: Expected string but received null',
        'keys.1.deactivateAfter: Invalid value: Expected >=0 but received -1',
        'keys.1.settle: Invalid safe integer: Received 0.5',
        'keys.1.ifInUse: Invalid type: Expected ("hold" | "disable") but received "wait"',
        'keys.1.holdAtMost: Invalid type: Expected number but received "1"',
        'keys.1.quietFor: Invalid type: Expected number but received NaN',
        'keys.1.deleteAfter: Invalid key: Expected "deleteAfter" but received undefined',
        'keys.1.verifyRegions.0: Invalid type: Expected string but received 1',
        'keys.1.rotateEvery: Invalid value: Expected >=1 but received 0',
        'keys.1.onLeak: Invalid type: Expected ("rotate-then-disable" | "disable-first") but received "disable"',
        'keys.1.format.fields.userName: a field is to have a name of up to 128 letters, digits and _ - . that begins with a letter, a digit or _',
        'keys.1.format.derived.0.is: Invalid type: Expected ("ses-smtp-username" | "ses-smtp-password") but received "b"',
        'keys.1.format.version: Invalid key: Expected never but received "version"',
      ],
    });
  });

  it('is refused when it has a field that this version does not know', () => {
    expect(problems({ ...DEPLOYMENT, region: 'eu-central-1' })).toEqual([
      'region: Invalid key: Expected never but received "region"',
    ]);
    expect(problems({ ...DEPLOYMENT, keys: [{ ...KEY, dryRun: true }] })).toEqual([
      'keys.0.dryRun: Invalid key: Expected never but received "dryRun"',
    ]);
  });

  it('may have each form of a value, and what is derived', () => {
    const derived = [
      { field: 'SES_SMTP_USERNAME', is: 'ses-smtp-username' },
      { field: 'SES_SMTP_PASSWORD_EU_WEST_1', is: 'ses-smtp-password', region: 'eu-west-1' },
    ] as const;
    const each = [FORMATS.env, { accessKeyId: 'id', secretAccessKey: 'secret', userName: 'user', createDate: 'made' }];
    for (const fields of each)
      expect(problems({ ...DEPLOYMENT, keys: [{ ...KEY, format: { fields, derived } }] })).toEqual([]);
  });

  it('is refused when a field of a value has no name, or a name that is taken', () => {
    const withFormat = (format: object) => problems({ ...DEPLOYMENT, keys: [{ ...KEY, format }] });
    const { fields } = DEFAULT_FORMAT;
    const taken = 'keys.0.format: a field has the name of another one, or one that means something else';
    expect(withFormat({ fields, derived: [{ field: 'accesskeyid', is: 'ses-smtp-username' }] })).toEqual([taken]);
    expect(withFormat({ fields: { ...fields, createDate: 'Expiration' }, derived: [] })).toEqual([taken]);
    const nameless = { field: '__proto__', is: 'ses-smtp-password', region: '' };
    expect(withFormat({ fields, derived: [nameless] })).toEqual([
      'keys.0.format.derived.0.field: a field is to have a name of up to 128 letters, digits and _ - . that begins with a letter, a digit or _',
      'keys.0.format.derived.0.region: Invalid length: Expected >=1 but received 0',
    ]);
  });

  it('is refused as a whole when it is no object', () => {
    expect(problems('{}')).toEqual(['the whole: Invalid type: Expected Object but received "{}"']);
  });
});

describe('a name that is deployed, and that a later version must find again', () => {
  it('is that of the file beside the functions', () => expect(DEPLOYMENT_FILE).toBe('deployment.json'));

  it('is that of each tag on a secret', () => {
    expect(TAGS).toEqual({
      deployment: 'iam-key-rotator:deployment',
      keyPrefix: 'iam-key-rotator:key/',
      intentPrefix: 'iam-key-rotator:intent/',
      leakPrefix: 'iam-key-rotator:leak/',
      verified: 'iam-key-rotator:verified',
      userId: 'iam-key-rotator:user-id',
    });
  });

  it('is that of each service in logs and metrics', () => {
    expect(SERVICES).toEqual({
      rotate: 'iam-key-rotator-rotate',
      retire: 'iam-key-rotator-retire',
      respond: 'iam-key-rotator-respond',
      audit: 'iam-key-rotator-audit',
      notify: 'iam-key-rotator-notify',
    });
  });

  it('is the bootstrap value, letter by letter: CloudFormation would write a changed one over every current key', () => {
    expect(BOOTSTRAP_VALUE).toBe('{"Bootstrap":"iam-key-rotator: no key yet, the first rotation stores one here"}');
    expect(Object.keys(JSON.parse(BOOTSTRAP_VALUE))).toEqual([BOOTSTRAP_FIELD]);
  });
});
