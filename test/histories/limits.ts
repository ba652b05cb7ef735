/** What the rotator can't know, by the names of docs/safety.md: what is broken by such a limit is counted, and excused. */

import { EVIDENCE_LASTS } from '../../lambdas/domain/promote.ts';
import type { Broken, Residual } from '../../local/oracle.ts';
import { MINUTE } from '../policy.ts';
import type { Further } from './expectations/further.ts';
import { keyIn } from './forms.ts';
import type { Operator } from './operator.ts';
import type { Scene } from './scene.ts';

/**
 * Those that the oracle tells itself, and:
 *
 * - `current-again-unseen`: an operator made a key current once more, and then another one, unseen by any pass: its overlap is dated as of before.
 * - `clocks-differ`: the clock of one run is behind that of another, and an overlap is so much shorter. No recovery is.
 * - `ended-after-test`: an operator ended the pending key when STS had identified it already, within the time for which that holds.
 */
export type Limit = Residual | 'current-again-unseen' | 'clocks-differ' | 'ended-after-test';

/** Seconds between two clocks that `skew` sets, at most. */
const CLOCKS_DIFFER = 60;

export class Limits {
  readonly #scene: Scene;
  readonly #operator: Operator;
  readonly #further: Further;
  readonly #looks: Looks;
  readonly #met = new Map<Limit, number>();

  constructor(scene: Scene, operator: Operator, further: Further) {
    this.#scene = scene;
    this.#operator = operator;
    this.#further = further;
    this.#looks = new Looks(scene);
  }

  /** How often each was met. */
  met(): Record<string, number> {
    return Object.fromEntries(this.#met);
  }

  /** Must be asked before what is broken is judged. */
  look(): void {
    this.#looks.end();
  }

  /** Whether what is broken comes of a limit, which then counts as met. */
  excuses({ residual, what, at }: Broken): boolean {
    const limit = residual ?? this.#limitOf(what, Date.parse(at));
    if (limit === undefined) return false;
    this.#met.set(limit, (this.#met.get(limit) ?? 0) + 1);
    return true;
  }

  #limitOf(what: string, at: number): Limit | undefined {
    const early =
      /^(\S+) was disabled (?:\S+ s after it left AWSCURRENT|while it was in use)/.exec(what)?.[1] ??
      /^an application was turned away with (\S+), \S+ s after it left AWSCURRENT/.exec(what)?.[1];
    if (early !== undefined && this.#looks.unseen.has(early)) return 'current-again-unseen';
    const [, , waited, due] = /^(\S+) was disabled ([\d.]+) s after it left AWSCURRENT, not (\d+)$/.exec(what) ?? [];
    if (waited !== undefined && this.#operator.hasSkewed && Number(due) - Number(waited) <= CLOCKS_DIFFER)
      return 'clocks-differ';
    // An operator activated a disabled key, and disabled it again, and nobody used it: it seems to have been Inactive throughout.
    const deleted = /^(\S+) was deleted after \S+ s Inactive/.exec(what)?.[1];
    if (deleted !== undefined && this.#further.isReactivatedUnseen(deleted, at)) return 'reactivated-unseen';
    const dead = /^AWSCURRENT of \S+ moved to (\S+), which is no Active key/.exec(what)?.[1];
    const ended = this.#operator.ended.get(dead ?? '');
    if (ended !== undefined && at - ended <= EVIDENCE_LASTS * 1000 + 1000 && ended >= this.#identified(dead, at))
      return 'ended-after-test';
    return undefined;
  }

  /** When STS identified the key last. */
  #identified(keyId: string | undefined, before: number): number {
    const call = this.#scene.account.history.findLast(
      (entry) =>
        entry.kind === 'call' &&
        entry.accessKeyId === keyId &&
        entry.outcome === 'ok' &&
        Date.parse(entry.at) <= before,
    );
    return call === undefined ? Number.POSITIVE_INFINITY : Date.parse(call.at);
  }
}

/** Who moved AWSCURRENT, and whether a pass has looked meanwhile. */
class Looks {
  /** Keys that an operator made current, and then another one, while no pass looked: the ledger's date of their supersession is of before. */
  readonly unseen = new Set<string>();
  readonly #scene: Scene;
  readonly #begun: number[] = [];
  readonly #current = new Map<
    string,
    { readonly keyId: string | undefined; readonly at: number; readonly byFunction: boolean }
  >();
  /** When the last pass that did not fail for it had begun, by secret. */
  readonly #looked = new Map<string, number>();
  #ended = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
    const { account } = scene;
    account.onCall((call) => {
      if (call.functionName === 'retire' && call.action === 'ListSecrets') this.#begun.push(account.clock.nowMs);
    });
    account.onChange(({ change, cause }) => {
      if (change.what !== 'label-moved' || change.label !== 'AWSCURRENT') return;
      this.end();
      this.#moved(change.secret, keyIn(account.valueOf(change.secret)), scene.byFunction(cause));
    });
  }

  /** Passes end in the order in which they began, or nearly so: the latest that can have ended counts. */
  end(): void {
    const { passes, account } = this.#scene.simulation;
    for (const { failures } of passes.slice(this.#ended)) {
      const at = this.#begun.findLast((begun) => begun <= account.clock.nowMs) ?? 0;
      for (const secret of this.#current.keys()) {
        if (!failures.some((failure) => failure.secret === secret)) this.#looked.set(secret, at);
      }
    }
    this.#ended = passes.length;
  }

  #moved(secret: string, keyId: string | undefined, byFunction: boolean): void {
    const before = this.#current.get(secret);
    if (before?.keyId === keyId) return;
    const lag = this.#scene.setup.listingLag * MINUTE * 1000;
    if (before?.keyId !== undefined && !before.byFunction && !byFunction) {
      if ((this.#looked.get(secret) ?? 0) <= before.at + lag) this.unseen.add(before.keyId);
    }
    if (keyId !== undefined) this.unseen.delete(keyId);
    this.#current.set(secret, { keyId, at: this.#scene.account.clock.nowMs, byFunction });
  }
}
