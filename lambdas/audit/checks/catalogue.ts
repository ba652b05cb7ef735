/** Every check of the audit: what it finds, how grave that is, what to do, and its names elsewhere. docs/audit.md has the table. */
import type { ComplianceName, Severity } from '../report.ts';

/** What is the same for all findings of a check. */
export interface Check {
  readonly severity: Severity;
  /** Finding, as a sentence without a full stop. */
  readonly title: string;
  /** When it is found, for the documentation. */
  readonly when: string;
  readonly remedy: string;
  readonly compliance: readonly ComplianceName[];
}

const cis = (version: string, id: string): ComplianceName => ({ framework: 'CIS AWS Foundations', version, id });
const hub = (id: string): ComplianceName => ({ framework: 'Security Hub', id });
const config = (id: string): ComplianceName => ({ framework: 'AWS Config', id });
const prowler = (id: string): ComplianceName => ({ framework: 'Prowler', id });

const UNUSED = [
  cis('1.x-4.x', '1.12'),
  cis('7.0.0', '2.11'),
  hub('IAM.22'),
  config('IAM_USER_UNUSED_CREDENTIALS_CHECK'),
  prowler('iam_user_accesskey_unused'),
];

/** In the order in which findings of one severity stand. */
export const CHECKS = {
  'root-key': {
    severity: 'critical',
    title: 'The root user has an access key',
    when: 'an access key of the root user, Active or not',
    remedy: 'delete it as the root user, and give what uses it a role; no policy limits a root key',
    compliance: [hub('IAM.4'), config('IAM_ROOT_ACCESS_KEY_CHECK'), prowler('iam_no_root_access_key')],
  },
  'secret-missing': {
    severity: 'high',
    title: 'A configured secret does not exist',
    when: 'a secret of the deployed configuration that Secrets Manager does not have',
    remedy: 'restore it (aws secretsmanager restore-secret), or take the key out of rotator.config.ts and deploy',
    compliance: [],
  },
  'secret-scheduled-for-deletion': {
    severity: 'high',
    title: 'A managed secret is scheduled for deletion',
    when: 'a managed secret that Secrets Manager is going to delete: its applications lose their key, and nothing rotates or retires it',
    remedy:
      'restore it (aws secretsmanager restore-secret), or end the key: take it out of rotator.config.ts, delete the access key, then the secret',
    compliance: [],
  },
  'ledger-unreadable': {
    severity: 'high',
    title: 'The ledger of a managed secret can not be read',
    when: "a tag `iam-key-rotator:*` that is not in the rotator's form: rotations and passes refuse to go on",
    remedy: 'see LEDGER_MALFORMED in the log of the retire function, which names the tag',
    compliance: [],
  },
  'rotation-off': {
    severity: 'high',
    title: 'Rotation is switched off for a managed secret',
    when: "rotation is off, and the mode is not 'observe'; also of a secret that left the configuration and was kept",
    remedy:
      'turn it on again (aws secretsmanager rotate-secret, which makes a new key at once; a deployment leaves alone what is unchanged in the template); of a secret that is rotated no more: delete its access key, then the secret',
    compliance: [],
  },
  'rotation-failed': {
    severity: 'high',
    title: 'A rotation was left unfinished',
    when: 'AWSPENDING has stood on another version than AWSCURRENT for more than two hours',
    remedy:
      'read why in the log of the rotate function, mend it, and start the rotation again (aws secretsmanager rotate-secret)',
    compliance: [],
  },
  'rotation-overdue': {
    severity: 'high',
    title: 'A managed key was not rotated in time',
    when: "the current key is more than a day older than the schedule's longest gap, or the next rotation is more than a day past",
    remedy:
      'read why in the log of the rotate function, mend it, and start a rotation (aws secretsmanager rotate-secret)',
    compliance: [cis('1.x-4.x', '1.14'), cis('7.0.0', '2.12')],
  },
  'key-older-than': {
    severity: 'medium',
    title: 'An access key is older than allowed',
    when: 'an Active key created more than `maxKeyAge` ago; high when twice as old, info while a key that was replaced in time is in its overlap or held',
    remedy:
      'put the user into rotator.config.ts, with a schedule that is shorter than this, or replace the key by hand: make another one, switch its applications, disable it, delete it',
    compliance: [
      cis('1.x-4.x', '1.14'),
      cis('7.0.0', '2.12'),
      hub('IAM.3'),
      config('ACCESS_KEYS_ROTATED'),
      prowler('iam_rotate_access_key_90_days'),
    ],
  },
  'two-active-keys': {
    severity: 'medium',
    title: 'A user has more than one Active access key outside a rotation',
    when: 'two or more Active keys, of which the ledger of a managed secret does not explain each',
    remedy: 'find out which one is used, disable the other one, and delete it when nothing has missed it',
    compliance: [cis('1.x-4.x', '1.13'), prowler('iam_user_two_active_access_key')],
  },
  'key-never-used': {
    severity: 'medium',
    title: 'An access key was never used',
    when: 'an Active key that IAM knows no use of, created more than `neverUsedFor` ago',
    remedy: 'delete it, unless somebody knows what it is kept for',
    compliance: UNUSED,
  },
  'key-unused': {
    severity: 'medium',
    title: 'An access key is no longer used',
    when: 'an Active key whose last use is more than `unusedFor` ago',
    remedy: 'disable it, and delete it when for as long as the rarest job takes nothing has missed it',
    compliance: UNUSED,
  },
  'secret-without-user': {
    severity: 'medium',
    title: 'A secret is left of a user that is gone',
    when: 'IAM has no user of the name that the configuration binds the secret to',
    remedy: 'take the key out of rotator.config.ts, deploy, and delete the secret; or create the user again',
    compliance: [],
  },
  'retirement-overdue': {
    severity: 'medium',
    title: 'A superseded key should have been retired',
    when: 'a superseded key that is Active two days after its overlap and longest hold, or there two days after its recovery time',
    remedy: 'read why in the log of the retire function, which names each secret that failed, and see docs/reasons.md',
    compliance: [],
  },
  'key-inactive': {
    severity: 'low',
    title: 'An Inactive access key was not deleted',
    when: 'an Inactive key that is not in the recovery time of a managed secret',
    remedy: 'delete it: an Inactive key can be activated again, and takes one of the two places',
    compliance: [],
  },
  'user-not-rotated': {
    severity: 'low',
    title: 'A user with access keys is not under rotation',
    when: 'an Active key, and no managed secret holds a key of the user',
    remedy: 'put the user into rotator.config.ts, or do without its keys',
    compliance: [],
  },
  'role-would-do': {
    severity: 'info',
    title: 'A role may do in place of an access key',
    when: 'the last recorded call of an Active key of a user that is not under rotation went to a service that mostly agents with a role, or those who take one, call',
    remedy:
      'find out what uses the key (CloudTrail, userIdentity.accessKeyId), and give that a role: of the instance, task, function or pipeline, or by IAM Roles Anywhere',
    compliance: [],
  },
} as const satisfies Readonly<Record<string, Check>>;

export type CheckName = keyof typeof CHECKS;

/**
 * Services whose APIs are mostly called by something that could have a role, and why. IAM tells which service was *called* last, and neither who called
 * nor what else: so this is a hint, and the finding says so.
 *
 * @see https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-messageAPIs.html
 */
export const ROLE_HINTS: Readonly<Record<string, string>> = {
  ec2messages: 'the channel of the Systems Manager Agent, which takes the role of its instance or hybrid activation',
  ssmmessages: 'the channel of the Systems Manager Agent, which takes the role of its instance or hybrid activation',
  'codedeploy-commands-secure': 'the channel of the CodeDeploy agent, which takes the role of its instance',
  ecr: 'container images, which nodes and build pipelines can fetch with a role',
  sts: 'temporary credentials: a key that only takes a role can be replaced by OpenID Connect or IAM Roles Anywhere',
};
