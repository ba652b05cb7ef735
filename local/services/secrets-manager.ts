/** Secrets Manager: versions, staging labels, tags and the listing, as its API reference describes them. */
import type { SimulatedAccount } from '../account.ts';
import { AwsError, type RotationRules, type Secret, type SecretVersion } from '../model.ts';
import { optionalText, records, text, texts } from '../wire/input.ts';
import { type Input, isRecord, type Output } from '../wire/protocols.ts';
import type { Operation } from './registry.ts';

const MAX_VALUE_BYTES = 65_536;
const MAX_TAGS = 50;
const DAY_MS = 86_400_000;
const TAG_CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const invalidParameter = (message: string) => new AwsError('InvalidParameterException', message);
const invalidRequest = (message: string) => new AwsError('InvalidRequestException', message);
const notFound = (message: string) => new AwsError('ResourceNotFoundException', message);

export const secretsManagerOperations: Readonly<Record<string, Operation>> = {
  CreateSecret(account, input) {
    const name = text(input, 'Name');
    if (account.findSecret(name) !== undefined) {
      throw new AwsError('ResourceExistsException', `The operation failed because the secret ${name} already exists.`);
    }
    const now = account.clock.nowMs;
    const arn = `arn:aws:secretsmanager:${account.region}:${account.id}:secret:${name}-${account.random.suffix()}`;
    const maps = { versions: new Map(), labels: new Map(), tags: new Map() };
    const secret: Secret = { arn, name, createdAt: now, lastChangedAt: now, replicaRegions: [], ...maps };
    account.secrets.set(arn, secret);
    account.change({ what: 'secret-created', secret: name });
    tag(account, secret, tagsIn(input));
    const kmsKeyId = optionalText(input, 'KmsKeyId');
    if (kmsKeyId !== undefined) secret.kmsKeyId = kmsKeyId;
    const value = optionalText(input, 'SecretString');
    if (value === undefined) return { ARN: arn, Name: name };
    const version = putValue(account, secret, tokenIn(account, input), value, ['AWSCURRENT']);
    return { ARN: arn, Name: name, VersionId: version.id };
  },

  DescribeSecret(account, input) {
    const secret = secretOf(account, input, 'even if deleted');
    return { ...describe(account, secret), VersionIdsToStages: stages(secret) };
  },

  /** By version, by label, or by both, which then have to agree. A version without a value (a fresh pending one) can't be found. */
  GetSecretValue(account, input) {
    const secret = secretOf(account, input);
    const stage = optionalText(input, 'VersionStage');
    const id = optionalText(input, 'VersionId') ?? secret.labels.get(stage ?? 'AWSCURRENT');
    const version = secret.versions.get(id ?? '');
    if (version?.value === undefined) {
      const wanted = input.VersionId === undefined ? `staging label: ${stage ?? 'AWSCURRENT'}` : `VersionId: ${id}`;
      throw notFound(`Secrets Manager can't find the specified secret value for ${wanted}`);
    }
    if (stage !== undefined && secret.labels.get(stage) !== version.id) {
      throw invalidRequest('You provided a VersionStage that is not associated to the provided VersionId.');
    }
    version.readOn = account.clock.nowMs - (account.clock.nowMs % DAY_MS);
    const body = {
      SecretString: version.value,
      VersionStages: labelsOf(secret, version.id),
      CreatedDate: version.createdAt / 1000,
    };
    return { ARN: secret.arn, Name: secret.name, VersionId: version.id, ...body };
  },

  /** The same token with the same data is ignored, with other data refused. Without VersionStages it moves AWSCURRENT. */
  PutSecretValue(account, input) {
    const secret = secretOf(account, input);
    const version = putValue(
      account,
      secret,
      tokenIn(account, input),
      text(input, 'SecretString'),
      texts(input, 'VersionStages'),
    );
    return { ARN: secret.arn, Name: secret.name, VersionId: version.id, VersionStages: labelsOf(secret, version.id) };
  },

  /** The version that the label leaves has to be named; moving AWSCURRENT moves AWSPREVIOUS along. */
  UpdateSecretVersionStage(account, input) {
    const secret = secretOf(account, input);
    const label = text(input, 'VersionStage');
    const from = optionalText(input, 'RemoveFromVersionId');
    const to = optionalText(input, 'MoveToVersionId');
    const holder = secret.labels.get(label);
    if (from === undefined && to === undefined)
      throw invalidParameter('Either RemoveFromVersionId or MoveToVersionId is needed.');
    if (to !== undefined && !secret.versions.has(to))
      throw notFound(`Secrets Manager can't find the specified secret version: ${to}`);
    if (from !== undefined && holder !== from)
      throw invalidParameter(`The staging label ${label} isn't attached to version ${from}.`);
    if (from === undefined && holder !== undefined && holder !== to) {
      throw invalidParameter(
        `The parameter RemoveFromVersionId can't be empty. Staging label ${label} is currently attached to version ${holder}, so you must explicitly reference that version in RemoveFromVersionId.`,
      );
    }
    if (to === undefined && label === 'AWSCURRENT') {
      throw invalidParameter(
        "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
      );
    }
    moveLabel(account, secret, label, to);
    return { ARN: secret.arn, Name: secret.name };
  },

  /** Up to 100 a page; it may lag minutes behind DescribeSecret. Secrets that are to be deleted are left out unless IncludePlannedDeletion asks for them. */
  ListSecrets(account, input) {
    const filters = (records(input, 'Filters') ?? []).map((filter) => ({
      key: text(filter, 'Key'),
      values: texts(filter, 'Values') ?? [],
    }));
    const all = [...account.secrets.values()]
      .map((secret) => account.listed(secret, input.IncludePlannedDeletion === true))
      .filter((entry) => entry !== undefined);
    const found = all.filter((entry) => filters.every(({ key, values }) => passes(entry, key, values)));
    const start = Number(optionalText(input, 'NextToken') ?? 0);
    const end = start + Math.min(Number(input.MaxResults ?? 100), account.options.pageSize ?? 100);
    return { SecretList: found.slice(start, end), ...(end < found.length ? { NextToken: String(end) } : {}) };
  },

  /**
   * Versions with a label; with IncludeDeprecated all. LastAccessedDate has "resolution at the date level and does not include the time", and is
   * absent of what was never read. Up to 100 a page.
   *
   * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecretVersionIds.html
   */
  ListSecretVersionIds(account, input) {
    const secret = secretOf(account, input, 'even if deleted');
    const found = [...secret.versions.values()].filter(
      ({ id }) => input.IncludeDeprecated === true || labelsOf(secret, id).length > 0,
    );
    const start = Number(optionalText(input, 'NextToken') ?? 0);
    const end = start + Math.min(Number(input.MaxResults ?? 100), account.options.pageSize ?? 100);
    return {
      ARN: secret.arn,
      Name: secret.name,
      Versions: found.slice(start, end).map(({ id, createdAt, readOn }) => ({
        VersionId: id,
        VersionStages: labelsOf(secret, id),
        CreatedDate: createdAt / 1000,
        ...(readOn === undefined ? {} : { LastAccessedDate: readOn / 1000 }),
      })),
      ...(end < found.length ? { NextToken: String(end) } : {}),
    };
  },

  TagResource(account, input) {
    tag(account, secretOf(account, input), tagsIn(input));
    return {};
  },

  UntagResource(account, input) {
    const secret = secretOf(account, input);
    for (const key of texts(input, 'TagKeys') ?? []) {
      if (secret.tags.delete(key)) account.change({ what: 'tag-removed', secret: secret.name, key });
    }
    return {};
  },

  /** Configures the rotation; then starts one, or with RotateImmediately=false only tests. The caller does not wait for it. */
  RotateSecret(account, input) {
    const secret = secretOf(account, input);
    const lambdaArn = optionalText(input, 'RotationLambdaARN') ?? secret.rotation?.lambdaArn;
    if (lambdaArn === undefined)
      throw invalidRequest('No Lambda rotation function ARN is associated with this secret.');
    const rules = rulesIn(input) ?? secret.rotation?.rules ?? {};
    const token = tokenIn(account, input);
    account.rotation.request(secret, { enabled: true, lambdaArn, rules }, token, input.RotateImmediately !== false);
    return { ARN: secret.arn, Name: secret.name, VersionId: token };
  },

  /** Turns automatic rotation off, and abandons one that is under way; its AWSPENDING may stay behind. */
  CancelRotateSecret(account, input) {
    const secret = secretOf(account, input);
    account.rotation.cancel(secret);
    return { ARN: secret.arn, Name: secret.name };
  },

  /** Only marks it: until the recovery window is over the secret can be restored, but not be used. */
  DeleteSecret(account, input) {
    const secret = secretOf(account, input);
    secret.deletedAt = account.clock.nowMs;
    account.change({ what: 'secret-deleted', secret: secret.name });
    account.rotation.cancel(secret);
    return {
      ARN: secret.arn,
      Name: secret.name,
      DeletionDate: secret.deletedAt / 1000 + Number(input.RecoveryWindowInDays ?? 30) * 86_400,
    };
  },

  /** "Cancels the scheduled deletion of a secret": https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RestoreSecret.html */
  RestoreSecret(account, input) {
    const secret = secretOf(account, input, 'even if deleted');
    delete secret.deletedAt;
    account.change({ what: 'secret-restored', secret: secret.name });
    return { ARN: secret.arn, Name: secret.name };
  },
};

