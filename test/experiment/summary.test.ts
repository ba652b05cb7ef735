import { describe, expect, it } from 'vitest';
import {
  brokenPromises,
  longestEmergencyMs,
  phaseAt,
  reasonsOf,
  retriesOf,
  TTL_MS,
} from '../../local/experiment/summary.ts';
import { experimentOf, failed, figuresOf } from './figures.ts';

describe('what went on when a call failed', () => {
  it.each([
    [TTL_MS - 1000, 'emergency'],
    [TTL_MS, 'emergency'],
    [TTL_MS + 1000, 'rotation'],
  ])('an emergency is over when no cache may hold the key any more: %d ms after it', (since, phase) => {
    expect(phaseAt(1_000_000 + since, 1_000_000, false)).toBe(phase);
  });

  it('is an outage while Secrets Manager is away, unless a key was just disabled', () => {
    expect(phaseAt(9_000_000, undefined, true)).toBe('outage');
    expect(phaseAt(9_000_000, 9_000_000, true)).toBe('emergency');
  });
});

describe('a promise', () => {
  it('holds if credential_process clients are refused only while they may still hold a disabled key', () => {
    const boto3 = figuresOf('boto3', { failed: [failed('emergency', 'InvalidClientTokenId')] });
    expect(brokenPromises(experimentOf([boto3]))).toEqual([]);
  });

  it.each([
    ['js', 'emergency', 'InvalidClientTokenId'],
    ['boto3', 'rotation', 'InvalidClientTokenId'],
    ['boto3', 'outage', 'InvalidClientTokenId'],
    ['cli', 'emergency', 'NoCredentials'],
  ] as const)('is broken by a failure of %s in %s with %s', (client, phase, code) => {
    const figures = figuresOf(client, { failed: [failed(phase, code)] });
    expect(brokenPromises(experimentOf([figures]))).toEqual([
      expect.stringMatching(`^${client}: 1 failed in .* ${code}$`),
    ]);
  });

  it('is broken by an invariant of the account, and by a client that made no call', () => {
    const broken = [{ invariant: 1, at: '2026-01-02T00:00:10.000Z', what: 'the key in AWSCURRENT was disabled' }];
    const silent = { ...experimentOf([figuresOf('js', { calls: 0 })]), broken };
    expect(brokenPromises(silent)).toEqual([
      'js: made no call',
      'invariant 1, 2026-01-02T00:00:10.000Z: the key in AWSCURRENT was disabled',
    ]);
  });
});

describe('an experiment without clients', () => {
  it('shows nothing, and says so', () => {
    expect(brokenPromises(experimentOf([]))).toEqual(['no client took part']);
  });
});

describe('the figures of a client', () => {
  it('count requests beyond one a call as retries, and miss none for calls that sent nothing', () => {
    const observed = { ...figuresOf('cli').observed, requests: 103 };
    const figures = { calls: 102, observed };
    expect(retriesOf(figuresOf('cli', figures))).toBe(1);
    const unsent = [failed('outage', 'NoCredentials'), failed('emergency', 'InvalidClientTokenId')];
    expect(retriesOf(figuresOf('cli', { ...figures, failed: unsent }))).toBe(2);
  });

  it('group failures by what went on and by error, with the first message', () => {
    const failures = [
      { ...failed('emergency', 'InvalidClientTokenId'), message: 'first' },
      { ...failed('emergency', 'InvalidClientTokenId'), message: 'second' },
      failed('outage', 'NoCredentials'),
    ];
    expect(reasonsOf(figuresOf('boto3', { failed: failures }))).toMatchObject([
      { phase: 'emergency', times: 2, message: 'first', inevitable: true },
      { phase: 'outage', times: 1, inevitable: false },
    ]);
  });

  it('tell how long after an emergency the last call failed', () => {
    const at = (sinceMs: number) => ({ ...failed('emergency', 'InvalidClientTokenId'), sinceMs });
    expect(longestEmergencyMs(figuresOf('cli', { failed: [at(1000), at(240_000), at(0)] }))).toBe(240_000);
    expect(longestEmergencyMs(figuresOf('cli'))).toBe(0);
  });
});
