/** Runs one history from its beginning to its end against the simulated account, judged after every command and when all is put right. */

import { ONLY_KEY } from '../../lambdas/contract/deployment.ts';
import type { Fault, FaultKind } from '../../local/faults.ts';
import type { CallRecord } from '../../local/model.ts';
import { DAY } from '../policy.ts';
import { finishAll } from '../simulation/world.ts';
import { judgeTheEnd } from './expectations/at-the-end.ts';
import { Further } from './expectations/further.ts';
import type { Command, FaultCommand, History } from './history.ts';
import { type Failure, Judge, Wrong } from './judge.ts';
import { Limits } from './limits.ts';
import { Operator } from './operator.ts';
import { codeOf, Scene } from './scene.ts';
import { settle } from './settle.ts';
import { Story } from './story.ts';
import { WhoseKeys } from './whose-keys.ts';

export interface Outcome {
  readonly failure?: Failure;
  /** Commands that found something to do. */
  readonly commands: number;
  /** Calls of the functions, each of them judged. */
  readonly calls: number;
  /** How often each limit of what can be known was met. */
  readonly limits: Readonly<Record<string, number>>;
  /** How often each command did something, and how often what happened. */
  readonly coverage: Readonly<Record<string, number>>;
}

export interface RunOptions {
  /** Is told step by step what is done and what happens. */
  readonly tell?: (line: string) => void;
}

/** Runs a history to its end, or to the first thing that is wrong. */
export async function runHistory(history: History, options: RunOptions = {}): Promise<Outcome> {
  const run = new Run(history, options.tell);
  let failure: Failure | undefined;
  try {
    await run.toTheEnd();
  } catch (error) {
    failure =
      error instanceof Wrong
        ? error.failure
        : {
            kind: `harness: ${error instanceof Error ? error.message.slice(0, 80) : String(error)}`,
            what: error instanceof Error ? (error.stack ?? error.message) : String(error),
            at: run.now.toISOString(),
          };
  } finally {
    finishAll();
  }
  const outcome = { commands: run.commands, calls: run.calls(), limits: run.limits(), coverage: run.coverage() };
  return failure === undefined ? outcome : { ...outcome, failure };
}

const KINDS: Readonly<Record<FaultCommand['kind'], (ms: number) => FaultKind>> = {
  throttle: () => ({ kind: 'refuse' }),
  deny: () => ({ kind: 'refuse', error: { code: 'AccessDeniedException', message: 'no', status: 403 } }),
  fail: () => ({ kind: 'refuse', error: { code: 'InternalFailure', message: 'oops', status: 500 } }),
  network: () => ({ kind: 'network' }),
  'lose-answer': () => ({ kind: 'lose-answer' }),
  'crash-before': () => ({ kind: 'crash-before' }),
  'crash-after': () => ({ kind: 'crash-after' }),
  late: (ms) => ({ kind: 'late', ms }),
};

/**
 * Done only while no function is at work. A deployment that changes the policy under a running function is judged by neither the old policy
 * nor the new one, and a function has no permissions for a secret that is no longer there.
 */
const QUIETLY: ReadonlySet<Command['do']> = new Set([
  'deploy',
  'change-form',
  'adopt',
  'adopt-only-key',
  'adopt-no-more',
  'make-secret-anew',
]);

class Run {
  commands = 0;
  readonly #history: History;
  readonly #scene: Scene;
  readonly #story: Story;
  readonly #whose: WhoseKeys;
  readonly #operator: Operator;
  readonly #limits: Limits;
  readonly #judge: Judge;
  readonly #counts = new Map<string, number>();
  /** The key that each application holds, by user. */
  readonly #held = new Map<number, string>();
  #latency: (() => void)[] = [];

  constructor(history: History, tell: ((line: string) => void) | undefined) {
    this.#history = history;
    this.#scene = new Scene(history.setup);
    const { simulation } = this.#scene;
    const further = new Further(simulation);
    this.#story = new Story(simulation, tell);
    this.#whose = new WhoseKeys(this.#scene);
    this.#operator = new Operator(this.#scene, this.#whose);
    this.#limits = new Limits(this.#scene, this.#operator, further);
    this.#judge = new Judge(simulation, further, this.#limits, this.#story);
  }

