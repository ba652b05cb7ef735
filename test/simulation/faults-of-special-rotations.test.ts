import { testSingleFaults } from './every-fault.ts';

testSingleFaults('special rotations', ['adoption', 'only-key', 'stored-by-hand', 'overlap-zero', 'other-form']);
