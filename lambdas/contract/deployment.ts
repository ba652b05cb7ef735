/**
 * What `cdk deploy` tells the functions: one JSON file beside the bundle (`DEPLOYMENT_FILE`). It binds each secret to its user, so that no
 * writer of the secret can bind it to another one (confused deputy).
 */
import * as v from 'valibot';
import { FIELD_NAME, isFieldName, nameClash } from './field-names.ts';

const text = v.pipe(v.string(), v.minLength(1));
/** The longest duration, in seconds: ten years. Past what a Date can hold, every comparison would be false, and each wait over at once. */
export const LONGEST = 3650 * 86_400;

const seconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(LONGEST));
const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** What to do with a superseded key that is still in use when its overlap is over. */
export const IF_IN_USE = ['hold', 'disable'] as const;
export type IfInUse = (typeof IF_IN_USE)[number];

/** `enforce` acts; `observe` changes nothing anywhere and reports what it would do. */
export const MODES = ['enforce', 'observe'] as const;
export type Mode = (typeof MODES)[number];

/**
 * What a leak of the current key is answered with, once a rotation is started: `rotate-then-disable` waits for the new key to be current,
 * `disable-first` takes the leaked one from whoever has it at once, applications included.
 */
export const ON_LEAK = ['rotate-then-disable', 'disable-first'] as const;
export type OnLeak = (typeof ON_LEAK)[number];

const field = v.pipe(v.string(), v.check(isFieldName, `a field is to have ${FIELD_NAME}`));

const format = v.pipe(
  v.strictObject({
    /** Which field of the value holds what. `Version: 1` goes with the names of the built-in form `credential-process`. */
    fields: v.strictObject({ accessKeyId: field, secretAccessKey: field, userName: field, createDate: field }),
    /** What else is computed from each new key. */
    derived: v.pipe(
      v.array(
        v.variant('is', [
          v.strictObject({ field, is: v.literal('ses-smtp-username') }),
          v.strictObject({ field, is: v.literal('ses-smtp-password'), region: text }),
        ]),
      ),
      v.readonly(),
    ),
  }),
  v.check(
    (given) => nameClash(given) === undefined,
    'a field has the name of another one, or one that means something else',
  ),
);
/** In place of a key's id: the one key that the user has when the first one of the rotator is minted. */
export const ONLY_KEY = 'only-key';
/** What `adopt` may be. Temporary keys (ASIA…) belong to no user. */
export const ADOPT = /^(?:only-key|AKIA[A-Z0-9]{16})$/;

const deployedKey = v.strictObject({
  /** Name of the secret; unique in an account and Region. */
  secretName: text,
  /** Name of the IAM user that the secret is bound to, without its path. */
  userName: text,
  mode: v.picklist(MODES),
  /** A hand-made key of the user that counts as superseded from the first promotion on: its id, or `ONLY_KEY`. */
  adopt: v.optional(v.pipe(v.string(), v.regex(ADOPT, `neither '${ONLY_KEY}' nor an access key id`))),
  /** Overlap, in seconds: how long a superseded key stays Active. */
  deactivateAfter: seconds,
  /** In seconds: a use this soon after the promotion is taken for applications that are still switching. */
  settle: seconds,
  ifInUse: v.picklist(IF_IN_USE),
  /** In seconds, from the end of the overlap: how long a key that is still in use is held. */
  holdAtMost: seconds,
  /** In seconds: a key not used for this long is no longer in use. */
  quietFor: seconds,
  /** Recovery, in seconds: how long a disabled key stays before it is deleted. */
  deleteAfter: seconds,
  /** Further Regions whose STS must know a new key before it is promoted. */
  verifyRegions: v.array(v.string()),
  /** In seconds: the longest time from one scheduled rotation to the next, its window included. Older than that, a current key is overdue. */
  rotateEvery: v.pipe(positive, v.maxValue(LONGEST)),
  onLeak: v.picklist(ON_LEAK),
  /** The form of the secret's value. */
  format,
});

/** What an audit counts as too old or unused. In seconds. */
const audit = v.strictObject({
  /** A key older than this is to be replaced. */
  maxKeyAge: v.pipe(positive, v.maxValue(LONGEST)),
  /** A key last used longer ago than this is unused. */
  unusedFor: v.pipe(positive, v.maxValue(LONGEST)),
  /** A key that was never used and is older than this has no use. */
  neverUsedFor: v.pipe(positive, v.maxValue(LONGEST)),
  /** Whether findings go to Security Hub. */
  securityHub: v.boolean(),
});

/** What an audit goes by where a deployment says nothing else: 90 and 45 days are those of CIS AWS Foundations. */
export const AUDIT_DEFAULTS: AuditPolicy = {
  maxKeyAge: 90 * 86_400,
  unusedFor: 45 * 86_400,
  neverUsedFor: 45 * 86_400,
  securityHub: false,
};
/** What holds where a deployment says nothing of it. */
export const DEPLOYMENT_STANDARDS = {
  retireEvery: 3_600,
  overdueMargin: 2 * 86_400,
  runbookUrl: 'docs/runbook.md',
} as const;

const isUnique = (texts: readonly string[]) => new Set(texts).size === texts.length;

const deploymentSchema = v.strictObject({
  formatVersion: v.literal(1),
  /** Value of the tag `TAGS.deployment` on every secret of this deployment. */
  name: text,
  /** The most keys that one retire pass disables or deletes. */
  maxChangesPerRun: positive,
  /** Timeout of the rotate function, in seconds: after it, a run that announced a mint is certainly over. */
  rotateTimeout: positive,
  /** Absent: `AUDIT_DEFAULTS`. */
  audit: v.optional(audit),
  /** In seconds: how often a retire pass runs. */
  retireEvery: v.optional(positive),
  /** In seconds: so much later than its time a rotation may be before its key counts as overdue. */
  overdueMargin: v.optional(seconds),
  /** Address or path of the runbook that events refer to. */
  runbookUrl: v.optional(text),
  keys: v.pipe(
    v.array(deployedKey),
    v.check((keys) => isUnique(keys.map((key) => key.userName)), 'one user is bound to two secrets'),
    v.check((keys) => isUnique(keys.map((key) => key.secretName)), 'one secret is bound to two users'),
  ),
});

/** One secret, its user and its policy, as deployed. All durations in seconds. */
export type DeployedKey = Readonly<v.InferOutput<typeof deployedKey>>;
/** What an audit goes by. All durations in seconds. */
export type AuditPolicy = Readonly<v.InferOutput<typeof audit>>;
/** Content of `DEPLOYMENT_FILE`. */
export type Deployment = Readonly<v.InferOutput<typeof deploymentSchema>>;

/** What was read: a deployment, or all that is wrong with it, each problem with the path of its field. */
export type ParsedDeployment =
  | { readonly ok: true; readonly value: Deployment }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Checks the content of `DEPLOYMENT_FILE`. A field that this version doesn't know is a problem too; of several in one object, the first is
 * told.
 */
export function parseDeployment(content: unknown): ParsedDeployment {
  const { success, output, issues } = v.safeParse(deploymentSchema, content);
  if (success) return { ok: true, value: output };
  return { ok: false, problems: issues.map((issue) => `${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`) };
}
