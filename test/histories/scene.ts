/** Where a history takes place: the simulated account, what each user and its secret have at the moment, and the single calls of an operator. */

import { TAGS } from '../../lambdas/contract/names.ts';
import { AwsError, type HistoryEntry, type Secret } from '../../local/model.ts';
import { HOUR, MINUTE } from '../policy.ts';
import { Simulation } from '../simulation/world.ts';
import { keyIn } from './forms.ts';
import type { Setup, WhichKey } from './history.ts';

/** After the functions' last call nothing of theirs is under way any more: the longer of their timeouts, and the longest lateness. */
const SURELY_OVER = 15 * MINUTE;

export class Scene {
  readonly simulation: Simulation;
  readonly setup: Setup;
  /** The names of all users. */
  readonly names: readonly string[];

  constructor(setup: Setup) {
    this.setup = setup;
    this.names = setup.users.map((_, index) => `u${index}`);
    let flickers = 0;
    this.simulation = new Simulation({
      keys: setup.users.map(({ policy }, index) => ({
        userName: `u${index}`,
        ...policy,
        verifyRegions: [...policy.verifyRegions],
      })),
      maxChangesPerRun: setup.maxChangesPerRun,
      account: {
        activationDelay: setup.activationDelay * 1000,
        listingLag: setup.listingLag * MINUTE * 1000,
        lastUsedLag: setup.lastUsedLag * HOUR * 1000,
        keyListingLag: setup.keyListingLag * 1000,
        ...(setup.flicker.length > 0 && {
          flicker: () => setup.flicker[flickers++ % setup.flicker.length] === true,
        }),
        pageSize: setup.pageSize,
        rotationRetry: { attempts: setup.attempts, spacingMs: 20 * MINUTE * 1000, token: setup.token },
        rotationToken: setup.rotationToken,
      },
    });
  }

  // ---- What there is ----------------------------------------------------------------------------------------------------------------

  get account() {
    return this.simulation.account;
  }

  /** The name of a user, by a number of any size. */
  name(user: number): string {
    return `u${user % this.names.length}`;
  }

  policy(name: string) {
    return this.simulation.deployment.keys.find(({ userName }) => userName === name);
  }

  /** The user's keys; none for a user that is not there. */
  keys(name: string) {
    return this.account.users.get(name)?.keys ?? [];
  }

  /** The secret, unless it is deleted. */
  secret(name: string): Secret | undefined {
    const secret = this.account.findSecret(`iam/${name}`);
    return secret?.deletedAt === undefined ? secret : undefined;
  }

  currentKey(name: string): string | undefined {
    return keyIn(this.account.valueOf(`iam/${name}`));
  }

  currentValue(name: string): Record<string, unknown> | undefined {
    return parsedObject(this.account.valueOf(`iam/${name}`));
  }

  /** A key of the user by what it is now. */
  pick(name: string, { which, nth }: WhichKey): string | undefined {
    const keys = this.keys(name).map(({ id }) => id);
    const current = this.currentKey(name);
    const pending = keyIn(this.account.valueOf(`iam/${name}`, 'AWSPENDING'));
    const listed = (keyId: string | undefined) => (keyId !== undefined && keys.includes(keyId) ? keyId : undefined);
    if (which === 'current') return listed(current);
    if (which === 'pending') return pending === current ? undefined : listed(pending);
    if (which === 'inactive') {
      const inactive = keys.filter((keyId) => this.account.keys.get(keyId)?.status === 'Inactive');
      return inactive[nth % inactive.length];
    }
    const ours = (keyId: string) => this.secret(name)?.tags.has(`${TAGS.keyPrefix}${keyId}`) === true;
    const others = keys.filter(
      (keyId) => keyId !== current && keyId !== pending && ours(keyId) === (which === 'superseded'),
    );
    return others[nth % others.length];
  }

