/** The experiment in figures, and what of them breaks a promise. Pure. */
import type { Broken } from '../oracle.ts';
import { type CallFailure, type ClientName, SOURCES } from './clients/client.ts';
import type { Observed } from './observe.ts';
import { MINUTE_MS } from './plan.ts';

/** How long a client may go on with the key that it has read, in ms: the ttl that every client of the experiment is given. */
export const TTL_MS = 5 * MINUTE_MS;

/** What went on when a call was made. */
export type Phase = 'rotation' | 'outage' | 'emergency';

/** A call that failed, and what went on then. */
export interface Failed extends CallFailure {
  readonly phase: Phase;
  /** In ms since 1970. */
  readonly at: number;
  /** In an emergency: ms since the key was disabled. */
  readonly sinceMs?: number;
}

/**
 * What went on at a moment. An emergency lasts for as long as a cache may hold the key that was disabled.
 *
 * @param emergencyAt when a key of the client's user was last disabled at once
 * @param away whether Secrets Manager is away
 */
export function phaseAt(at: number, emergencyAt: number | undefined, away: boolean): Phase {
  if (emergencyAt !== undefined && at - emergencyAt <= TTL_MS) return 'emergency';
  return away ? 'outage' : 'rotation';
}

export interface ClientFigures {
  readonly client: ClientName;
  /** What it is, with its version. */
  readonly version: string;
  readonly calls: number;
  readonly failed: readonly Failed[];
  /** Retries after which the application was told that the key was fetched anew; absent where nobody tells. */
  readonly retriedFresh?: number;
  readonly observed: Observed;
}

/** Requests at STS beyond one a call. Calls that found no credentials sent none. */
export function retriesOf({ calls, failed, observed }: ClientFigures): number {
  return observed.requests - calls + failed.filter(({ code }) => !isAnswer(code)).length;
}

/** The names that AWS gives to a key that is disabled or deleted. */
const REFUSALS: ReadonlySet<string> = new Set([
  'InvalidClientTokenId',
  'InvalidAccessKeyId',
  'AuthFailure',
  'UnrecognizedClientException',
]);

/** Errors of STS, as opposed to those of a client that sent nothing. */
const isAnswer = (code: string) => REFUSALS.has(code) || code === 'SignatureDoesNotMatch' || code === 'AccessDenied';

/** A failure that nobody can prevent: nothing tells a `credential_process` that the key which it gave out has been refused. */
export function isInevitable(client: ClientName, { phase, code }: Failed): boolean {
  return SOURCES[client] === 'process' && phase === 'emergency' && REFUSALS.has(code);
}

/** Failures of one kind, with the first of them. */
export interface Reason {
  readonly phase: Phase;
  readonly code: string;
  readonly times: number;
  readonly message: string;
  readonly inevitable: boolean;
}

export function reasonsOf({ client, failed }: ClientFigures): Reason[] {
  const reasons = new Map<string, Reason>();
  for (const failure of failed) {
    const { phase, code, message } = failure;
    const before = reasons.get(`${phase} ${code}`);
    const first = before ?? { phase, code, message, times: 0, inevitable: isInevitable(client, failure) };
    reasons.set(`${phase} ${code}`, { ...first, times: first.times + 1 });
  }
  return [...reasons.values()];
}

/** The longest time, in ms, from a key's being disabled at once to a call that failed. */
export const longestEmergencyMs = ({ failed }: ClientFigures): number =>
  Math.max(0, ...failed.map(({ sinceMs = 0 }) => sinceMs));

export interface Experiment {
  readonly clients: readonly ClientFigures[];
  /** Clients that did not take part, and why. */
  readonly leftOut: readonly { readonly client: ClientName; readonly why: string }[];
  /** How many days passed. */
  readonly days: number;
  /** What each user went through: scheduled rotations, rotations in an emergency, outages in all. */
  readonly rotations: number;
  readonly emergencies: number;
  readonly outages: readonly string[];
  readonly broken: readonly Broken[];
  /** Real time that all of it took, the synthesis included. */
  readonly seconds: number;
  readonly seed: number;
}

/** What was promised and did not hold. */
export function brokenPromises({ clients, broken }: Experiment): string[] {
  const failures = clients.flatMap((figures) =>
    reasonsOf(figures)
      .filter(({ inevitable }) => !inevitable)
      .map(({ phase, code, times }) => `${figures.client}: ${times} failed in ${PHASES[phase]} with ${code}`),
  );
  const silent = clients.filter(({ calls }) => calls === 0).map(({ client }) => `${client}: made no call`);
  const invariants = broken.map(({ invariant, at, what }) => `invariant ${invariant}, ${at}: ${what}`);
  const nobody = clients.length === 0 ? ['no client took part'] : [];
  return [...failures, ...silent, ...nobody, ...invariants];
}

export const PHASES: Readonly<Record<Phase, string>> = {
  rotation: 'scheduled rotations',
  outage: 'outages',
  emergency: 'emergencies',
};
