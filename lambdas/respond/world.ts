/** What the response to a leak may reach, and what it answers. */
import type { Report } from '../domain/happenings.ts';
import type { IamKeys, Rotations, SecretStore } from '../domain/ports.ts';

/** `deadline` is when the function is stopped. */
export interface RespondWorld {
  readonly secrets: Pick<SecretStore, 'list' | 'describe' | 'read' | 'moveLabel' | 'tag'>;
  readonly iam: Pick<IamKeys, 'list' | 'disable' | 'remove'>;
  readonly rotations: Rotations;
  readonly now: () => Date;
  /** Waits for a number of milliseconds. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly deadline: Date;
  readonly report: Report;
}

/** What became of one key, as JSON for whoever asked. */
export interface Outcome {
  readonly keyId: string;
  readonly secret?: string;
  readonly user?: string;
  /**
   * - `contained`: it worked, or applications read it, and neither is so any more.
   * - `nothing-to-do`: it did not work any more.
   * - `reported`: it is not the rotator's to change; `remedy` says what a person does.
   * - `would-contain`: mode 'observe'.
   */
  readonly outcome: 'contained' | 'nothing-to-do' | 'reported' | 'would-contain';
  /** One sentence. */
  readonly why: string;
  readonly remedy?: string;
}
