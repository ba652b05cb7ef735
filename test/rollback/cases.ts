/**
 * Cases of a rollback: in a scene, one call of the operator's program is struck, or passes and rotations run into it; afterwards it is run again as
 * often as it takes. A case is written `disabled/7:crash-after` or `due/pass@7:3+14`, and that text runs it again.
 */
import { RotatorError } from '../../lambdas/domain/errors.ts';
import { MINUTE } from '../policy.ts';
import { FAULTS } from '../simulation/fault-cases.ts';
import type { Simulation } from '../simulation/world.ts';
import { watchApplication } from './application.ts';
import { type Ended, OperatorProcess, type StruckCall } from './process.ts';
import { keyIds, SCENES, SECRET } from './scenes.ts';

/** Who runs into the rollback: begins when the n-th call leaves, and its own m-th call is answered late. */
export interface Intruder {
  readonly who: 'pass' | 'rotation';
  /** Call of the operator's program at which it begins. */
  readonly at: number;
  /** Of its calls, which one is answered late, and by how many seconds. */
  readonly late?: { readonly call: number; readonly seconds: number };
}

export interface RollbackCase {
  readonly scene: string;
  readonly struck?: StruckCall;
  readonly intruders?: readonly Intruder[];
}

export interface JudgedRollback {
  readonly wrong: readonly string[];
  readonly runs: readonly Ended[];
  /** Of the first run. */
  readonly calls: readonly string[];
  readonly steps: readonly string[];
  readonly simulation: Simulation;
}

export const caseText = ({ scene, struck, intruders = [] }: RollbackCase): string =>
  [
    scene,
    [
      ...(struck === undefined ? [] : [`${struck.call}:${struck.fault}`]),
      ...intruders.map(
        ({ who, at, late }) => `${who}@${at}${late === undefined ? '' : `:${late.call}+${late.seconds}`}`,
      ),
    ].join(','),
  ].join('/');

/** @throws Error if the text names no case */
export function parseCase(text: string): RollbackCase {
  const [scene = '', list = ''] = text.split('/');
  if (SCENES[scene] === undefined)
    throw new Error(`no scene '${scene}': expected one of ${Object.keys(SCENES).join(', ')}`);
  let struck: StruckCall | undefined;
  const intruders: Intruder[] = [];
  for (const part of list.split(',').filter((one) => one !== '')) {
    const fault = /^(\d+):([a-z0-9-]+)$/.exec(part);
    const intruder = /^(pass|rotation)@(\d+)(?::(\d+)\+(\d+))?$/.exec(part);
    if (fault !== null && FAULTS[fault[2] ?? ''] !== undefined)
      struck = { call: Number(fault[1]), fault: fault[2] ?? '' };
    else if (intruder !== null) {
      const [, who, at, call, seconds] = intruder;
      intruders.push({
        who: who === 'pass' ? 'pass' : 'rotation',
        at: Number(at),
        ...(call === undefined ? {} : { late: { call: Number(call), seconds: Number(seconds) } }),
      });
    } else throw new Error(`'${part}' is no part of a case: expected <call>:<fault> or pass@<call>:<call>+<seconds>`);
  }
  return { scene, ...(struck && { struck }), intruders };
}

/** Every fault at each of the calls of an undisturbed run. */
export function* everyFault(scene: string, calls: number): Iterable<RollbackCase> {
  for (let call = 1; call <= calls; call += 1)
    for (const fault of Object.keys(FAULTS)) yield { scene, struck: { call, fault } };
}

/** Just within the time for which a look may be acted upon, and beyond it. */
const LATENESS = [14, 40];
/** As many calls as a pass or a rotation makes until it changes a key. */
const CALLS_OF: Readonly<Record<Intruder['who'], number>> = { pass: 8, rotation: 24 };

/** Passes and rotations that begin at each call, undisturbed, or with any one of their calls answered late. */
export function* everyIntruder(scene: string, calls: number, who: Intruder['who']): Iterable<RollbackCase> {
  for (let at = 1; at <= calls; at += 1) {
    yield { scene, intruders: [{ who, at }] };
    for (let call = 1; call <= CALLS_OF[who]; call += 1)
      for (const seconds of LATENESS) yield { scene, intruders: [{ who, at, late: { call, seconds } }] };
  }
}

/** Two passes: what the first records, the second acts upon. */
export function* everyPairOfPasses(scene: string, calls: number): Iterable<RollbackCase> {
  for (let first = 1; first <= calls; first += 1)
    for (let second = first; second <= calls; second += 1)
      yield {
        scene,
        intruders: [
          { who: 'pass', at: first },
          { who: 'pass', at: second },
        ],
      };
}

/** Runs again in one case: more than any needs. */
const MOST_RUNS = 4;

