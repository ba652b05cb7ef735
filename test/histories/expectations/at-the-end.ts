/** What must hold once all is put right: a current key that works, nothing of ours left over, strangers as they were, and a next rotation. */

import { TAGS } from '../../../lambdas/contract/names.ts';
import { MINUTE } from '../../policy.ts';
import { ownFields } from '../../simulation/own-fields.ts';
import type { Judge } from '../judge.ts';
import type { Scene } from '../scene.ts';
import { endOfRotation } from '../settle.ts';
import type { WhoseKeys } from '../whose-keys.ts';

/** @throws Wrong for the first of these that does not hold */
export async function judgeTheEnd(scene: Scene, whose: WhoseKeys, judge: Judge): Promise<void> {
  for (const name of scene.names) await judgeCurrentKey(name, scene, judge);
  const failed = scene.simulation.passes.at(-1)?.failures ?? [];
  if (failed.length > 0)
    judge.wrong('liveness: the last pass fails', failed.map(({ error }) => String(error)).join(' '));
  for (const name of scene.names) judgeLeftOvers(name, scene, whose, judge);
  for (const name of scene.names) await judgeNextRotation(name, scene, whose, judge);
  await scene.quiet();
  scene.simulation.oracle.finish();
  judge.judge();
}

async function judgeCurrentKey(name: string, scene: Scene, judge: Judge): Promise<void> {
  const keyId = scene.currentKey(name) ?? '';
  const key = scene.account.keys.get(keyId);
  if (key?.status !== 'Active' || key.userName !== name || !(await scene.use(keyId)))
    judge.wrong('liveness: the current key is not usable', `${keyId} of ${name} is ${key?.status ?? 'gone'}`);
}

function judgeLeftOvers(name: string, scene: Scene, whose: WhoseKeys, judge: Judge): void {
  const current = scene.currentKey(name);
  const secret = scene.simulation.secret(`iam/${name}`);
  for (const { id, status } of scene.keys(name)) {
    if (id === current) continue;
    const given = whose.strangerGiven(id);
    if (given !== undefined && given !== status)
      judge.wrong('a stranger was changed', `${id} of ${name} is ${status}, and was left ${given}`);
    if (whose.mayBeStranger(id)) continue;
    const entry = secret.tags.get(`${TAGS.keyPrefix}${id}`);
    const what = whose.isOrphan(id) ? 'an orphan' : `a key ${entry === undefined ? 'without entry' : 'with entry'}`;
    judge.wrong(`left over: ${what}`, `${id} of ${name} is ${status}, with the entry ${entry ?? 'none'}`);
  }
}

/** Now nothing of ours but the current key is left: the next rotation succeeds unless strangers take its slot. */
async function judgeNextRotation(name: string, scene: Scene, whose: WhoseKeys, judge: Judge): Promise<void> {
  const { account } = scene;
  for (const keyId of whose.mintedFor(name)) {
    // An orphan that counts as a stranger is somebody's to delete.
    if (account.keys.has(keyId) && whose.isOrphan(keyId) && whose.mayBeStranger(keyId)) account.deleteAccessKey(keyId);
  }
  const since = account.history.length;
  const before = scene.currentKey(name);
  const keys = [...scene.keys(name)];
  const { Endpoint } = scene.currentValue(name) ?? {};
  scene.startRotation(name);
  await scene.simulation.advance(70 * MINUTE);
  judge.judge();
  const end = endOfRotation(scene, name, since);
  const how = end === 'succeeded' ? end : (end?.code ?? 'never ended');
  const expected = keys.length < 2 ? 'succeeded' : 'STRANGERS_HOLD_SLOTS';
  const all = `${name} has ${keys.map(({ id, status }) => `${id} ${status}`).join(', ')}`;
  if (how !== expected) judge.wrong(`the next rotation: ${how}, not ${expected}`, `${all}: ${JSON.stringify(end)}`);
  if (how === 'succeeded' && scene.currentKey(name) === before) judge.wrong('the next rotation mints no key', all);
  if (how === 'succeeded') judgeValue(name, Endpoint, scene, judge);
}

/** The configured form has the current key and what is derived from it, nothing has an earlier key, and what a team has added is there. */
function judgeValue(name: string, Endpoint: unknown, scene: Scene, judge: Judge): void {
  const { account, simulation } = scene;
  const value = scene.currentValue(name) ?? {};
  const expected = { ...ownFields(simulation, `iam/${name}`), ...(Endpoint !== undefined && { Endpoint }) };
  const wrong = Object.entries(expected).find(([field, text]) => value[field] !== text)?.[0];
  if (wrong !== undefined) judge.wrong('a field of the value is not as configured', `${wrong} of iam/${name}`);
  const current = scene.currentKey(name);
  const secrets = new Map([...account.keys.values()].map((key) => [key.secret, key.id]));
  for (const [field, text] of Object.entries(value)) {
    const keyId = typeof text === 'string' ? (secrets.get(text) ?? text) : undefined;
    if (keyId !== undefined && /^AKIA\w{16}$/.test(keyId) && keyId !== current)
      judge.wrong('a field of the value is of an earlier key', `${field} of iam/${name}: ${keyId}`);
  }
}
