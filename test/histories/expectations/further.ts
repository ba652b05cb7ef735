/** What is judged beyond the invariants: promises of docs/architecture.md about single keys, seen from the account's changes alone. */
import { TAGS } from '../../../lambdas/contract/names.ts';
import { FRESH_FOR } from '../../../lambdas/domain/freshness.ts';
import type { Change, ChangeRecord } from '../../../local/model.ts';
import type { Simulation } from '../../simulation/world.ts';
import { keyIn } from '../forms.ts';

export interface Finding {
  readonly kind: string;
  readonly what: string;
  readonly at: string;
}

/** A function may act on what it has read for so long: what an operator does meanwhile it can't see. */
const UNSEEN_FOR_MS = (FRESH_FOR + 1) * 1000;
/** Clocks that differ: as the commands set them. */
const CLOCKS_DIFFER_MS = 60_000;
/** Keys made so near to one another may come of the same announcement. */
const BESIDE_MS = 150_000;

interface Known {
  readonly userName: string;
  readonly at: number;
  readonly byFunction: boolean;
  stored: boolean;
  /** When an operator activated it after the ledger had it as disabled. */
  reactivated?: number;
  /** Since when the ledger has it as disabled. */
  recorded?: number;
  readonly uses: number[];
  deleted?: number;
}

export class Further {
  readonly found: Finding[] = [];
  readonly #simulation: Simulation;
  readonly #keys = new Map<string, Known>();
  /** Versions that stood in AWSCURRENT. */
  readonly #promoted = new Set<string>();
  /** Keys whose entry somebody removed or damaged: nothing says any more that they were promoted. */
  readonly #forgotten = new Set<string>();
  /** When somebody else than a function changed something of the user's or of its secret, by user. */
  readonly #touched = new Map<string, number>();

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
    simulation.account.onChange((record) => this.#see(record));
    simulation.account.onCall(({ accessKeyId, outcome }) => {
      if (outcome === 'ok') this.#keys.get(accessKeyId ?? '')?.uses.push(this.#now);
    });
  }

  /**
   * True for a deletion by which the key was not Inactive for the whole recovery time, and nobody could tell: since the ledger has it as disabled
   * the whole time has passed, an operator has activated it and disabled it again since, and no use of then is reported.
   */
  isReactivatedUnseen(keyId: string, deletedAt: number): boolean {
    const key = this.#keys.get(keyId);
    const policy = this.#policy(key?.userName ?? '');
    if (key?.recorded === undefined || key.reactivated === undefined || policy === undefined) return false;
    const { recorded, reactivated, uses } = key;
    const visible = deletedAt - (this.#simulation.account.options.lastUsedLag ?? 0);
    const used = uses.some((at) => at > recorded && at <= visible);
    return !used && reactivated >= recorded && deletedAt - recorded >= policy.deleteAfter * 1000;
  }

  get #now(): number {
    return this.#simulation.account.clock.nowMs;
  }

