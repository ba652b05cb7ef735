/** `iam-key-rotator credentials`: a `credential_process`. */
import { codeOf } from '../code-of.ts';
import { KeyReadError } from '../errors.ts';
import type { RotatedKey } from '../rotated-key.ts';
import { cachePath, identityOf } from './cache-path.ts';
import { credentialDocument } from './document.ts';
import { EXIT_CODES, EXIT_UNEXPECTED } from './exit-codes.ts';
import { help } from './help.ts';
import { type KeyRequest, obtainKey, type SeedCredentials } from './obtain-key.ts';
import { type CredentialsRequest, parseOptions } from './options.ts';
import { asksItself, ProgramError, saidOf } from './program-error.ts';
import type { Terminal } from './terminal.ts';

/** Names the requests that wait for the one that this process answers: who finds itself among them would wait for itself. */
const ASKING = 'IAM_KEY_ROTATOR_ASKING';

/** Reads a secret; `env` is to be set for all that is started meanwhile. @throws KeyReadError, ProgramError */
export type ReadSecret = (
  request: CredentialsRequest,
  env: Readonly<Record<string, string>>,
  credentials?: SeedCredentials,
) => Promise<RotatedKey>;

/**
 * Prints the current key of a secret on stdout, and nothing on failure; problems go to stderr, without anything secret.
 *
 * @returns the exit code
 */
export async function credentials(
  argv: readonly string[],
  terminal: Terminal,
  read: ReadSecret = readWithSdk,
): Promise<number> {
  const { env, clock } = terminal;
  const say = (text: string) => terminal.err(`iam-key-rotator: ${text}\n`);
  try {
    const request = parseOptions(argv);
    if (request === 'help') {
      terminal.out(help());
      return 0;
    }
    const identity = identityOf(request, env);
    const asking = (env[ASKING] ?? '').split(',').filter((one) => one !== '');
    if (asking.includes(identity)) throw asksItself();

    const answer = await obtainKey(keyRequest(request, identity, env), {
      clock,
      fetch: (own) =>
        read(
          request,
          {
            [ASKING]: [...asking, identity].join(','),
            ...(request.profile === undefined ? {} : { AWS_PROFILE: request.profile }),
          },
          own,
        ),
      warn: (text) => say(`warning: ${text}`),
    });
    terminal.out(credentialDocument(answer.key, answer.expiration));
    return 0;
  } catch (error) {
    say(saidOf(error));
    return error instanceof KeyReadError || error instanceof ProgramError ? EXIT_CODES[error.code] : EXIT_UNEXPECTED;
  }
}

function keyRequest(request: CredentialsRequest, identity: string, env: Terminal['env']): KeyRequest {
  const { secretId, ttl, keepFor, ownKey, file } = request;
  const path = file.kind === 'path' ? file.path : file.kind === 'cache' ? cachePath(identity, env) : undefined;
  const seed = ownKey ? seedIn(env) : undefined;
  return {
    ...{ secretId, ttl, keepFor, ownKey },
    ...(path === undefined ? {} : { file: { path, ours: file.kind === 'cache' } }),
    ...(seed === undefined ? {} : { seed }),
  };
}

function seedIn(env: Terminal['env']): SeedCredentials | undefined {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: token } = env;
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(token ? { sessionToken: token } : {}) };
}

const readWithSdk: ReadSecret = async (request, env, own) => {
  // Before the SDK is loaded, which reads the profile then, and starts that profile's credential_process with this environment.
  Object.assign(process.env, env);
  let module: typeof import('./open-secret.ts');
  try {
    module = await import('./open-secret.ts');
  } catch (error) {
    if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ProgramError('SDK_MISSING', {
      found: 'no package @aws-sdk/client-secrets-manager beside this one',
      expected: 'the AWS SDK for JavaScript v3, a peer dependency',
      remedy: 'npm install @aws-sdk/client-secrets-manager',
    });
  }
  return module.readSecret(request, own);
};