  async toTheEnd(): Promise<void> {
    await this.#begin();
    for (const [index, command] of this.#history.commands.entries()) {
      this.#judge.command = index;
      this.#story.tell(`#${index} ${JSON.stringify(command)}`);
      if (await this.#do(command)) {
        this.commands += 1;
        this.#count(command.do);
      } else {
        this.#story.tell('   (nothing to do)');
      }
      this.#judge.judge();
    }
    this.#judge.command = undefined;
    await settle({
      scene: this.#scene,
      operator: this.#operator,
      whose: this.#whose,
      judge: this.#judge,
      story: this.#story,
    });
    await judgeTheEnd(this.#scene, this.#whose, this.#judge);
  }

  // ---- What came of it --------------------------------------------------------------------------------------------------------------

  get now(): Date {
    return this.#simulation.now;
  }

  calls(): number {
    return this.#account.history.filter((entry) => entry.kind === 'call' && entry.functionName !== undefined).length;
  }

  limits(): Record<string, number> {
    return this.#limits.met();
  }

  coverage(): Record<string, number> {
    const counts: Record<string, number> = Object.fromEntries(this.#counts);
    const add = (what: string) => {
      counts[what] = (counts[what] ?? 0) + 1;
    };
    for (const happening of this.#simulation.happenings) add(`+${happening.what}`);
    for (const entry of this.#account.history) {
      if (entry.kind === 'call' && entry.fault !== undefined && entry.functionName !== undefined)
        add(`fault ${entry.fault}`);
      if (entry.kind === 'event' && entry.name === 'RotationSucceeded') add('+rotation succeeded');
      if (entry.kind === 'event' && entry.name === 'RotationFailed') add(`!${codeOf(entry)}`);
    }
    return counts;
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  get #simulation() {
    return this.#scene.simulation;
  }

  get #account() {
    return this.#scene.account;
  }

  // ---- Commands ---------------------------------------------------------------------------------------------------------------------

  async #begin(): Promise<void> {
    for (const [index, { days, begin, policy }] of this.#history.setup.users.entries()) {
      const name = `u${index}`;
      this.#account.createUser(name);
      if (begin === 'adopts') {
        const { accessKeyId } = this.#account.createAccessKey(name);
        this.#whose.noStranger(accessKeyId);
        this.#simulation.adopt(name, accessKeyId);
      }
      if (begin === 'adopts the only key') {
        this.#account.createAccessKey(name);
        this.#simulation.adopt(name, ONLY_KEY);
      }
      if (begin === 'not rotated' || policy.mode === 'observe') continue;
      await this.#simulation.schedule(`iam/${name}`, days);
      if (begin === 'rotated twice') {
        await this.#simulation.advance(DAY);
        await this.#simulation.rotate(`iam/${name}`);
      }
    }
    this.#slow();
    this.#judge.judge();
  }

  /** @returns whether there was something to do */
  async #do(command: Command): Promise<boolean> {
    switch (command.do) {
      case 'wait':
        await this.#wait(command.seconds, command.passEvery);
        return true;
      case 'pass':
        await this.#simulation.retire();
        return true;
      case 'two-passes': {
        const pass = () => this.#account.functions.invoke('retire', {});
        const first = pass();
        if (command.apart > 0) await this.#simulation.advance(command.apart / 1000);
        await this.#account.clock.run(Promise.all([first, pass()]));
        return true;
      }
      case 'rotate':
        if (!this.#scene.startRotation(this.#scene.name(command.user))) return false;
        if (command.wait > 0) await this.#simulation.advance(command.wait);
        return true;
      case 'overlap':
        if (!this.#scene.startRotation(this.#scene.name(command.user))) return false;
        await this.#simulation.advance(command.lead / 1000);
        await this.#simulation.retire();
        return true;
      case 'amid':
        return this.#amid(command);
      case 'repeat-step':
        return this.#repeatStep(command);
      case 'fault':
        this.#fault(command);
        return true;
      default:
        if (QUIETLY.has(command.do)) await this.#scene.quiet();
        return this.#operator.do(command);
    }
  }

  async #wait(seconds: number, passEvery: number): Promise<void> {
    const end = this.now.getTime() + seconds * 1000;
    const step = passEvery === 0 ? seconds : passEvery;
    while (this.now.getTime() < end) {
      await this.#simulation.advance(Math.min(step, (end - this.now.getTime()) / 1000));
      await this.#applications();
      if (passEvery > 0) await this.#simulation.retire();
    }
  }

  /** Each application uses a key. */
  async #applications(): Promise<void> {
    for (const [index, { application }] of this.#history.setup.users.entries()) {
      if (application === 'none') continue;
      const read = this.#scene.currentKey(`u${index}`);
      const keyId = application === 'reads' ? read : (this.#held.get(index) ?? read);
      if (keyId === undefined) continue;
      this.#held.set(index, keyId);
      if (!(await this.#scene.use(keyId))) this.#held.delete(index);
    }
  }

  async #amid({ of, ms, deed }: Extract<Command, { do: 'amid' }>): Promise<boolean> {
    let done = false;
    if (of === 'rotation' && !this.#scene.startRotation(this.#scene.name(deed.user))) return false;
    if (QUIETLY.has(deed.do)) return false;
    this.#account.clock.setTimeout(() => {
      done = this.#operator.do(deed);
    }, ms);
    if (of === 'pass') await this.#simulation.retire();
    await this.#simulation.advance(ms / 1000 + 1);
    if (done) this.#count(deed.do);
    return done;
  }

  async #repeatStep(command: Extract<Command, { do: 'repeat-step' }>): Promise<boolean> {
    const secret = this.#scene.secret(this.#scene.name(command.user));
    const label = { pending: 'AWSPENDING', current: 'AWSCURRENT', previous: 'AWSPREVIOUS' }[command.token];
    const token = secret?.labels.get(label);
    if (secret === undefined || token === undefined) return false;
    for (let time = 0; time < command.times; time += 1) {
      const event = { Step: command.step, SecretId: secret.arn, ClientRequestToken: token };
      void this.#account.functions.invoke('rotate', event);
    }
    await this.#simulation.advance(0);
    return true;
  }

  #fault({ fn, action, nth, times, kind, ms }: FaultCommand): void {
    const fault: Fault = {
      match: { functionName: fn, nth, ...(action !== undefined && { action }) },
      times,
      ...KINDS[kind](ms),
    };
    this.#account.faults.add(fault);
    // One fault a call, the first that matches: latency comes last.
    this.#slow();
  }

  /** Sets how long the functions' calls take. */
  #slow(): void {
    for (const heal of this.#latency.splice(0)) heal();
    const { latency } = this.#history.setup;
    for (const ms of new Set(latency)) {
      if (ms === 0) continue;
      const predicate = ({ seq, functionName }: CallRecord) =>
        functionName !== undefined && latency[seq % latency.length] === ms;
      const always = { match: { predicate }, times: Number.POSITIVE_INFINITY };
      this.#latency.push(this.#account.faults.add({ ...always, kind: 'late', ms }));
    }
  }
}
