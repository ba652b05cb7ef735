/** What an audit finds, as it stands in the JSON report; the CSV and the page are made of this and of nothing else. All dates ISO 8601 in UTC. */

/** From what must be seen to today, to what is worth knowing. */
export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** The name of a check elsewhere, such as `{ framework: 'CIS AWS Foundations', version: '3.0.0', id: '1.14' }`. */
export interface ComplianceName {
  readonly framework: 'CIS AWS Foundations' | 'Security Hub' | 'AWS Config' | 'Prowler';
  /** Of a benchmark whose versions number differently. */
  readonly version?: string;
  readonly id: string;
}

export interface Finding {
  /** The same in every run as long as the matter stands: check, user and key. */
  readonly id: string;
  /** Name of the check, such as `key-older-than`. */
  readonly check: string;
  readonly severity: Severity;
  /** The user, or `<root_account>`. */
  readonly user: string;
  readonly keyId?: string;
  /** Name of the managed secret that it is about. */
  readonly secret?: string;
  /** One sentence: what is the matter. */
  readonly title: string;
  /** What was seen: dates, ages in days, services. */
  readonly evidence: string;
  /** What to do. */
  readonly remedy: string;
  readonly compliance: readonly ComplianceName[];
}

/** An access key of the account by its age. */
export interface KeyAge {
  readonly user: string;
  readonly keyId?: string;
  readonly days: number;
  readonly active: boolean;
  readonly managed: boolean;
}

/** A key of a managed secret, by what the ledger and the labels say. */
export interface ManagedKey {
  readonly keyId: string;
  readonly state: 'current' | 'pending' | 'retiring' | 'disabled';
  readonly minted?: string;
  readonly promoted?: string;
  readonly superseded?: string;
  readonly disabled?: string;
  /** When the next thing happens to it: the end of its overlap or of its recovery. */
  readonly due?: string;
}

export interface ManagedSecret {
  readonly secret: string;
  readonly user: string;
  readonly mode: 'enforce' | 'observe';
  readonly rotationEnabled: boolean;
  readonly lastRotated?: string;
  readonly nextRotation?: string;
  readonly keys: readonly ManagedKey[];
}

export interface AuditReport {
  readonly formatVersion: 1;
  readonly account: string;
  /** Of AWS: `aws`, `aws-cn`, `aws-us-gov`. */
  readonly partition?: string;
  readonly region: string;
  readonly deployment: string;
  /** When the audit ran. */
  readonly at: string;
  /** When IAM made the credential report that it rests on: up to four hours before. */
  readonly credentialReportAt: string;
  /** In days. */
  readonly thresholds: { readonly maxKeyAge: number; readonly unusedFor: number; readonly neverUsedFor: number };
  readonly summary: {
    readonly users: number;
    readonly keys: number;
    readonly activeKeys: number;
    readonly managedUsers: number;
    readonly findings: Readonly<Record<Severity, number>>;
  };
  /** The gravest first. */
  readonly findings: readonly Finding[];
  readonly ages: readonly KeyAge[];
  readonly secrets: readonly ManagedSecret[];
}
