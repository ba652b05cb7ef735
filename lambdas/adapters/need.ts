/** Fields that AWS documents as required and the SDK types as optional. */
import { RotatorError } from '../domain/errors.ts';

/**
 * The field's value.
 *
 * @throws RotatorError AWS_CALL_FAILED when it is missing: a damaged answer is never taken for an empty one
 */
export function need<T>(operation: string, field: string, value: T | undefined | null): T {
  if (value !== undefined && value !== null) return value;
  throw new RotatorError('AWS_CALL_FAILED', {
    found: `an answer of ${operation} without ${field}`,
    expected: `${field}, which the API documents as always there`,
    remedy: 'nothing: the next run asks again; if this lasts, ask AWS support',
  });
}
