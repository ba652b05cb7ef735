/**
 * The ledger: what neither IAM nor Secrets Manager remembers, in tags on the secret. See docs/adr/0001-ledger-in-tags.md.
 *
 * A key's entry names the version that holds it, so the key's role is derived from the version's labels and never stored.
 */
import { TAGS } from '../contract/names.ts';
import { RotatorError } from './errors.ts';
import { AWSCURRENT, after, hasLabel, iso, type Labels, type LastUse } from './model.ts';

/** What is remembered of one key of ours. */
export interface LedgerEntry {
  readonly keyId: string;
  /** The version that holds the key. Absent for an adopted key: no version ever held it. */
  readonly version?: string;
  readonly minted?: Date;
  readonly promoted?: Date;
  /** Since when another key is current, and which. Another `by` than today's current key makes the date stale. */
  readonly superseded?: { readonly at: Date; readonly by: string };
  readonly disabled?: Date;
  /** Only of an adopted key, which the configuration goes on naming: its life is over. */
  readonly deleted?: Date;
}

/** Written before CreateAccessKey. Unresolved while `minted` is absent: nobody knows yet whether a key came of it. */
export interface Intent {
  /** Id of the run that wrote it. */
  readonly run: string;
  readonly token: string;
  readonly at: Date;
  /** The ids of the user's keys just before. */
  readonly before: readonly string[];
  /** The key that came of it and is safely stored. */
  readonly minted?: string;
}

/** Written by testSecret: STS has identified the key of this token's version. */
export interface Evidence {
  readonly token: string;
  readonly keyId: string;
  readonly account: string;
  readonly userId: string;
  readonly at: Date;
}

/** Who says that a key is leaked: AWS Health, AWS's quarantine policy on the user, or an operator. */
export const LEAK_SIGNALS = ['health', 'quarantine', 'operator'] as const;
export type LeakSignal = (typeof LEAK_SIGNALS)[number];

/** Written as soon as a leak of the key is reported. See docs/adr/0019-containment-beats-recovery.md. */
export interface Leak {
  readonly keyId: string;
  /** When the rotator heard of it. */
  readonly at: Date;
  readonly signal: LeakSignal;
}

export interface Ledger {
  readonly entries: ReadonlyMap<string, LedgerEntry>;
  /** The keys that are known to be leaked, by id. A mark makes no key ours: what is not ours stays as it is, marked or not. */
  readonly leaks: ReadonlyMap<string, Leak>;
  readonly intents: readonly Intent[];
  readonly evidence?: Evidence;
  /** The unique id of the user, pinned at the first promotion. */
  readonly userId?: string;
}

/** Tags as Secrets Manager takes them. */
export type Tags = Record<string, string>;

/** Listed key ids are joined by this: a comma is not allowed in a tag. */
const JOIN = '/';

/** Who may put a tag of the ledger right by hand: the secret's policy denies it to others. See docs/adr/0010-the-ledger-is-closed.md. */
export const BY_LEDGER_OPERATORS = 'with a role of ledgerOperators in rotator.config.ts';

/** The tag of a key's entry. */
export function keyTag(keyId: string): string {
  return `${TAGS.keyPrefix}${keyId}`;
}

/**
 * Reads the ledger out of a secret's tags; other tags are none of its business.
 *
 * @throws RotatorError LEDGER_MALFORMED: a damaged entry is never taken for "none".
 */
export function parseLedger(tags: Readonly<Record<string, string>>): Ledger {
  const entries = new Map<string, LedgerEntry>();
  const leaks = new Map<string, Leak>();
  const intents: Intent[] = [];
  for (const [tag, value] of Object.entries(tags)) {
    if (tag.startsWith(TAGS.keyPrefix)) {
      const keyId = tag.slice(TAGS.keyPrefix.length);
      entries.set(keyId, parseEntry(keyId, new Fields(tag, value)));
    }
    if (tag.startsWith(TAGS.leakPrefix)) {
      const keyId = tag.slice(TAGS.leakPrefix.length);
      leaks.set(keyId, parseLeak(keyId, new Fields(tag, value)));
    }
    if (tag.startsWith(TAGS.intentPrefix)) {
      intents.push(parseIntent(tag.slice(TAGS.intentPrefix.length), new Fields(tag, value)));
    }
  }
  const verified = tags[TAGS.verified];
  const userId = tags[TAGS.userId];
  return {
    entries,
    leaks,
    intents,
    ...(verified !== undefined && { evidence: parseEvidence(new Fields(TAGS.verified, verified)) }),
    ...(userId !== undefined && { userId }),
  };
}