/** The entry that ListSecrets shows for a secret, as it is now. */
export function listing(account: SimulatedAccount, secret: Secret): Output {
  return { ...describe(account, secret), SecretVersionsToStages: stages(secret) };
}

/** Labels a version (or, without one, none); AWSCURRENT leaves AWSPREVIOUS behind. */
export function moveLabel(account: SimulatedAccount, secret: Secret, label: string, to: string | undefined): void {
  const from = secret.labels.get(label);
  if (from === to) return;
  if (to === undefined) secret.labels.delete(label);
  else secret.labels.set(label, to);
  secret.lastChangedAt = account.clock.nowMs;
  account.change({ what: 'label-moved', secret: secret.name, label, ...(from ? { from } : {}), ...(to ? { to } : {}) });
  if (label === 'AWSCURRENT' && from !== undefined) moveLabel(account, secret, 'AWSPREVIOUS', from);
}

/** Adds an empty version, as a rotation does for its token. */
export function addVersion(account: SimulatedAccount, secret: Secret, id: string): SecretVersion {
  const version: SecretVersion = { id, createdAt: account.clock.nowMs };
  secret.versions.set(id, version);
  account.change({ what: 'version-created', secret: secret.name, version: id });
  return version;
}

/** ARN of the secret that a call is about, for judging it against policies; `*` where the API has no resource. */
export function secretResource(account: SimulatedAccount, input: Input): string {
  const id = optionalText(input, 'SecretId') ?? optionalText(input, 'Name');
  if (id === undefined) return '*';
  const prefix = `arn:aws:secretsmanager:${account.region}:${account.id}:secret:`;
  return account.findSecret(id)?.arn ?? (id.startsWith('arn:') ? id : `${prefix}${id}-??????`);
}

