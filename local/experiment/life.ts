/**
 * What clients live through, in lock step: time stands still while they call, and every client has called before it moves on. So nothing is
 * missed and nobody sleeps, and the same plan meets the same moments.
 */
import type { FaultKind } from '../faults.ts';
import type { ClientName } from './clients/client.ts';
import type { Joined } from './clients/join.ts';
import {
  DAY_ENDS_AT,
  DAY_MS,
  type Day,
  EMERGENCY_AT,
  MINUTE_MS,
  OUTAGE_MS,
  type Outage,
  type Stop,
  stopsOfOutage,
  type Way,
} from './plan.ts';
import { type Stage, userOf } from './stage.ts';
import { type ClientFigures, type Experiment, type Failed, phaseAt } from './summary.ts';

/** Calls of a client whenever the time stands still. */
const CALLS = { js: 10, boto3: 5, cli: 1 } as const satisfies Record<ClientName, number>;

const FAULTS: Readonly<Record<Way, FaultKind>> = {
  unavailable: {
    kind: 'refuse',
    error: { code: 'ServiceUnavailable', message: 'The service is unavailable', status: 503 },
  },
  unreachable: { kind: 'network' },
};

/** A stop, or something that happens, at a time in ms since 1970. */
interface Appointment extends Stop {
  readonly event?: () => void;
}

export class Life {
  readonly #stage: Stage;
  readonly #joined: readonly Joined[];
  readonly #calls = new Map<ClientName, number>();
  readonly #failed = new Map<ClientName, Failed[]>();
  readonly #outages: string[] = [];
  /** Users whose key is being rotated because it has leaked. */
  readonly #leaked = new Set<string>();
  /** By user: when its key was last disabled at once. */
  readonly #emergencyAt = new Map<string, number>();
  #emergencies = 0;
  #days = 0;
  #agenda: Appointment[] = [];
  /** Ends the outage that goes on. */
  #endOutage: (() => void) | undefined;
  /** The outage that begins when the last user's new key becomes current, and the users who still wait for that. */
  #awaited: { readonly outage: Outage; readonly users: Set<string> } | undefined;

  constructor(stage: Stage, joined: readonly Joined[]) {
    this.#stage = stage;
    this.#joined = joined;
  }

  /** Scheduled rotations that every user has been through. */
  get rotations(): number {
    const { keys, observations } = this.#stage;
    return Math.min(...keys.map(({ userName }) => observations.of(userName).promotions)) - this.#emergencies;
  }

  /** Lives through a day: from now to the evening after the next scheduled rotation. */
  async day(day: Day, stops: readonly Stop[]): Promise<void> {
    this.#days += 1;
    const { clock } = this.#stage.account;
    const midnight = (Math.floor(clock.nowMs / DAY_MS) + 1) * DAY_MS;
    this.#add(midnight, stops);
    this.#add(midnight, [{ at: DAY_ENDS_AT, cli: false }]);
    if (day.emergency) this.#add(midnight, [{ at: EMERGENCY_AT, cli: false, event: () => this.#leak() }]);
    const { outage } = day;
    if (outage?.from === 'promotion')
      this.#awaited = { outage, users: new Set(this.#stage.keys.map(({ userName }) => userName)) };
    else if (outage !== undefined)
      this.#add(midnight, [{ at: outage.from, cli: true, event: () => this.#beginOutage(outage) }]);
    for (let [next] = this.#agenda; next !== undefined; [next] = this.#agenda) {
      // What happens on the way may bring appointments that are earlier.
      if (!(await this.#liveUntil(next.at))) continue;
      this.#agenda.shift();
      next.event?.();
      await this.#everybodyCalls(next.cli ? 'all' : undefined);
    }
  }

  /** Lives through the rest of the last day, in which keys of an emergency are deleted. */
  async finish(): Promise<void> {
    const { clock } = this.#stage.account;
    const last = Math.ceil(clock.nowMs / DAY_MS) * DAY_MS - MINUTE_MS;
    while (!(await this.#liveUntil(last)));
  }

  told(): Pick<Experiment, 'clients' | 'days' | 'rotations' | 'emergencies' | 'outages'> {
    const clients = this.#joined.map(({ client, version }): ClientFigures => {
      const retriedFresh = client.retriedFresh();
      return {
        client: client.name,
        version,
        calls: this.#calls.get(client.name) ?? 0,
        failed: this.#failed.get(client.name) ?? [],
        ...(retriedFresh !== undefined && { retriedFresh }),
        observed: this.#stage.observations.of(userOf(client.name)),
      };
    });
    return {
      clients,
      days: this.#days,
      rotations: this.rotations,
      emergencies: this.#emergencies,
      outages: this.#outages,
    };
  }

  #add(from: number, appointments: readonly Appointment[]): void {
    const added = appointments.map((appointment) => ({ ...appointment, at: from + appointment.at }));
    this.#agenda = [...this.#agenda, ...added].sort((a, b) => a.at - b.at);
  }

  /** Lets time pass, up to the next change of a key at most: then the clients call. Whether the time has come. */
  async #liveUntil(at: number): Promise<boolean> {
    const { account, observations } = this.#stage;
    const { clock } = account;
    const isOver = () => clock.nowMs >= at;
    const timer = clock.setTimeout(() => {}, at - clock.nowMs);
    await clock.runUntil(() => isOver() || observations.changed);
    clock.clearTimeout(timer);
    // What else is due at that moment has its turn first: no function is at work while the clients call.
    if (isOver()) await clock.advanceTo(new Date(at));
    const concerned = new Set<string>();
    const changes = observations.takeChanges();
    for (const { userName, what, keyId } of changes) {
      if (what !== 'deleted') concerned.add(userName);
      if (what === 'promoted') this.#seePromotion(userName, keyId);
    }
    // What the operator has just done is no news.
    observations.takeChanges();
    if (changes.length > 0) await this.#everybodyCalls(concerned);
    return isOver();
  }

