/** The options of `iam-key-rotator credentials`: what they are called, what they say, and what is made of them. */
import { parseArgs } from 'node:util';
import { KeyReadError } from '../errors.ts';
import type { KeyFields } from '../rotated-key.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNITS: Readonly<Record<string, number>> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY };

const TTL = '5m';
const KEEP_FOR = '1d';
/** A process for each few requests would cost more than any application gains by it. */
const LEAST_TTL = 30 * SECOND;
/** As long as an access key can be expected to live. */
const MOST = 90 * DAY;

/** Every option; `value` is the word for its value in the help, absent for a switch. */
export const OPTIONS = {
  'secret-id': { value: 'NAME', says: 'name or ARN of the secret; an ARN tells the Region, too' },
  region: { value: 'REGION', says: 'Region of the secret (default: that of the ARN, else as every SDK finds it)' },
  profile: { value: 'PROFILE', says: 'profile whose credentials read the secret (default: as every SDK finds them)' },
  ttl: { value: 'TIME', says: `how old a key may get before the secret is read again (default: ${TTL})` },
  'keep-for': {
    value: 'TIME',
    says: `how old a key may get while the secret can't be read (default: ${KEEP_FOR})`,
  },
  file: { value: 'PATH', says: 'where the key is kept (default: in the cache folder of this user)' },
  'no-file': { says: 'keep the key nowhere; each start reads the secret' },
  'own-key': { says: 'read the secret with the very key that it holds, out of --file' },
  fields: { value: 'ID,SECRET', says: 'fields of the value that hold the key (default: those of the built-in forms)' },
  'endpoint-url': { value: 'URL', says: 'endpoint of Secrets Manager' },
  help: { says: 'this text' },
  version: { says: 'version of the package' },
} as const satisfies Readonly<Record<string, { readonly value?: string; readonly says: string }>>;

/** What to read, and how. Times in ms. */
export interface CredentialsRequest {
  readonly secretId: string;
  readonly region?: string;
  readonly profile?: string;
  readonly endpoint?: string;
  readonly fields?: KeyFields;
  readonly ttl: number;
  readonly keepFor: number;
  /** Where the key is kept: `cache` leaves the place to the program. */
  readonly file: { readonly kind: 'none' | 'cache' } | { readonly kind: 'path'; readonly path: string };
  readonly ownKey: boolean;
}

export type Parsed = 'help' | CredentialsRequest;

/** @throws KeyReadError BAD_OPTION */
export function parseOptions(argv: readonly string[]): Parsed {
  const values = parse(argv);
  if (values.help === true) return 'help';

  const { 'secret-id': secretId, file, 'no-file': noFile = false, 'own-key': ownKey = false } = values;
  if (secretId === undefined || secretId === '') {
    throw bad('no --secret-id', 'the name or ARN of a secret', 'add --secret-id <name or ARN>');
  }
  for (const name of ['file', 'region', 'profile'] as const) {
    if (values[name] === '') throw bad(`an empty --${name}`, OPTIONS[name].says, `give one, or leave --${name} out`);
  }
  if (file !== undefined && noFile) throw bad('both --file and --no-file', 'one of them', 'leave one out');
  if (ownKey && file === undefined) {
    throw bad(
      '--own-key without --file',
      'a file that holds the key from one start to the next, in a place that nobody clears',
      'add --file <path>, in a folder that only this user may write to',
    );
  }
  if (ownKey && values.profile !== undefined) {
    throw bad(
      'both --own-key and --profile',
      'one way to read the secret: the key in --file, or a profile',
      'leave one out',
    );
  }
  const ttl = duration('ttl', values.ttl ?? TTL, LEAST_TTL);
  const keepFor = duration('keep-for', values['keep-for'] ?? KEEP_FOR, 0);
  if (keepFor < ttl && values['keep-for'] !== undefined) {
    throw bad(
      `--keep-for ${values['keep-for']} shorter than --ttl ${values.ttl ?? TTL}`,
      'a key that may be kept at least as long as it is fresh',
      'give a longer --keep-for, or a shorter --ttl',
    );
  }
  const region = values.region ?? regionOf(secretId);
  const endpoint = values['endpoint-url'];
  if (endpoint !== undefined && !(/^https?:/.test(endpoint) && URL.canParse(endpoint))) {
    throw bad('an --endpoint-url that is no URL', 'https://… (or http://… for tests)', 'correct it');
  }
  return {
    secretId,
    ...(region === undefined ? {} : { region }),
    ...(values.profile === undefined ? {} : { profile: values.profile }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(values.fields === undefined ? {} : { fields: fieldsIn(values.fields) }),
    ttl,
    keepFor: Math.max(keepFor, ttl),
    file: noFile ? { kind: 'none' } : file === undefined ? { kind: 'cache' } : { kind: 'path', path: file },
    ownKey,
  };
}

function parse(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const on = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...argv],
      // Written out, not made from the table: only so does the compiler know the type of each value.
      options: {
        ...{ 'secret-id': text, region: text, profile: text, ttl: text, 'keep-for': text, file: text },
        ...{ 'no-file': on, 'own-key': on, fields: text, 'endpoint-url': text, help: { ...on, short: 'h' } },
      },
    }).values;
  } catch (error) {
    // Node's message quotes the argument. None is secret, unless somebody gave a key where none belongs.
    const named = error instanceof Error ? /'(-[^ '=]*)/.exec(error.message)?.[1] : undefined;
    throw bad(
      named === undefined ? 'an argument that is no option' : `the option '${named}', unknown or wrongly used`,
      'the options that --help lists, as --name value',
      'correct it',
    );
  }
}

/** @param least in ms */
function duration(name: string, text: string, least: number): number {
  const [, amount, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const ms = Number(amount) * (UNITS[unit] ?? Number.NaN);
  if (!(ms >= least && ms <= MOST)) {
    throw bad(
      `--${name} ${text}`,
      `a whole number and s, m, h or d, from ${least / SECOND}s to ${MOST / DAY}d`,
      'give it as 5m or 12h',
    );
  }
  return ms;
}

function fieldsIn(text: string): KeyFields {
  const [accessKeyId, secretAccessKey, ...more] = text.split(',').map((field) => field.trim());
  if (!accessKeyId || !secretAccessKey || more.length > 0) {
    throw bad(
      `--fields with ${text === '' ? 'nothing' : 'other than two names'}`,
      'two names of fields with a comma between: that of the access key id, then that of the secret access key',
      'give it as --fields KEY_ID,SECRET_KEY',
    );
  }
  return { accessKeyId, secretAccessKey };
}

/** `arn:aws:secretsmanager:<Region>:…` */
const regionOf = (secretId: string) => /^arn:[^:]+:secretsmanager:([^:]+):/.exec(secretId)?.[1];

const bad = (found: string, expected: string, remedy: string) =>
  new KeyReadError('BAD_OPTION', {
    found,
    expected,
    remedy: `${remedy}; see iam-key-rotator credentials --help`,
  });
