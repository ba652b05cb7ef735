/** Every alarm is raised by what a function does or fails to do, and ends when that is mended; and each has its section of the runbook. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RUNBOOK } from '../../lambdas/contract/lines.ts';
import { ENV, PROJECT } from '../../lambdas/contract/names.ts';
import { exposed, quarantined } from '../simulation/world.ts';
import { PAGER, World } from './world.ts';

const DENIED = { code: 'AccessDenied', status: 403 };
const REFUSED = { kind: 'refuse', error: DENIED, times: 100 } as const;
const APP = 'iam-key-rotator/app';

const page = readFileSync(join(import.meta.dirname, '../../docs/runbook.md'), 'utf8');
const sections = page.split(/^## /m).slice(1);
/** As GitHub and most others make the anchor of a heading. */
const anchorOf = (section: string) => (section.split('\n')[0] ?? '').toLowerCase().replace(/ /g, '-');

let world: World;
beforeEach(async () => {
  world = await World.deploy();
});
afterEach(async () => {
  await world.close();
  // What the policies of the topic and its key don't let through would be lost without a word.
  expect(world.account.topics.refused).toEqual([]);
});

describe('the alarm', () => {
  it('that a rotation failed is raised by a step that fails, and ends with one that does not', async () => {
    const { faults } = world.account;
    await world.hours(3);
    expect(world.alarm('rotation-failed').state).toBe('OK');
    faults.add({ match: { action: 'CreateAccessKey' }, ...REFUSED });
    await world.rotate('app');
    expect(world.alarm('rotation-failed').state).toBe('ALARM');
    faults.clear();
    // That nothing runs mends nothing.
    world.account.operate('secretsmanager', 'CancelRotateSecret', { SecretId: APP });
    await world.hours(5);
    expect(world.alarm('rotation-failed').state).toBe('ALARM');
    await world.rotate('app');
    expect(world.mailsOf('rotation-failed')).toEqual(['OK', 'ALARM', 'OK']);
  });

  it('that a retire pass failed is raised by one that fails, and ends with one that does not', async () => {
    await world.hours(1.5);
    world.account.faults.add({ match: { action: 'ListSecrets' }, ...REFUSED });
    await world.hours(1);
    expect(world.alarm('retirement-failed').state).toBe('ALARM');
    world.account.faults.clear();
    await world.hours(1);
    expect(world.mailsOf('retirement-failed')).toEqual(['OK', 'ALARM', 'OK']);
    expect(world.events('Retirement Failed')).toMatchObject([
      { code: 'AWS_CALL_FAILED', runbook: 'docs/runbook.md#retirement-failed' },
    ]);
  });

  it('of dead letters is raised by an invocation that failed, and ends when the queue is emptied', async () => {
    world.account.faults.add({ match: { action: 'ListSecrets' }, ...REFUSED });
    await world.hours(1.5);
    expect(world.alarm('dead-letters').state).toBe('ALARM');
    world.account.faults.clear();
    await world.hours(2);
    expect(world.alarm('dead-letters').state).toBe('ALARM');
    world.account.functions.queues.clear();
    await world.hours(0.5);
    expect(world.mailsOf('dead-letters')).toEqual(['OK', 'ALARM', 'OK']);
  });

  it('of a long hold is raised by a key that is used on, and ends when it is disabled', async () => {
    await world.hours(0.5);
    const old = world.currentKey('app');
    await world.rotate('app');
    for (let hour = 0; hour < 10; hour += 1) {
      await world.use(old);
      await world.hours(1);
    }
    expect(world.alarm('hold-too-long').state).toBe('ALARM');
    await world.hours(9);
    expect(world.account.keys.get(old)?.status).not.toBe('Active');
    expect(world.mailsOf('hold-too-long')).toEqual(['OK', 'ALARM', 'OK']);
    expect(world.events('Key Held')).toMatchObject([{ keyId: old, day: 0 }]);
  });

  it('of an overdue key is raised when its rotation does not come, and ends when it does', async () => {
    await world.hours(6);
    expect(world.alarm('key-overdue').state).toBe('OK');
    world.account.operate('secretsmanager', 'CancelRotateSecret', { SecretId: APP });
    await world.hours(72 + 1 - 6);
    expect(world.alarm('key-overdue').state).toBe('OK');
    await world.hours(4);
    expect(world.alarm('key-overdue').state).toBe('ALARM');
    await world.rotate('app');
    await world.hours(1);
    // Before the first pass nobody can tell, and that is no good sign either.
    expect(world.mailsOf('key-overdue')).toEqual(['ALARM', 'OK', 'ALARM', 'OK']);
  });

  it('of overdue keys is raised, too, when no pass can tell, and not by a single one that can not', async () => {
    await world.hours(6);
    world.account.faults.add({ match: { action: 'ListSecrets' }, ...REFUSED });
    await world.hours(2);
    expect(world.alarm('key-overdue').state).toBe('OK');
    await world.hours(6);
    expect(world.alarm('key-overdue').state).toBe('ALARM');
    world.account.faults.clear();
    await world.hours(1.2);
    expect(world.alarm('key-overdue').state).toBe('OK');
  });

  it('of the change limit is raised by a pass that stops there, and ends with one that does not', async () => {
    await world.hours(0.5);
    world.account.operate('secretsmanager', 'RotateSecret', { SecretId: APP });
    await world.rotate('batch');
    await world.hours(2.5);
    expect(world.alarm('change-limit-reached').state).toBe('ALARM');
    await world.hours(3);
    expect(world.mailsOf('change-limit-reached')).toEqual(['OK', 'ALARM', 'OK']);
    expect(world.events('Change Limit Reached')).toMatchObject([
      { changes: 1, runbook: 'docs/runbook.md#change-limit-reached' },
    ]);
  });

  it('of the audit is raised when none gets through, and ends with one that does', async () => {
    await world.hours(26);
    expect(world.alarm('audit-not-run').state).toBe('OK');
    const undo = world.account.faults.add({
      match: { action: 'GenerateCredentialReport' },
      kind: 'refuse',
      error: { code: 'AccessDenied', status: 403 },
      times: 100,
    });
    await world.hours(46);
    expect(world.alarm('audit-not-run').state).toBe('ALARM');
    undo();
    await world.hours(26);
    // A new deployment has none either.
    expect(world.mailsOf('audit-not-run')).toEqual(['ALARM', 'OK', 'ALARM', 'OK']);
  });

  it('of a leak is raised by a key that no other one can succeed, and ends when a pass finds it ended', async () => {
    await world.hours(0.5);
    const leaked = world.currentKey('app');
    const strangers = [1, 2].map(() => world.account.createAccessKey('app', { force: true }).accessKeyId);
    world.account.events.put(exposed(leaked));
    await world.hours(1);
    expect(world.alarm('leak-not-contained').state).toBe('ALARM');
    expect(world.account.keys.get(leaked)?.status).toBe('Active');
    expect(world.events('Leak Not Contained')[0]).toMatchObject({
      keyId: leaked,
      user: 'app',
      runbook: 'docs/runbook.md#leak-not-contained',
    });
    expect(world.notices().join('\n')).toContain(`Leaked key ${leaked} of user app is STILL USABLE: `);
    // Nobody tries any more, and it works as before.
    await world.hours(5);
    expect(world.alarm('leak-not-contained').state).toBe('ALARM');
    for (const keyId of strangers) world.account.deleteAccessKey(keyId);
    await world.rotate('app');
    await world.hours(3);
    expect(world.account.keys.get(leaked)?.status).not.toBe('Active');
    expect(world.mailsOf('leak-not-contained')).toEqual(['ALARM', 'OK']);
  });
});

