/** The experiment with the client that is always there. */
import { describe, expect, it } from 'vitest';
import { ProgressLine } from '../../local/demo/progress.ts';
import { plain } from '../../local/demo/text.ts';
import { runExperiment } from '../../local/experiment/run.ts';
import { brokenPromises } from '../../local/experiment/summary.ts';

const silent = new ProgressLine({ write: () => {} }, { width: 80, paint: plain });

describe('two days with an emergency and an outage', () => {
  it('pass without a failed call of the JS SDK, and with retirements', async () => {
    const options = { rotations: 2, emergencies: 1, outages: 1, clients: ['js'], seed: 3 } as const;
    const experiment = await runExperiment(options, silent);
    expect(brokenPromises(experiment)).toEqual([]);
    expect(experiment).toMatchObject({ rotations: 2, emergencies: 1, outages: [expect.any(String)] });
    const [js] = experiment.clients;
    expect(js?.calls).toBeGreaterThan(500);
    expect(js?.observed).toMatchObject({ promotions: 3, disabled: 3, deleted: 3 });
    // The emergency was noticed, and so was the outage.
    expect(js?.retriedFresh).toBeGreaterThan(0);
    expect(js?.observed.readsUnanswered).toBeGreaterThan(0);
  });
});
