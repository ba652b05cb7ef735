/** What operators, teams and applications do by hand at once, and what they remember of it. */

import { ONLY_KEY } from '../../lambdas/contract/deployment.ts';
import type { SecretFormat } from '../../lambdas/contract/formats.ts';
import { BOOTSTRAP_VALUE, TAGS } from '../../lambdas/contract/names.ts';
import { parseValue, type ValuePolicy } from '../../lambdas/domain/secret-value.ts';
import { AwsError, type Secret } from '../../local/model.ts';
import { keyIn, USER_FIELDS } from './forms.ts';
import type { Deed, Tag, WhichKey } from './history.ts';
import type { Scene } from './scene.ts';
import type { WhoseKeys } from './whose-keys.ts';

export class Operator {
  readonly #scene: Scene;
  readonly #whose: WhoseKeys;
  /** Values that stood in AWSCURRENT, by secret, oldest first. */
  readonly #currentValues = new Map<string, string[]>();
  /** What a damaged tag was before, by secret and tag. */
  readonly #intact = new Map<string, string>();
  /** When an operator disabled or deleted a key, or its user. */
  readonly #ended = new Map<string, number>();
  #skewed = false;

  constructor(scene: Scene, whose: WhoseKeys) {
    this.#scene = scene;
    this.#whose = whose;
    const { account } = scene;
    account.onChange(({ change }) => {
      if (change.what !== 'label-moved' || change.label !== 'AWSCURRENT') return;
      const value = account.valueOf(change.secret);
      const before = this.#currentValues.get(change.secret) ?? [];
      if (value !== undefined) this.#currentValues.set(change.secret, [...before, value]);
    });
  }

  /** When keys were disabled or deleted by hand, by key. */
  get ended(): ReadonlyMap<string, number> {
    return this.#ended;
  }

  /** Whether the functions' clocks have ever differed. */
  get hasSkewed(): boolean {
    return this.#skewed;
  }

  // ---- Deeds ------------------------------------------------------------------------------------------------------------------------

  /** @returns whether there was something to do */
  do(deed: Deed): boolean {
    const name = this.#scene.name(deed.user);
    try {
      return this.#dare(deed, name);
    } catch (error) {
      // What AWS refuses to an operator is no deed.
      if (!(error instanceof AwsError)) throw error;
      return false;
    }
  }

