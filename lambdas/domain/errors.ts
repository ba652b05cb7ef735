/**
 * The typed errors of the rotator. Each says what was found, what was expected and what to do next, and never carries secret material.
 */

/** Every code, with what it means. Closed: logs, metrics, the CLI and docs/errors.md use exactly these. */
export const ERROR_CODES = {
  EVENT_MALFORMED:
    'The function was invoked with something that is not an event that it knows: of a rotation, or of a leak.',
  DEPLOYMENT_MALFORMED:
    'The deployment file beside the function, or its environment, is missing or not what this version writes.',
  SECRET_NOT_BOUND: 'The secret is not one of this deployment: no user is bound to it.',
  SECRET_NOT_USABLE: 'The secret is scheduled for deletion.',
  ROTATION_NOT_ENABLED: 'A rotation step was called for a secret whose rotation is off.',
  TOKEN_NOT_PENDING: 'The token names no version of the secret that is labelled AWSPENDING.',
  OBSERVE_MODE: "A rotation or a rollback was started for a key in mode 'observe', which changes nothing.",
  VALUE_MALFORMED: 'A version of the secret does not hold a key in the expected form.',
  VALUE_TOO_LARGE: 'The next value of the secret would be larger than Secrets Manager takes.',
  VALUE_OTHER_USER: 'The value names another user than the one that the deployed configuration binds the secret to.',
  PENDING_VALUE_MISSING: 'The pending version has no value: createSecret has not stored one.',
  PENDING_KEY_GONE: 'The key in the pending version is not among the keys of the user.',
  PENDING_KEY_INACTIVE: 'The key in the pending version is Inactive.',
  ROLLED_BACK: 'The pending version was promoted before, and AWSCURRENT was moved away from it since.',
  PENDING_KEY_LEAKED: 'The key in the pending version is known to be leaked, and is not promoted.',
  LEAK_NOT_CONTAINED: 'A leaked key still works, or its applications have no other one yet.',
  LEDGER_MALFORMED: 'A tag of the ledger is not in the form that the rotator writes.',
  ROLLBACK_NO_KEY: 'A rollback found no superseded key to return to, or not the one that was named.',
  ROLLBACK_KEY_GONE: 'The key that a rollback is to return to is deleted.',
  ROLLBACK_VALUE_GONE: 'No version of the secret holds the key that a rollback is to return to.',
  ROTATION_IN_PROGRESS: 'A rotation of the secret is under way, so a rollback stands back.',
  KEY_LEAKED: 'The key that a rollback is to return to was reported as leaked.',
  OVERTAKEN: 'Somebody else moved AWSCURRENT while a rollback was at work.',
  ROTATION_UNFINISHED: 'A rotation was followed, and did not come to its end in time.',
  LEDGER_CLOSED: 'A rollback must first reserve the key in the ledger, and these credentials may not write there.',
  USER_NOT_FOUND: 'IAM has no user of the bound name.',
  USER_RECREATED: 'The user was deleted and made again under the same name.',
  ADOPT_KEY_NOT_FOUND: 'The key that the configuration adopts is not a key of the user.',
  STRANGERS_HOLD_SLOTS: 'Both key slots of the user are taken, at least one by a key that is not ours to remove.',
  SLOT_NOT_FREE_YET: 'Both key slots of the user are taken by our own keys, and none is due for deletion.',
  MINT_UNSETTLED: 'An earlier run announced a new key and did not say how it went; it may still be at work.',
  MINT_TOO_LATE: 'Announcing the new key took so long that a key made now could not be told from a stranger.',
  MINT_REFUSED: 'IAM refused to create the key; nothing was created.',
  STORE_FAILED: 'Secrets Manager refused to store the new key; the key was deleted again.',
  IDENTITY_MISMATCH: 'STS says that the pending key belongs to somebody else than the bound user.',
  KEY_NOT_USABLE: 'STS did not accept the pending key several times in a row within the time allowed.',
  NOT_VERIFIED: 'finishSecret was called for a key that testSecret has not just verified.',
  CURRENT_MISSING: 'No version of the secret is labelled AWSCURRENT.',
  AWS_CALL_FAILED: 'A call to AWS failed.',
  READ_STALE: 'Reading took so long that the key may have become current or be in use meanwhile; it was left as it is.',
  LISTING_LOOPS: 'A paged listing answered the same page token twice.',
  CREDENTIAL_REPORT_MALFORMED:
    'The credential report of IAM is damaged, cut off, or not in the form that is documented: nothing is concluded from it.',
  AUDIT_INCOMPLETE: 'The audit did not get through within its time; no report was written.',
  LOG_BATCH_MALFORMED: 'The notify function was invoked with something that is no batch of log lines.',
  EVENTS_NOT_SENT: 'EventBridge did not take some of the events, several times in a row.',
  PASS_FAILED: 'A pass went through all secrets, and some of them failed.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** What an error tells. Sentences without a full stop; no secret material. */
export interface ErrorDetails {
  readonly found: string;
  readonly expected: string;
  /** What the reader should do next. */
  readonly remedy: string;
}

/** An error with a code of `ERROR_CODES`. Its message holds all that it tells. */
export class RotatorError extends Error {
  override readonly name: string = 'RotatorError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails, options?: ErrorOptions) {
    super(
      `${code}: ${stop(details.found)} Expected: ${stop(details.expected)} To do: ${stop(details.remedy)}`,
      options,
    );
    this.code = code;
    this.details = details;
  }
}

/** A sentence with one full stop at its end, also if it ends with a quoted message that has one. */
function stop(sentence: string): string {
  return `${sentence.replace(/\.+$/, '')}.`;
}

/** A call to AWS that failed, with what is known of its effect. */
export class AwsCallError extends RotatorError {
  override readonly name = 'AwsCallError';
  readonly operation: string;
  readonly awsCode: string;
  /** True when the answer proves that the call changed nothing. False when that is unknown: the answer may have been lost. */
  readonly refused: boolean;

  constructor(operation: string, awsCode: string, refused: boolean, reason: string, options?: ErrorOptions) {
    super(
      'AWS_CALL_FAILED',
      {
        found: `${operation} failed with ${awsCode}: ${reason}`,
        expected: 'the call to succeed',
        remedy: 'nothing if it was passing, the next run repeats it; otherwise mend what AWS names',
      },
      options,
    );
    this.operation = operation;
    this.awsCode = awsCode;
    this.refused = refused;
  }
}

/** True for an error by which the rotator itself refuses, as against a call to AWS that failed. */
export function isRefusal(error: unknown): boolean {
  return error instanceof RotatorError && !(error instanceof AwsCallError);
}
