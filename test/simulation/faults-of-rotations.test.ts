import { testSingleFaults } from './every-fault.ts';

testSingleFaults('rotations', ['first', 'ordinary', 'disabled-in-the-way', 'orphan-in-the-way']);
