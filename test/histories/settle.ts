/** Puts everything right at the end, as an operator would who does what the errors say. */

import { parseLedger } from '../../lambdas/domain/ledger.ts';
import type { Secret } from '../../local/model.ts';
import { DAY, HOUR, MINUTE } from '../policy.ts';
import type { Judge } from './judge.ts';
import type { Operator } from './operator.ts';
import { codeOf, type Scene } from './scene.ts';
import type { Story } from './story.ts';
import type { WhoseKeys } from './whose-keys.ts';

/** Rotations that are started until one succeeds; each refusal is met with what its message says. */
const ROUNDS = 16;

/** How a rotation failed. */
interface Refused {
  readonly code: string;
  readonly message: string;
}

export interface Parts {
  readonly scene: Scene;
  readonly operator: Operator;
  readonly whose: WhoseKeys;
  readonly judge: Judge;
  readonly story: Story;
}

/** @throws Wrong if a rotation is refused whatever is done about it, or without the reason that it gives */
export async function settle(parts: Parts): Promise<void> {
  const { scene, judge, story } = parts;
  story.tell('-- settling');
  scene.account.faults.clear();
  scene.account.clock.skew = 0;
  await scene.quiet();
  judge.judge();
  const settling = new Settling(parts);
  for (const name of scene.names) settling.mend(name);
  await settling.rotateAll();
  await settling.passes();
}

/** How the user's last rotation since then ended; undefined: none did. */
export function endOfRotation(scene: Scene, name: string, since: number): 'succeeded' | Refused | undefined {
  const end = scene.simulation.endOfRotation(`iam/${name}`, since);
  if (end === undefined) return undefined;
  if (end.name === 'RotationSucceeded') return 'succeeded';
  return { code: codeOf(end), message: String(end.detail.errorMessage) };
}

class Settling {
  readonly #scene: Scene;
  readonly #operator: Operator;
  readonly #whose: WhoseKeys;
  readonly #judge: Judge;
  readonly #story: Story;

  constructor({ scene, operator, whose, judge, story }: Parts) {
    this.#scene = scene;
    this.#operator = operator;
    this.#whose = whose;
    this.#judge = judge;
    this.#story = story;
  }

