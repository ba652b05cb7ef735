import { describe, expect, it } from 'vitest';
import { AwsCallError, isRefusal, RotatorError } from '../../lambdas/domain/errors.ts';

describe('an error', () => {
  it('says its code, what was found, what was expected and what to do', () => {
    const error = new RotatorError('USER_NOT_FOUND', { found: 'no user app', expected: 'one', remedy: 'create it' });
    expect(error.message).toBe('USER_NOT_FOUND: no user app. Expected: one. To do: create it.');
    expect(error).toMatchObject({ name: 'RotatorError', code: 'USER_NOT_FOUND', details: { remedy: 'create it' } });
  });

  it('keeps what AWS said, and whether the call surely changed nothing', () => {
    const cause = new Error('Rate exceeded.');
    const error = new AwsCallError('ListAccessKeys', 'Throttling', true, 'Rate exceeded.', { cause });
    expect(error.message).toContain('AWS_CALL_FAILED: ListAccessKeys failed with Throttling: Rate exceeded. Expected:');
    expect(error).toMatchObject({
      code: 'AWS_CALL_FAILED',
      operation: 'ListAccessKeys',
      awsCode: 'Throttling',
      refused: true,
      cause,
    });
  });

  it('is a refusal if the rotator itself has the reason, and none if a call to AWS failed', () => {
    expect(isRefusal(new RotatorError('ROLLED_BACK', { found: '', expected: '', remedy: '' }))).toBe(true);
    expect(isRefusal(new AwsCallError('GetUser', 'Throttling', true, ''))).toBe(false);
    expect(isRefusal(new Error('other'))).toBe(false);
  });
});
