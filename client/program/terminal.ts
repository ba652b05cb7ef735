/** What a command has around it, so that tests can give it another. */

/** Time, and waiting for it. */
export interface Clock {
  /** ms since the epoch. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** What there is at the other end of a stream. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Writes to stdout. */
  out(text: string): void;
  /** Writes to stderr. */
  err(text: string): void;
  /** Of stdout. @default no terminal */
  readonly screen?: Screen;
  /** Of stderr. @default no terminal */
  readonly errScreen?: Screen;
  /** Asks whoever sits there; undefined if nobody does. */
  ask?(question: string): Promise<string | undefined>;
  /** Opens a file with the platform's program for it. @returns whether one could be started */
  open?(path: string): Promise<boolean>;
}
