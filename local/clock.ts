/** Time that only moves when nothing is going on: a year passes in seconds, and nothing races with it. */
import { virtualDate } from './virtual-date.ts';

/** A timer that has been set and has not fired yet. */
export interface VirtualTimer {
  readonly at: number;
  readonly order: number;
  readonly fire: () => unknown;
}

/** Requests of Node's own (file reads, connects, writes) that will call back soon in real time. */
const PENDING_IO = /Req|(Connect|Write|Shutdown)Wrap$/;
/** Consecutive quiet turns of the event loop after which nothing more is to be expected without a timer. */
const QUIET_TURNS = 4;

/** Real ms after which tracked work that has not ended is an error. */
const STUCK_MS = 20_000;

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A clock whose time is advanced by its driver (`advance`, `runUntil`, `run`), timer by timer, whenever all is quiet. */
export class VirtualClock {
  /** `Date` as simulated code sees it: without arguments it is virtual now, `skew` included; otherwise it is the real class. */
  readonly Date: DateConstructor;
  /** How far the clocks of simulated computers are ahead of the account's, in ms; may be changed at any time. */
  skew = 0;
  #now: number;
  #order = 0;
  #timers: VirtualTimer[] = [];
  #busy = 0;
  #computing = 0;
  #lastChange = performance.now();
  #driven = false;
  readonly #patience: number;

  /** @param patience Real ms after which code that neither calls, sleeps nor returns is taken to hang. */
  constructor(start: Date, patience = 2000) {
    this.#now = start.getTime();
    this.#patience = patience;
    this.Date = virtualDate(() => this.#now + this.skew);
  }

  get nowMs(): number {
    return this.#now;
  }

  now(): Date {
    return new Date(this.#now);
  }

  /** Calls `fire` once, `ms` of virtual time from now. Timers of the same instant fire in the order in which they were set. */
  setTimeout(fire: () => unknown, ms: number): VirtualTimer {
    const timer = { at: this.#now + Math.max(0, Number(ms) || 0), order: this.#order++, fire };
    this.#timers.splice(this.#position(timer), 0, timer);
    return timer;
  }

  /** Whether the timer was still set. */
  clearTimeout(timer: VirtualTimer | undefined): boolean {
    if (timer === undefined) return false;
    const position = this.#position(timer);
    const pending = this.#timers[position] === timer;
    if (pending) this.#timers.splice(position, 1);
    return pending;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.setTimeout(resolve, ms));
  }

  /** Says that work is in flight which will end in real time; time stands still until `leave`. */
  enter(): void {
    this.#busy++;
    this.#lastChange = performance.now();
  }

  leave(): void {
    this.#busy--;
    this.#lastChange = performance.now();
  }

  /** Time stands still until this promise has settled, so it must not itself wait for virtual time. */
  async track<T>(promise: Promise<T>): Promise<T> {
    this.enter();
    try {
      return await promise;
    } finally {
      this.leave();
    }
  }

  /** Says that simulated code is (+1) or is no longer (-1) computing: like `enter` and `leave`, but it may hang, so patience is limited. */
  computing(change: 1 | -1): void {
    this.#computing += change;
    this.#lastChange = performance.now();
  }

  /** Moves time by `ms`, firing what falls due on the way. */
  advance(ms: number): Promise<void> {
    return this.advanceTo(new Date(this.#now + ms));
  }

  /** Moves time to `date`, firing what falls due on the way. */
  async advanceTo(date: Date): Promise<void> {
    const target = date.getTime();
    if (target < this.#now)
      throw new Error(`Time moves forward only: it is ${this.now().toISOString()}, asked for ${date.toISOString()}`);
    await this.#drive(async () => {
      while (await this.#next(target));
    });
    this.#now = target;
  }

  /** Moves time until the predicate holds; an error if no timer is left, or ten years have passed. */
  async runUntil(goal: Date | (() => boolean)): Promise<void> {
    if (goal instanceof Date) return this.advanceTo(goal);
    const limit = this.#now + 10 * 365 * 86_400_000;
    await this.#drive(async () => {
      while (!goal()) {
        if (!(await this.#next(limit, goal)))
          throw new Error('Deadlock: the condition does not hold, and no timer is left to change that');
      }
    });
  }

  /** Moves time until the promise settles and returns its value; an error if nothing is left that could settle it. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    promise.then(settle, settle);
    await this.#drive(async () => {
      let idleSince = performance.now();
      while (!settled) {
        if (await this.#next(Number.POSITIVE_INFINITY, () => settled)) idleSince = performance.now();
        else if (performance.now() - idleSince > this.#patience) {
          throw new Error('Deadlock: the promise is pending, nothing is in flight and no timer is set');
        }
      }
    });
    return promise;
  }

  /** Fires the next timer that is due by `limit`; false if there is none (or, after settling, no need). */
  async #next(limit: number, enough?: () => boolean): Promise<boolean> {
    await this.#settle();
    if (enough?.()) return true;
    const timer = this.#timers[0];
    if (timer === undefined || timer.at > limit) return false;
    this.#timers.shift();
    this.#now = Math.max(this.#now, timer.at);
    timer.fire();
    return true;
  }

  async #settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet = this.#quiet() ? quiet + 1 : 0) {
      await turn();
      if (this.#busy > 0 && performance.now() - this.#lastChange > STUCK_MS) {
        throw new Error(
          'Stuck: what is tracked does not end. Does it wait for virtual time, or for a process that is dead?',
        );
      }
    }
  }

  #quiet(): boolean {
    if (this.#busy > 0 || process.getActiveResourcesInfo().some((resource) => PENDING_IO.test(resource))) return false;
    return this.#computing === 0 || performance.now() - this.#lastChange > this.#patience;
  }

  async #drive(work: () => Promise<void>): Promise<void> {
    if (this.#driven)
      throw new Error('The clock is being driven already: inside simulated code, sleep instead of advancing time');
    this.#driven = true;
    try {
      await work();
    } finally {
      this.#driven = false;
    }
  }

  /** Where a timer stands, or would stand, among the timers in order of time. */
  #position(timer: VirtualTimer): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#timers[middle];
      if (other !== undefined && (other.at < timer.at || (other.at === timer.at && other.order < timer.order)))
        low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
