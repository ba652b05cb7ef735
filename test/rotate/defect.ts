/** A value that makes parseValue throw what it never throws, a defect: no real value makes it throw anything but a RotatorError. */

export const DEFECT = 'a defect';

/** For `vi.mock` of the module of parseValue. */
export function withDefect(
  real: typeof import('../../lambdas/domain/secret-value.ts'),
): typeof import('../../lambdas/domain/secret-value.ts') {
  const parseValue: typeof real.parseValue = (value, policy) => {
    if (value === DEFECT) throw new TypeError(DEFECT);
    return real.parseValue(value, policy);
  };
  return { ...real, parseValue };
}
