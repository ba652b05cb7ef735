/** Time as the client needs it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Ends after that many milliseconds. */
  sleep(ms: number): Promise<void>;
}

export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};
