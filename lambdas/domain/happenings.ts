/** What a run tells about what it did or refused. Turned into logs and metrics at the edge; carries no secret material. */
import type { SwitchFacts } from './follow.ts';
import type { LastUse } from './model.ts';
import type { Reason } from './reasons.ts';

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

export type Happening = { readonly secret: string; readonly userName: string } & (
  | KeyHappening
  | FollowedKey
  | { readonly what: 'minted' | 'taken-up' | 'verified' | 'promoted' | 'rolled-back'; readonly keyId: string }
  | { readonly what: 'label-taken-off' | 'intent-resolved'; readonly reason: Reason; readonly observed: boolean }
  | { readonly what: 'nothing-to-do'; readonly step: string; readonly why: string }
);

export type Report = (happening: Happening) => void;
