/** What stands between the wire and the services: authentication, faults, authorization, and the way of the answer. */
import type { SimulatedAccount } from './account.ts';
import { type Fault, refusal } from './faults.ts';
import { type AccessKey, AwsError, type Caller, type Credentials, type Principal } from './model.ts';
import { RandomIds } from './random.ts';
import { recordUse } from './services/iam.ts';
import { operationOf, type ServiceName, service, serviceNamed } from './services/registry.ts';
import type { Input, Output, WireResponse } from './wire/protocols.ts';
import { claimOf, verifySignature, type WireRequest, wrongSignature } from './wire/sigv4.ts';

/** What comes back from the account; `lost` is a broken connection, `silent` means that nobody is there to be answered. */
export type Reply =
  | ({ readonly kind: 'answer' } & WireResponse)
  | { readonly kind: 'lost' }
  | { readonly kind: 'silent' };

/** What becomes of a call: its output, or no answer. Errors are thrown. */
export type Reached =
  | { readonly kind: 'done'; readonly output: Output }
  | { readonly kind: 'lost' }
  | { readonly kind: 'silent' };

const FLICKERS_FOR_MS = 30_000;

/** Who asks for what, before it is proven. */
interface Claim {
  readonly accessKeyId: string;
  readonly sessionToken: string | undefined;
  readonly service: string;
  readonly region: string;
}

export class Gateway {
  readonly #account: SimulatedAccount;
  /** Of their own, so that the number of calls does not change the ids of keys. */
  readonly #requestIds = new RandomIds(0);

  constructor(account: SimulatedAccount) {
    this.#account = account;
  }

  /**
   * Answers one signed request.
   *
   * @param now the server's time as far as the age of the signature goes
   * @param caller the function that sends it, with whosever credentials; by default the one that they belong to
   */
  async handle(request: WireRequest, now = this.#account.clock.nowMs, caller?: Caller): Promise<Reply> {
    this.#account.clock.enter();
    const requestId = this.#requestIds.uuid();
    let { protocol } = service('sts');
    try {
      const signed = claimOf(request);
      const name = serviceNamed(signed.service);
      ({ protocol } = service(name));
      const { action, input } = protocol.parse(request);
      const claim = { ...signed, sessionToken: request.headers['x-amz-security-token'] };
      const prove: Prove = (credentials) => verifySignature(request, signed, credentials, now);
      const reached = await this.#answer(claim, name, action, input, prove, caller);
      return reached.kind === 'done'
        ? { kind: 'answer', ...protocol.answer(action, reached.output, requestId) }
        : reached;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return { kind: 'answer', ...protocol.refuse(error, requestId) };
    } finally {
      this.#account.clock.leave();
    }
  }