  #seePromotion(userName: string, before: string): void {
    const { account } = this.#stage;
    if (this.#leaked.delete(userName)) {
      account.setAccessKeyStatus(before, 'Inactive');
      this.#emergencyAt.set(userName, account.clock.nowMs);
      if (this.#leaked.size === 0) this.#emergencies += 1;
    }
    if (this.#awaited?.users.delete(userName) !== true || this.#awaited.users.size > 0) return;
    this.#beginOutage(this.#awaited.outage);
    this.#awaited = undefined;
  }

  /** An operator rotates every user's key at once; each old one is disabled as soon as its successor is current. */
  #leak(): void {
    for (const { userName, secretName } of this.#stage.keys) {
      this.#leaked.add(userName);
      this.#stage.account.operate('secretsmanager', 'RotateSecret', { SecretId: secretName });
    }
  }

  #beginOutage({ name, way }: Outage): void {
    const { account } = this.#stage;
    this.#outages.push(`${way}: ${name}`);
    this.#endOutage = account.faults.add({
      ...FAULTS[way],
      match: { service: 'secretsmanager' },
      times: Number.POSITIVE_INFINITY,
    });
    const end = () => {
      this.#endOutage?.();
      this.#endOutage = undefined;
    };
    this.#add(account.clock.nowMs, [...stopsOfOutage(0), { at: OUTAGE_MS, cli: true, event: end }]);
  }

  /** @param cliOf whose AWS CLI calls too: that of these users, or all */
  async #everybodyCalls(cliOf: ReadonlySet<string> | 'all' | undefined): Promise<void> {
    const { account, clock, observations } = this.#stage;
    clock.set(account.clock.nowMs);
    observations.watching = true;
    await Promise.all(
      this.#joined.map(async ({ client }) => {
        const { name } = client;
        if (name === 'cli' && cliOf !== 'all' && cliOf?.has(userOf(name)) !== true) return;
        const failures = await client.call(CALLS[name]);
        this.#calls.set(name, (this.#calls.get(name) ?? 0) + CALLS[name]);
        const at = account.clock.nowMs;
        const emergencyAt = this.#emergencyAt.get(userOf(name));
        const phase = phaseAt(at, emergencyAt, this.#endOutage !== undefined);
        const since = phase === 'emergency' && emergencyAt !== undefined ? { sinceMs: at - emergencyAt } : {};
        const failed = failures.map((failure): Failed => ({ ...failure, phase, at, ...since }));
        this.#stage.said.push(...failures.map(({ message }) => message));
        this.#failed.set(name, [...(this.#failed.get(name) ?? []), ...failed]);
      }),
    );
    observations.watching = false;
  }
}
