import { testEveryFault } from './every-fault.ts';

testEveryFault('special rotations', ['adoption', 'stored-by-hand', 'overlap-zero', 'other-form']);
