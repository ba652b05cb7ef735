/**
 * What reads a secret, and how long it may go on with the key before. docs/consumers.md has the table with the sources, and a test holds it to this.
 */
import { DAY, HOUR } from './duration.ts';

const MINUTE = 60;

/**
 * Worst staleness in seconds, with the settings that each comes with: from the promotion of a key until the last request with the one before.
 * `undefined`: as long as the process runs that was started with the key.
 */
export const CONSUMERS = {
  /** `fromRotatedSecret` of `iam-key-rotator/client`: its ttl of 300 s, and as long again in which a key at hand is taken while the next is read. */
  'javascript-client': 10 * MINUTE,
  /** `iam-key-rotator credentials` as a `credential_process`: its ttl of 300 s, and 15 minutes for the SDKs that ask at the last moment. */
  'credential-process': 20 * MINUTE,
  /** AWS Secrets Manager Agent: a TTL of 300 s. */
  'secrets-manager-agent': 5 * MINUTE,
  /** AWS Parameters and Secrets Lambda Extension: a TTL of 300 s. */
  'lambda-extension': 5 * MINUTE,
  /** The caching clients of AWS for Java, .NET, Python and Go: a TTL of an hour. */
  'caching-client': HOUR,
  /** External Secrets Operator with a refreshInterval of an hour, and a pod that reads the mounted file anew: the kubelet takes a minute or two more. */
  'external-secrets': HOUR + 5 * MINUTE,
  /** Secrets Store CSI driver with rotation enabled: polls every two minutes; the pod reads the mounted file anew. */
  'secrets-store-csi': 5 * MINUTE,
  /** A job of GitHub Actions that reads the secret when it starts, on a hosted runner: six hours at most. */
  'github-actions': 6 * HOUR,
  /** Environment variables of an ECS task, injected when it starts. */
  'ecs-environment': undefined,
  /** Environment variables of a pod (`envFrom`), set when it starts. */
  'kubernetes-environment': undefined,
} as const satisfies Record<string, number | undefined>;

export type ConsumerName = keyof typeof CONSUMERS;

/** A consumer as the configuration declares it, with how stale it gets. */
export interface Consumer {
  readonly name: string;
  /** Seconds; undefined if nothing bounds it. */
  readonly staleFor: number | undefined;
}

export const CONSUMER_NAMES: readonly string[] = Object.keys(CONSUMERS);

const isKnown = (name: string): name is ConsumerName => Object.hasOwn(CONSUMERS, name);

/** What is known of a consumer by its name alone; undefined if the name is not known. */
export const knownConsumer = (name: string): Consumer | undefined =>
  isKnown(name) ? { name, staleFor: CONSUMERS[name] } : undefined;

/** The smallest overlap, in seconds, that a consumer is safe with: its staleness and half as much again, in whole hours. */
export const safeOverlap = (staleFor: number): number =>
  Math.min(Math.ceil((1.5 * staleFor) / HOUR) * HOUR, 3650 * DAY);
