/** What the account itself sees of the clients: requests, how stale their keys are, and how often they read the secret. */
import * as z from 'zod';
import type { SimulatedAccount } from '../account.ts';
import type { CallRecord, ChangeRecord } from '../model.ts';

/** One client's figures, as the account sees them. */
export interface Observed {
  /** Calls of STS by the application, those that were refused included. */
  requests: number;
  /** The longest time, in ms, by which an accepted call's key had been superseded. */
  stalestMs: number;
  /** Reads of the secret, and how many of them Secrets Manager did not answer. */
  reads: number;
  readsUnanswered: number;
  /** How often the secret's key was replaced by another. */
  promotions: number;
  /** Keys of the rotator that were disabled, and deleted. */
  disabled: number;
  deleted: number;
}

/** A user whose key changed: the key in AWSCURRENT, or a superseded key's end. */
export interface KeyChange {
  readonly userName: string;
  readonly what: 'promoted' | 'disabled' | 'deleted';
  /** The key that is no longer current, or has ended. */
  readonly keyId: string;
}

const valueSchema = z.object({ AccessKeyId: z.string() });

export class Observations {
  readonly #account: SimulatedAccount;
  /** Names of users by name of their secret. */
  readonly #userOf: ReadonlyMap<string, string>;
  readonly #observed = new Map<string, Observed>();
  readonly #currentKeys = new Map<string, string>();
  readonly #supersededAt = new Map<string, number>();
  readonly #changes: KeyChange[] = [];
  /** Whether calls are those of clients: the functions try a new key too, but never while the time stands still. */
  watching = false;

  /**
   * Observes from now on: each secret holds a key already. A client's role has the name of its user.
   *
   * @param userOf names of users by name of their secret
   */
  constructor(account: SimulatedAccount, userOf: ReadonlyMap<string, string>) {
    this.#account = account;
    this.#userOf = userOf;
    for (const [secretName, userName] of userOf) {
      const zero = { requests: 0, stalestMs: 0, reads: 0, readsUnanswered: 0, promotions: 0, disabled: 0, deleted: 0 };
      this.#observed.set(userName, zero);
      this.#currentKeys.set(secretName, this.#keyIn(secretName));
    }
    account.onCall((call) => this.#hear(call));
    account.onChange((record) => this.#see(record));
  }

  of(userName: string): Readonly<Observed> {
    const observed = this.#observed.get(userName);
    if (observed === undefined) throw new Error(`${userName} is not observed`);
    return observed;
  }

  /** Whether changes wait to be taken. */
  get changed(): boolean {
    return this.#changes.length > 0;
  }

  /** The changes since they were last taken. */
  takeChanges(): KeyChange[] {
    return this.#changes.splice(0);
  }

  #hear(call: CallRecord): void {
    if (!this.watching) return;
    if (call.action === 'GetCallerIdentity') this.#hearIdentity(call);
    const reader = /:assumed-role\/([^/]+)\/application$/.exec(call.principal)?.[1];
    const observed = this.#observed.get(reader ?? '');
    if (call.action !== 'GetSecretValue' || observed === undefined) return;
    observed.reads += 1;
    if (call.outcome !== 'ok') observed.readsUnanswered += 1;
  }

  #hearIdentity({ accessKeyId = '', userName = '', outcome }: CallRecord): void {
    const observed = this.#observed.get(this.#account.formerOwners.get(accessKeyId) ?? userName);
    if (observed === undefined) return;
    observed.requests += 1;
    const since = this.#supersededAt.get(accessKeyId);
    if (outcome === 'ok' && since !== undefined)
      observed.stalestMs = Math.max(observed.stalestMs, this.#account.clock.nowMs - since);
  }

  #see({ change }: ChangeRecord): void {
    if (change.what === 'label-moved' && change.label === 'AWSCURRENT') this.#seePromotion(change.secret);
    if (change.what !== 'key-deleted' && !(change.what === 'key-status' && change.status === 'Inactive')) return;
    const { userName, keyId } = change;
    const observed = this.#observed.get(userName);
    if (observed === undefined) return;
    const what = change.what === 'key-deleted' ? 'deleted' : 'disabled';
    observed[what] += 1;
    this.#changes.push({ userName, what, keyId });
  }

  #seePromotion(secretName: string): void {
    const userName = this.#userOf.get(secretName);
    const before = this.#currentKeys.get(secretName);
    const observed = this.#observed.get(userName ?? '');
    if (userName === undefined || before === undefined || observed === undefined) return;
    const current = this.#keyIn(secretName);
    if (current === before) return;
    this.#currentKeys.set(secretName, current);
    this.#supersededAt.set(before, this.#account.clock.nowMs);
    this.#supersededAt.delete(current);
    observed.promotions += 1;
    this.#changes.push({ userName, what: 'promoted', keyId: before });
  }

  #keyIn(secretName: string): string {
    return valueSchema.parse(JSON.parse(this.#account.valueOf(secretName) ?? '{}')).AccessKeyId;
  }
}
