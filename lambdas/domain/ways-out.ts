/** What a human at a terminal can do about keys made by hand that hold both slots of a user. */
import { type DeployedKey, ONLY_KEY } from '../contract/deployment.ts';
import type { LastUse } from './model.ts';
import type { Role } from './roles.ts';

/** What the secret has seen. */
export interface Past {
  /** A key of the rotator is current: only then is an adopted key retired. */
  readonly promoted: boolean;
  /** Nothing was stored in it yet: only then is the only key discovered. */
  readonly empty: boolean;
}

/** A key that the rotator will not free a slot of. */
export interface ForeignKey {
  readonly id: string;
  readonly role: Role;
  readonly lastUse: LastUse | undefined;
}

/** The keys in the order in which to look at them: never used, used longest ago, and last the one that is adopted already. */
export function byLastUse(keys: readonly ForeignKey[]): readonly ForeignKey[] {
  const rank = ({ role, lastUse }: ForeignKey) =>
    role === 'adoptable' ? Number.MAX_SAFE_INTEGER : (lastUse?.at.getTime() ?? 0);
  return keys.toSorted((a, b) => rank(a) - rank(b));
}

/**
 * The two ways out, with commands to copy.
 *
 * @param first the key to look at first
 * @param others what else is not the rotator's, in that order
 */
export function waysOut(first: ForeignKey, others: readonly ForeignKey[], policy: DeployedKey, past: Past): string {
  const key = (id: string) => `--user-name ${policy.userName} --access-key-id ${id}`;
  const free =
    `the key that nobody uses is disabled and deleted by hand. Look at ${first.id} first${why(first, others)}; that alone does not make it ` +
    `safe. aws iam update-access-key ${key(first.id)} --status Inactive (undone by --status Active); when for as long as the rarest job takes ` +
    `nothing has missed it, aws iam delete-access-key ${key(first.id)}`;
  const name = (id: string) =>
    policy.adopt === id
      ? 'rotator.config.ts names it already'
      : `put adopt: '${id}' for this user in rotator.config.ts and deploy`;
  const last = others.at(-1);
  const again = `then aws secretsmanager rotate-secret --secret-id ${policy.secretName}`;
  if (past.promoted) {
    return `(1) ${free}, ${again}; or (2) it is in use, and adopted: ${name(first.id)}; the retire pass then disables it when it is quiet, deletes it after the recovery time, and so frees the slot`;
  }
  // Two slots, two keys made by hand, and a third is to be made: adopting alone would free none.
  if (last === undefined) return `${free}, ${again}`;
  const other =
    policy.adopt === ONLY_KEY && past.empty
      ? `${last.id} is then the only key, which '${ONLY_KEY}' adopts without more ado`
      : `${name(last.id)}, or it will hold its slot for ever`;
  return `(1) ${free}; (2) the key in use is adopted, to be retired when nobody uses it any more: ${other}; ${again}. Should ${first.id} be the one in use, the same with the two ids changed over`;
}

function why({ lastUse }: ForeignKey, others: readonly ForeignKey[]): string {
  if (lastUse === undefined) return ', of which no use is known';
  return others.length > 0 ? ', whose last use is the longest ago' : '';
}
