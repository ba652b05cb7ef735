/** The operator's program as a process: every call of it can be made to fail, and it can be gone in the middle. */
import { keyActivation } from '../../cli/steer/activate.ts';
import { lookBack, type RollbackWorld, rollBack } from '../../cli/steer/rollback.ts';
import { iamKeys } from '../../lambdas/adapters/iam-keys.ts';
import { keyIdentities } from '../../lambdas/adapters/key-identities.ts';
import { secretStore } from '../../lambdas/adapters/secret-store.ts';
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { planRollback, type StepName } from '../../lambdas/domain/rollback.ts';
import { type Command, DirectClient, type DirectOptions } from '../../local/direct-clients.ts';
import { type Fault, refusal } from '../../local/faults.ts';
import type { Sandbox } from '../../local/functions.ts';
import type { Credentials } from '../../local/model.ts';
import type { ServiceName } from '../../local/services/registry.ts';
import type { Input } from '../../local/wire/protocols.ts';
import { FAULTS } from '../simulation/fault-cases.ts';
import type { Simulation } from '../simulation/world.ts';

/** As cli/operator/clients.ts has it. */
const ATTEMPTS = 5;
/** A request and its answer take this long each: time for others to get in between. */
const ON_THE_WAY_MS = 50;

export type Ended =
  | { readonly how: 'rolled back'; readonly keyId: string }
  | { readonly how: 'nothing to do'; readonly keyId: string }
  | { readonly how: 'failed'; readonly error: unknown }
  | { readonly how: 'gone' };

/** Befalls the n-th call of a process, counted from 1; the SDK's repetitions of a call count as one. */
export interface StruckCall {
  readonly call: number;
  readonly fault: string;
}

export class OperatorProcess {
  readonly #simulation: Simulation;
  readonly #struck: StruckCall | undefined;
  readonly #die: () => void;
  readonly gone: Promise<void>;
  /** By name, in order. */
  readonly calls: string[] = [];
  readonly steps: StepName[] = [];
  /** Before each call, with its number. */
  onCall: (call: number) => void = () => {};
  #attempts = 0;
  #isGone = false;

  constructor(simulation: Simulation, struck?: StruckCall) {
    this.#simulation = simulation;
    this.#struck = struck;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    this.#die = () => {
      this.#isGone = true;
      resolve();
    };
  }

  /** Does what the command does once it is confirmed, or asked with `--yes`. The clock is to be driven meanwhile. */
  async rollBack(keyId?: string): Promise<Ended> {
    const policy = this.#simulation.deployment.keys[0] as DeployedKey;
    const { rotateTimeout } = this.#simulation.deployment;
    const world = this.#world();
    const work = async (): Promise<Ended> => {
      const { observed } = await lookBack(policy, world);
      const plan = planRollback(observed, keyId, policy, rotateTimeout, world.now());
      if (plan.do === 'refuse') throw plan.error;
      if (plan.do === 'none') return { how: 'nothing to do', keyId: plan.keyId };
      await rollBack(plan.route, policy, rotateTimeout, world);
      return { how: 'rolled back', keyId: plan.route.keyId };
    };
    return Promise.race([
      work().catch((error: unknown): Ended => ({ how: 'failed', error })),
      this.gone.then((): Ended => ({ how: 'gone' })),
    ]);
  }

  #world(): RollbackWorld {
    const { clock } = this.#simulation.account;
    const iam = this.#client('iam', { attempts: ATTEMPTS });
    return {
      iam: iamKeys(iam as never, this.#client('iam', { attempts: 1 }) as never),
      secrets: secretStore(this.#client('secretsmanager', { attempts: ATTEMPTS }) as never),
      identities: keyIdentities(
        (credentials, region) => this.#client('sts', { attempts: 1, credentials, region }) as never,
      ),
      activate: keyActivation(iam as never),
      now: () => clock.now(),
      sleep: (milliseconds) => clock.sleep(milliseconds),
      tell: ({ do: step }) => this.steps.push(step as StepName),
    };
  }

  #client(service: ServiceName, options: DirectOptions) {
    const ask = (_: ServiceName, action: string, input: Input, credentials?: Credentials, region?: string) =>
      this.#ask(service, action, input, credentials, region);
    const client = new DirectClient({ ask } as unknown as Sandbox, service, options);
    return {
      send: (command: Command) => {
        this.#attempts = 0;
        this.calls.push(command.constructor.name.replace(/Command$/, ''));
        this.onCall(this.calls.length);
        return client.send(command);
      },
      destroy() {},
    };
  }

  async #ask(service: ServiceName, action: string, input: Input, credentials?: Credentials, where?: string) {
    const { account } = this.#simulation;
    if (this.#isGone) return { kind: 'silent' } as const;
    const { attempts = 0, ...fault } =
      this.#struck?.call === this.calls.length ? (FAULTS[this.#struck.fault] ?? {}) : {};
    this.#attempts += 1;
    const kind = this.#attempts <= attempts ? (fault as Omit<Fault, 'match'>).kind : undefined;
    if (kind === 'refuse') throw refusal(fault as Extract<Fault, { kind: 'refuse' }>);
    if (kind === 'network') return { kind: 'lost' } as const;
    if (kind === 'crash-before') {
      this.#die();
      return { kind: 'silent' } as const;
    }
    await account.clock.sleep(ON_THE_WAY_MS);
    const signed = credentials ?? account.operator.credentials;
    const reached = await account.gateway.ask(signed, where ?? account.region, service, action, input);
    await account.clock.sleep(ON_THE_WAY_MS);
    if (kind === 'lose-answer') return { kind: 'lost' } as const;
    if (kind === 'late') await account.clock.sleep((fault as Extract<Fault, { kind: 'late' }>).ms);
    if (kind === 'crash-after') {
      this.#die();
      return { kind: 'silent' } as const;
    }
    return reached;
  }
}
