import { inspect } from 'node:util';
import type * as z from 'zod';
import { nearest } from './nearest.ts';
import { PROBLEMS, type Problem } from './problems.ts';

/** Where in the configuration something stands. */
export interface Place {
  readonly about: string | undefined;
  /** Such as `keys[0]`; empty at the top. */
  readonly path: string;
}

type Fields = Readonly<Record<string, z.ZodType>>;
/** Undefined where the field is absent, and where it is there but bad: so a default never covers up for a bad value. */
type Values<F extends Fields> = { readonly [K in keyof F]?: z.output<F[K]> | undefined };

/** A value, short enough for a line. */
export const show = (value: unknown): string => {
  const text = inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY });
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
};

/**
 * Reads each field by itself, so that the good ones can be checked against each other although others are bad.
 *
 * @returns the fields that are good; what is wrong with the others goes into `problems`
 */
export function readFields<F extends Fields>(
  fields: F,
  input: Readonly<Record<string, unknown>>,
  place: Place,
  problems: Problem[],
): Values<F> {
  for (const field of Object.keys(input)) {
    if (!Object.hasOwn(fields, field)) problems.push(unknownField(field, input[field], place, Object.keys(fields)));
  }
  const values: Record<string, unknown> = {};
  for (const [field, schema] of Object.entries(fields)) {
    const value = input[field];
    if (value === undefined) continue;
    const result = schema.safeParse(value);
    values[field] = result.data;
    for (const issue of result.error?.issues ?? []) problems.push(...fromIssue(issue, value, join(place, field)));
  }
  return values as Values<F>;
}

/** `place` one step further in. */
export const join = (place: Place, step: PropertyKey): Place => ({
  about: place.about,
  path: typeof step === 'number' ? `${place.path}[${step}]` : [place.path, String(step)].filter(Boolean).join('.'),
});

/** Reports the fields of `required` that `input` doesn't have. */
export function requireFields(
  required: readonly string[],
  input: Readonly<Record<string, unknown>>,
  place: Place,
  problems: Problem[],
): void {
  for (const field of required) {
    if (input[field] !== undefined) continue;
    problems.push({
      ...join(place, field),
      code: PROBLEMS.missingField,
      received: undefined,
      expected: `a value for '${field}'`,
      fix: `add ${field}: …`,
    });
  }
}

function unknownField(field: string, value: unknown, place: Place, known: readonly string[]): Problem {
  const guess = nearest(field, known);
  return {
    ...join(place, field),
    code: PROBLEMS.unknownField,
    received: show(value),
    expected: `a known field: ${known.join(', ')}`,
    fix: guess === undefined ? `remove '${field}'` : `did you mean '${guess}'?`,
  };
}

function fromIssue(issue: z.core.$ZodIssue, value: unknown, place: Place): Problem[] {
  const at = issue.path.reduce(join, place);
  const found = issue.path.reduce<unknown>((inner, step) => (inner as Record<PropertyKey, unknown>)[step], value);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      ...join(at, key),
      code: PROBLEMS.unknownField,
      received: show((found as Record<string, unknown>)[key]),
      expected: issue.message,
      fix: `remove '${key}'`,
    }));
  }
  const params = issue.code === 'custom' ? issue.params : undefined;
  return [
    {
      ...at,
      code: codeOf(found, params),
      received: found === undefined ? undefined : show(found),
      expected: issue.message,
      fix: typeof params?.fix === 'string' ? params.fix : 'write it in this form',
    },
  ];
}

function codeOf(found: unknown, params: Record<string, unknown> | undefined) {
  if (found === undefined) return PROBLEMS.missingField;
  return params?.schedule === true ? PROBLEMS.badSchedule : PROBLEMS.badValue;
}