/** The entry whose key the version holds. */
export function entryOf(ledger: Ledger, version: string | undefined): LedgerEntry | undefined {
  return version === undefined ? undefined : [...ledger.entries.values()].find((entry) => entry.version === version);
}

/** The announcements of which nobody knows yet what came of them. */
export function unresolved(ledger: Ledger): readonly Intent[] {
  return ledger.intents.filter((intent) => intent.minted === undefined);
}

/**
 * The unique id of the user whose key was promoted first. The promotion itself pins it by a tag; should that have been lost with its run, the
 * evidence on the version that is current says the same.
 */
export function pinnedUserId(ledger: Ledger, labels: Labels): string | undefined {
  const { evidence } = ledger;
  if (ledger.userId !== undefined || evidence === undefined) return ledger.userId;
  return hasLabel(labels, evidence.token, AWSCURRENT) ? evidence.userId : undefined;
}

/** The tag that records an entry. */
export function entryTag(entry: LedgerEntry): Tags {
  return {
    [keyTag(entry.keyId)]: render({
      version: entry.version,
      minted: entry.minted,
      promoted: entry.promoted,
      superseded: entry.superseded?.at,
      by: entry.superseded?.by,
      disabled: entry.disabled,
      deleted: entry.deleted,
    }),
  };
}

/** The tags that record entries. */
export function entryTags(entries: readonly LedgerEntry[]): Tags {
  return Object.assign({}, ...entries.map(entryTag));
}

/** The tag of a leak. */
export function leakTagKey(keyId: string): string {
  return `${TAGS.leakPrefix}${keyId}`;
}

/** The tag that records a leak. */
export function leakTag({ keyId, at, signal }: Leak): Tags {
  return { [leakTagKey(keyId)]: render({ at, signal }) };
}

/** The tags that go when the key has gone. */
export function tagsOf(keyId: string, { leaks }: Pick<Ledger, 'leaks'>): string[] {
  return leaks.has(keyId) ? [keyTag(keyId), leakTagKey(keyId)] : [keyTag(keyId)];
}

/** The tag of an intent. */
export function intentTagKey(intent: Pick<Intent, 'run'>): string {
  return `${TAGS.intentPrefix}${intent.run}`;
}

/** The tag that records an intent. */
export function intentTag(intent: Intent): Tags {
  return {
    [intentTagKey(intent)]: render({
      token: intent.token,
      at: intent.at,
      before: intent.before.length > 0 ? intent.before.join(JOIN) : undefined,
      minted: intent.minted,
    }),
  };
}

/** The tag that records the evidence of testSecret. */
export function evidenceTag(evidence: Evidence): Tags {
  return {
    [TAGS.verified]: render({
      token: evidence.token,
      key: evidence.keyId,
      account: evidence.account,
      user: evidence.userId,
      at: evidence.at,
    }),
  };
}

/** Seconds within which the announced call leaves, or is given up; its request times out 10 s later (adapters/clients.ts). */
export const ANNOUNCED_FOR = 15;
/** Seconds after its announcement by which a mint has taken effect, if it ever does: the above, its time-out, and clocks that differ. */
const EFFECTIVE_WITHIN = 60;
/** Seconds by which two clocks may differ, of Lambda and IAM or of two runs. Keys that are older than an intent by more were there before. */
export const CLOCK_TOLERANCE = 60;
/** Seconds for which a request that left just before the function's timeout may still be on its way. */
const IN_FLIGHT = 60;

/** Seconds within which IAM may not list a key yet. Propagation takes seconds; this is generous. */
export const LISTING_LAG = 900;

/** When the run that wrote the intent is certainly over, and with it any key that may come of it. `rotateTimeout` in seconds. */
export function settledAt(intent: Intent, rotateTimeout: number): Date {
  return after(intent.at, rotateTimeout + IN_FLIGHT);
}

/**
 * An announcement whose run may still be at work; while there is one, nothing is minted and no orphan cleared. One that is dated later than
 * clocks can differ was not written by a run: it keeps nobody waiting.
 */
export function unsettled(ledger: Ledger, rotateTimeout: number, now: Date): Intent | undefined {
  return unresolved(ledger).find((intent) => isOpen(intent, rotateTimeout, now));
}

/** True while the run that wrote the intent may still be at work. `rotateTimeout` in seconds. */
export function isOpen(intent: Intent, rotateTimeout: number, now: Date): boolean {
  return intent.at <= after(now, CLOCK_TOLERANCE) && now < settledAt(intent, rotateTimeout);
}

