/** The refusals that more than one decision makes: one wording each. */

import { type ErrorCode, type ErrorDetails, RotatorError } from './errors.ts';
import { BY_LEDGER_OPERATORS, type Intent, settledAt } from './ledger.ts';
import { iso } from './model.ts';

/** What a plan says when it refuses. */
export interface Refusal {
  readonly do: 'refuse';
  readonly error: RotatorError;
}

export function refuse(code: ErrorCode, details: ErrorDetails): Refusal {
  return { do: 'refuse', error: new RotatorError(code, details) };
}

/** @param found who has another unique id, in words */
export function userRecreated(found: string, userId: string | undefined, pinned: string | undefined): Refusal {
  return refuse('USER_RECREATED', {
    found: `${found} the unique id ${userId}`,
    expected: `${pinned}, the id pinned when the secret's first key was promoted`,
    remedy:
      'make sure that the readers of the secret may have a key of the new user, then set the tag iam-key-rotator:user-id of the secret to ' +
      `${userId} (aws secretsmanager tag-resource, ${BY_LEDGER_OPERATORS}) and rotate again`,
  });
}

/** A version that was promoted and left is not promoted again: somebody moved the label back, and a retry must not undo that. */
export function rolledBack(token: string): Refusal {
  return refuse('ROLLED_BACK', {
    found: `the version ${token} was promoted before, and AWSCURRENT was moved away from it since`,
    expected: 'a version that was never promoted',
    remedy:
      'nothing if that is to last: AWSPENDING is taken off the version, and the next rotation mints a new key. To return to the newer ' +
      'key, move AWSCURRENT to that version by hand (aws secretsmanager update-secret-version-stage)',
  });
}

/** A leaked key never becomes current. */
export function pendingLeaked(keyId: string): Refusal {
  return refuse('PENDING_KEY_LEAKED', {
    found: `the pending key ${keyId}, of which a leak was reported`,
    expected: 'a key that nobody else has',
    remedy:
      'rotate again (aws secretsmanager rotate-secret): the version loses its label, its key is disabled, and a new one is minted as soon as ' +
      'a slot is free',
  });
}

/** While an announcement of another run is open. Dates in the message are UTC. */
export function mintUnsettled(open: Intent, rotateTimeout: number): Refusal {
  return refuse('MINT_UNSETTLED', {
    found: `a run announced a new key at ${iso(open.at)} and did not say how it went`,
    expected: `no other run at work; this one is over by ${iso(settledAt(open, rotateTimeout))}`,
    remedy: 'nothing: a rotation started after that time puts it right',
  });
}

/** @param name of the secret */
export function scheduledForDeletion(name: string): Refusal {
  return refuse('SECRET_NOT_USABLE', {
    found: `the secret ${name} is scheduled for deletion`,
    expected: 'a secret in use',
    remedy: 'restore it (aws secretsmanager restore-secret), or remove the key from rotator.config.ts',
  });
}

/** For a secret without AWSCURRENT. */
export function currentMissing(): Refusal {
  return refuse('CURRENT_MISSING', {
    found: 'no version labelled AWSCURRENT',
    expected: 'one, as Secrets Manager guarantees',
    remedy:
      'put the label on the version that applications are to read (aws secretsmanager update-secret-version-stage)',
  });
}
