/** Lambda, as far as an operator asks for functions and invokes them. */
import type { SimulatedAccount } from '../account.ts';
import { AwsError } from '../model.ts';
import { optionalText, text } from '../wire/input.ts';
import type { Input, Output } from '../wire/protocols.ts';
import { type Route, restJsonProtocol } from '../wire/rest-json.ts';
import type { Operation } from './registry.ts';

const FUNCTIONS = '^/2015-03-31/functions/(?<FunctionName>[^/]+)';

/** https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html */
const ROUTES = {
  GetFunctionConfiguration: { method: 'GET', path: new RegExp(`${FUNCTIONS}/configuration$`) },
  Invoke: {
    method: 'POST',
    path: new RegExp(`${FUNCTIONS}/invocations$`),
    input: ({ headers, body }) => ({
      InvocationType: headers['x-amz-invocation-type'] ?? 'RequestResponse',
      Payload: body,
    }),
    answer: ({ StatusCode, FunctionError, Payload }) => ({
      status: Number(StatusCode),
      headers: FunctionError === undefined ? {} : { 'x-amz-function-error': String(FunctionError) },
      body: Payload instanceof Uint8Array ? new TextDecoder().decode(Payload) : '',
    }),
  },
} as const satisfies Readonly<Record<string, Route>>;

export const lambdaProtocol = restJsonProtocol(ROUTES);

export const lambdaOperations: Readonly<Record<string, Operation>> = {
  GetFunctionConfiguration(account, input): Output {
    const fn = functionOf(account, input);
    return {
      FunctionName: fn.name,
      FunctionArn: fn.arn,
      Role: fn.roleArn,
      Runtime: 'nodejs24.x',
      Timeout: fn.timeoutSeconds ?? 3,
      MemorySize: fn.memoryMb ?? 128,
      State: 'Active',
      LastUpdateStatus: 'Successful',
    };
  },

  /** What it answers is known only later: see `lambdaAnswers`. */
  Invoke(account, input): Output {
    functionOf(account, input);
    return { StatusCode: optionalText(input, 'InvocationType') === 'Event' ? 202 : 200 };
  },
};

/** Operations whose answer takes virtual time. */
export const lambdaAnswers = {
  /**
   * An error of the function is no error of the call: 200, with the header X-Amz-Function-Error.
   *
   * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
   */
  async Invoke(account: SimulatedAccount, input: Input): Promise<Output> {
    const { Payload: payload } = input;
    const sent = payload instanceof Uint8Array ? new TextDecoder().decode(payload) : String(payload ?? '');
    const event: unknown = sent === '' ? {} : JSON.parse(sent);
    const { arn } = functionOf(account, input);
    if (optionalText(input, 'InvocationType') === 'Event') {
      await account.functions.invoke(arn, event, { type: 'Event' });
      return { StatusCode: 202 };
    }
    const ended = await account.functions.invoke(arn, event);
    const body = ended.ok ? (ended.result ?? null) : { errorType: ended.errorType, errorMessage: ended.errorMessage };
    return {
      StatusCode: 200,
      ...(ended.ok ? {} : { FunctionError: 'Unhandled' }),
      Payload: new TextEncoder().encode(JSON.stringify(body)),
    };
  },
};

/** The ARN of the function that a call is about. */
export const functionResource = (account: SimulatedAccount, input: Input): string =>
  account.functions.find(text(input, 'FunctionName'))?.arn ?? '*';

function functionOf(account: SimulatedAccount, input: Input) {
  const name = text(input, 'FunctionName');
  const fn = account.functions.find(name);
  if (fn === undefined) throw new AwsError('ResourceNotFoundException', `Function not found: ${name}`, 404);
  return fn;
}
