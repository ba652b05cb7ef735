import { expect, it } from 'vitest';
import { testSingleFaults } from './every-fault.ts';
import { RETIRE_CALLERS, SCENARIOS } from './scenarios.ts';

const PASSES = Object.entries(SCENARIOS).flatMap(([name, { callers }]) => (callers === RETIRE_CALLERS ? [name] : []));

it('are all the passes that there are: 10 scenarios', () => expect(PASSES).toHaveLength(10));

testSingleFaults('passes', PASSES);
