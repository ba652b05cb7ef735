/** Judges a history so far: the oracle's invariants, what is expected beyond them, and errors of no known type. */

import type { Simulation } from '../simulation/world.ts';
import type { Further } from './expectations/further.ts';
import type { Limits } from './limits.ts';
import type { Story } from './story.ts';

/** What a history shows to be wrong. `kind` says what, without ids and times: shrinking looks for the same kind. */
export interface Failure {
  readonly kind: string;
  readonly what: string;
  readonly at: string;
  /** Of the history's commands; absent: at the end. */
  readonly command?: number;
}

/** Ends a history. */
export class Wrong extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.what);
    this.failure = failure;
  }
}

/** What a function of this project may fail with: its own typed errors, and how Lambda ends it. */
const ENDS = ['Sandbox.Timedout', 'Runtime.ExitError', 'RotationIncomplete', 'RotatorError', 'AwsCallError'];

export class Judge {
  /** The command that is being done; undefined: all are. */
  command: number | undefined;
  readonly #simulation: Simulation;
  readonly #further: Further;
  readonly #limits: Limits;
  readonly #story: Story;
  #excused = 0;
  #judged = 0;
  #judgedPasses = 0;

  constructor(simulation: Simulation, further: Further, limits: Limits, story: Story) {
    this.#simulation = simulation;
    this.#further = further;
    this.#limits = limits;
    this.#story = story;
  }

  /** @throws Wrong for the first thing that is wrong and no limit excuses */
  judge(): void {
    this.#story.follow();
    this.#limits.look();
    this.#judgeInvariants();
    const [finding] = this.#further.found;
    if (finding !== undefined) this.wrong(finding.kind, finding.what, finding.at);
    this.#judgeErrors();
  }

  wrong(kind: string, what: string, at = this.#simulation.now.toISOString()): never {
    this.#story.follow();
    this.#story.tell(`!! ${kind}: ${what}`);
    throw new Wrong({ kind, what, at, ...(this.command !== undefined && { command: this.command }) });
  }

  #judgeInvariants(): void {
    for (const broken of this.#simulation.oracle.broken.slice(this.#excused)) {
      if (!this.#limits.excuses(broken)) {
        const kind = broken.what.replace(/\bu\d-\w{6}\b|\b[A-Z0-9]{16,}\b|\b[\d.]+\b|\bu\d\b/g, '*');
        const call = broken.call === undefined ? '' : ` (call ${broken.call})`;
        this.wrong(`invariant ${broken.invariant}: ${kind}`, `${broken.what}${call}`, broken.at);
      }
      this.#excused += 1;
    }
  }

  #judgeErrors(): void {
    const { account, passes } = this.#simulation;
    for (const entry of account.history.slice(this.#judged)) {
      if (entry.kind !== 'event' || entry.name !== 'RotationFailed' || ENDS.includes(String(entry.detail.errorType)))
        continue;
      this.wrong(`unexpected ${String(entry.detail.errorType)}`, String(entry.detail.errorMessage), entry.at);
    }
    this.#judged = account.history.length;
    for (const { error } of passes.slice(this.#judgedPasses).flatMap(({ failures }) => failures)) {
      const name = error instanceof Error ? error.name : 'no error';
      if (!ENDS.includes(name)) this.wrong(`unexpected ${name}`, String(error));
    }
    this.#judgedPasses = passes.length;
  }
}
