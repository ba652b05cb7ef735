/**
 * What `cdk deploy` tells the functions: one JSON file beside the bundle (`DEPLOYMENT_FILE`). It binds each secret to its user, so that no
 * writer of the secret can bind it to another one (confused deputy).
 */
import * as z from 'zod/mini';

const seconds = z.int().check(z.nonnegative());

/** What to do with a superseded key that is still in use when its overlap is over. */
export const IF_IN_USE = ['hold', 'disable'] as const;
export type IfInUse = (typeof IF_IN_USE)[number];

/** `enforce` acts; `observe` changes nothing anywhere and reports what it would do. */
export const MODES = ['enforce', 'observe'] as const;
export type Mode = (typeof MODES)[number];

const deployedKey = z.strictObject({
  /** Name of the secret; unique in an account and Region. */
  secretName: z.string().check(z.minLength(1)),
  /** Name of the IAM user that the secret is bound to, without its path. */
  userName: z.string().check(z.minLength(1)),
  mode: z.enum(MODES),
  /** A hand-made key of the user that counts as superseded from the first promotion on. */
  adopt: z.optional(z.string()),
  /** Overlap, in seconds: how long a superseded key stays Active. */
  deactivateAfter: seconds,
  /** In seconds: a use this soon after the promotion is taken for applications that are still switching. */
  settle: seconds,
  ifInUse: z.enum(IF_IN_USE),
  /** In seconds, from the end of the overlap: how long a key that is still in use is held. */
  holdAtMost: seconds,
  /** In seconds: a key not used for this long is no longer in use. */
  quietFor: seconds,
  /** Recovery, in seconds: how long a disabled key stays before it is deleted. */
  deleteAfter: seconds,
  /** Further Regions whose STS must know a new key before it is promoted. */
  verifyRegions: z.array(z.string()),
});

export const deploymentSchema = z.strictObject({
  formatVersion: z.literal(1),
  /** Value of the tag `TAGS.deployment` on every secret of this deployment. */
  name: z.string().check(z.minLength(1)),
  /** The most keys that one retire pass disables or deletes. */
  maxChangesPerRun: z.int().check(z.positive()),
  /** Timeout of the rotate function, in seconds: after it, a run that announced a mint is certainly over. */
  rotateTimeout: z.int().check(z.positive()),
  keys: z.array(deployedKey),
});

/** One secret, its user and its policy, as deployed. All durations in seconds. */
export type DeployedKey = Readonly<z.infer<typeof deployedKey>>;
/** Content of `DEPLOYMENT_FILE`. */
export type Deployment = Readonly<z.infer<typeof deploymentSchema>>;
