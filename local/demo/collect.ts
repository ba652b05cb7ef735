/**
 * The year in figures: what became of every key, and what each user's application noticed. All of it is read from the account's history
 * and the functions' logs; nothing here knows the scenario.
 */
import * as z from 'zod';
import { ONLY_KEY } from '../../lambdas/contract/deployment.ts';
import { ERROR_CODES, type ErrorCode } from '../../lambdas/domain/errors.ts';
import type { CallRecord, Change, ChangeRecord, EventRecord, HistoryEntry } from '../model.ts';

/** What a key can be at a moment, in the words of the design. An adopted key is a stranger until the first promotion. */
export type KeyState = 'pending' | 'current' | 'retiring' | 'held' | 'disabled' | 'stranger' | 'orphan';

/** A stretch of time in one state, in ms. */
export interface Span {
  readonly state: KeyState;
  readonly from: number;
  readonly to: number;
}

/** A key from its minting on. */
export interface KeyLife {
  readonly id: string;
  readonly spans: readonly Span[];
  readonly deletedAt?: number;
}

/** Something worth telling. */
export type Notable = { readonly at: number } & (
  | { readonly what: 'held'; readonly keyId: string; readonly lastUse: number | undefined }
  | { readonly what: 'hold-ended'; readonly keyId: string; readonly reason: string }
  /** The function ended without an answer; `orphan` is the key that it left behind, if it did. */
  | { readonly what: 'died'; readonly step: string; readonly error: string; readonly orphan: string | undefined }
  | { readonly what: 'orphan-cleared'; readonly keyId: string }
  | { readonly what: 'switched' }
);

/** An error of the rotator that ended rotations. */
export interface Refusal {
  readonly code: ErrorCode;
  /** The whole message of the first of them. */
  readonly message: string;
  readonly at: number;
  /** How many rotations ended with this code. */
  readonly times: number;
}

/** What became of one user's keys. At any time: the keys it had before + minted − deleted = the keys it has. */
export interface UserYear {
  readonly name: string;
  /** How often the rotate function moved AWSCURRENT. */
  readonly rotations: number;
  readonly applicationCalls: number;
  readonly applicationFailures: number;
  /** By the functions. */
  readonly keysMinted: number;
  /** By the functions, cleared orphans included. */
  readonly keysDeleted: number;
  readonly orphansCleared: number;
  /** Calls of the functions that would have changed a key which is none of theirs, whether or not they came through. */
  readonly strangersTouched: number;
  readonly keysNow: readonly { readonly id: string; readonly state: KeyState }[];
  /** One a code, in the order of their first occurrence. */
  readonly refusals: readonly Refusal[];
  readonly lives: readonly KeyLife[];
  readonly notable: readonly Notable[];
}

/** What is known of a user besides the history. */
export interface WatchedUser {
  readonly userName: string;
  readonly secretName: string;
  readonly secretArn: string;
  /** A key's id, or 'only-key'. */
  readonly adopt?: string | undefined;
  /** The key in each version of the secret. */
  readonly keyOfVersion: ReadonlyMap<string, string>;
  readonly application: { readonly calls: number; readonly failures: number; readonly switchedAt?: number | undefined };
}

export interface Observed {
  readonly history: readonly HistoryEntry[];
  /** Lines that the functions have logged. */
  readonly logs: readonly string[];
  /** Name of the rotate function. */
  readonly rotateFunction: string;
  /** When the observation ends, in ms. */
  readonly until: number;
}

/** The figures of one user. */
export function collectUser(user: WatchedUser, observed: Observed): UserYear {
  const { history } = observed;
  const calls = new Map(history.flatMap((entry) => (entry.kind === 'call' ? [[entry.seq, entry]] : [])));
  const changes = history.filter((entry) => entry.kind === 'change');
  /** The function's call that caused the change, if a function did. */
  const byFunction: ByFunction = ({ cause }) => {
    const call = cause === undefined ? undefined : calls.get(cause);
    return call?.functionName === undefined ? undefined : call;
  };

  const adopted = adoptedBy(user, changes, byFunction);
  const lives = livesOf(user, adopted, observed, changes, byFunction);
  const count = (what: 'key-minted' | 'key-deleted', also: (keyId: string) => boolean = () => true) =>
    changes.filter(
      (record) =>
        record.change.what === what &&
        record.change.userName === user.userName &&
        byFunction(record) !== undefined &&
        also(record.change.keyId),
    ).length;
  const wasOrphan = (keyId: string) => lives.get(keyId)?.spans[0]?.state === 'orphan';
  const strangers = new Set([...lives.values()].filter((life) => isStranger(life, adopted)).map(({ id }) => id));

  return {
    name: user.userName,
    rotations: changes.filter(
      (record) => isPromotion(record, user) && byFunction(record)?.functionName === observed.rotateFunction,
    ).length,
    applicationCalls: user.application.calls,
    applicationFailures: user.application.failures,
    keysMinted: count('key-minted'),
    keysDeleted: count('key-deleted'),
    orphansCleared: count('key-deleted', wasOrphan),
    strangersTouched: [...calls.values()].filter((call) => isChangeOf(call, strangers)).length,
    keysNow: [...lives.values()].flatMap(({ id, spans, deletedAt }) => {
      const last = spans.at(-1);
      return deletedAt !== undefined || last === undefined ? [] : [{ id, state: last.state }];
    }),
    refusals: refusalsOf(user, history),
    lives: [...lives.values()],
    notable: notableOf(user, observed, lives),
  };
}

