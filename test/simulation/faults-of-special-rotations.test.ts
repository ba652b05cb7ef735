import { testEveryFault } from './every-fault.ts';

testEveryFault('special rotations', ['adoption', 'only-key', 'stored-by-hand', 'overlap-zero', 'other-form']);
