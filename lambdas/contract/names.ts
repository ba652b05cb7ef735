/**
 * The names that the CDK app, the Lambdas and their readers share. Nothing else in `lambdas/` may be imported by `infra/`.
 */

/** The word that every tag, metric namespace and event of this project starts with. */
export const PROJECT = 'iam-key-rotator';

/** File beside the bundle that carries the deployed keys: the 4 KB that Lambda allows for its environment don't. */
export const DEPLOYMENT_FILE = 'deployment.json';

/** Environment variables that the functions read; all but the first are set by Lambda itself. */
export const ENV = {
  /** Namespace of the metrics (`POWERTOOLS_METRICS_NAMESPACE`, read by Powertools). */
  metricsNamespace: 'POWERTOOLS_METRICS_NAMESPACE',
  /** Service name in logs and metrics (`POWERTOOLS_SERVICE_NAME`, read by Powertools). */
  serviceName: 'POWERTOOLS_SERVICE_NAME',
  /** Folder of the function's code (`LAMBDA_TASK_ROOT`, set by Lambda). */
  taskRoot: 'LAMBDA_TASK_ROOT',
  /** The function's Region (`AWS_REGION`, set by Lambda). */
  region: 'AWS_REGION',
  /** Name of the bucket that reports are written to; only the audit function has it. */
  reportBucket: 'REPORT_BUCKET',
} as const;

/**
 * Tags on a managed secret. The first is set by the template and lets ListSecrets filter; the others are the ledger, written by the Lambdas.
 *
 * Secrets Manager allows 50 tags a secret, keys of 128 and values of 256 characters out of letters, digits, spaces and `+ - = . _ : / @`.
 */
export const TAGS = {
  /** Value: the deployment's name. Says that this secret is managed, and by which deployment. */
  deployment: `${PROJECT}:deployment`,
  /** Prefix; followed by an access key id. One ledger entry a tracked key. */
  keyPrefix: `${PROJECT}:key/`,
  /** Prefix; followed by the id of the run that announces a mint, before CreateAccessKey. Each run has its own, so that none undoes another's. */
  intentPrefix: `${PROJECT}:intent/`,
  /** Prefix; followed by an access key id. The key is known to be leaked: written by the respond function alone, before it does anything else. */
  leakPrefix: `${PROJECT}:leak/`,
  /** Evidence that STS identified the pending key, written by testSecret and required by finishSecret. */
  verified: `${PROJECT}:verified`,
  /** The unique id of the IAM user, pinned at the first promotion. */
  userId: `${PROJECT}:user-id`,
} as const;

/** Names of the metrics that the functions publish: counts of one invocation unless told otherwise. */
export const METRICS = {
  keysMinted: 'KeysMinted',
  keysPromoted: 'KeysPromoted',
  keysHeld: 'KeysHeld',
  keysDisabled: 'KeysDisabled',
  keysDeleted: 'KeysDeleted',
  /** Retiring keys that were used although applications have had the time to switch. */
  keysNotSwitched: 'KeysNotSwitched',
  orphansCleared: 'OrphansCleared',
  /** Rotation steps that were run. */
  stepsRun: 'RotationSteps',
  /** Of those, the ones that failed, for whatever reason. */
  stepsFailed: 'RotationStepsFailed',
  /** Of those again, the ones that the rotator itself refused, with a code and a remedy. */
  refusals: 'Refusals',
  secretsExamined: 'SecretsExamined',
  secretsFailed: 'SecretsFailed',
  changeLimitReached: 'ChangeLimitReached',
  auditsCompleted: 'AuditsCompleted',
  auditsFailed: 'AuditsFailed',
  /** Findings of one audit, by severity. */
  findingsCritical: 'FindingsCritical',
  findingsHigh: 'FindingsHigh',
  findingsMedium: 'FindingsMedium',
  findingsLow: 'FindingsLow',
  findingsInfo: 'FindingsInfo',
  /** Current keys that a retire pass found to be of before a rollback. */
  keysRolledBack: 'KeysRolledBack',
  // Gauges of a retire pass that has seen every secret.
  currentKeys: 'CurrentKeys',
  /** Superseded and still Active. */
  retiringKeys: 'RetiringKeys',
  /** Disabled and not deleted yet. */
  awaitingDeletion: 'AwaitingDeletion',
  /** In seconds, since it was minted. */
  oldestCurrentKey: 'OldestCurrentKey',
  /** In seconds, since the end of the overlap; 0 if no key is held. */
  longestHold: 'LongestHold',
  /** Secrets whose current key should have been superseded by now. */
  keysOverdue: 'KeysOverdue',
  eventsSent: 'EventsSent',
  /** Log lines that should have become events, and are not in the form of one. */
  eventsMalformed: 'EventsMalformed',
  /** Keys that somebody reported as leaked, managed or not; a repeated report counts again. */
  leaksReported: 'LeaksReported',
  /** Leaked keys that were seen Inactive or gone. */
  leaksContained: 'LeaksContained',
  /** Leaked keys that the respond function could not see through; each of its attempts counts, and each retire pass those that are still not. */
  leaksNotContained: 'LeaksNotContained',
} as const;

/** Service names (`ENV.serviceName`), one a function. */
export const SERVICES = {
  rotate: `${PROJECT}-rotate`,
  retire: `${PROJECT}-retire`,
  respond: `${PROJECT}-respond`,
  audit: `${PROJECT}-audit`,
  notify: `${PROJECT}-notify`,
} as const;

/**
 * What a new secret holds until its first rotation. Frozen for ever: CloudFormation writes a changed SecretString over AWSCURRENT on the next
 * deploy, which would take the current key from every application. It is the same for all secrets, so nothing in the configuration can change it.
 */
export const BOOTSTRAP_VALUE = '{"Bootstrap":"iam-key-rotator: no key yet, the first rotation stores one here"}';

export { BOOTSTRAP_FIELD } from './formats.ts';