  /** Puts back what somebody broke, as far as that can be seen without a function. */
  mend(name: string): void {
    const { account, simulation } = this.#scene;
    if (!account.users.has(name)) account.createUser(name);
    this.#scene.restore(name);
    this.#scene.deploy(name, { mode: 'enforce' });
    const secret = simulation.secret(`iam/${name}`);
    this.#mendTags(secret);
    if (this.#operator.isBroken(name)) this.#operator.putBack(name);
    const pending = account.valueOf(secret.name, 'AWSPENDING');
    if (pending !== undefined && !this.#operator.isGood(pending, name)) this.#scene.takePendingOff(name);
  }

  /** Rotates every user's key, doing what each refusal says. */
  async rotateAll(): Promise<void> {
    const { simulation, account } = this.#scene;
    const open = new Set(this.#scene.names);
    let last = '';
    for (let round = 0; round < ROUNDS && open.size > 0; round += 1) {
      const since = account.history.length;
      for (const name of open) {
        this.mend(name);
        // Without a schedule: what follows is started by hand.
        this.#scene.startRotation(name, { RotationRules: {} });
      }
      await simulation.advance(70 * MINUTE);
      this.#judge.judge();
      let wait: 'for a slot' | 'for the mint' | undefined;
      for (const name of [...open]) {
        const end = endOfRotation(this.#scene, name, since);
        if (end === 'succeeded') open.delete(name);
        else if (end !== undefined) {
          last = `${end.code} ${name}: ${end.message}`;
          wait = this.#remedy(end, name) ?? wait;
        }
      }
      await simulation.retire();
      if (wait === 'for a slot') await this.passes();
      if (wait === 'for the mint') await simulation.advance(5 * MINUTE);
      this.#judge.judge();
    }
    if (open.size === 0) return;
    this.#judge.wrong(`liveness: no rotation succeeds: ${last.split(' ')[0]}`, `after ${ROUNDS} rounds: ${last}`);
  }

  /** Lets every key of ours get through overlap, hold and recovery. */
  async passes(): Promise<void> {
    const longest = Math.max(
      ...this.#scene.names.map((name) => {
        const { deactivateAfter = 0, holdAtMost = 0, deleteAfter = 0 } = this.#scene.policy(name) ?? {};
        return Math.max(DAY, deactivateAfter) + holdAtMost + deleteAfter;
      }),
    );
    const step = Math.max(HOUR, longest / 16);
    // Each stage ends up to one pass late, and maxChangesPerRun may be one.
    for (let passed = 0; passed < longest + 8 * step; passed += step) {
      await this.#scene.simulation.advance(step);
      await this.#scene.simulation.retire();
      this.#judge.judge();
    }
  }

  #mendTags(secret: Secret): void {
    for (const [key, value] of [...secret.tags]) {
      try {
        parseLedger({ [key]: value });
      } catch {
        const intact = this.#operator.intact(secret, key);
        if (this.#isGentle && intact !== undefined) this.#scene.tag(secret, key, intact);
        else this.#operator.removeTag(secret, key);
      }
    }
  }

  get #isGentle(): boolean {
    return this.#scene.setup.mends === 'gently';
  }

  /** @returns what there is to wait for */
  #remedy({ code, message }: Refused, name: string): 'for a slot' | 'for the mint' | undefined {
    this.#story.tell(`   remedy for ${code} of ${name}`);
    const secret = this.#scene.simulation.secret(`iam/${name}`);
    switch (code) {
      case 'STRANGERS_HOLD_SLOTS':
        this.#freeSlot(name);
        return undefined;
      case 'SLOT_NOT_FREE_YET':
        this.#makeCurrentUsable(name);
        return 'for a slot';
      case 'MINT_UNSETTLED':
        return 'for the mint';
      case 'USER_RECREATED': {
        const [, tag = '', to = ''] = /set the tag (\S+) of the secret to (\w+)/.exec(message) ?? [];
        if (tag !== '') this.#scene.tag(secret, tag, to);
        return undefined;
      }
      case 'ADOPT_KEY_NOT_FOUND':
        this.#operator.adoptNoMore(name);
        return undefined;
      case 'PENDING_KEY_INACTIVE': {
        const pending = this.#scene.pick(name, { which: 'pending', nth: 0 });
        if (this.#isGentle && pending !== undefined) this.#activate(pending);
        else this.#scene.takePendingOff(name);
        return undefined;
      }
      default:
        // The next round mends what is seen to be broken, and rotates again.
        return undefined;
    }
  }

  /** STRANGERS_HOLD_SLOTS: somebody deletes a key that the rotator will not touch; there must be one. */
  #freeSlot(name: string): void {
    const keys = this.#scene.keys(name);
    const { adopt } = this.#scene.policy(name) ?? {};
    const current = this.#scene.currentKey(name);
    const foreign = keys.filter(({ id }) => id !== current && (this.#whose.mayBeStranger(id) || id === adopt));
    const least =
      foreign.find(({ id }) => this.#whose.isOrphan(id)) ?? foreign.find(({ id }) => id !== adopt) ?? foreign[0];
    if (least === undefined || keys.length < 2) {
      this.#judge.wrong(
        'refused without a reason: STRANGERS_HOLD_SLOTS',
        `${name} has ${keys.map(({ id, status }) => `${id} ${status}`).join(', ')}; no key but the rotator's own is known`,
      );
    }
    this.#scene.account.deleteAccessKey(least.id);
    this.#whose.noStranger(least.id);
    if (least.id === adopt) this.#operator.adoptNoMore(name);
  }

  /** SLOT_NOT_FREE_YET: there must be a key of ours in the way; a current key that doesn't work is made to. */
  #makeCurrentUsable(name: string): void {
    const keys = this.#scene.keys(name);
    const current = this.#scene.currentKey(name);
    const other = keys.find(({ id }) => id !== current);
    if (other === undefined || keys.length < 2) {
      const all = keys.map(({ id }) => id).join(', ');
      this.#judge.wrong('refused without a reason: SLOT_NOT_FREE_YET', `${name} has ${all}`);
    }
    const currentKey = keys.find(({ id }) => id === current);
    if (currentKey === undefined) {
      this.#activate(other.id);
      this.#operator.store(name, other.id);
    } else this.#activate(currentKey.id);
  }

  #activate(keyId: string): void {
    this.#scene.account.setAccessKeyStatus(keyId, 'Active');
    this.#whose.noteStatus(keyId, 'Active');
  }
}
