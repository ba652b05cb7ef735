import { testEveryFault } from './every-fault.ts';

testEveryFault('rotations', ['first', 'ordinary', 'disabled-in-the-way', 'orphan-in-the-way']);
