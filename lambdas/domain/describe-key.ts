/** A key in words, for messages that people act on. */

import { type AccessKey, iso, type LastUse } from './model.ts';
import type { Role } from './roles.ts';

const DAY = 86_400_000;

/** For example `AKIA… (stranger, Active, 412 days old, last used 2026-01-02T03:04:05Z with s3 in eu-central-1)`. */
export function describeKey(key: AccessKey, role: Role, lastUse: LastUse | undefined, now: Date): string {
  const days = Math.max(0, Math.floor((now.getTime() - key.created.getTime()) / DAY));
  const use =
    lastUse === undefined ? 'never used' : `last used ${iso(lastUse.at)} with ${lastUse.service} in ${lastUse.region}`;
  return `${key.id} (${role}, ${key.status}, ${days} ${days === 1 ? 'day' : 'days'} old, ${use})`;
}
