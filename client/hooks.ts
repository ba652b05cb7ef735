/** What an application is told. */
import type { KeyReadError, ReadErrorCode } from './errors.ts';

/** Something that an application survives, but somebody should know. Never holds a secret. */
export interface KeyWarning {
  readonly code: ReadErrorCode;
  /** What happened, and what is done about it. */
  readonly message: string;
  readonly error: KeyReadError;
}

/** Calls a hook. Nothing that becomes of it breaks what is told. */
export function tell<T>(hook: ((event: T) => unknown) | undefined, event: T): void {
  new Promise((resolve) => resolve(hook?.(event))).catch(() => {});
}
