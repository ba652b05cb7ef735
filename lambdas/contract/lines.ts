/** The lines of the functions' logs that become events. Apart from the events themselves, which only the notify function checks. */
import type { EventType } from './events.ts';

/** Messages of log lines that become events, besides those of happenings. */
export const LINES = {
  stepFailed: 'rotation step failed',
  retirementFailed: 'retirement failed',
  endedEarly: 'the pass ended early; the next one goes on',
  auditCompleted: 'audit-completed',
  auditFailed: 'audit-failed',
} as const;

/** Happenings that become events, by their names in the log. */
export const HAPPENING_EVENTS = {
  minted: 'Key Minted',
  promoted: 'Key Promoted',
  held: 'Key Held',
  disabled: 'Key Disabled',
  deleted: 'Key Deleted',
  'orphan-cleared': 'Orphan Cleared',
  'rolled-back': 'Key Rolled Back',
  'leak-reported': 'Leak Reported',
  'leak-contained': 'Leak Contained',
  'leak-not-contained': 'Leak Not Contained',
} as const satisfies Readonly<Record<string, EventType>>;

/** Messages of all log lines that the notify function is to get. */
export const TOLD_LINES: readonly string[] = [...Object.keys(HAPPENING_EVENTS), ...Object.values(LINES)];

/** Sections of the runbook, by the end of their links. Each alarm has one; events refer to the same. */
export const RUNBOOK = {
  rotationFailed: 'rotation-failed',
  retirementFailed: 'retirement-failed',
  deadLetters: 'dead-letters',
  holdTooLong: 'hold-too-long',
  keyOverdue: 'key-overdue',
  changeLimit: 'change-limit-reached',
  auditNotRun: 'audit-not-run',
  leakNotContained: 'leak-not-contained',
} as const;
