import type { Guard } from './list.ts';

/** A guard's row in the table of docs/safety.md. */
export const guardRow = ({ name, invariant, suites }: Guard): string =>
  `| ${name} | ${invariant} | ${suites.map((suite) => `\`${suite}\``).join(', ')} |`;
