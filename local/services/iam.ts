/** IAM: the operations on access keys that this project calls, as its API reference describes them. */
import type { SimulatedAccount } from '../account.ts';
import { type AccessKey, AwsError, type KeyStatus, type Principal, type User } from '../model.ts';
import { optionalText, text } from '../wire/input.ts';
import type { Input, Output } from '../wire/protocols.ts';
import { credentialReportOperations } from './credential-report.ts';
import type { Operation } from './registry.ts';

/** Quota AccessKeysPerUser: it can't be raised, and inactive keys count. */
const KEYS_PER_USER = 2;
const USE_GRANULARITY_MS = 15 * 60_000;

export const iamOperations: Readonly<Record<string, Operation>> = {
  ...credentialReportOperations,

  /** No idempotency token: a repeated call mints another key. */
  CreateAccessKey(account, input, principal) {
    const user = userOf(account, input, principal);
    if (user.keys.length >= KEYS_PER_USER) {
      throw new AwsError('LimitExceeded', `Cannot exceed quota for AccessKeysPerUser: ${KEYS_PER_USER}`, 409);
    }
    const key = account.mint(user);
    return { AccessKey: { ...metadata(key), SecretAccessKey: key.secret } };
  },

  /** Inactive keys stay, count against the quota, and can be made Active again. */
  UpdateAccessKey(account, input, principal) {
    const key = keyOf(userOf(account, input, principal), input);
    const status = text(input, 'Status');
    if (status !== 'Active' && status !== 'Inactive') {
      throw new AwsError(
        'ValidationError',
        `Value '${status}' at 'status' failed to satisfy constraint: [Active, Inactive]`,
      );
    }
    setStatus(account, key, status);
    return {};
  },

  /** Needs the right user: a key of another one does not exist, as far as this call goes. */
  DeleteAccessKey(account, input, principal) {
    const user = userOf(account, input, principal);
    account.drop(user, keyOf(user, input));
    return {};
  },

  ListAccessKeys(account, input, principal) {
    const user = userOf(account, input, principal);
    const start = Number(optionalText(input, 'Marker') ?? 0);
    const end = start + Math.min(Number(optionalText(input, 'MaxItems') ?? 100), account.options.pageSize ?? 100);
    const visible = account.clock.nowMs - (account.options.keyListingLag ?? 0);
    const listed = user.keys.filter(({ createdAt }) => createdAt <= visible);
    const more = end < listed.length;
    return {
      UserName: user.name,
      AccessKeyMetadata: listed.slice(start, end).map(metadata),
      IsTruncated: more,
      ...(more ? { Marker: String(end) } : {}),
    };
  },

  /** Users alone, all on one page. */
  ListEntitiesForPolicy(account, input) {
    const arn = text(input, 'PolicyArn');
    const users = [...account.users.values()].filter(({ attachedPolicies = [] }) => attachedPolicies.includes(arn));
    return { PolicyUsers: users.map(({ name, id }) => ({ UserName: name, UserId: id })), IsTruncated: false };
  },

  /** `LastUsedDate` is absent, and the rest 'N/A', as long as no use is on record. */
  GetAccessKeyLastUsed(account, input) {
    const id = text(input, 'AccessKeyId');
    const key = account.keys.get(id);
    if (key === undefined) throw new AwsError('NoSuchEntity', `The Access Key with id ${id} cannot be found.`, 404);
    const visible = account.clock.nowMs - (account.options.lastUsedLag ?? 0);
    const use = key.uses.findLast(({ at }) => at <= visible);
    const last =
      use === undefined ? { ServiceName: 'N/A', Region: 'N/A' } : { ServiceName: use.service, Region: use.region };
    return {
      UserName: key.userName,
      AccessKeyLastUsed: { ...last, ...(use ? { LastUsedDate: instant(use.at) } : {}) },
    };
  },

  /** The UserId is unique for all time: a user made again under the same name has another. */
  GetUser(account, input, principal) {
    const user = userOf(account, input, principal);
    return {
      User: {
        Path: user.path,
        UserName: user.name,
        UserId: user.id,
        Arn: user.arn,
        CreateDate: instant(user.createdAt),
      },
    };
  },
};

/** Changes a key's status, and says so if it was another. */
export function setStatus(account: SimulatedAccount, key: AccessKey, status: KeyStatus): void {
  if (key.status === status) return;
  key.status = status;
  key.changedAt = account.clock.nowMs;
  if (status === 'Active') key.usableFrom = account.clock.nowMs + (account.options.reactivationDelay ?? 0);
  account.change({ what: 'key-status', userName: key.userName, keyId: key.id, status });
}

/** Records an authenticated use: reports record one use per 15 minutes. */
export function recordUse(account: SimulatedAccount, key: AccessKey, service: string, region: string): void {
  const at = account.clock.nowMs;
  const last = key.uses.at(-1);
  if (last !== undefined && at - last.at < USE_GRANULARITY_MS && last.service === service && last.region === region)
    return;
  const visible = key.uses.findLastIndex((use) => use.at <= at - (account.options.lastUsedLag ?? 0));
  key.uses = [...key.uses.slice(Math.max(visible, 0)), { at, service, region }];
}

/** ARN of the user that a call is about, for judging it against policies. */
export function iamResource(account: SimulatedAccount, action: string, input: Input, principal: Principal): string {
  const keyId = optionalText(input, 'AccessKeyId') ?? '';
  if (action.endsWith('CredentialReport')) return '*';
  const owner =
    action === 'GetAccessKeyLastUsed'
      ? (account.keys.get(keyId)?.userName ?? account.formerOwners.get(keyId))
      : undefined;
  const name = owner ?? optionalText(input, 'UserName') ?? principal.name;
  return account.users.get(name)?.arn ?? `arn:aws:iam::${account.id}:user/${name}`;
}

/** Without a UserName, the user is the one who signed. */
function userOf(account: SimulatedAccount, input: Input, principal: Principal): User {
  const name = optionalText(input, 'UserName') ?? (principal.kind === 'user' ? principal.name : undefined);
  if (name === undefined)
    throw new AwsError('ValidationError', 'Must specify userName when calling with non-User credentials');
  const user = account.users.get(name);
  if (user === undefined) throw new AwsError('NoSuchEntity', `The user with name ${name} cannot be found.`, 404);
  return user;
}

function keyOf(user: User, input: Input): AccessKey {
  const id = text(input, 'AccessKeyId');
  const key = user.keys.find((candidate) => candidate.id === id);
  if (key === undefined) throw new AwsError('NoSuchEntity', `The Access Key with id ${id} cannot be found.`, 404);
  return key;
}

function metadata(key: AccessKey): Output {
  return { UserName: key.userName, AccessKeyId: key.id, Status: key.status, CreateDate: instant(key.createdAt) };
}

/** IAM's dates have the precision of a second. */
function instant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