/** When a wait that began at `since` is surely over, by whichever clock: for what can't be undone. `seconds` as the policy has them. */
export function surelyAfter(since: Date, seconds: number): Date {
  return after(since, seconds + CLOCK_TOLERANCE);
}

/** True when somebody used the key after it had been disabled, so that its recovery time did not begin when the ledger says. */
export function usedWhileDisabled(entry: LedgerEntry | undefined, lastUse: LastUse | undefined): boolean {
  return entry?.disabled !== undefined && lastUse !== undefined && lastUse.at > entry.disabled;
}

/** True when a key with this creation date can have come of the intent. */
export function mayComeOf(intent: Intent, key: { readonly id: string; readonly created: Date }): boolean {
  return (
    !intent.before.includes(key.id) &&
    key.created >= after(intent.at, -CLOCK_TOLERANCE) &&
    key.created <= after(intent.at, EFFECTIVE_WITHIN)
  );
}

function parseEntry(keyId: string, fields: Fields): LedgerEntry {
  const version = fields.text('version');
  const minted = fields.date('minted');
  const promoted = fields.date('promoted');
  const at = fields.date('superseded');
  const by = fields.text('by');
  const disabled = fields.date('disabled');
  const deleted = fields.date('deleted');
  const superseded = at !== undefined && by !== undefined ? { at, by } : undefined;
  if (superseded === undefined && (at ?? by) !== undefined) throw fields.malformed("'superseded' and 'by' together");
  return {
    keyId,
    ...(version !== undefined && { version }),
    ...(minted !== undefined && { minted }),
    ...(promoted !== undefined && { promoted }),
    ...(superseded !== undefined && { superseded }),
    ...(disabled !== undefined && { disabled }),
    ...(deleted !== undefined && { deleted }),
  };
}

function parseLeak(keyId: string, fields: Fields): Leak {
  const signal = LEAK_SIGNALS.find((known) => known === fields.text('signal'));
  return {
    keyId,
    at: fields.required('at', fields.date('at')),
    signal: fields.required('signal', signal),
  };
}

function parseIntent(run: string, fields: Fields): Intent {
  const minted = fields.text('minted');
  const before = fields.text('before');
  return {
    run,
    token: fields.required('token', fields.text('token')),
    at: fields.required('at', fields.date('at')),
    before: before === undefined ? [] : before.split(JOIN),
    ...(minted !== undefined && { minted }),
  };
}

function parseEvidence(fields: Fields): Evidence {
  return {
    token: fields.required('token', fields.text('token')),
    keyId: fields.required('key', fields.text('key')),
    account: fields.required('account', fields.text('account')),
    userId: fields.required('user', fields.text('user')),
    at: fields.required('at', fields.date('at')),
  };
}

function render(fields: Record<string, string | Date | undefined>): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value instanceof Date ? iso(value) : value}`)
    .join(' ');
}

/** The `name=value` words of one tag. */
class Fields {
  readonly #tag: string;
  readonly #value: string;
  readonly #words: ReadonlyMap<string, string>;

  constructor(tag: string, value: string) {
    this.#tag = tag;
    this.#value = value;
    const words = new Map<string, string>();
    for (const word of value.split(' ').filter((text) => text !== '')) {
      const at = word.indexOf('=');
      if (at < 1) throw this.malformed('words of the form name=value');
      words.set(word.slice(0, at), word.slice(at + 1));
    }
    this.#words = words;
  }

  text(name: string): string | undefined {
    const text = this.#words.get(name);
    if (text === '') throw this.malformed(`'${name}' not to be empty`);
    return text;
  }

  date(name: string): Date | undefined {
    const text = this.#words.get(name);
    if (text === undefined) return undefined;
    const date = new Date(text);
    // As `iso` writes it, in no other form: 30 February would be read as 2 March.
    if (Number.isNaN(date.getTime()) || iso(date) !== text)
      throw this.malformed(`'${name}' as a UTC date to the second`);
    return date;
  }

  required<T>(name: string, value: T | undefined): T {
    if (value === undefined) throw this.malformed(`'${name}' to be there`);
    return value;
  }

  malformed(expected: string): RotatorError {
    return new RotatorError('LEDGER_MALFORMED', {
      found: `the tag ${this.#tag} is '${this.#value}'`,
      expected,
      remedy:
        `put the tag right by hand, or remove it (${BY_LEDGER_OPERATORS}): a key without its entry counts as a stranger ` +
        'and is never changed, and missing dates are written anew as of now',
    });
  }
}