describe('people are told', () => {
  it('of a refusal and its end, in sentences with a link, and never of what needs nobody', async () => {
    await world.hours(0.5);
    // Those of the first deployment, too: somebody has subscribed before the first rotation begins.
    expect(
      world
        .events('Key Promoted')
        .map(({ user }) => user)
        .sort(),
    ).toEqual(['app', 'batch']);
    for (let n = 0; n < 2; n += 1) world.account.createAccessKey('batch', { force: true });
    await world.rotate('batch');
    const refused = world.notices().filter((notice) => notice.includes('STRANGERS_HOLD_SLOTS'));
    expect(refused[0]).toMatch(
      /^The rotation of secret iam-key-rotator\/batch failed at createSecret: STRANGERS_HOLD_SLOTS\. Found: .*\nWhat to do: .*\nRunbook: docs\/runbook\.md#rotation-failed$/,
    );
    expect(world.notices().filter((notice) => notice.includes('is current'))).toEqual([]);
  });

  it('by Secrets Manager itself when a call failed, and once of a key that is held', async () => {
    await world.hours(0.5);
    const old = world.currentKey('app');
    await world.rotate('app');
    for (let hour = 0; hour < 4; hour += 1) {
      await world.use(old);
      await world.hours(1);
    }
    const held = world.notices().filter((notice) => notice.includes('it is held until'));
    expect(held).toHaveLength(1);
    world.account.faults.add({ match: { action: 'ListAccessKeys' }, ...REFUSED });
    await world.rotate('batch');
    const told = world.notices().join('\n');
    expect(told).toMatch(/Secrets Manager says that the rotation of arn:\S+:iam-key-rotator\/batch-\w+ failed/);
    expect(told).not.toContain('The rotation of secret');
  });

  it('of a rollback, of which the next pass knows by the ledger, once', async () => {
    await world.hours(0.5);
    const old = world.currentKey('app');
    await world.rotate('app');
    const { arn, labels } = world.account.findSecret(APP) ?? { arn: '', labels: new Map<string, string>() };
    const [MoveToVersionId, RemoveFromVersionId] = [labels.get('AWSPREVIOUS'), labels.get('AWSCURRENT')];
    const back = { SecretId: arn, VersionStage: 'AWSCURRENT', MoveToVersionId, RemoveFromVersionId };
    world.account.operate('secretsmanager', 'UpdateSecretVersionStage', back);
    await world.hours(3);
    expect(world.events('Key Rolled Back')).toMatchObject([{ keyId: old, user: 'app', reason: 'label-moved-back' }]);
    expect(world.notices().filter((notice) => notice.startsWith('Somebody moved secret'))).toHaveLength(1);
  });

  it('of a leak and of its end, which the respond function tells', async () => {
    await world.hours(0.5);
    const leaked = world.currentKey('app');
    world.account.events.put(exposed(leaked));
    world.account.events.put(quarantined('somebody', world.account.clock.now()));
    await world.hours(0.5);
    expect(world.account.keys.get(leaked)?.status).toBe('Inactive');
    expect(world.events('Leak Contained')).toMatchObject([{ keyId: leaked, user: 'app', how: 'disabled' }]);
    const notices = world.notices().join('\n');
    for (const sentence of [
      `Key ${leaked} of user app is reported to have leaked.`,
      `Leaked key ${leaked} of user app can't be used any more: disabled.`,
      'A key of user somebody is reported to have leaked.',
    ])
      expect(notices).toContain(sentence);
    expect(world.functionOf('notify').logs.join('\n')).not.toContain('not in the form of its event');
  });

  it('of everything that changes a key, by events that are checked and tell no secret', async () => {
    await world.hours(40);
    await world.rotate('app');
    await world.hours(9);
    const types = new Set(
      world.account.events.seen.filter(({ source }) => source === PROJECT).map((event) => event['detail-type']),
    );
    expect([...types].sort()).toEqual(['Audit Completed', 'Key Deleted', 'Key Disabled', 'Key Minted', 'Key Promoted']);
    const told = JSON.stringify([world.account.events.seen, world.messages(), world.functionOf('notify').logs]);
    expect(world.account.mintedSecrets.filter((secret) => told.includes(secret))).toEqual([]);
  });
});

