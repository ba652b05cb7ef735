/** What a run tells about what it did or refused. Turned into logs and metrics at the edge; carries no secret material. */
import type { SwitchFacts } from './follow.ts';
import type { LeakSignal } from './ledger.ts';
import type { LastUse } from './model.ts';
import type { Reason } from './reasons.ts';
import type { Role } from './roles.ts';

/** What happened to one key, or would have. */
export type KeyHappening =
  | {
      readonly what: 'held' | 'disabled' | 'deleted' | 'orphan-cleared' | 'recorded' | 'forgotten';
      readonly keyId: string;
      readonly reason: Reason;
      readonly due?: Date;
      readonly lastUse?: LastUse;
      /** In mode 'observe': this is what would have been done. */
      readonly observed: boolean;
    }
  | { readonly what: 'noticed'; readonly keyId: string; readonly reason: Reason };

/** Who has not switched away from a retiring key. Nothing happens to it; in mode 'observe' it is told all the same. */
export type FollowedKey = SwitchFacts & {
  readonly what: 'followed';
  readonly keyId: string;
  readonly reason: Reason;
  readonly due: Date;
  readonly lastUse?: LastUse;
  /** Since when another key is current. */
  readonly since: Date;
};

/**
 * What the respond function tells of a leaked key. Neither secret nor user is known of a key that is not under rotation; of AWS's quarantine of a
 * user that isn't, not even the key's id, which is 'unknown' then.
 */
export type LeakHappening = { readonly keyId: string; readonly secret?: string; readonly userName?: string } & (
  | {
      readonly what: 'leak-reported';
      readonly role: Role | 'unmanaged' | 'gone';
      readonly signal: LeakSignal;
      /** What a person is to do: of keys that are not the rotator's to change. */
      readonly remedy?: string;
    }
  /** The key does not work any more, and what stands in AWSCURRENT is another one, as far as it goes. */
  | { readonly what: 'leak-contained'; readonly how: Containment }
  | { readonly what: 'leak-not-contained'; readonly why: string; readonly remedy: string }
);

/** `disabled` by this run; `was-inactive`: by an earlier one, or by hand; `gone`: deleted. */
export type Containment = 'disabled' | 'was-inactive' | 'gone';

export type Happening = LeakHappening | SecretHappening;

/** What happened to a managed secret or its keys. */
export type SecretHappening = { readonly secret: string; readonly userName: string } & (
  | KeyHappening
  | FollowedKey
  | { readonly what: 'minted' | 'taken-up' | 'verified' | 'promoted' | 'rolled-back'; readonly keyId: string }
  | { readonly what: 'leak-cleared'; readonly keyId: string; readonly reason: Reason; readonly observed: boolean }
  | { readonly what: 'label-taken-off' | 'intent-resolved'; readonly reason: Reason; readonly observed: boolean }
  | { readonly what: 'nothing-to-do'; readonly step: string; readonly why: string }
);

export type Report = (happening: Happening) => void;