  #dare(deed: Deed, name: string): boolean {
    const secretName = `iam/${name}`;
    const { account } = this.#scene;
    const user = account.users.get(name);
    const secret = this.#scene.secret(name);
    switch (deed.do) {
      case 'make-key':
        if (user === undefined || user.keys.length > 2) return false;
        account.createAccessKey(name, { force: deed.force });
        return true;
      case 'activate':
      case 'disable':
      case 'delete-key':
      case 'use':
      case 'store-key':
        return this.#dareKey(deed, name);
      case 'delete-user':
        if (user === undefined) return false;
        account.deleteUser(name);
        return true;
      case 'make-user':
        for (const { id } of user?.keys ?? []) this.#ended.set(id, account.clock.nowMs);
        if (user !== undefined) account.deleteUser(name);
        account.createUser(name);
        if (deed.key) account.createAccessKey(name);
        return true;
      case 'delete-secret':
        account.operate('secretsmanager', 'DeleteSecret', { SecretId: secretName });
        return true;
      case 'restore-secret':
        return this.#scene.restore(name);
      case 'make-secret-anew':
        return this.#makeAnew(name);
      case 'edit': {
        const Endpoint = `https://${account.history.length}.test`;
        return this.#scene.put(name, { ...this.#scene.currentValue(name), Endpoint });
      }
      case 'put-back':
        return this.isBroken(name) && this.putBack(name);
      case 'break': {
        const value = this.#scene.currentValue(name);
        if (value === undefined) return false;
        if (deed.how === 'no-json') return this.#scene.putText(name, 'not JSON');
        if (deed.how === 'other-user')
          return this.#scene.put(name, {
            ...value,
            ...Object.fromEntries(USER_FIELDS.flatMap((field) => (field in value ? [[field, 'somebody']] : []))),
          });
        return this.#scene.put(name, { Endpoint: 'https://example.test' });
      }
      case 'pend':
        return this.#pend(deed.how, name);
      case 'roll-back': {
        const versions = [...(secret?.versions.values() ?? [])].filter(({ value }) => value !== undefined);
        const to =
          deed.to === 'previous' ? secret?.labels.get('AWSPREVIOUS') : versions[deed.nth % versions.length]?.id;
        return to !== undefined && this.#scene.moveCurrent(name, to);
      }
      case 'take-pending-off':
        return this.#scene.takePendingOff(name);
      case 'cancel':
        if (secret?.rotation === undefined) return false;
        account.operate('secretsmanager', 'CancelRotateSecret', { SecretId: secretName });
        return true;
      case 'remove-tag':
      case 'damage-tag':
        return this.#spoil(name, deed.tag, deed.nth, deed.do === 'damage-tag');
      case 'deploy':
        this.#scene.deploy(name, deed.policy);
        return true;
      case 'change-form':
        return this.#changeForm(name, deed.format, deed.beside);
      case 'adopt':
        return this.#adopt(name, deed.nth);
      case 'adopt-only-key':
        this.adoptNoMore(name);
        this.#scene.simulation.adopt(name, ONLY_KEY);
        return true;
      case 'adopt-no-more':
        return this.adoptNoMore(name);
      case 'skew':
        account.clock.skew = deed.seconds * 1000;
        this.#skewed = true;
        return true;
      case 'recycle':
        account.functions.recycle();
        return true;
      default:
        return unknown(deed);
    }
  }

  #dareKey(deed: Extract<Deed, WhichKey>, name: string): boolean {
    const { account } = this.#scene;
    const keyId = this.#scene.pick(name, deed);
    if (keyId === undefined) return false;
    switch (deed.do) {
      case 'activate':
      case 'disable': {
        const status = deed.do === 'activate' ? 'Active' : 'Inactive';
        if (account.keys.get(keyId)?.status === status) return false;
        account.setAccessKeyStatus(keyId, status);
        if (status === 'Inactive') this.#ended.set(keyId, account.clock.nowMs);
        this.#whose.noteStatus(keyId, status);
        return true;
      }
      case 'delete-key':
        account.deleteAccessKey(keyId);
        this.#ended.set(keyId, account.clock.nowMs);
        this.#whose.noStranger(keyId);
        return true;
      case 'use':
        // A key that no application can have read is used by none.
        if (deed.which === 'pending' || this.#whose.isOrphan(keyId)) return false;
        void this.#scene.use(keyId);
        return true;
      case 'store-key':
        if (deed.which === 'pending' || this.#whose.isOrphan(keyId)) return false;
        return this.store(name, keyId);
      default:
        return unknown(deed.do);
    }
  }

  /** Deletes the secret for good and deploys it anew. */
  #makeAnew(name: string): boolean {
    const { account, simulation } = this.#scene;
    const secret = account.findSecret(`iam/${name}`);
    if (secret === undefined) return false;
    account.rotation.cancel(secret);
    this.#whose.loseLedger(name, secret.tags.keys());
    account.secrets.delete(secret.arn);
    const tags = { [TAGS.deployment]: simulation.deployment.name };
    account.createSecret(secret.name, { value: BOOTSTRAP_VALUE, tags });
    return true;
  }

  #pend(how: Extract<Deed, { do: 'pend' }>['how'], name: string): boolean {
    const { account } = this.#scene;
    const value = (keyId: string | undefined) => {
      const key = account.keys.get(keyId ?? '');
      // The secret of an orphan nobody knows.
      if (key !== undefined && this.#whose.isOrphan(key.id)) return undefined;
      return key && JSON.stringify({ Version: 1, AccessKeyId: key.id, SecretAccessKey: key.secret, UserName: name });
    };
    const other = [...account.users.values()].find((user) => user.name !== name)?.keys[0]?.id;
    const SecretString = {
      broken: () => 'not JSON',
      stranger: () => value(this.#scene.pick(name, { which: 'stranger', nth: 0 })),
      foreign: () => value(other),
      current: () => value(this.#scene.currentKey(name)),
    }[how]();
    if (SecretString === undefined) return false;
    const VersionStages = ['AWSPENDING'];
    account.operate('secretsmanager', 'PutSecretValue', { SecretId: `iam/${name}`, SecretString, VersionStages });
    if (how === 'stranger') this.#whose.mayBecomeOurs(this.#scene.pick(name, { which: 'pending', nth: 0 }));
    return true;
  }

  #spoil(name: string, tag: Tag, nth: number, damage: boolean): boolean {
    const secret = this.#scene.secret(name);
    const prefix = {
      key: TAGS.keyPrefix,
      intent: TAGS.intentPrefix,
      verified: TAGS.verified,
      'user-id': TAGS.userId,
      deployment: TAGS.deployment,
    }[tag];
    const found = [...(secret?.tags.keys() ?? [])].filter((known) => known.startsWith(prefix));
    const key = found[nth % found.length];
    if (secret === undefined || key === undefined || (damage && (tag === 'user-id' || tag === 'deployment')))
      return false;
    if (damage) {
      const place = `${secret.name} ${key}`;
      if (!this.#intact.has(place)) this.#intact.set(place, secret.tags.get(key) ?? '');
      this.#scene.tag(secret, key, 'promoted=yesterday at=noon');
    } else {
      this.removeTag(secret, key);
    }
    return true;
  }

  #adopt(name: string, nth: number): boolean {
    const keyId = this.#scene.pick(name, { which: 'stranger', nth });
    if (keyId === undefined) return false;
    this.#whose.noStranger(keyId);
    // Until a promotion or a pass counts it as superseded it may stay, and what follows if the adoption ends before, as well.
    this.#whose.disown(keyId);
    this.adoptNoMore(name);
    this.#scene.simulation.adopt(name, keyId);
    return true;
  }

  // ---- What also puts things right --------------------------------------------------------------------------------------------------

  /** A team stores a key by hand. */
  store(name: string, keyId: string): boolean {
    const key = this.#scene.account.keys.get(keyId);
    if (key === undefined) return false;
    return this.#scene.put(name, this.#valueOf(name, key));
  }

  /** What a team writes by hand: the key in the form that is configured. */
  #valueOf(name: string, { id, secret }: { readonly id: string; readonly secret: string }): Record<string, unknown> {
    const { accessKeyId, secretAccessKey, userName } = this.#policy(name).format.fields;
    const version = accessKeyId === 'AccessKeyId' ? { Version: 1 } : {};
    return { ...version, [accessKeyId]: id, [secretAccessKey]: secret, [userName]: name };
  }

  #policy(name: string) {
    const policy = this.#scene.policy(name);
    if (policy === undefined) throw new Error(`no policy of ${name}`);
    return policy;
  }

  /** Whether the functions accept the value. */
  isGood(value: string, name: string): boolean {
    return isGood(value, this.#policy(name));
  }

  /** Deploys another form. What the value has under names of one's own is understood as long as these are configured, and no longer. */
  #changeForm(name: string, format: SecretFormat, beside: boolean): boolean {
    const value = this.#scene.account.valueOf(`iam/${name}`);
    const policy = this.#policy(name);
    const strands = value !== undefined && this.isGood(value, name) && !isGood(value, { ...policy, format });
    this.#scene.deploy(name, { format });
    if (strands && beside) this.#writeBeside(name);
    return true;
  }

  /** The current key under the names of the configured form, beside those that are not understood any more. @returns whether that was all that was wrong */
  #writeBeside(name: string): boolean {
    const value = this.#scene.currentValue(name);
    const key = this.#scene.account.keys.get(this.#scene.currentKey(name) ?? '');
    if (value === undefined || key?.userName !== name) return false;
    const written = { ...value, ...this.#valueOf(name, key) };
    return this.isGood(JSON.stringify(written), name) && this.#scene.put(name, written);
  }

  adoptNoMore(name: string): boolean {
    const { simulation } = this.#scene;
    const adopted = this.#scene.policy(name)?.adopt;
    if (adopted === undefined) return false;
    const keys = simulation.deployment.keys.map(({ adopt, ...key }) =>
      key.userName === name || adopt === undefined ? key : { ...key, adopt },
    );
    simulation.deployment = { ...simulation.deployment, keys };
    for (const keyId of adopted === ONLY_KEY ? this.#whose.adoptedAsOnly(name) : [adopted]) this.#whose.disown(keyId);
    return true;
  }

  removeTag(secret: Secret, key: string): void {
    this.#scene.account.operate('secretsmanager', 'UntagResource', { SecretId: secret.arn, TagKeys: [key] });
    this.#intact.delete(`${secret.name} ${key}`);
    this.#whose.loseTag(key);
  }

  /** What the tag was before somebody damaged it. */
  intact(secret: Secret, key: string): string | undefined {
    return this.#intact.get(`${secret.name} ${key}`);
  }

  isBroken(name: string): boolean {
    const { account } = this.#scene;
    return this.#scene.secret(name) !== undefined && !this.isGood(account.valueOf(`iam/${name}`) ?? '', name);
  }

  /** A value of the form that is expected: the last one that stood there, rather one whose key is still the user's. */
  putBack(name: string): boolean {
    const secret = this.#scene.secret(name);
    if (secret === undefined) return false;
    if (this.#writeBeside(name)) return true;
    const good = (this.#currentValues.get(secret.name) ?? []).filter((value) => this.isGood(value, name));
    const usable = good.findLast((value) => {
      const key = this.#scene.account.keys.get(keyIn(value) ?? '');
      return key?.userName === name && key.status === 'Active';
    });
    const value = usable ?? good.at(-1) ?? BOOTSTRAP_VALUE;
    const version = [...secret.versions.values()].find((known) => known.value === value);
    if (this.#scene.setup.mends === 'gently' && version !== undefined) return this.#scene.moveCurrent(name, version.id);
    return this.#scene.putText(name, value);
  }
}

/** Whether the value has the form that the functions accept. */
function isGood(value: string, policy: ValuePolicy): boolean {
  try {
    parseValue(value, policy);
    return true;
  } catch {
    return false;
  }
}

function unknown(what: never): never {
  throw new Error(`unknown: ${String(what)}`);
}