describe('the runbook', () => {
  const alarms = () => [...world.account.cloudWatch.alarms.values()];

  it('has a section for every alarm, and an alarm for every section', () => {
    const linked = alarms().map(({ description }) => / docs\/runbook\.md#([\w-]+)$/.exec(description)?.[1]);
    expect(linked.sort()).toEqual(sections.map(anchorOf).sort());
    expect(new Set(linked).size).toBe(alarms().length);
    expect(linked).toEqual(Object.values(RUNBOOK).sort());
  });

  it('says in each section what it means, how to look and how to mend', () => {
    for (const section of sections) {
      for (const part of ['**It means**', '**Look:**', '```sh', '**Mend**']) expect(section).toContain(part);
    }
  });

  it('says of every function whose failures are dead letters what such a letter is', () => {
    const section = sections.find((one) => anchorOf(one) === RUNBOOK.deadLetters);
    const { functions } = world.account;
    const failing = functions.names().map((name) => functions.get(name));
    const services = failing.flatMap(({ onFailure, env }) =>
      onFailure === undefined ? [] : [env?.[ENV.serviceName]?.slice(`${PROJECT}-`.length) ?? ''],
    );
    expect(services.sort()).toEqual(['audit', 'notify', 'respond', 'retire']);
    for (const service of services) expect(section).toMatch(new RegExp(`\\b${service}:`, 'i'));
  });

  it('is linked by alarms that say in a sentence what happened, and tell everyone of their beginning and their end', async () => {
    for (const { name, description, alarmActions, okActions } of alarms()) {
      expect(name).toMatch(/^iam-key-rotator-[a-z-]+$/);
      expect(description).toMatch(/^(A|No|The) .{30,}\. What it means/);
      expect(alarmActions).toHaveLength(2);
      expect(okActions).toEqual(alarmActions);
    }
    await world.hours(0.2);
    expect(world.account.topics.get(PAGER).messages.map(({ subject }) => subject)).toContain(
      'ALARM: "iam-key-rotator-audit-not-run"',
    );
  });

  it('names only sections of its own and pages that are there', () => {
    const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link);
    const inside = links.filter((link) => link.startsWith('#')).map((link) => link.slice(1));
    expect(inside.filter((anchor) => !sections.map(anchorOf).includes(anchor))).toEqual([]);
    for (const link of links.filter((one) => !one.startsWith('#')))
      readFileSync(join(import.meta.dirname, '../../docs', link));
  });
});
