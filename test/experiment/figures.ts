/** Figures as the experiment brings them, for tests of what is made of them. */
import type { ClientName } from '../../local/experiment/clients/client.ts';
import type { ClientFigures, Experiment, Failed, Phase } from '../../local/experiment/summary.ts';

export function figuresOf(client: ClientName, more: Partial<ClientFigures> = {}): ClientFigures {
  const observed = {
    requests: 100,
    stalestMs: 290_000,
    reads: 12,
    readsUnanswered: 3,
    promotions: 2,
    disabled: 2,
    deleted: 2,
  };
  return { client, version: '1.2.3', calls: 100, failed: [], observed, ...more };
}

export const failed = (phase: Phase, code: string): Failed => ({ phase, code, message: `it was ${code}`, at: 0 });

export const experimentOf = (clients: readonly ClientFigures[]): Experiment => ({
  clients,
  leftOut: [],
  days: 2,
  rotations: 1,
  emergencies: 1,
  outages: ['unavailable: the rotation is due in the middle of it'],
  broken: [],
  seconds: 12,
  seed: 1,
});
