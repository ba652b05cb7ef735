import { describe, expect, it } from 'vitest';
import type { IdentifyAnswer } from '../../lambdas/domain/ports.ts';
import { testSecret } from '../../lambdas/rotate/test-secret.ts';
import { key, NEW, OLD } from '../domain/world.ts';
import {
  ACCOUNT,
  ARN,
  BOOTSTRAP,
  CURRENT,
  failureOf,
  type Given,
  identified,
  Ports,
  REGION,
  rotationOf,
  TOKEN,
  told,
  USER_ID,
  valueWith,
  WHO,
} from './ports.ts';

const REFUSED: IdentifyAnswer = { kind: 'refused', awsCode: 'InvalidClientTokenId' };
const THROTTLED: IdentifyAnswer = { kind: 'unavailable', awsCode: 'Throttling' };
const times = (count: number, answer: IdentifyAnswer) => Array.from({ length: count }, () => answer);

const pending = (more: Given = {}) =>
  new Ports({
    labels: { [CURRENT]: ['AWSCURRENT'], [TOKEN]: ['AWSPENDING'] },
    values: { [TOKEN]: valueWith(NEW) },
    keys: [key(OLD), key(NEW)],
    ...more,
  });
const run = (ports: Ports, verifyRegions: readonly string[] = []) =>
  testSecret(rotationOf('testSecret', { verifyRegions: [...verifyRegions] }), ports.world);
const refusal = async (ports: Ports) => told(await failureOf(run(ports)));
const asked = (region: string) => [
  'identify',
  { kind: 'key', keyId: NEW, secret: `secret of ${NEW}`, others: {} },
  region,
];
const evidence = (date: string, userId = USER_ID) => ({
  'iam-key-rotator:verified': `token=${TOKEN} key=${NEW} account=${ACCOUNT} user=${userId} at=${date}`,
});

describe('testSecret', () => {
  it('has STS identify the key three times in a row, a second apart, and leaves the evidence', async () => {
    const ports = pending();
    await run(ports);
    expect(ports.calls).toEqual([
      ['read', ARN, { version: TOKEN, label: 'AWSPENDING' }],
      asked(REGION),
      ['sleep', 1000],
      asked(REGION),
      ['sleep', 1000],
      asked(REGION),
      ['tag', ARN, evidence('2026-06-15T12:00:02Z'), []],
    ]);
    expect(ports.happenings).toEqual([{ what: 'verified', ...WHO, keyId: NEW }]);
  });

  it('dates the evidence when it asked, and not when a late answer came: the key may be disabled by then', async () => {
    const ports = pending().before('identify', () => ports.pass(7000));
    await run(ports);
    expect(ports.of('tag')).toEqual([[ARN, evidence('2026-06-15T12:00:16Z'), []]]);
  });

  it('does so in each further Region once, the own one first', async () => {
    const ports = pending({
      answers: [...times(3, identified({ userId: 'AIDAFIRST' })), identified({ userId: 'AIDALAST' })],
    });
    await run(ports, ['us-east-1', REGION, 'us-east-1']);
    expect(ports.of('identify').map(([, region]) => region)).toEqual([
      ...[REGION, REGION, REGION],
      ...['us-east-1', 'us-east-1', 'us-east-1'],
    ]);
    expect(ports.of('tag')).toEqual([[ARN, evidence('2026-06-15T12:00:04Z', 'AIDALAST'), []]]);
  });

  it('counts anew after a failure, and waits longer after each, eight seconds at most', async () => {
    const answers = [
      identified(),
      identified(),
      ...times(3, REFUSED),
      identified(),
      ...times(3, THROTTLED),
      ...times(3, identified()),
    ];
    const ports = pending({ answers });
    await run(ports);
    expect(ports.of('identify')).toHaveLength(12);
    expect(ports.of('sleep').flat()).toEqual([1000, 1000, 1000, 2000, 4000, 1000, 8000, 8000, 8000, 1000, 1000]);
  });

  it('has nothing to do while the secret has the value that a new one has', async () => {
    const ports = pending({ values: { [TOKEN]: BOOTSTRAP } });
    await run(ports);
    expect(ports.operations()).toEqual(['read']);
    expect(ports.happenings).toEqual([
      { what: 'nothing-to-do', ...WHO, step: 'testSecret', why: 'the secret has no key yet' },
    ]);
  });

  it('has nothing to do when the version is current already', async () => {
    const ports = pending({ labels: { [TOKEN]: ['AWSCURRENT'] } });
    await run(ports);
    expect(ports.operations()).toEqual(['read', 'describe']);
    expect(ports.happenings).toEqual([
      { what: 'nothing-to-do', ...WHO, step: 'testSecret', why: 'the version is current already' },
    ]);
  });

  it('refuses the key of another user at the first answer, and leaves no evidence', async () => {
    const ports = pending({ answers: [identified({ arn: `arn:aws:iam::${ACCOUNT}:user/ops` })] });
    expect(await refusal(ports)).toMatch(
      new RegExp(`^IDENTITY_MISMATCH: the pending key belongs to arn:aws:iam::${ACCOUNT}:user/ops\\.`),
    );
    expect(ports.operations()).toEqual(['read', 'identify']);
  });

  it('gives up when the next pause would leave less than ten seconds', async () => {
    const ports = pending({ answers: [REFUSED], timeLeft: 13_000 });
    expect(await refusal(ports)).toMatchInlineSnapshot(
      `"KEY_NOT_USABLE: STS in eu-central-1 was asked 3 times about the key AKIANEWNEWNEWNEWNEW3; its last answer was InvalidClientTokenId. Expected: 3 successes in a row before the function's time is up. To do: nothing if the key is new, Secrets Manager repeats the rotation; if this lasts, see whether STS is in reach and the key Active."`,
    );
    // A pause of 1 and one of 2 seconds leave the ten; the next would be one of 4.
    expect(ports.operations()).toEqual(['read', 'identify', 'sleep', 'identify', 'sleep', 'identify']);
    const less = pending({ answers: [REFUSED], timeLeft: 12_999 });
    expect(await refusal(less)).toContain('was asked 2 times');
  });

  it('says so if its last answer was a success', async () => {
    const ports = pending({ timeLeft: 11_999 });
    expect(await refusal(ports)).toContain(
      `STS in ${REGION} was asked 2 times about the key ${NEW}; its last answer was a success. Expected: 3 successes`,
    );
  });
});
