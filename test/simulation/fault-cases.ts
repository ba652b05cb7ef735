/**
 * Cases: a scenario, what the caller does afterwards, and one or more faults, each at the n-th call of a function since the act began. A case
 * is written `ordinary/same-token/6:done-unanswered+9:crash-before`, and that text runs it again.
 */
import { isDeepStrictEqual } from 'node:util';
import { TAGS } from '../../lambdas/contract/names.ts';
import type { FaultKind } from '../../local/faults.ts';
import type { CallRecord } from '../../local/model.ts';
import type { Residual } from '../../local/oracle.ts';
import { ownFields } from './own-fields.ts';
import { type Caller, scenarioOf } from './scenarios.ts';
import type { Simulation } from './world.ts';

/** What befalls a call. `attempts`: how many of the SDK's attempts at it. */
export const FAULTS: Readonly<Record<string, FaultKind & { readonly attempts: number }>> = {
  throttled: { kind: 'refuse', attempts: 4 },
  'answered-500': { kind: 'refuse', error: { code: 'InternalFailure', status: 500 }, attempts: 4 },
  denied: { kind: 'refuse', error: { code: 'AccessDenied', status: 403 }, attempts: 1 },
  'cut-off-once': { kind: 'network', attempts: 1 },
  'cut-off': { kind: 'network', attempts: 4 },
  'done-unanswered-once': { kind: 'lose-answer', attempts: 1 },
  'done-unanswered': { kind: 'lose-answer', attempts: 4 },
  'crash-before': { kind: 'crash-before', attempts: 1 },
  'crash-after': { kind: 'crash-after', attempts: 1 },
  'answered-late': { kind: 'late', ms: 40_000, attempts: 1 },
  'out-of-time': { kind: 'late', ms: 20 * 60_000, attempts: 1 },
};

export interface FaultAt {
  /** Counted from 1 over the calls of functions since the act began; the SDK's own repetitions count as one. */
  readonly call: number;
  readonly fault: string;
}

export interface FaultCase {
  readonly scenario: string;
  readonly caller: Caller;
  readonly faults: readonly FaultAt[];
}

export interface Judged {
  readonly wrong: readonly string[];
  readonly residuals: readonly Residual[];
  /** Calls that functions made, all of them judged. */
  readonly calls: number;
  /**
   * The functions whose calls were made from the act's beginning until three hours after it, call by call: where a further fault can strike.
   */
  readonly strikableOf: readonly string[];
  readonly struck: number;
  readonly simulation: Simulation;
}

export const caseText = ({ scenario, caller, faults }: FaultCase): string =>
  `${scenario}/${caller}/${faults.map(({ call, fault }) => `${call}:${fault}`).join('+')}`;

/** @throws Error if the text names no case */
export function parseCase(text: string): FaultCase {
  const [scenario = '', caller = '', list = ''] = text.split('/');
  const known = scenarioOf(scenario);
  const found = known.callers.find((name) => name === caller);
  if (found === undefined)
    throw new Error(`no caller '${caller}' of ${scenario}: expected one of ${known.callers.join(', ')}`);
  const faults =
    list === ''
      ? []
      : list.split('+').map((part): FaultAt => {
          const [call = '', fault = ''] = part.split(':');
          if (!/^[1-9]\d*$/.test(call) || FAULTS[fault] === undefined)
            throw new Error(
              `'${part}' is no fault: expected <call>:<fault> with one of ${Object.keys(FAULTS).join(', ')}`,
            );
          return { call: Number(call), fault };
        });
  return { scenario, caller: found, faults };
}

/** From one call to the next that a fault can strike: two deliveries run in step, and a call and its twin are counted at once. */
const strideOf = (caller: Caller): number => (caller === 'twice-at-once' ? 2 : 1);

/** Every fault at each of the calls of `strikableOf` after those of `before`. @param functionName only calls of this function */
export function* everyFault(
  { scenario, caller, faults: before }: FaultCase,
  strikableOf: readonly string[],
  functionName?: string,
): Iterable<FaultCase> {
  const stride = strideOf(caller);
  const last = before.at(-1)?.call;
  for (let call = last === undefined ? 1 : last + stride; call <= strikableOf.length; call += stride) {
    if (functionName !== undefined && strikableOf[call - 1] !== functionName) continue;
    for (const fault of Object.keys(FAULTS)) yield { scenario, caller, faults: [...before, { call, fault }] };
  }
}

