/** Every action that a role of the template grants is used, and every use of a role is granted. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { KeyInput } from '../../infra/config/index.ts';
import { isRecord } from '../../local/wire/protocols.ts';
import { exposed, quarantined } from '../simulation/world.ts';
import { actionsOf, DeployedStack, type Statement } from './deployed-stack.ts';

const ACCOUNT = '111122223333';
const KMS_KEY = `arn:aws:kms:eu-central-1:${ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef`;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const keys: KeyInput[] = [
  { user: 'app', createUser: true, userPath: '/team/' },
  { user: 'cut', createUser: true, deactivateAfter: '0d' },
  { user: 'sealed', createUser: true, kmsKeyArn: KMS_KEY },
  { user: 'closed', createUser: true, exclusive: { breakGlassRoleArn: `arn:aws:iam::${ACCOUNT}:role/break-glass` } },
  { user: 'watched', createUser: true, mode: 'observe' },
];

// With everything that can be switched on.
const stack = new DeployedStack(keys, { securityHub: true });

/** What the functions do in the lives of these keys, the seldom included. Each scenario leaves the stack quiet. */
const SCENARIOS: Readonly<Record<string, () => Promise<void>>> = {
  async 'the first rotation of every key, whose events EventBridge does not take'() {
    const error = { code: 'InternalException', status: 500 };
    stack.account.faults.add({ match: { action: 'PutEvents' }, kind: 'refuse', error, times: 1_000 });
    await stack.advance(0.1);
    stack.account.faults.clear();
    for (const user of ['app', 'cut', 'sealed', 'closed']) expect(stack.keysOf(user)).toEqual([stack.currentKey(user)]);
  },

  async 'a rotation with an overlap of zero, which disables the old key by itself'() {
    const old = stack.currentKey('cut');
    await stack.rotate('cut');
    expect(stack.account.keys.get(old)?.status).toBe('Inactive');
  },

  async 'a value that is refused: the key is deleted and its announcement withdrawn'() {
    const error = { code: 'InternalServiceError', status: 400 };
    stack.account.faults.add({ match: { action: 'PutSecretValue' }, kind: 'refuse', error });
    await stack.rotate('app');
    expect(stack.rotationErrors().at(-1)).toContain('STORE_FAILED');
    await stack.advance(1);
    stack.account.faults.clear();
    await stack.advance(12);
    expect(stack.keysOf('app')).toEqual([stack.currentKey('app')]);
  },

  async 'a process that died with a key minted and not stored: the orphan is cleared'() {
    const before = stack.currentKey('sealed');
    stack.account.faults.add({ match: { action: 'CreateAccessKey' }, kind: 'crash-after' });
    await stack.rotate('sealed');
    expect(stack.keysOf('sealed')).toHaveLength(2);
    await stack.advance(12);
    expect(stack.keysOf('sealed')).toEqual([stack.currentKey('sealed')]);
    expect(stack.currentKey('sealed')).not.toBe(before);
  },

  async 'a current key that somebody deleted: whether the user is still the same is asked for'() {
    stack.account.deleteAccessKey(stack.currentKey('app'));
    await stack.rotate('app');
    expect(stack.keysOf('app')).toEqual([stack.currentKey('app')]);
  },

  async 'an operator who moves AWSCURRENT back while AWSPENDING is still there'() {
    // Between two passes: each takes a label off that is left over.
    await stack.advance((HOUR - (stack.account.clock.nowMs % HOUR) + 60_000) / DAY);
    await stack.rotate('closed', 2);
    const { arn, labels } = stack.secret('closed');
    const [MoveToVersionId, RemoveFromVersionId] = [labels.get('AWSPREVIOUS'), labels.get('AWSCURRENT')];
    const back = { SecretId: arn, VersionStage: 'AWSCURRENT', MoveToVersionId, RemoveFromVersionId };
    stack.account.operate('secretsmanager', 'UpdateSecretVersionStage', back);
    await stack.rotate('closed', 2);
    expect(stack.rotationErrors().at(-1)).toContain('ROLLED_BACK');
    await stack.advance(12);
  },

  async 'a slot that only the next rotation frees'() {
    // The retire pass is held up until the key that it would have deleted is in the next rotation's way.
    await stack.rotate('app');
    await stack.advance(4);
    expect(stack.account.keys.size).toBeGreaterThan(3);
    const listing = { functionName: functionName('Retire'), action: 'ListSecrets' };
    stack.account.faults.add({ match: listing, kind: 'refuse', times: 1_000_000, error: { code: 'InternalFailure' } });
    await stack.advance(8);
    const old = stack.currentKey('app');
    await stack.rotate('app');
    stack.account.faults.clear();
    expect(stack.currentKey('app')).not.toBe(old);
    // Every pass that failed went to the dead-letter queue.
    expect(stack.account.functions.queues.get(stack.arnOf('AWS::SQS::Queue'))?.length).toBeGreaterThan(100);
  },

  async 'a secret that is in observe mode, and whose tag somebody removed'() {
    const TagKeys = ['iam-key-rotator:deployment'];
    stack.account.operate('secretsmanager', 'UntagResource', { SecretId: stack.secret('watched').arn, TagKeys });
    await stack.advance(0.1);
  },

  async 'a pass that can not be delivered'() {
    const invoke = vi.spyOn(stack.account.functions, 'invoke');
    invoke.mockResolvedValue({ ok: false, errorType: 'ServiceException', errorMessage: 'out of order' });
    // As long as the audit's schedule takes, too.
    await stack.advance(1.1);
    invoke.mockRestore();
    await stack.advance(1 / 24);
  },

  async 'an audit that fails, and is told to the dead-letter queue'() {
    const error = { code: 'ServiceFailure', status: 500 };
    stack.account.faults.add({ match: { action: 'GetCredentialReport' }, kind: 'refuse', times: 1_000_000, error });
    await stack.advance(1.1);
    stack.account.faults.clear();
  },

  async 'a leaked current key while another one is retiring: its slot is taken'() {
    await stack.rotate('closed');
    const [old, leaked] = [stack.keysOf('closed')[0], stack.currentKey('closed')];
    await stack.report(exposed(leaked));
    expect(stack.keysOf('closed')).not.toContain(old);
    expect(stack.currentKey('closed')).not.toBe(leaked);
    expect(stack.account.keys.get(leaked)?.status).toBe('Inactive');
    await stack.advance(12);
    expect(stack.keysOf('closed')).toEqual([stack.currentKey('closed')]);
  },

  async 'a leaked pending key: its rotation is ended'() {
    stack.account.faults.add({ match: { action: 'UpdateSecretVersionStage' }, kind: 'crash-before' });
    await stack.rotate('sealed', 2);
    const pending = stack.keysOf('sealed').at(-1) ?? '';
    await stack.report(exposed(pending));
    expect(stack.account.keys.get(pending)?.status).toBe('Inactive');
    await stack.advance(12);
  },

  async "AWS's quarantine of a user with two keys that work: one makes way, and both end"() {
    await stack.rotate('sealed');
    const leaked = stack.keysOf('sealed');
    expect(leaked).toHaveLength(2);
    await stack.report(quarantined('sealed', stack.account.clock.now()));
    expect(leaked).not.toContain(stack.currentKey('sealed'));
    await stack.advance(12);
    expect(stack.keysOf('sealed')).toEqual([stack.currentKey('sealed')]);
  },

  async 'a leak that is not contained, for rotation is off'() {
    const { arn } = stack.secret('app');
    stack.account.operate('secretsmanager', 'CancelRotateSecret', { SecretId: arn });
    await stack.report(exposed(stack.currentKey('app')));
    stack.account.operate('secretsmanager', 'RotateSecret', { SecretId: arn });
    await stack.advance(12);
    expect(stack.keysOf('app')).toEqual([stack.currentKey('app')]);
  },

  async 'two months of it'() {
    // Of a key that nobody uses, the audit asks for the last use.
    stack.account.createAccessKey('watched');
    const before = stack.currentKey('closed');
    await stack.advance(61);
    expect(stack.currentKey('closed')).not.toBe(before);
  },
};