/** In days: what was superseded, or activated in vain, is retired by then, and the slot is free. */
const QUIET_AFTER = 24;

/** Runs a case until all is quiet, and judges it. */
export async function runCase({ scene, struck, intruders = [] }: RollbackCase): Promise<JudgedRollback> {
  const found = SCENES[scene];
  if (found === undefined) throw new Error(`no scene '${scene}'`);
  const simulation = await found.start();
  const { account } = simulation;
  const [older = ''] = keyIds(simulation);
  const before = simulation.currentKey(SECRET);
  const application = watchApplication(simulation);
  const runs: Ended[] = [];
  let first: OperatorProcess | undefined;
  while (runs.length < MOST_RUNS) {
    const process = new OperatorProcess(simulation, first === undefined ? struck : undefined);
    if (first === undefined) process.onCall = (call) => intrude(simulation, intruders, call);
    first ??= process;
    const ended = await account.clock.run(process.rollBack());
    runs.push(ended);
    if (ended.how === 'rolled back' || ended.how === 'nothing to do' || isRefusal(ended)) break;
    await simulation.advance(MINUTE);
  }
  // What was under way is over, then the passes of a day.
  await simulation.advance(10 * MINUTE);
  const moved = simulation.currentKey(SECRET);
  const wrong = judge(found.ends, runs.at(-1), { older, before, moved }, intruders);
  application.slow();
  account.faults.clear();
  await simulation.advanceWithPasses(0.2, 1);
  await simulation.advanceWithPasses(QUIET_AFTER, 24);
  const current = simulation.currentKey(SECRET);
  if (Object.keys(simulation.keys('app')).length > 1)
    wrong.push(`left over: ${JSON.stringify(simulation.keys('app'))}`);
  await simulation.rotate(SECRET);
  if (simulation.currentKey(SECRET) === current) wrong.push('the next rotation does not succeed');
  application.stop();
  const broken = simulation.oracle.finish().filter(({ residual }) => residual === undefined);
  return {
    wrong: [
      ...wrong,
      ...application.wrong.slice(0, 3),
      ...broken.map(({ invariant, what, at }) => `invariant ${invariant}: ${what} (${at})`),
    ],
    runs,
    calls: first?.calls ?? [],
    steps: first?.steps ?? [],
    simulation,
  };
}

/** With somebody in between it may be refused; a call that AWS answers with no is none. */
function isRefusal(ended: Ended): boolean {
  return ended.how === 'failed' && ended.error instanceof RotatorError && !TO_BE_REPEATED.has(ended.error.code);
}

const TO_BE_REPEATED = new Set<string>(['AWS_CALL_FAILED', 'READ_STALE', 'KEY_NOT_USABLE', 'LEDGER_CLOSED']);

function intrude(simulation: Simulation, intruders: readonly Intruder[], call: number): void {
  for (const { who, at, late } of intruders) {
    if (at !== call) continue;
    const { account } = simulation;
    const functionName = who === 'pass' ? 'retire' : 'rotate';
    if (late !== undefined)
      account.faults.add({ match: { functionName, nth: late.call }, kind: 'late', ms: late.seconds * 1000 });
    if (who === 'pass') account.clock.setTimeout(() => account.functions.invoke('retire', {}), 0);
    else account.clock.setTimeout(() => startRotation(simulation), 0);
  }
}

function startRotation({ account, rotateArn }: Simulation): void {
  try {
    account.operate('secretsmanager', 'RotateSecret', { SecretId: SECRET, RotationLambdaARN: rotateArn });
  } catch {
    // A rotation that is not complete is taken up again.
  }
}

function judge(
  ends: string,
  last: Ended | undefined,
  keys: { readonly older: string; readonly before: string | undefined; readonly moved: string | undefined },
  intruders: readonly Intruder[],
): string[] {
  const code = last?.how === 'failed' && last.error instanceof RotatorError ? last.error.code : undefined;
  if (intruders.length > 0 && code !== undefined) return [];
  if (ends === 'ROLLBACK_KEY_GONE') {
    if (code !== ends) return [`ended with ${tell(last)}, expected ${ends}`];
    return keys.moved === keys.before ? [] : [`AWSCURRENT moved to ${keys.moved}`];
  }
  if (last?.how !== 'rolled back' && last?.how !== 'nothing to do') return [`ended with ${tell(last)}`];
  // A rotation that comes after it mints anew: that is no failure of the rollback.
  if (intruders.some(({ who }) => who === 'rotation')) return [];
  return keys.moved === keys.older ? [] : [`AWSCURRENT holds ${keys.moved}, not the older key ${keys.older}`];
}

const tell = (ended: Ended | undefined) =>
  ended?.how === 'failed' ? String(ended.error) : (ended?.how ?? 'nothing at all');
