/** Counts what a suite has judged, and prints it at its end: how much evidence there is belongs to the evidence. */
import { afterAll } from 'vitest';

export interface Count {
  cases: number;
  calls: number;
}

/** @param what plural, for the line: `single faults of rotations` */
export function countJudged(what: string): Count {
  const count: Count = { cases: 0, calls: 0 };
  afterAll(() => console.log(`judged: ${count.cases} ${what}, ${count.calls} calls of functions`));
  return count;
}