type ByFunction = (record: ChangeRecord) => CallRecord | undefined;

/** The id of the adopted key; 'only-key' stands for the one that the user had when a function minted the first. */
function adoptedBy(
  { userName, adopt }: WatchedUser,
  changes: readonly ChangeRecord[],
  byFunction: ByFunction,
): string | undefined {
  if (adopt !== ONLY_KEY) return adopt;
  const there = new Set<string>();
  for (const record of changes) {
    const { change } = record;
    if (!('userName' in change && 'keyId' in change) || change.userName !== userName) continue;
    if (change.what === 'key-minted' && byFunction(record) !== undefined) break;
    if (change.what === 'key-minted') there.add(change.keyId);
    if (change.what === 'key-deleted') there.delete(change.keyId);
  }
  const [only, ...others] = there;
  return others.length === 0 ? only : undefined;
}

/** The lives of a user's keys, by key id, in the order in which the keys were made. */
function livesOf(
  user: WatchedUser,
  adopted: string | undefined,
  observed: Observed,
  changes: readonly ChangeRecord[],
  byFunction: ByFunction,
): Map<string, KeyLife> {
  const lives = new Map<string, Life>();
  const stored = new Set(user.keyOfVersion.values());
  for (const record of changes) {
    const { change } = record;
    const at = Date.parse(record.at);
    if ('userName' in change && 'keyId' in change && change.userName === user.userName) {
      const { keyId } = change;
      if (change.what === 'key-minted') {
        const state = byFunction(record) === undefined ? 'stranger' : stored.has(keyId) ? 'pending' : 'orphan';
        lives.set(keyId, new Life(keyId, state, at));
      }
      if (change.what === 'key-status') lives.get(keyId)?.setActive(change.status === 'Active', at);
      if (change.what === 'key-deleted') lives.get(keyId)?.end(at);
    }
    if (isPromotion(record, user)) {
      const promoted = user.keyOfVersion.get(record.change.to ?? '') ?? '';
      for (const [keyId, life] of lives) {
        if (keyId === promoted) life.become('current', at);
        else if (life.state === 'current' || (keyId === adopted && life.state === 'stranger'))
          life.become('retiring', at);
      }
    }
  }
  const holds = new Map<string, number>();
  for (const { message, keyId, at } of happeningsOf(user, observed)) {
    if (message === 'held' && !holds.has(keyId)) holds.set(keyId, at);
  }
  return new Map([...lives].map(([keyId, life]) => [keyId, life.told(observed.until, holds.get(keyId))]));
}

/** A key's life while the history is being read. */
class Life {
  state: KeyState;
  readonly #id: string;
  readonly #spans: Span[] = [];
  #since: number;
  #deletedAt: number | undefined;
  #activeState: KeyState;

  constructor(id: string, state: KeyState, at: number) {
    this.#id = id;
    this.state = state;
    this.#activeState = state;
    this.#since = at;
  }

