import { describe, expect, it } from 'vitest';
import { AwsCallError, isRefusal, RotatorError } from '../../lambdas/domain/errors.ts';

describe('an error', () => {
  it('says its code, what was found, what was expected and what to do', () => {
    const error = new RotatorError('USER_NOT_FOUND', { found: 'no user app', expected: 'one', remedy: 'create it' });
    expect(error.message).toBe('USER_NOT_FOUND: no user app. Expected: one. To do: create it.');
    expect(error).toMatchObject({ name: 'RotatorError', code: 'USER_NOT_FOUND', details: { remedy: 'create it' } });
  });

  it.each([
    ['no user app', 'no user app.'],
    ['AWS said: Rate exceeded.', 'AWS said: Rate exceeded.'],
    ['AWS said: please wait...', 'AWS said: please wait.'],
    ['no file a.json. It was not deployed', 'no file a.json. It was not deployed.'],
  ])("ends '%s' with one full stop, and leaves those within it", (found, told) => {
    const { message } = new RotatorError('USER_NOT_FOUND', { found, expected: 'one', remedy: 'create it' });
    expect(message).toBe(`USER_NOT_FOUND: ${told} Expected: one. To do: create it.`);
  });

  it('keeps what AWS said, and whether the call surely changed nothing', () => {
    const cause = new Error('Rate exceeded.');
    const error = new AwsCallError('ListAccessKeys', 'Throttling', true, 'Rate exceeded.', { cause });
    expect(error.message).toBe(
      'AWS_CALL_FAILED: ListAccessKeys failed with Throttling: Rate exceeded. Expected: the call to succeed. ' +
        'To do: nothing if it was passing, the next run repeats it; otherwise mend what AWS names.',
    );
    expect(error).toMatchObject({
      name: 'AwsCallError',
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