  /**
   * Answers a client of this process without a wire: nothing is signed, serialized or parsed, all else is the same.
   *
   * @throws AwsError what the account answers
   */
  async ask(
    credentials: Credentials,
    region: string,
    name: ServiceName,
    action: string,
    input: Input,
    caller?: Caller,
  ): Promise<Reached> {
    this.#account.clock.enter();
    try {
      const { accessKeyId, sessionToken, secretAccessKey } = credentials;
      const prove: Prove = (recorded) => {
        if (recorded.secretAccessKey !== secretAccessKey) throw wrongSignature(name);
      };
      return await this.#answer(
        { accessKeyId, sessionToken, service: name, region },
        name,
        action,
        input,
        prove,
        caller,
      );
    } finally {
      this.#account.clock.leave();
    }
  }

  async #answer(
    claim: Claim,
    name: ServiceName,
    action: string,
    input: Input,
    prove: Prove,
    caller: Caller | undefined,
  ): Promise<Reached> {
    if (caller?.alive === false) return { kind: 'silent' };
    let principal: Principal;
    try {
      principal = await this.#authenticate(claim, name, prove);
    } catch (error) {
      if (error instanceof AwsError) this.#turnAway(claim, name, action, input, error, caller);
      throw error;
    }
    return this.#perform({ ...principal, ...(caller && { caller }) }, name, action, input);
  }

  /** Unknown, deleted, inactive and not yet propagated keys are refused alike, before the signature is looked at. */
  async #authenticate(claim: Claim, name: ServiceName, prove: Prove): Promise<Principal> {
    const session = this.#account.sessions.get(claim.accessKeyId);
    const key = this.#account.keys.get(claim.accessKeyId);
    const user = this.#account.users.get(key?.userName ?? '');
    const { sessionToken: token } = claim;
    if (session !== undefined && token === session.credentials.sessionToken) {
      await prove(session.credentials);
      return session.principal;
    }
    const usable = key?.status === 'Active' && this.#hasPropagated(key);
    if (key === undefined || user === undefined || !usable || token !== undefined) {
      const message = 'The security token included in the request is invalid.';
      const code = service(name).codes?.unknownKey;
      throw code === undefined ? new AwsError('InvalidClientTokenId', message, 403) : new AwsError(code, message);
    }
    await prove({ accessKeyId: key.id, secretAccessKey: key.secret });
    recordUse(this.#account, key, claim.service, claim.region);
    return { kind: 'user', arn: user.arn, userId: user.id, name: user.name, accessKeyId: key.id };
  }

  #hasPropagated({ usableFrom }: AccessKey): boolean {
    const { clock, options } = this.#account;
    const age = clock.nowMs - usableFrom;
    return age >= 0 && !(age < FLICKERS_FOR_MS && options.flicker?.() === true);
  }

  /** Calls that fail to authenticate are on the record too, under the key that they were made with. */
  #turnAway(
    claim: Claim,
    name: ServiceName,
    action: string,
    input: Input,
    error: AwsError,
    caller: Caller | undefined,
  ): void {
    const { accessKeyId } = claim;
    const userName = this.#account.keys.get(accessKeyId)?.userName ?? accessKeyId;
    const who = { kind: 'unknown', arn: accessKeyId, userId: accessKeyId, name: userName, accessKeyId } as const;
    const principal: Principal = { ...who, ...(caller && { caller }) };
    const call = this.#account.record(principal, name, action, input);
    call.outcome = { code: error.code, message: error.message };
    this.#account.finish(call);
  }

  async #perform(principal: Principal, name: ServiceName, action: string, input: Input): Promise<Reached> {
    const { caller } = principal;
    if (caller?.alive === false) return { kind: 'silent' };
    const call = this.#account.record(principal, name, action, input);
    const fault = this.#account.faults.strike(call);
    if (fault !== undefined) call.fault = fault.kind;
    if (fault?.kind === 'refuse' || fault?.kind === 'network' || fault?.kind === 'crash-before') {
      call.outcome = 'not reached';
      this.#account.finish(call);
      if (fault.kind === 'refuse') throw refusal(fault);
      if (fault.kind === 'crash-before') caller?.crash();
      return fault.kind === 'crash-before' && caller !== undefined ? { kind: 'silent' } : { kind: 'lost' };
    }
    const denied = await this.#judge(principal, name, action, input);
    let result: Output | AwsError;
    try {
      result = this.#account.execute(call, () => {
        const operation = operationOf(name, action);
        if (denied !== undefined) throw denied;
        return operation(this.#account, input, principal);
      });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      result = error;
    }
    const answer = service(name).answers?.[action];
    if (answer !== undefined && !(result instanceof AwsError)) {
      result = await this.#waiting(() => answer(this.#account, input), caller);
    }
    return this.#deliver(result, fault, caller);
  }

  /** Lets time pass until the work is done. */
  async #waiting<T>(work: () => Promise<T>, caller: Principal['caller']): Promise<T> {
    caller?.parked(1);
    this.#account.clock.leave();
    try {
      return await work();
    } finally {
      this.#account.clock.enter();
      caller?.parked(-1);
    }
  }

  /** What becomes of the answer. */
  async #deliver(result: Output | AwsError, fault: Fault | undefined, caller: Principal['caller']): Promise<Reached> {
    if (fault?.kind === 'crash-after') {
      caller?.crash();
      return caller === undefined ? { kind: 'lost' } : { kind: 'silent' };
    }
    if (fault?.kind === 'lose-answer') return { kind: 'lost' };
    if (fault?.kind === 'late') {
      await this.#waiting(() => this.#account.clock.sleep(fault.ms), caller);
    }
    if (caller?.alive === false) return { kind: 'silent' };
    if (result instanceof AwsError) throw result;
    return { kind: 'done', output: result };
  }

  /** The error of a call that the caller's policies don't allow. A user has none of its own here: what it may is in the policies of the secrets. */
  async #judge(principal: Principal, name: ServiceName, action: string, input: Input): Promise<AwsError | undefined> {
    const { judged, prefix = name, codes } = service(name);
    if (this.#account.authorize === undefined || judged === undefined) return undefined;
    if (principal.kind !== 'role' && principal.kind !== 'user') return undefined;
    const principalArn =
      principal.kind === 'user' ? principal.arn : `arn:aws:iam::${this.#account.id}:role/${principal.name}`;
    const {
      resource,
      context,
      action: asked = `${prefix}:${action}`,
      ...policy
    } = judged(this.#account, action, input, principal);
    const verdict = await this.#account.authorize({
      principalArn,
      action: asked,
      resource,
      context: { 'aws:PrincipalArn': principalArn, ...context },
      ...policy,
    });
    if (verdict.allowed) return undefined;
    const message = `User: ${principal.arn} is not authorized to perform: ${asked} on resource: ${resource} ${verdict.reason}`;
    return codes?.denied === undefined
      ? new AwsError('AccessDenied', message, 403)
      : new AwsError(codes.denied, message);
  }
}

/** Throws unless the caller has the secret of the credentials on record. */
type Prove = (recorded: Credentials) => void | Promise<void>;