/** Condition keys that AWS sets for a call of Secrets Manager. */
export function secretContext(account: SimulatedAccount, input: Input): Record<string, string | string[]> {
  const context: Record<string, string | string[]> = {};
  const secret = account.findSecret(optionalText(input, 'SecretId') ?? '');
  for (const [key, value] of secret?.tags ?? []) {
    context[`aws:ResourceTag/${key}`] = value;
    context[`secretsmanager:ResourceTag/${key}`] = value;
  }
  for (const name of ['SecretId', 'VersionId', 'VersionStage', 'Name'] as const) {
    const value = input[name];
    if (typeof value === 'string')
      context[`secretsmanager:${name}`] = name === 'SecretId' && secret ? secret.arn : value;
  }
  const tags = tagsIn(input);
  for (const [key, value] of tags) context[`aws:RequestTag/${key}`] = value;
  const keys = [...tags.map(([key]) => key), ...(texts(input, 'TagKeys') ?? [])];
  if (keys.length > 0) context['aws:TagKeys'] = keys;
  return context;
}

function putValue(
  account: SimulatedAccount,
  secret: Secret,
  token: string,
  value: string,
  labels: readonly string[] | undefined,
): SecretVersion {
  if (Buffer.byteLength(value) > MAX_VALUE_BYTES) {
    throw new AwsError(
      'ValidationException',
      `Value at 'secretString' must have length less than or equal to ${MAX_VALUE_BYTES}`,
    );
  }
  const known = secret.versions.get(token);
  if (known?.value === value) return known;
  if (known?.value !== undefined) {
    throw new AwsError(
      'ResourceExistsException',
      `You can't use ClientRequestToken ${token} because that value is already in use for a version of secret ${secret.arn}.`,
    );
  }
  const version = known ?? addVersion(account, secret, token);
  version.value = value;
  secret.lastChangedAt = account.clock.nowMs;
  account.change({ what: 'version-filled', secret: secret.name, version: token });
  // The very first version always becomes the current one.
  const first = secret.labels.has('AWSCURRENT') ? [] : ['AWSCURRENT'];
  for (const label of new Set([...(labels ?? ['AWSCURRENT']), ...first])) moveLabel(account, secret, label, token);
  return version;
}

