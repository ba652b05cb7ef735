/** What happens on which day of the experiment, and at which moments of a day the clients call. Pure. */

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export const OUTAGE_MS = HOUR_MS;

/** When outages begin, in ms from the moment at which the rotation is due. In this order, then from the first one again. */
export const OUTAGES = [
  { name: 'the rotation is due in the middle of it', from: -30 * MINUTE_MS },
  { name: 'it begins within the rotation', from: 5 * SECOND_MS },
  { name: 'it begins as the new key becomes current', from: 'promotion' },
  { name: 'it covers every attempt at the rotation', from: -5 * MINUTE_MS },
  { name: 'the retirement is due in the middle of it', from: 6.5 * HOUR_MS },
] as const satisfies readonly { readonly name: string; readonly from: number | 'promotion' }[];

/** How Secrets Manager is away: it answers 503, or connections break. Alternating. */
export const WAYS = ['unavailable', 'unreachable'] as const;
export type Way = (typeof WAYS)[number];

export interface Outage {
  readonly name: string;
  readonly from: number | 'promotion';
  readonly way: Way;
}

/** A day, from a while before its scheduled rotation to a while before the next one. */
export interface Day {
  readonly emergency: boolean;
  readonly outage?: Outage;
}

export interface Wanted {
  readonly rotations: number;
  readonly emergencies: number;
  readonly outages: number;
}

/** The days, each with at most one disturbance, spread evenly. `emergencies + outages` is at most `rotations`. */
export function planDays({ rotations, emergencies, outages }: Wanted): Day[] {
  const days: Day[] = Array.from({ length: rotations }, () => ({ emergency: false }));
  const take = (index: number, count: number, day: Day) => {
    const wanted = Math.floor(((index + 0.5) * rotations) / count);
    const free = [...days.keys()].filter((at) => days[at]?.emergency === false && days[at]?.outage === undefined);
    const place = free.find((at) => at >= wanted) ?? free.at(-1);
    if (place === undefined) throw new RangeError('There are more emergencies and outages than days');
    days[place] = day;
  };
  for (let index = 0; index < emergencies; index += 1) take(index, emergencies, { emergency: true });
  for (let index = 0; index < outages; index += 1) {
    const { name, from } = OUTAGES[index % OUTAGES.length] ?? OUTAGES[0];
    take(index, outages, { emergency: false, outage: { name, from, way: WAYS[index % 2] ?? 'unavailable' } });
  }
  return days;
}

/** A moment at which the clients call. */
export interface Stop {
  /** In ms from the moment at which the rotation is due. */
  readonly at: number;
  /** Whether the AWS CLI calls too: a process a call is dear. */
  readonly cli: boolean;
}

/** When an operator, having been told of a leak, starts a rotation: the key before has been deleted by then. */
export const EMERGENCY_AT = 15 * HOUR_MS;
/** From here on the next day's stops follow. */
export const DAY_ENDS_AT = 21 * HOUR_MS;

const minutes = (from: number, to: number, cli: readonly number[] = []): Stop[] =>
  Array.from({ length: to - from + 1 }, (_, index) => ({
    at: (from + index) * MINUTE_MS,
    cli: cli.includes(from + index),
  }));

/**
 * The stops of a day besides those at every change of a key: in the evening before, each minute around the rotation, before the overlap ends,
 * and each minute around an emergency. From day to day they lie otherwise, so that a cache of five minutes ends now a moment before a key changes, now
 * one after it.
 *
 * @param index counts the days
 * @param seed another one, other moments
 */
export function stopsOf(day: Day, index: number, seed: number): Stop[] {
  const jitter = Math.floor(spread(index + seed, GOLDEN_RATIO) * (MINUTE_MS / SECOND_MS)) * SECOND_MS;
  /** The minutes, before a key changes, in which caches are filled for the last time. */
  const lead = 1 + Math.floor(spread(index + seed, ROOT_OF_TWO) * CACHE_MINUTES);
  const filled = -lead * MINUTE_MS;
  const calm: Stop[] = [
    // Before an outage every client has been at work: one that starts within it, with nothing at hand, can't get a key from anywhere.
    { at: -2 * HOUR_MS, cli: true },
    ...minutes(-lead - CACHE_MINUTES, 12, [-lead]),
    { at: filled + CACHE_MINUTES * MINUTE_MS - SECOND_MS, cli: true },
    { at: filled + CACHE_MINUTES * MINUTE_MS + SECOND_MS, cli: true },
    { at: 6 * HOUR_MS - MINUTE_MS, cli: true },
  ];
  const emergency = day.emergency
    ? after(EMERGENCY_AT, [...minutes(-lead, 12, [-lead, 1, 2, 3, 4, 5, 6]), { at: 30 * SECOND_MS, cli: true }])
    : [];
  const stops = [...calm, ...emergency].map(({ at, cli }) => ({ at: at + jitter, cli }));
  return stops.filter(({ at }) => at < DAY_ENDS_AT).sort((a, b) => a.at - b.at);
}

const CACHE_MINUTES = 5;

/** Irrational: the fractions of their multiples are spread evenly, and independently of each other. */
const GOLDEN_RATIO = 0.618_033_988_7;
const ROOT_OF_TWO = 0.414_213_562_4;
const spread = (index: number, irrational: number) => (index * irrational) % 1;

/** The stops of an outage and after it, from its beginning. */
export function stopsOfOutage(begins: number): Stop[] {
  const every5 = Array.from({ length: 12 }, (_, index) => ({ at: 5 * MINUTE_MS * index, cli: index % 3 === 0 }));
  return after(begins, [
    ...minutes(1, 4),
    ...every5,
    { at: OUTAGE_MS - SECOND_MS, cli: true },
    ...minutes(61, 66, [61, 66]),
  ]);
}

const after = (begins: number, stops: readonly Stop[]) => stops.map(({ at, cli }) => ({ at: begins + at, cli }));