const functionName = (part: string) => {
  const name = stack.account.functions.names().find((candidate) => candidate.includes(`Rotator${part}Function`));
  if (name === undefined) throw new Error(`no function ${part}`);
  return name;
};

const pairs = (uses: readonly { readonly role: string; readonly action: string }[]) =>
  [...new Set(uses.map(({ role, action }) => `${role} ${action}`))].sort();

/** The keys of a statement's conditions, each with each value that it names. */
const conditionsOf = ({ Condition }: Statement): [key: string, value: string][] =>
  Object.values(isRecord(Condition) ? Condition : {}).flatMap((keys) =>
    Object.entries(isRecord(keys) ? keys : {}).flatMap(([key, values]) =>
      [values].flat().map((value): [string, string] => [key, String(value)]),
    ),
  );

const matches = (given: string, pattern: string) =>
  pattern.endsWith('*') ? given.startsWith(pattern.slice(0, -1)) : given === pattern;

/** The actions that the roles' policies allow. */
function granted(): string[] {
  const all = Object.entries(stack.roles).flatMap(([role, { statements }]) =>
    statements.flatMap((statement) => actionsOf(statement).map((action) => ({ role, action }))),
  );
  return pairs(all);
}

describe('the roles of the template', () => {
  const failed: Record<string, unknown> = {};

  beforeAll(async () => {
    for (const [name, scenario] of Object.entries(SCENARIOS)) {
      try {
        await scenario();
      } catch (error) {
        failed[name] = error;
      }
    }
  });

  it('are those of the functions and of their two schedules, and no others', () => {
    expect(Object.keys(stack.roles).sort()).toEqual([
      'audit',
      'audit-scheduler',
      'notify',
      'respond',
      'retire',
      'rotate',
      'scheduler',
    ]);
  });

  it('allow every call that is made with them', () => {
    expect(stack.uses.filter(({ allowed }) => !allowed)).toEqual([]);
    expect(stack.uses.length).toBeGreaterThan(1000);
  });

  it('see every scenario through', () => {
    expect(failed).toEqual({});
  });

  it('grant no action that is never used', () => {
    const used = new Set(pairs(stack.uses));
    expect(granted().filter((pair) => !used.has(pair))).toEqual([]);
  });

  it('have no value in a condition that no call needs', () => {
    const named = Object.entries(stack.roles).flatMap(([role, { statements }]) =>
      statements.flatMap((statement) =>
        actionsOf(statement).flatMap((action) =>
          conditionsOf(statement).map(([key, value]) => ({ role, action, key, value })),
        ),
      ),
    );
    expect(named.length).toBeGreaterThan(10);
    const unused = named.filter(({ role, action, key, value }) => {
      const uses = stack.uses.filter((use) => use.role === role && use.action === action);
      return !uses.some(({ context }) => [context[key] ?? []].flat().some((given) => matches(given, value)));
    });
    expect(unused).toEqual([]);
  });

  it('are used for nothing that they do not grant by name', () => {
    const named = new Set(granted());
    expect(pairs(stack.uses).filter((pair) => !named.has(pair))).toEqual([]);
  });
});
