/** Credential reports, made short. */
export const HEADER: readonly string[] = [
  ...['user', 'arn', 'user_creation_time', 'password_enabled', 'password_last_used', 'password_last_changed'],
  ...['password_next_rotation', 'mfa_active'],
  ...['access_key_1_active', 'access_key_1_last_rotated', 'access_key_1_last_used_date'],
  ...['access_key_1_last_used_region', 'access_key_1_last_used_service'],
  ...['access_key_2_active', 'access_key_2_last_rotated', 'access_key_2_last_used_date'],
  ...['access_key_2_last_used_region', 'access_key_2_last_used_service'],
  ...['cert_1_active', 'cert_1_last_rotated', 'cert_2_active', 'cert_2_last_rotated'],
];

/** The fields of a slot without a key. */
export const NONE: readonly string[] = ['false', 'N/A', 'N/A', 'N/A', 'N/A'];
const CERTIFICATES = ['false', 'N/A', 'false', 'N/A'];
const ROOT_ROW = [
  ...['<root_account>', 'arn:aws:iam::111122223333:root', '2020-01-01T00:00:00+00:00', 'not_supported'],
  ...['2026-01-01T00:00:00+00:00', 'not_supported', 'not_supported', 'true'],
];

export function rowOf(user: string, first: readonly string[] = NONE, second: readonly string[] = NONE): string[] {
  const arn = `arn:aws:iam::111122223333:user/${user}`;
  const password = ['true', 'no_information', '2025-01-01T00:00:00+00:00', 'N/A', 'false'];
  return [user, arn, '2025-01-01T00:00:00+00:00', ...password, ...first, ...second, ...CERTIFICATES];
}

/** A whole report. */
export function reportOf(rows: readonly (readonly string[])[], rootKey: readonly string[] = NONE): string {
  const root = [...ROOT_ROW, ...rootKey, ...NONE, ...CERTIFICATES];
  return [HEADER, root, ...rows].map((row) => row.join(',')).join('\n');
}
