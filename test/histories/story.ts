/** Tells a history step by step: what is done, each call and change of the account, and what the functions report. */
import type { HistoryEntry } from '../../local/model.ts';
import type { Simulation } from '../simulation/world.ts';

export class Story {
  readonly #simulation: Simulation;
  readonly #tell: ((line: string) => void) | undefined;
  #told = 0;
  #toldHappenings = 0;

  /** @param tell is told each line; none: nothing is told */
  constructor(simulation: Simulation, tell: ((line: string) => void) | undefined) {
    this.#simulation = simulation;
    this.#tell = tell;
  }

  tell(line: string): void {
    this.#tell?.(line);
  }

  /** Tells what has happened since it was last asked. */
  follow(): void {
    if (this.#tell === undefined) return;
    const { account, happenings } = this.#simulation;
    for (const entry of account.history.slice(this.#told)) this.#tell(`   ${lineOf(entry)}`);
    this.#told = account.history.length;
    for (const { at, ...happening } of happenings.slice(this.#toldHappenings)) {
      this.#tell(`   ${at.toISOString()} happened ${JSON.stringify(happening)}`);
    }
    this.#toldHappenings = happenings.length;
  }
}

function lineOf(entry: HistoryEntry): string {
  switch (entry.kind) {
    case 'call': {
      const { SecretId: _, UserName: __, RotationLambdaARN: ___, ...parameters } = entry.parameters;
      const about = [entry.userName, entry.secretName].filter((name) => name !== undefined).join(' ');
      const outcome = typeof entry.outcome === 'string' ? entry.outcome : entry.outcome.code;
      const fault = entry.fault === undefined ? '' : ` [${entry.fault}]`;
      const who = `${entry.functionName ?? (entry.accessKeyId === undefined ? 'operator' : 'application')}${entry.invocationId ? ` ${entry.invocationId.slice(0, 4)}` : ''}`;
      return `${entry.at} ${entry.seq} ${who}: ${entry.action} ${about} ${JSON.stringify(parameters)} → ${outcome}${fault}`;
    }
    case 'change':
      return `${entry.at} ${entry.seq}   ${JSON.stringify(entry.change)}`;
    case 'event':
      return `${entry.at} ${entry.seq} event ${entry.name} ${JSON.stringify(entry.detail)}`;
    default:
      return unknown(entry);
  }
}

function unknown(what: never): never {
  throw new Error(`unknown: ${String(what)}`);
}
