/** Readers of a call's parameters: what is missing or of the wrong type is refused, as AWS would. */
import { AwsError } from '../model.ts';
import { type Input, isRecord } from './protocols.ts';

export function optionalText(input: Input, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new AwsError('ValidationException', `${name} must be a string`);
  return value;
}

export function text(input: Input, name: string): string {
  const value = optionalText(input, name);
  if (value === undefined || value === '')
    throw new AwsError('ValidationException', `${name} must not be null or empty`);
  return value;
}

export function optionalList(input: Input, name: string): readonly unknown[] | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw new AwsError('ValidationException', `${name} must be a list`);
  return value;
}

export function texts(input: Input, name: string): readonly string[] | undefined {
  return optionalList(input, name)?.map((item) => String(item));
}

export function records(input: Input, name: string): readonly Input[] | undefined {
  return optionalList(input, name)?.map((item) => {
    if (!isRecord(item)) throw new AwsError('ValidationException', `${name} must be a list of structures`);
    return item;
  });
}
