/** Secrets that look as if they had been rotated, without the time that real rotations take: thousands of them make up a busy account. */
import { sesSmtpPassword } from '../lambdas/adapters/ses-smtp.ts';
import { DEFAULT_FORMAT } from '../lambdas/contract/formats.ts';
import { TAGS } from '../lambdas/contract/names.ts';
import { entryTag, type LedgerEntry } from '../lambdas/domain/ledger.ts';
import { AWSCURRENT } from '../lambdas/domain/model.ts';
import { renderValue } from '../lambdas/domain/secret-value.ts';
import type { SimulatedAccount } from '../local/account.ts';

interface Key {
  readonly userName: string;
  readonly secretName: string;
}

/** Mints a key for the user, who is created if need be, and makes it the secret's current one as of now, as a rotation leaves it behind. */
export function promoteNewKey(account: SimulatedAccount, { userName, secretName }: Key): void {
  const user = account.users.get(userName) ?? account.createUser(userName);
  const superseded = currentEntry(account, secretName);
  const { accessKeyId, secretAccessKey } = account.createAccessKey(userName);
  const now = account.clock.now();
  const value = renderValue(
    { id: accessKeyId, secret: secretAccessKey, created: now },
    { userName, format: DEFAULT_FORMAT },
    {},
    sesSmtpPassword,
  );
  account.operate('secretsmanager', 'PutSecretValue', { SecretId: secretName, SecretString: value });
  const version = versionOf(account, secretName);
  const tags = {
    ...entryTag({ keyId: accessKeyId, version, minted: now, promoted: now }),
    ...(superseded && entryTag({ ...superseded, superseded: { at: now, by: accessKeyId } })),
    [TAGS.userId]: user.id,
  };
  account.operate('secretsmanager', 'TagResource', {
    SecretId: secretName,
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
  });
}

/** The entry of the current key, if the secret holds one. */
function currentEntry(account: SimulatedAccount, secretName: string): LedgerEntry | undefined {
  const value: { AccessKeyId?: string } = JSON.parse(account.valueOf(secretName) ?? '{}');
  if (value.AccessKeyId === undefined) return undefined;
  return { keyId: value.AccessKeyId, version: versionOf(account, secretName) };
}

function versionOf(account: SimulatedAccount, secretName: string): string {
  const version = account.findSecret(secretName)?.labels.get(AWSCURRENT);
  if (version === undefined) throw new Error(`no current version in ${secretName}`);
  return version;
}
