import { describe, expect, it } from 'vitest';
import { describeKey } from '../../lambdas/domain/describe-key.ts';
import { after, hasLabel, iso, versionWith } from '../../lambdas/domain/model.ts';
import { at, key, labels, NOW, OLD } from './world.ts';

describe('labels', () => {
  const seen = labels({ v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT', 'AWSPENDING'] });

  it('are found by version, and versions by label', () => {
    expect(versionWith(seen, 'AWSPENDING')).toBe('v2');
    expect(versionWith(seen, 'OTHER')).toBeUndefined();
    expect(hasLabel(seen, 'v1', 'AWSPREVIOUS')).toBe(true);
    expect(hasLabel(seen, 'v1', 'AWSCURRENT')).toBe(false);
    expect(hasLabel(seen, 'v2', 'AWSPREVIOUS')).toBe(false);
    expect(hasLabel(seen, 'v3', 'AWSCURRENT')).toBe(false);
    expect(hasLabel(seen, undefined, 'AWSCURRENT')).toBe(false);
  });
});

describe('a date', () => {
  it('is told in UTC to the second, never too early', () => {
    expect(iso(NOW)).toBe('2026-06-15T12:00:00Z');
    expect(iso(new Date('2026-06-15T12:00:00.999Z'))).toBe('2026-06-15T12:00:01Z');
    expect(after(NOW, 90)).toEqual(new Date('2026-06-15T12:01:30Z'));
  });
});

describe('a key in words', () => {
  it('is told with its role, status, age and last use', () => {
    const use = { at: NOW, service: 'sts', region: 'us-east-1' };
    expect(describeKey(key(OLD, 'Active', at(-86_400 * 2)), 'superseded', use, NOW)).toBe(
      `${OLD} (superseded, Active, 2 days old, last used 2026-06-15T12:00:00Z with sts in us-east-1)`,
    );
    expect(describeKey(key(OLD, 'Inactive', at(-86_400)), 'stranger', undefined, NOW)).toBe(
      `${OLD} (stranger, Inactive, 1 day old, never used)`,
    );
    expect(describeKey(key(OLD, 'Active', at(5)), 'pending', undefined, NOW)).toContain('0 days old');
  });
});