  #see({ change, cause, at }: ChangeRecord): void {
    const call = cause === undefined ? undefined : this.#simulation.account.history[cause];
    const byFunction = call?.kind === 'call' && call.functionName !== undefined;
    const userName = 'userName' in change ? change.userName : this.#userOf(change.secret);
    if (userName === undefined) return;
    const say = (kind: string, what: string) => this.found.push({ kind, what, at });
    if ('keyId' in change) this.#seeKey(change, byFunction, say);
    else if ('secret' in change) this.#seeSecret(change, byFunction, userName, say);
    // What a service does by itself (a rotation's label) has no cause, and is no operator's doing.
    if (!byFunction && cause !== undefined) this.#touched.set(userName, this.#now);
  }

  #seeKey(change: Extract<Change, { keyId: string }>, byFunction: boolean, say: Say): void {
    const { keyId, userName } = change;
    if (change.what === 'key-minted')
      this.#keys.set(keyId, { userName, at: this.#now, byFunction, stored: false, uses: [] });
    const key = this.#keys.get(keyId);
    if (key === undefined) return;
    // What an operator deletes can't be told from what was never there.
    if (change.what === 'key-deleted') key.deleted = byFunction ? this.#now : Number.NEGATIVE_INFINITY;
    if (change.what === 'key-status' && change.status === 'Active' && !byFunction && this.#isDisabled(userName, keyId))
      key.reactivated = this.#now;
    const ends = change.what === 'key-deleted' || (change.what === 'key-status' && change.status === 'Inactive');
    if (!byFunction || !ends) return;
    if (key.stored) this.#judgeLast(keyId, userName, say);
    else if (!key.byFunction) this.#judgeBeside(keyId, key, say);
    if (change.what === 'key-status') this.#judgeReactivated(keyId, key, say);
  }

  /** Nothing is retired while no Active key stands in AWSCURRENT: it may be the last that works. */
  #judgeLast(keyId: string, userName: string, say: Say): void {
    if (this.#justTouched(userName)) return;
    const current = this.#currentKey(userName);
    const key = this.#simulation.account.keys.get(current ?? '');
    if (key?.status === 'Active' && key.userName === userName) return;
    say('retired while no current key works', `${keyId} of ${userName}: the current key is ${current ?? 'none'}`);
  }

  /** Where two keys may be the one that was announced, neither is touched. */
  #judgeBeside(keyId: string, key: Known, say: Say): void {
    for (const [other, known] of this.#keys) {
      const there = known.deleted === undefined || this.#now - known.deleted < 5000;
      const orphan = known.byFunction && !known.stored && known.userName === key.userName;
      if (orphan && there && other !== keyId && Math.abs(known.at - key.at) < BESIDE_MS / 3)
        say('a stranger was taken for an orphan beside the orphan itself', `${keyId} beside ${other}`);
    }
  }

  /** The overlap of a key that an operator activates starts anew. */
  #judgeReactivated(keyId: string, key: Known, say: Say): void {
    const policy = this.#policy(key.userName);
    if (key.reactivated === undefined || policy === undefined) return;
    const ms = this.#now - key.reactivated;
    if (ms + CLOCKS_DIFFER_MS < policy.deactivateAfter * 1000 && ms > UNSEEN_FOR_MS)
      say('a reactivated key was disabled too early', `${keyId} ${ms / 1000} s after an operator activated it`);
  }

  #seeSecret(change: Extract<Change, { secret: string }>, byFunction: boolean, userName: string, say: Say): void {
    const secret = this.#simulation.account.findSecret(change.secret);
    if (change.what === 'version-filled') {
      const key = this.#keys.get(keyIn(secret?.versions.get(change.version)?.value) ?? '');
      if (key !== undefined) key.stored = true;
    }
    if ((change.what === 'tag-set' || change.what === 'tag-removed') && !byFunction)
      this.#forgotten.add(change.key.replace(TAGS.keyPrefix, ''));
    if (change.what === 'tag-set' && change.key.startsWith(TAGS.keyPrefix)) {
      const key = this.#keys.get(change.key.slice(TAGS.keyPrefix.length));
      const disabled = /\bdisabled=(\S+)/.exec(secret?.tags.get(change.key) ?? '')?.[1];
      // Dates of the ledger are rounded up to the second.
      if (key !== undefined && disabled !== undefined) key.recorded = Math.min(Date.parse(disabled), this.#now);
      else if (key !== undefined) delete key.recorded;
    }
    if (change.what !== 'label-moved' || change.label !== 'AWSCURRENT' || change.to === undefined) return;
    // ROLLED_BACK: what an operator has moved back is not undone.
    const key = keyIn(secret?.versions.get(change.to)?.value) ?? '';
    if (byFunction && this.#promoted.has(change.to) && !this.#justTouched(userName) && !this.#forgotten.has(key))
      say('a version was promoted a second time', `${change.to} of ${change.secret}`);
    this.#promoted.add(change.to);
  }

  #justTouched(userName: string): boolean {
    return this.#now - (this.#touched.get(userName) ?? Number.NEGATIVE_INFINITY) <= UNSEEN_FOR_MS;
  }

  #policy(userName: string) {
    return this.#simulation.deployment.keys.find((key) => key.userName === userName);
  }

  #userOf(secretName: string): string | undefined {
    return this.#simulation.deployment.keys.find((key) => key.secretName === secretName)?.userName;
  }

  #currentKey(userName: string): string | undefined {
    return keyIn(this.#simulation.account.valueOf(this.#policy(userName)?.secretName ?? ''));
  }

  /** Whether the ledger has the key as disabled. */
  #isDisabled(userName: string, keyId: string): boolean {
    const secret = this.#simulation.account.findSecret(this.#policy(userName)?.secretName ?? '');
    return secret?.tags.get(`${TAGS.keyPrefix}${keyId}`)?.includes('disabled=') === true;
  }
}

type Say = (kind: string, what: string) => void;
