/** Where the program keeps keys, if nobody says where. */
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { CredentialsRequest } from './options.ts';
import type { Terminal } from './terminal.ts';

/**
 * Tells two requests apart that may have different answers: by the secret, and by all that says in which account and Region it is looked
 * for. A digest, so that the name of a secret isn't the name of a file.
 */
export function identityOf(request: CredentialsRequest, env: Terminal['env']): string {
  const parts = [
    request.secretId,
    request.region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION,
    request.endpoint ?? env.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? env.AWS_ENDPOINT_URL,
    request.profile ?? env.AWS_PROFILE,
    env.AWS_CONFIG_FILE,
    env.AWS_SHARED_CREDENTIALS_FILE,
    env.AWS_ROLE_ARN,
    request.fields?.accessKeyId,
    request.fields?.secretAccessKey,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/**
 * @returns undefined if no home directory is known
 * @see https://specifications.freedesktop.org/basedir-spec/latest/ for XDG_CACHE_HOME, which counts only if it is absolute
 */
export function cachePath(identity: string, env: Terminal['env']): string | undefined {
  const { XDG_CACHE_HOME: xdg = '', HOME: home = homeOfUser() } = env;
  const folder = isAbsolute(xdg) ? xdg : home === '' ? undefined : join(home, '.cache');
  return folder === undefined ? undefined : join(folder, 'iam-key-rotator', `${identity}.json`);
}

function homeOfUser(): string {
  try {
    return homedir();
  } catch {
    // Containers run under ids that no user has.
    return '';
  }
}
