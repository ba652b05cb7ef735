import { describe, expect, it } from 'vitest';
import { asError, call } from '../../lambdas/adapters/call.ts';
import { need } from '../../lambdas/adapters/need.ts';
import { pages } from '../../lambdas/adapters/paging.ts';
import { AwsCallError } from '../../lambdas/domain/errors.ts';

const failing = async (error: unknown): Promise<AwsCallError> => {
  try {
    await call('SomeCall', () => Promise.reject(error));
  } catch (thrown) {
    if (thrown instanceof AwsCallError) return thrown;
  }
  throw new Error('no AwsCallError was thrown');
};
const errorWith = (name: string, more: object = {}) => Object.assign(new Error('the key wJalr.'), { name, ...more });
const answered = (httpStatusCode: unknown, attempts: unknown = 1) =>
  errorWith('SomeError', { $metadata: { httpStatusCode, attempts } });

describe('an error of AWS', () => {
  it('is told with its message, and kept as the cause', async () => {
    const cause = answered(403);
    const error = await failing(cause);
    expect(error.message).toMatchInlineSnapshot(
      `"AWS_CALL_FAILED: SomeCall failed with SomeError: the key wJalr. Expected: the call to succeed. To do: nothing if it was passing, the next run repeats it; otherwise mend what AWS names."`,
    );
    expect(error.cause).toBe(cause);
  });

  it.each([
    ['399 is no refusal, and is not told', 399, false, false],
    ['400 is a refusal', 400, true, true],
    ['499 is a refusal', 499, true, true],
    ['500 is none', 500, false, true],
    ['408 is none', 408, false, true],
    ['one that is not a number is none, and is not told', '400', false, false],
  ])('with status %s', async (_, status, refused, told) => {
    const error = await failing(answered(status));
    expect(error.refused).toBe(refused);
    expect(error.message.includes('wJalr')).toBe(told);
    expect('cause' in error).toBe(told);
  });

  it.each([
    ['one attempt', 1, true],
    ['two attempts', 2, false],
    ['no number of attempts', '2', true],
  ])('is a refusal after %s or not', async (_, attempts, refused) => {
    expect((await failing(answered(400, attempts))).refused).toBe(refused);
  });

  it.each([
    ['LimitExceededException', 'LimitExceeded'],
    ['NoSuchEntityException', 'NoSuchEntity'],
    ['XLimitExceededException', 'XLimitExceededException'],
    ['LimitExceededExceptionX', 'LimitExceededExceptionX'],
    ['XNoSuchEntityException', 'XNoSuchEntityException'],
    ['NoSuchEntityExceptionX', 'NoSuchEntityExceptionX'],
  ])('named %s by the SDK has the code %s', async (name, code) => {
    expect((await failing(errorWith(name))).awsCode).toBe(code);
  });
});

describe('an error that is no answer of AWS', () => {
  it.each([
    ['of the network is told', errorWith('Error', { code: 'ECONNRESET' }), true],
    ['for want of an answer in time is told', errorWith('TimeoutError'), true],
    ['with a code that is a number is not told', errorWith('Error', { code: 7 }), false],
    ['of parsing is not told: it quotes the answer', Object.assign(new SyntaxError('wJalr'), { code: 'X' }), false],
    ['that only looks like one is not told', { message: 'wJalr', code: 'ECONNRESET' }, false],
    ['with damaged metadata is not told', errorWith('Error', { $metadata: null }), false],
    ['with metadata of another kind is not told', errorWith('Error', { $metadata: 'wJalr' }), false],
    ['and is a text is not told', 'wJalr', false],
    ['and is nothing is not told', undefined, false],
  ])('%s', async (_, thrown, told) => {
    const error = await failing(thrown);
    expect(error.refused).toBe(false);
    expect(error.message.includes('wJalr')).toBe(told);
    expect('cause' in error).toBe(told);
  });

  it('says instead that the answer could not be made sense of', async () => {
    expect((await failing('wJalr')).message).toMatchInlineSnapshot(
      `"AWS_CALL_FAILED: SomeCall failed with Unknown: the SDK could not make sense of AWS's answer. Expected: the call to succeed. To do: nothing if it was passing, the next run repeats it; otherwise mend what AWS names."`,
    );
  });
});

describe('whatever was thrown', () => {
  it('becomes an Error with its text', () => {
    expect(asError({ toString: () => 'text' }).message).toBe('text');
  });
});

describe('a field that the API documents as always there', () => {
  it.each([['a text'], [''], [0], [false]])('has its value, %j', (value) => {
    expect(need('SomeCall', 'Field', value)).toBe(value);
  });

  it.each([[undefined], [null]])('is missed when it is %j', (value) => {
    expect(() => need('SomeCall', 'Field', value)).toThrowErrorMatchingInlineSnapshot(
      `[RotatorError: AWS_CALL_FAILED: an answer of SomeCall without Field. Expected: Field, which the API documents as always there. To do: nothing: the next run asks again; if this lasts, ask AWS support.]`,
    );
  });
});

describe('a paged listing', () => {
  const tokens = async (answers: readonly (string | undefined)[]) => {
    const asked: (string | undefined)[] = [];
    const read = async (token: string | undefined) => {
      asked.push(token);
      return { items: [], next: answers[asked.length - 1] };
    };
    for await (const _page of pages('SomeList', read));
    return asked;
  };

  it('asks with the token of the page before, and ends with the page that has none', async () => {
    expect(await tokens(['a', 'b', undefined, 'c'])).toEqual([undefined, 'a', 'b']);
    expect(await tokens([undefined, 'a'])).toEqual([undefined]);
  });

  it('fails when a token comes again, also a while later', async () => {
    await expect(tokens(['a', 'b', 'a'])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RotatorError: LISTING_LOOPS: SomeList answered the same page token twice. Expected: a new token a page, and none on the last one. To do: nothing: the next run lists again; if this lasts, ask AWS support.]`,
    );
  });
});