/** Runs a case until all is quiet, and judges it. */
export async function runCase(one: FaultCase): Promise<Judged> {
  const scenario = scenarioOf(one.scenario);
  const simulation = await scenario.start(one.caller);
  const { account } = simulation;
  simulation.startApplications();
  const aim = new Aim();
  account.onCall((call) => aim.note(call));
  for (const { call, fault } of one.faults) {
    const { attempts, ...kind } = FAULTS[fault] ?? { kind: 'network', attempts: 1 };
    account.faults.add({ ...kind, times: attempts, match: { predicate: aim.at(call) } });
  }
  if (one.caller === 'twice-at-once') account.functions.deliveries = 2;
  await scenario.act(simulation, one.caller);
  // Time for the retries; what fails after it is an ordinary pass.
  await simulation.advanceWithPasses(3 / 24);
  const strikableOf = [...aim.functions];
  account.functions.deliveries = 1;
  const soon = scenario.soon?.(simulation) ?? [];
  const wrong = [...soon, ...(await judge(simulation, one, scenario.quietAfter))];
  const broken = simulation.oracle.finish();
  return {
    wrong: [
      ...wrong,
      ...broken
        .filter(({ residual }) => residual === undefined)
        .map(({ invariant, what, at, call }) => `invariant ${invariant}: ${what} (${at}, call ${call})`),
    ],
    residuals: broken.flatMap(({ residual }) => residual ?? []),
    calls: account.history.filter((entry) => entry.kind === 'call' && entry.functionName !== undefined).length,
    strikableOf,
    struck: aim.struck,
    simulation,
  };
}

/** Counts the calls of functions, a call and the SDK's repetitions of it as one. */
class Aim {
  readonly functions: string[] = [];
  struck = 0;
  #last: string | undefined;

  /** True for the n-th call, and for its repetitions. */
  at(n: number): (call: CallRecord) => boolean {
    return (call) => {
      if (call.functionName === undefined) return false;
      const seen = this.functions.length;
      const position = this.#isRepeated(call) ? seen : seen + 1;
      return position === n;
    };
  }

  note(call: CallRecord): void {
    if (call.functionName === undefined) return;
    if (!this.#isRepeated(call)) this.functions.push(call.functionName);
    if (call.fault !== undefined) this.struck += 1;
    // Only what the SDK repeats: after a refusal that it doesn't, the same call is another one.
    this.#last = call.fault === undefined || call.fault === 'late' ? undefined : keyOf(call);
  }

  #isRepeated(call: CallRecord): boolean {
    return this.#last === keyOf(call);
  }
}

const keyOf = ({ invocationId, action, parameters }: CallRecord) =>
  `${invocationId} ${action} ${JSON.stringify(parameters)}`;

/** Runs on until quiet, then says what is wrong. */
async function judge(simulation: Simulation, { caller, faults }: FaultCase, quietAfter: number): Promise<string[]> {
  const wrong: string[] = [];
  const { keys } = simulation.deployment;
  for (const { secretName } of keys) {
    const none = simulation.currentKey(secretName) === undefined;
    if (caller === 'gives-up' || none) await simulation.rotate(secretName);
    // A fault may have struck this one too: the next schedule comes.
    for (
      let left = faults.length;
      left > 0 && simulation.endOfRotation(secretName)?.name === 'RotationFailed';
      left -= 1
    )
      await simulation.rotate(secretName);
  }
  await simulation.advanceWithPasses(quietAfter, 24);
  for (const { secretName, userName } of keys) {
    const current = String(simulation.currentKey(secretName));
    const listed = simulation.keys(userName);
    if (listed[current] !== 'Active') wrong.push(`the current key ${current} is ${listed[current]}`);
    if (Object.keys(listed).length !== 1) wrong.push(`left over: ${JSON.stringify(listed)}`);
    const marks = Object.keys(simulation.tags(secretName)).filter((tag) => tag.startsWith(TAGS.leakPrefix));
    if (marks.length > 0) wrong.push(`left over: ${marks}`);
    await simulation.rotate(secretName);
    if (!isDeepStrictEqual(simulation.current(secretName), ownFields(simulation, secretName)))
      wrong.push('the value is not of the configured form, or not wholly of the current key');
    if (simulation.currentKey(secretName) === current) wrong.push('the next rotation does not succeed');
  }
  return wrong;
}
