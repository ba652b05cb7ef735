/** What happened in a simulation, line by line: for the eyes of whoever runs a case again. */
import type { HistoryEntry } from '../../local/model.ts';
import type { Simulation } from './world.ts';

export function tellStory({ account }: Simulation): string {
  return account.history.map((entry) => `${entry.seq} ${entry.at} ${tellEntry(entry)}\n`).join('');
}

function tellEntry(entry: HistoryEntry): string {
  switch (entry.kind) {
    case 'call': {
      const { outcome, fault, functionName, principal, service, action, parameters } = entry;
      const ended = typeof outcome === 'object' ? `${outcome.code}: ${outcome.message}` : outcome;
      const who = functionName ?? principal.split('/').at(-1);
      return `${who} ${service}:${action} ${JSON.stringify(parameters)} -> ${ended}${fault === undefined ? '' : ` [${fault}]`}`;
    }
    case 'change':
      return `  ${JSON.stringify(entry.change)}`;
    case 'event':
      return `  event ${entry.name} ${JSON.stringify(entry.detail)}`;
    default:
      return entry satisfies never;
  }
}
