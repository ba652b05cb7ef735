/** Whose each key is, whatever the ledger says: ours, an orphan, or a stranger; and which of ours somebody's deed has made a stranger. */

import { ONLY_KEY } from '../../lambdas/contract/deployment.ts';
import { TAGS } from '../../lambdas/contract/names.ts';
import { MINUTE } from '../policy.ts';
import { keyIn } from './forms.ts';
import type { Scene } from './scene.ts';

/** A key that was made by hand so near to a mint may have come of its announcement (docs/adr/0002): the window, and clocks that differ. */
const AMBIGUOUS_MS = 2 * MINUTE * 1000 + 30_000;

type Status = 'Active' | 'Inactive';

/** A key that a function minted, and which run of it. */
interface Mint {
  readonly keyId: string;
  readonly userName: string;
  readonly run: string;
  readonly at: number;
}

export class WhoseKeys {
  readonly #scene: Scene;
  /** Keys made by hand that have stayed strangers, with the status that they were given. */
  readonly #strangers = new Map<string, Status>();
  /** Keys that somebody's deed has made strangers, or may have: they may stay, and somebody has to delete them if they are in the way. */
  readonly #disowned = new Set<string>();
  /** Tags of announcements that somebody removed or damaged, or that went with their secret. */
  readonly #lostIntents = new Set<string>();
  readonly #mints: Mint[] = [];
  /** When keys were made by hand. */
  readonly #made: { readonly userName: string; readonly at: number }[] = [];
  /** Keys that were recorded as the only one, by user: which may be, the oracle judges. */
  readonly #only = new Map<string, Set<string>>();
  /** Keys that ever stood in a version. */
  readonly #stored = new Set<string>();

  constructor(scene: Scene) {
    this.#scene = scene;
    const { account } = scene;
    account.onChange(({ change, cause }) => {
      if (change.what === 'key-minted') this.#noteMint(change, cause);
      if (change.what === 'tag-set' && change.key.startsWith(TAGS.keyPrefix) && scene.byFunction(cause))
        this.#noteEntry(change.secret, change.key);
      if (change.what === 'version-filled') {
        const keyId = keyIn(account.findSecret(change.secret)?.versions.get(change.version)?.value);
        if (keyId !== undefined) this.#stored.add(keyId);
      }
      // What stands in AWSCURRENT is ours, but nobody records it before the next pass or rotation: until then it may become a stranger again.
      if (change.what === 'label-moved' && change.label === 'AWSCURRENT')
        this.mayBecomeOurs(keyIn(account.valueOf(change.secret)));
    });
  }

  /** The status that a stranger was given; undefined for any other key. */
  strangerGiven(keyId: string): Status | undefined {
    return this.#strangers.get(keyId);
  }

  /** Minted by a function and never in any version. */
  isOrphan(keyId: string): boolean {
    return this.#mints.some((mint) => mint.keyId === keyId) && !this.#stored.has(keyId);
  }

  /** The keys that functions minted for the user, oldest first. */
  mintedFor(userName: string): string[] {
    return this.#mints.filter((mint) => mint.userName === userName).map(({ keyId }) => keyId);
  }

  /** Whether the key may count as a stranger at the end. */
  mayBeStranger(keyId: string): boolean {
    const mint = this.#mints.find((known) => known.keyId === keyId);
    return this.#strangers.has(keyId) || this.#disowned.has(keyId) || (mint !== undefined && this.#isExcused(mint));
  }

  /** An operator gives the key a status. */
  noteStatus(keyId: string, status: Status): void {
    if (this.#strangers.has(keyId)) this.#strangers.set(keyId, status);
  }

  /** The key is no stranger any more: it is adopted, or deleted. */
  noStranger(keyId: string): void {
    this.#strangers.delete(keyId);
  }

  /** It is no stranger any more, and may become one again. */
  mayBecomeOurs(keyId: string | undefined): void {
    if (keyId !== undefined && this.#strangers.delete(keyId)) this.#disowned.add(keyId);
  }

  /** The keys of the user that were adopted without being named. */
  adoptedAsOnly(userName: string): Iterable<string> {
    return this.#only.get(userName) ?? [];
  }

  disown(keyId: string): void {
    this.#disowned.add(keyId);
  }

  /** With its entry a key of ours becomes a stranger; without its announcement, an orphan does. */
  loseTag(tag: string): void {
    if (tag.startsWith(TAGS.keyPrefix)) this.#disowned.add(tag.slice(TAGS.keyPrefix.length));
    if (tag.startsWith(TAGS.intentPrefix)) this.#lostIntents.add(tag);
  }

  /** With a secret's ledger goes all knowledge of its user's keys. */
  loseLedger(userName: string, tags: Iterable<string>): void {
    for (const tag of tags) this.#lostIntents.add(tag);
    for (const keyId of this.mintedFor(userName)) this.#disowned.add(keyId);
    for (const { id } of this.#scene.keys(userName)) if (!this.#strangers.has(id)) this.#disowned.add(id);
  }

  /** A stranger that gets an entry while 'only-key' is deployed is no stranger any more: it is to be retired. */
  #noteEntry(secretName: string, tag: string): void {
    const keyId = tag.slice(TAGS.keyPrefix.length);
    const policy = this.#scene.simulation.deployment.keys.find((key) => key.secretName === secretName);
    if (policy?.adopt !== ONLY_KEY || !this.#strangers.delete(keyId)) return;
    this.#only.set(policy.userName, new Set([...this.adoptedAsOnly(policy.userName), keyId]));
  }

  #noteMint(change: { readonly userName: string; readonly keyId: string }, cause: number | undefined): void {
    const { userName, keyId } = change;
    const { account } = this.#scene;
    const at = account.clock.nowMs;
    const call = cause === undefined ? undefined : account.history[cause];
    if (call?.kind === 'call' && call.functionName !== undefined) {
      this.#mints.push({ keyId, userName, run: call.invocationId ?? '', at });
    } else {
      this.#strangers.set(keyId, 'Active');
      this.#made.push({ userName, at });
    }
  }

  /**
   * A key of ours that counts as a stranger by design: its announcement is gone by somebody's hand, or a key that was made by hand within a
   * minute of it may have come of the same announcement, so that nobody can tell which is which.
   */
  #isExcused({ keyId, userName, run, at }: Mint): boolean {
    if (this.#lostIntents.has(`${TAGS.intentPrefix}${run}`)) return true;
    return (
      this.isOrphan(keyId) &&
      this.#made.some((made) => made.userName === userName && Math.abs(made.at - at) <= AMBIGUOUS_MS)
    );
  }
}
