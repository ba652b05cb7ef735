import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { describe, expect, it, vi } from 'vitest';
import { reporting } from '../../lambdas/adapters/reporting.ts';
import type { Happening } from '../../lambdas/domain/happenings.ts';

const WHO = { secret: 'iam/app', userName: 'app' };
const CHANGE = { ...WHO, keyId: 'AKIA1', reason: 'overlap-over', observed: false } as const;

function reported(happening: Happening) {
  const [logger, metrics] = [new Logger(), new Metrics({ namespace: 'test' })];
  const info = vi.spyOn(logger, 'info').mockImplementation(() => {});
  const count = vi.spyOn(metrics, 'addMetric').mockReturnValue(metrics);
  reporting(logger, metrics)(happening);
  return { logged: info.mock.calls, counted: count.mock.calls };
}

describe('a happening', () => {
  it('is logged with its facts, and dates as texts', () => {
    const due = new Date('2026-01-02T03:04:05Z');
    const lastUse = { at: new Date('2026-01-01T00:00:00Z'), service: 's3', region: 'us-east-1' };
    expect(reported({ what: 'held', ...CHANGE, reason: 'in-use', due, lastUse }).logged).toEqual([
      [
        'held',
        {
          ...CHANGE,
          reason: 'in-use',
          due: '2026-01-02T03:04:05.000Z',
          lastUse: { at: '2026-01-01T00:00:00.000Z', service: 's3', region: 'us-east-1' },
        },
      ],
    ]);
  });

  it('is logged without dates that it does not have', () => {
    const { logged } = reported({ what: 'nothing-to-do', ...WHO, step: 'setSecret', why: 'because' });
    expect(logged).toEqual([['nothing-to-do', { ...WHO, step: 'setSecret', why: 'because' }]]);
    expect(Object.keys(logged[0]?.[1] ?? {})).toEqual(['secret', 'userName', 'step', 'why']);
  });

  it('of a key that is followed is logged with a sentence for whoever reads the log', () => {
    const facts = { ...WHO, keyId: 'AKIA1', reason: 'in-overlap', switched: 'no', previousRead: 'yes' } as const;
    const { logged } = reported({
      what: 'followed',
      ...facts,
      due: new Date('2026-01-05T00:00:00Z'),
      since: new Date('2026-01-02T00:00:00Z'),
      lastUse: { at: new Date('2026-01-03T00:00:00Z'), service: 's3', region: 'us-east-1' },
      previousReadOn: new Date('2026-01-04T00:00:00Z'),
    });
    expect(logged).toEqual([
      [
        'followed',
        {
          ...facts,
          due: '2026-01-05T00:00:00.000Z',
          since: '2026-01-02T00:00:00.000Z',
          lastUse: { at: '2026-01-03T00:00:00.000Z', service: 's3', region: 'us-east-1' },
          previousReadOn: '2026-01-04',
          told:
            'AKIA1 retiring until 2026-01-05T00:00:00Z: last used 2026-01-03T00:00:00Z by s3 in us-east-1, after the switch: somebody has not ' +
            'switched; AWSPREVIOUS last read on 2026-01-04, after the switch',
        },
      ],
    ]);
  });

  it.each(['yes', 'no', 'unknown'] as const)(
    'of a key that is followed is counted if somebody has not switched (%s)',
    (switched) => {
      const [due, since] = [new Date('2026-01-05T00:00:00Z'), new Date('2026-01-02T00:00:00Z')];
      const facts = { ...WHO, keyId: 'AKIA1', reason: 'in-use', switched, previousRead: 'yes' } as const;
      const { counted } = reported({ what: 'followed', ...facts, due, since });
      expect(counted).toEqual(switched === 'no' ? [['KeysNotSwitched', 'Count', 1]] : []);
    },
  );

  it.each<[Happening, string]>([
    [{ what: 'minted', ...WHO, keyId: 'AKIA1' }, 'KeysMinted'],
    [{ what: 'promoted', ...WHO, keyId: 'AKIA1' }, 'KeysPromoted'],
    [{ what: 'held', ...CHANGE }, 'KeysHeld'],
    [{ what: 'disabled', ...CHANGE }, 'KeysDisabled'],
    [{ what: 'deleted', ...CHANGE }, 'KeysDeleted'],
    [{ what: 'orphan-cleared', ...CHANGE }, 'OrphansCleared'],
    [{ what: 'rolled-back', ...WHO, keyId: 'AKIA1' }, 'KeysRolledBack'],
  ])('$what is counted', (happening, metric) => {
    expect(reported(happening).counted).toEqual([[metric, 'Count', 1]]);
  });

  it.each<Happening>([
    { what: 'taken-up', ...WHO, keyId: 'AKIA1' },
    { what: 'verified', ...WHO, keyId: 'AKIA1' },
    { what: 'recorded', ...CHANGE },
    { what: 'forgotten', ...CHANGE },
    { what: 'noticed', ...WHO, keyId: 'AKIA1', reason: 'orphan-used' },
    { what: 'label-taken-off', ...WHO, reason: 'pending-label-left-over', observed: false },
    { what: 'intent-resolved', ...WHO, reason: 'intent-settled', observed: false },
    { what: 'nothing-to-do', ...WHO, step: 'setSecret', why: 'because' },
  ])('$what is logged only: it is no key that was changed or held', (happening) => {
    const { logged, counted } = reported(happening);
    expect(logged).toHaveLength(1);
    expect(counted).toEqual([]);
  });

  it('that was only observed is logged, but not counted', () => {
    const { logged, counted } = reported({ what: 'disabled', ...CHANGE, observed: true });
    expect(logged).toEqual([['disabled', { ...CHANGE, observed: true }]]);
    expect(counted).toEqual([]);
  });
});
