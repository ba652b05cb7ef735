/** What the four steps share: the checked event, the bound user, and the outside world. */
import * as v from 'valibot';
import type { DeployedKey, Deployment } from '../contract/deployment.ts';
import { RotatorError } from '../domain/errors.ts';
import type { Report } from '../domain/happenings.ts';
import { parseSecretArn, type SecretArn } from '../domain/identity.ts';
import type { IamKeys, KeyIdentities, SecretStore, SmtpPassword } from '../domain/ports.ts';

export const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;
export type Step = (typeof STEPS)[number];

/** What a step may reach. `deadline` is when the function is stopped. */
export interface RotationWorld {
  readonly secrets: SecretStore;
  readonly iam: IamKeys;
  readonly identities: KeyIdentities;
  readonly smtpPassword: SmtpPassword;
  readonly now: () => Date;
  /** Waits for a number of milliseconds. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly deadline: Date;
  /** Id of this run: Lambda's request id. */
  readonly runId: string;
  readonly report: Report;
}

/** One invocation, checked: the event, and the policy that the deployment binds the secret to. */
export interface Rotation {
  readonly step: Step;
  readonly secret: SecretArn;
  readonly token: string;
  readonly rotationToken?: string;
  readonly policy: DeployedKey;
  /** In seconds. */
  readonly rotateTimeout: number;
}

// Unknown fields are let through: Secrets Manager may add some.
const eventSchema = v.looseObject({
  Step: v.string(),
  SecretId: v.string(),
  // The token becomes a word of the ledger's tags, and the name of a version: 32 to 64 characters, by the API.
  ClientRequestToken: v.pipe(v.string(), v.regex(/^[\w-]{32,64}$/)),
  RotationToken: v.optional(v.string()),
});

/**
 * Checks a rotation event and binds it to a user by the deployed configuration alone.
 *
 * Both spellings of the step are taken: the API sends `createSecret`, one page of the user guide says `create_secret`.
 *
 * @throws RotatorError EVENT_MALFORMED, SECRET_NOT_BOUND, OBSERVE_MODE
 */
export function parseRotation(event: unknown, deployment: Deployment): Rotation {
  const parsed = v.safeParse(eventSchema, event);
  if (!parsed.success)
    throw malformed(
      `the fields ${parsed.issues.map((issue) => v.getDotPath(issue) ?? 'event').join(', ')} are missing or wrong`,
    );
  const { Step, SecretId, ClientRequestToken, RotationToken } = parsed.output;
  const step = STEPS.find((known) => known === Step.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()));
  if (step === undefined) throw malformed(`the step '${Step.slice(0, 40)}'`);
  const secret = parseSecretArn(SecretId);
  if (secret === undefined) throw malformed("a SecretId that is not a secret's full ARN");
  const policy = deployment.keys.find((key) => key.secretName === secret.name);
  if (policy === undefined) {
    throw new RotatorError('SECRET_NOT_BOUND', {
      found: `the secret ${secret.name}`,
      expected: `a secret that deployment ${deployment.name} binds to a user`,
      remedy:
        'list the user in rotator.config.ts and deploy, or take this function off the secret (aws secretsmanager cancel-rotate-secret)',
    });
  }
  if (policy.mode === 'observe') {
    throw new RotatorError('OBSERVE_MODE', {
      found: `${step} for ${secret.name}, whose mode is 'observe'`,
      expected: "mode 'enforce' for a rotation",
      remedy: "set mode: 'enforce' for this key in rotator.config.ts and deploy",
    });
  }
  return {
    step,
    secret,
    token: ClientRequestToken,
    ...(RotationToken !== undefined && { rotationToken: RotationToken }),
    policy,
    rotateTimeout: deployment.rotateTimeout,
  };
}

/** What the log tells of an event that has not been checked yet: which secret and which step. Never its RotationToken. */
export function tellEvent(event: unknown): { readonly secretId?: string; readonly step?: string } {
  if (typeof event !== 'object' || event === null) return {};
  const text = (field: string): string | undefined => {
    const value: unknown = Reflect.get(event, field);
    return typeof value === 'string' ? value.slice(0, 256) : undefined;
  };
  const [secretId, step] = [text('SecretId'), text('Step')];
  return { ...(secretId !== undefined && { secretId }), ...(step !== undefined && { step }) };
}

function malformed(found: string): RotatorError {
  return new RotatorError('EVENT_MALFORMED', {
    found,
    expected: 'an event of Secrets Manager with Step, SecretId and ClientRequestToken',
    remedy: "don't invoke this function by hand: start a rotation (aws secretsmanager rotate-secret)",
  });
}