  /** Whether the `seq`th entry of the account's history is a call of a function. */
  byFunction(seq: number | undefined): boolean {
    const call = seq === undefined ? undefined : this.account.history[seq];
    return call?.kind === 'call' && call.functionName !== undefined;
  }

  // ---- Single calls -----------------------------------------------------------------------------------------------------------------

  /** @returns whether the key was accepted */
  async use(keyId: string): Promise<boolean> {
    const key = this.account.keys.get(keyId);
    if (key === undefined) return false;
    const credentials = { accessKeyId: key.id, secretAccessKey: key.secret };
    try {
      await this.account.gateway.ask(credentials, this.account.region, 'sts', 'GetCallerIdentity', {});
      return true;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return false;
    }
  }

  /** @returns whether a rotation was started or taken up */
  startRotation(name: string, more: Record<string, unknown> = {}): boolean {
    const input = { SecretId: `iam/${name}`, RotationLambdaARN: this.simulation.rotateArn, ...more };
    try {
      this.account.operate('secretsmanager', 'RotateSecret', input);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return error.message.includes('That rotation will be reattempted');
    }
    return true;
  }

  put(name: string, value: object): boolean {
    return this.putText(name, JSON.stringify(value));
  }

  putText(name: string, SecretString: string): boolean {
    if (this.secret(name) === undefined) return false;
    this.account.operate('secretsmanager', 'PutSecretValue', { SecretId: `iam/${name}`, SecretString });
    return true;
  }

  moveCurrent(name: string, to: string): boolean {
    const from = this.secret(name)?.labels.get('AWSCURRENT');
    if (from === undefined || from === to) return false;
    this.account.operate('secretsmanager', 'UpdateSecretVersionStage', {
      SecretId: `iam/${name}`,
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: to,
      RemoveFromVersionId: from,
    });
    return true;
  }

  takePendingOff(name: string): boolean {
    const RemoveFromVersionId = this.secret(name)?.labels.get('AWSPENDING');
    if (RemoveFromVersionId === undefined) return false;
    const input = { SecretId: `iam/${name}`, VersionStage: 'AWSPENDING', RemoveFromVersionId };
    this.account.operate('secretsmanager', 'UpdateSecretVersionStage', input);
    return true;
  }

  tag(secret: Secret, Key: string, Value: string): void {
    this.account.operate('secretsmanager', 'TagResource', { SecretId: secret.arn, Tags: [{ Key, Value }] });
  }

  restore(name: string): boolean {
    const secret = this.account.findSecret(`iam/${name}`);
    if (secret?.deletedAt === undefined) return false;
    delete secret.deletedAt;
    this.account.noteListing(secret.name);
    return true;
  }

  deploy(name: string, change: object): void {
    const { deployment } = this.simulation;
    const keys = deployment.keys.map((key) => (key.userName === name ? { ...key, ...change } : key));
    this.simulation.deployment = { ...deployment, keys };
  }

  // ---- Time -------------------------------------------------------------------------------------------------------------------------

  /** Lets time pass until no function is at work. */
  async quiet(): Promise<void> {
    for (let round = 0; round < 20; round += 1) {
      const last = this.account.history.findLast((entry) => entry.kind === 'call' && entry.functionName !== undefined);
      const since = last === undefined ? Number.POSITIVE_INFINITY : this.account.clock.nowMs - Date.parse(last.at);
      if (since >= SURELY_OVER * 1000) return;
      await this.simulation.advance(SURELY_OVER - since / 1000 + 1);
    }
  }
}

function parsedObject(value: string | undefined): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(value ?? '');
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}

/** The rotator's code in a failed rotation's message, or how the function ended. */
export function codeOf({ detail }: Extract<HistoryEntry, { kind: 'event' }>): string {
  const type = String(detail.errorType);
  return type === 'RotatorError' || type === 'AwsCallError'
    ? (/^[A-Z_]+/.exec(String(detail.errorMessage))?.[0] ?? type)
    : type;
}
