/** What the experiment shows in the end: the figures of each client, the reasons of failures, and a verdict. Pure. */
import { type TableRow, table } from '../demo/table.ts';
import { number, type Page, plural, wrap } from '../demo/text.ts';
import type { ClientName } from './clients/client.ts';
import {
  brokenPromises,
  type ClientFigures,
  type Experiment,
  isInevitable,
  longestEmergencyMs,
  PHASES,
  type Phase,
  reasonsOf,
  retriesOf,
} from './summary.ts';

const TITLES: Readonly<Record<ClientName, string>> = { js: 'JS SDK', boto3: 'boto3', cli: 'AWS CLI' };

export function report(experiment: Experiment, page: Page): string[] {
  const { clients, leftOut } = experiment;
  const absent = leftOut.flatMap(({ client, why }) => wrap(`${TITLES[client]} took no part: ${why}`, page.width, 2));
  return [
    ...opening(experiment, page),
    '',
    ...figures(clients, page),
    '',
    ...clients.flatMap((client) => reasons(client, page)),
    ...(absent.length === 0 ? [] : [...absent, '']),
    ...verdict(experiment, page),
  ];
}

function opening({ clients, days, rotations, emergencies, outages, seed }: Experiment, page: Page): string[] {
  const { width, paint } = page;
  const events = [
    plural(rotations, 'rotation'),
    plural(emergencies, 'emergency rotation'),
    plural(outages.length, 'outage'),
  ];
  const title = `${events.join(', ')} of an hour each, in ${plural(days, 'day')} (seed ${seed})`;
  const who = clients.map(({ client, version }) => `${TITLES[client]} ${version}`).join(', ');
  return [
    ...wrap(title, width).map((line) => paint('bold', line)),
    ...wrap(`${who}: each unmodified and in a process of its own; only its clock is set.`, width),
    ...wrap('JS reads by the provider with withFreshCredentials, the others by credential_process.', width),
  ];
}

function figures(clients: readonly ClientFigures[], page: Page): string[] {
  const row = (
    label: string,
    of: (client: ClientFigures) => string | number,
    alarming?: (client: ClientFigures) => boolean,
  ): TableRow => ({
    label,
    cells: clients.map((client) => {
      const cell = of(client);
      return typeof cell === 'number' ? number(cell) : cell;
    }),
    ...(alarming && { alarming: clients.map(alarming) }),
  });
  const failedIn = (phase: Phase) => (client: ClientFigures) => client.failed.filter((call) => call.phase === phase);
  const failures = (phase: Phase): TableRow =>
    row(
      `… in ${PHASES[phase]}`,
      (client) => failedIn(phase)(client).length,
      (client) => failedIn(phase)(client).some((failure) => !isInevitable(client.client, failure)),
    );
  return table(
    clients.map(({ client }) => TITLES[client]),
    [
      row('rotations, emergencies included', ({ observed }) => observed.promotions),
      row('keys disabled', ({ observed }) => observed.disabled),
      row('keys deleted', ({ observed }) => observed.deleted),
      row('calls', ({ calls }) => calls),
      row('failures', ({ failed }) => failed.length),
      failures('rotation'),
      failures('outage'),
      failures('emergency'),
      row('last failure after an emergency', (client) =>
        client.failed.some(({ phase }) => phase === 'emergency') ? duration(longestEmergencyMs(client)) : '–',
      ),
      row('retries', retriesOf),
      row('… with a fresh key', ({ retriedFresh }) => retriedFresh ?? '–'),
      row('stalest key', ({ observed }) => duration(observed.stalestMs)),
      row('reads of the secret', ({ observed }) => observed.reads),
      row('… unanswered', ({ observed }) => observed.readsUnanswered),
    ],
    page,
  );
}

/** For example `1 h 0 min 5 s`. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return '0 s';
  return parts
    .slice(first)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

function reasons(figures: ClientFigures, page: Page): string[] {
  const told = reasonsOf(figures).flatMap(({ phase, code, times, message, inevitable }) => {
    const why = inevitable
      ? 'inevitable: nothing tells a credential_process that its key was refused, so the old key is used until its ttl is over'
      : message;
    const text = `${TITLES[figures.client]}: ${plural(times, 'call')} failed in ${PHASES[phase]} with ${code}; ${why}`;
    return wrap(text, page.width, 2).map((line) => (inevitable ? line : page.paint('redBright', line)));
  });
  return told.length === 0 ? [] : [...told, ''];
}

function verdict(experiment: Experiment, { width, paint }: Page): string[] {
  const promises = brokenPromises(experiment);
  const took = `${experiment.seconds.toFixed(0)} s`;
  if (promises.length === 0)
    return wrap(`Every promise held, and no invariant was broken; ${took}`, width).map((line) =>
      paint('greenBright', line),
    );
  return [`${plural(promises.length, 'promise')} broken; ${took}`, ...promises]
    .flatMap((text) => wrap(text, width, 2))
    .map((line) => paint('redBright', line));
}