function secretOf(account: SimulatedAccount, input: Input, deleted?: 'even if deleted'): Secret {
  const secret = account.findSecret(text(input, 'SecretId'));
  if (secret === undefined) throw notFound("Secrets Manager can't find the specified secret.");
  if (secret.deletedAt !== undefined && deleted === undefined) {
    throw invalidRequest("You can't perform this operation on the secret because it was marked for deletion.");
  }
  return secret;
}

function tokenIn(account: SimulatedAccount, input: Input): string {
  const token = optionalText(input, 'ClientRequestToken') ?? account.random.uuid();
  if (token.length < 32 || token.length > 64)
    throw invalidParameter('ClientRequestToken must be 32-64 characters long.');
  return token;
}

function rulesIn(input: Input): RotationRules | undefined {
  const rules = input.RotationRules;
  if (!isRecord(rules)) return undefined;
  const days = rules.AutomaticallyAfterDays;
  const expression = optionalText(rules, 'ScheduleExpression');
  const duration = optionalText(rules, 'Duration');
  if (days !== undefined && expression !== undefined) {
    throw invalidParameter('You can specify either AutomaticallyAfterDays or ScheduleExpression, not both.');
  }
  return {
    ...(days === undefined ? {} : { AutomaticallyAfterDays: Number(days) }),
    ...(expression === undefined ? {} : { ScheduleExpression: expression }),
    ...(duration === undefined ? {} : { Duration: duration }),
  };
}

function tagsIn(input: Input): [string, string][] {
  return (records(input, 'Tags') ?? []).map((entry) => [text(entry, 'Key'), optionalText(entry, 'Value') ?? '']);
}

/** 50 tags a secret, keys of 128 and values of 256 characters, out of letters, digits, spaces and `+ - = . _ : / @`. */
function tag(account: SimulatedAccount, secret: Secret, tags: readonly [string, string][]): void {
  for (const [key, value] of tags) {
    if (key.length > 128 || value.length > 256) throw new AwsError('ValidationException', `Tag too long: ${key}`);
    if (!TAG_CHARACTERS.test(key) || !TAG_CHARACTERS.test(value) || /^aws:/i.test(key)) {
      throw invalidParameter(`Tag keys and values have letters, digits, spaces and _.:/=+-@ and no prefix aws: ${key}`);
    }
  }
  if (new Set([...secret.tags.keys(), ...tags.map(([key]) => key)]).size > MAX_TAGS) {
    throw invalidParameter(`A secret can have at most ${MAX_TAGS} tags.`);
  }
  for (const [key, value] of tags) {
    secret.tags.set(key, value);
    account.change({ what: 'tag-set', secret: secret.name, key });
  }
}

function labelsOf(secret: Secret, version: string): string[] {
  return [...secret.labels].flatMap(([label, holder]) => (holder === version ? [label] : []));
}

function stages(secret: Secret): Record<string, string[]> {
  return Object.fromEntries(
    [...new Set(secret.labels.values())].map((version) => [version, labelsOf(secret, version)]),
  );
}

function describe(account: SimulatedAccount, secret: Secret): Output {
  const dates = {
    LastRotatedDate: secret.lastRotatedAt,
    NextRotationDate: secret.nextRotationAt,
    DeletedDate: secret.deletedAt,
  };
  return {
    ARN: secret.arn,
    Name: secret.name,
    ...(secret.kmsKeyId ? { KmsKeyId: secret.kmsKeyId } : {}),
    RotationEnabled: secret.rotation?.enabled ?? false,
    ...(secret.rotation ? { RotationLambdaARN: secret.rotation.lambdaArn, RotationRules: secret.rotation.rules } : {}),
    CreatedDate: secret.createdAt / 1000,
    LastChangedDate: secret.lastChangedAt / 1000,
    ...Object.fromEntries(Object.entries(dates).flatMap(([name, at]) => (at === undefined ? [] : [[name, at / 1000]]))),
    Tags: [...secret.tags].map(([Key, Value]) => ({ Key, Value })),
    PrimaryRegion: account.region,
  };
}

/** A filter's values match as prefixes, and any one suffices; a leading `!` negates. */
function passes(entry: Output, key: string, values: readonly string[]): boolean {
  const tags = records(entry, 'Tags') ?? [];
  const texts: Record<string, unknown[]> = {
    name: [entry.Name],
    'tag-key': tags.map((tag) => tag.Key),
    'tag-value': tags.map((tag) => tag.Value),
  };
  const candidates = texts[key];
  if (candidates === undefined) throw invalidParameter(`The filter ${key} is not simulated.`);
  return values.some((value) => {
    const prefix = value.replace(/^!/, '');
    return candidates.some((candidate) => String(candidate).startsWith(prefix)) !== value.startsWith('!');
  });
}
