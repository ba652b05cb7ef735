/** How a user comes under rotation: what is in the way, and the entry for rotator.config.ts. Pure. */
import { ONLY_KEY } from '../../lambdas/contract/deployment.ts';
import type { AccessKey, LastUse } from '../../lambdas/domain/model.ts';

/** A key of the user, with its last use. */
export interface UsedKey extends AccessKey {
  readonly lastUse: LastUse | undefined;
}

export interface Newcomer {
  readonly userName: string;
  readonly path: string;
  readonly keys: readonly UsedKey[];
  /** Name that the secret is to have; undefined for the default. */
  readonly secretName: string | undefined;
  /** Name that the secret will have. */
  readonly effectiveName: string;
  readonly secretTaken: boolean;
}

/** An entry for `keys` of rotator.config.ts. */
export interface Entry {
  readonly user: string;
  readonly userPath?: string;
  readonly secretName?: string;
  readonly adopt?: string;
  readonly schedule?: string;
  readonly holdAtMost?: string;
}

export interface Advice {
  /** What must be done before the entry is deployed; empty if nothing is in the way. */
  readonly first: readonly string[];
  readonly entry: Entry;
  /** The key that is adopted. */
  readonly adopted?: UsedKey;
  /** What adopting means, sentence by sentence. */
  readonly means: readonly string[];
}

/** ms: a key used later than that is in use, for all that one can tell. */
const IN_USE_FOR = 45 * 86_400_000;
/** For a key that stands in settings which people change by hand. Both together fit: 3d + 60d + 7d in 90d. */
const PATIENCE = { schedule: '90d', holdAtMost: '60d' } as const;

/** IAM allows a user two keys, and the rotator needs a free slot for its first one. */
const MOST_BESIDE_NEW = 1;

/** What to do, and the entry to paste. */
export function adviseAdoption(newcomer: Newcomer, now: Date): Advice {
  const { userName, path, keys, secretName, effectiveName, secretTaken } = newcomer;
  const [latest, ...others] = [...keys].sort((one, other) => usedAt(other) - usedAt(one));
  const tooMany = others.slice(MOST_BESIDE_NEW - 1);
  const inUse = latest !== undefined && now.getTime() - usedAt(latest) < IN_USE_FOR;
  const entry: Entry = {
    user: userName,
    ...(path !== '/' && { userPath: path }),
    ...(secretName !== undefined && { secretName }),
    ...(latest !== undefined && { adopt: ONLY_KEY }),
    ...(inUse && PATIENCE),
  };
  const first = [
    ...tooMany.map(
      (key) =>
        `A slot must be free for the first key of the rotator. ${key.id} was used the longest ago (${usedWhen(key)}): make sure that nobody needs it, disable it ` +
        `(aws iam update-access-key --user-name ${userName} --access-key-id ${key.id} --status Inactive; undone by --status Active), wait as long as the rarest job takes, ` +
        `then delete it (aws iam delete-access-key --user-name ${userName} --access-key-id ${key.id})`,
    ),
    ...(secretTaken
      ? [
          `There is a secret ${effectiveName} already, and the stack creates its own: name another one by --secret, or delete that one`,
        ]
      : []),
  ];
  return { first, entry, ...(latest && { adopted: latest }), means: meaning(latest, effectiveName, inUse) };
}

function meaning(adopted: UsedKey | undefined, secretName: string, inUse: boolean): string[] {
  const stored = `the first rotation mints a key and stores it in ${secretName}, where applications read it from then on`;
  if (adopted === undefined) return [`The user has no key: ${stored}`];
  return [
    `The first rotation changes nothing about ${adopted.id}: ${stored}`,
    `${adopted.id} counts as superseded from then on. It stays Active for the overlap, and is held while it is used${inUse ? `, for ${PATIENCE.holdAtMost} at most` : ''}; then it is disabled, and deleted after the recovery time`,
    'Until then, have every application that has it in its settings read the secret instead: docs/consumers.md',
  ];
}

const usedAt = ({ lastUse, created }: UsedKey): number => lastUse?.at.getTime() ?? created.getTime() - NEVER;
/** ms: a key that was never used comes after all that were. */
const NEVER = 1e13;

/** `2026-01-02 with s3 in eu-west-1`, or `never`. */
export const usedWhen = ({ lastUse }: UsedKey): string =>
  lastUse === undefined
    ? 'never'
    : `${lastUse.at.toISOString().slice(0, 10)} with ${lastUse.service} in ${lastUse.region}`;

/** The entry as it stands in rotator.config.ts. */
export function entryLines(entry: Entry, adopted: UsedKey | undefined): string[] {
  const lines = Object.entries(entry).map(([field, value]) => {
    const comment =
      field === 'adopt' && adopted !== undefined ? ` // ${adopted.id}, last used: ${usedWhen(adopted)}` : '';
    return `  ${field}: '${value}',${comment}`;
  });
  return ['{', ...lines, '},'];
}