  become(state: KeyState, at: number): void {
    if (state === this.state || this.#deletedAt !== undefined) return;
    this.#spans.push({ state: this.state, from: this.#since, to: at });
    this.state = state;
    this.#since = at;
    if (state !== 'disabled') this.#activeState = state;
  }

  setActive(active: boolean, at: number): void {
    this.become(active ? this.#activeState : 'disabled', at);
  }

  end(at: number): void {
    this.#spans.push({ state: this.state, from: this.#since, to: at });
    this.#deletedAt = at;
  }

  /** @param heldFrom since when the rotator has said that it holds the key */
  told(until: number, heldFrom: number | undefined): KeyLife {
    const open: Span[] = this.#deletedAt === undefined ? [{ state: this.state, from: this.#since, to: until }] : [];
    const spans = [...this.#spans, ...open].flatMap((span): Span[] => {
      if (heldFrom === undefined || span.state !== 'retiring' || heldFrom >= span.to) return [span];
      const held: Span = { state: 'held', from: Math.max(span.from, heldFrom), to: span.to };
      return held.from === span.from ? [held] : [{ ...span, to: held.from }, held];
    });
    return { id: this.#id, spans, ...(this.#deletedAt === undefined ? {} : { deletedAt: this.#deletedAt }) };
  }
}

/** What a function logs about a key. */
const happeningSchema = z.object({
  message: z.string(),
  timestamp: z.iso.datetime(),
  userName: z.string(),
  keyId: z.string(),
  reason: z.string().optional(),
  lastUse: z.object({ at: z.iso.datetime() }).optional(),
});

function happeningsOf(user: WatchedUser, { logs }: Observed) {
  return logs.flatMap((line) => {
    if (!line.startsWith('{') || !line.includes(user.userName)) return [];
    const parsed = happeningSchema.safeParse(JSON.parse(line));
    if (!parsed.success || parsed.data.userName !== user.userName) return [];
    return [{ ...parsed.data, at: Date.parse(parsed.data.timestamp) }];
  });
}

function notableOf(user: WatchedUser, observed: Observed, lives: ReadonlyMap<string, KeyLife>): Notable[] {
  const notable: Notable[] = [];
  const { switchedAt } = user.application;
  const hadKey = [...lives.values()].some(({ spans }) => spans[0]?.state === 'stranger');
  if (switchedAt !== undefined && hadKey) notable.push({ at: switchedAt, what: 'switched' });
  const holding = new Set<string>();
  for (const { message, keyId, reason = '', lastUse, at } of happeningsOf(user, observed)) {
    if (message === 'held' && !holding.has(keyId)) {
      holding.add(keyId);
      notable.push({ at, what: 'held', keyId, lastUse: lastUse && Date.parse(lastUse.at) });
    }
    if (message === 'disabled' && holding.delete(keyId)) notable.push({ at, what: 'hold-ended', keyId, reason });
    if (message === 'orphan-cleared') notable.push({ at, what: 'orphan-cleared', keyId });
  }
  for (const event of failuresOf(user, observed.history)) {
    if (refusalCode(event.detail) !== undefined) continue;
    const at = Date.parse(event.at);
    const isOrphan = ({ state, from, to }: Span) => state === 'orphan' && from <= at && at <= to;
    const orphan = [...lives.values()].find(({ spans }) => spans.some(isOrphan))?.id;
    const error = String(event.detail.errorMessage).replace(/^RequestId: \S+ (?:Error: )?/, '');
    notable.push({ at, what: 'died', step: String(event.detail.Step), error, orphan });
  }
  return notable.sort((a, b) => a.at - b.at);
}

function refusalsOf(user: WatchedUser, history: readonly HistoryEntry[]): Refusal[] {
  const refusals = new Map<ErrorCode, Refusal>();
  for (const { at, detail } of failuresOf(user, history)) {
    const code = refusalCode(detail);
    if (code === undefined) continue;
    const first = refusals.get(code) ?? { code, message: String(detail.errorMessage), at: Date.parse(at), times: 0 };
    refusals.set(code, { ...first, times: first.times + 1 });
  }
  return [...refusals.values()];
}

function failuresOf({ secretArn }: WatchedUser, history: readonly HistoryEntry[]): EventRecord[] {
  return history
    .filter((entry) => entry.kind === 'event')
    .filter(({ name, detail }) => name === 'RotationFailed' && detail.SecretId === secretArn);
}

/** The code that the message of a RotatorError starts with; undefined if the function failed in another way. */
function refusalCode({ errorMessage }: EventRecord['detail']): ErrorCode | undefined {
  const code = /^([A-Z_]+): /.exec(String(errorMessage))?.[1];
  return code !== undefined && isErrorCode(code) ? code : undefined;
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

function isPromotion(
  record: ChangeRecord,
  { secretName }: WatchedUser,
): record is ChangeRecord & { readonly change: Extract<Change, { what: 'label-moved' }> } {
  const { change } = record;
  return change.what === 'label-moved' && change.label === 'AWSCURRENT' && change.secret === secretName;
}

/** Neither adopted nor ever in the secret. */
function isStranger({ id, spans }: KeyLife, adopted: string | undefined): boolean {
  return id !== adopted && spans[0]?.state === 'stranger' && !spans.some(({ state }) => state === 'current');
}

function isChangeOf({ functionName, action, parameters }: CallRecord, keyIds: ReadonlySet<string>): boolean {
  return (
    functionName !== undefined &&
    (action === 'UpdateAccessKey' || action === 'DeleteAccessKey') &&
    keyIds.has(String(parameters.AccessKeyId))
  );
}
