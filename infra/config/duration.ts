/** Durations as the configuration writes them: a whole number and a unit, such as `'30d'`, `'12h'` or `'15m'`. */

import { LONGEST } from '../../lambdas/contract/deployment.ts';

const UNIT_SECONDS = { d: 86_400, h: 3_600, m: 60, s: 1 } as const;
type Unit = keyof typeof UNIT_SECONDS;

export const HOUR = UNIT_SECONDS.h;
export const DAY = UNIT_SECONDS.d;

const isUnit = (text: string): text is Unit => Object.hasOwn(UNIT_SECONDS, text);

/** Seconds in `'30d'`, `'12h'`, `'15m'` or `'90s'`; undefined for anything else, fractions, signs and more than ten years included. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})([a-z])$/.exec(text);
  const [, amount, unit] = match ?? [];
  if (amount === undefined || unit === undefined || !isUnit(unit)) return undefined;
  const seconds = Number(amount) * UNIT_SECONDS[unit];
  return seconds > LONGEST ? undefined : seconds;
}

/** The shortest way to write so many seconds: `2592000` is `'30d'`, `129600` is `'36h'`, `90` is `'90s'`. */
export function formatDuration(seconds: number): string {
  for (const [unit, length] of Object.entries(UNIT_SECONDS)) {
    if (seconds >= length && seconds % length === 0) return `${seconds / length}${unit}`;
  }
  return `${seconds}s`;
}
