import { describe, expect, it } from 'vitest';
import { assertFresh, FRESH_FOR } from '../../lambdas/domain/freshness.ts';
import { at, NOW } from './world.ts';

describe('what was read', () => {
  it('may be acted upon for some seconds', () => {
    expect(() => assertFresh(NOW, at(FRESH_FOR), 'AKIA1')).not.toThrow();
  });

  it('may not be acted upon later, and the refusal says so', () => {
    expect(() => assertFresh(NOW, at(FRESH_FOR + 1), 'AKIA1')).toThrow(
      'READ_STALE: what was read at 2026-06-15T12:00:00Z, on which the change of the key AKIA1 rests, was complete only at 2026-06-15T12:00:16Z. ' +
        'Expected: at most 15 seconds between: later, the key may have become current or be in use. ' +
        'To do: nothing: the key was left as it is, and the next run reads anew; if this lasts, see why AWS answers late.',
    );
  });
});
