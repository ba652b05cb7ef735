/** What the fields of a secret's value may be called. */
import { BUILT_IN_FORMS, type FieldNames, type SecretFormat } from './formats.ts';
import { BOOTSTRAP_FIELD } from './names.ts';

/** In words, for messages. */
export const FIELD_NAME = 'a name of up to 128 letters, digits and _ - . that begins with a letter, a digit or _';

/** Whether a field may have this name. One that every object has, such as `constructor`, is none. */
export const isFieldName = (name: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(name) && !(name in {});

/** A name that is taken. */
export interface NameClash {
  /** One of the four fields, or a derived field by its number. */
  readonly where: keyof FieldNames | number;
  readonly name: string;
  /** What the name stands for already, in words. */
  readonly takenBy: string;
}

/**
 * The first of a form's fields whose name another one has, or that means something else to whoever reads a built-in form. Compared without
 * regard to case: some parsers of JSON (Go's) take `id` for `ID`. Undefined if there is none.
 */
export function nameClash({ fields, derived }: SecretFormat): NameClash | undefined {
  const taken = new Map<string, string>();
  const names: readonly (readonly [NameClash['where'], string])[] = [
    ['accessKeyId', fields.accessKeyId],
    ['secretAccessKey', fields.secretAccessKey],
    ['userName', fields.userName],
    ['createDate', fields.createDate],
    ...derived.map(({ field }, n) => [n, field] as const),
  ];
  for (const [where, name] of names) {
    const lower = name.toLowerCase();
    const takenBy = taken.get(lower) ?? otherMeaning(where, lower);
    if (takenBy !== undefined) return { where, name, takenBy };
    taken.set(lower, typeof where === 'number' ? 'another derived field' : where);
  }
  return undefined;
}

/** A built-in form's own key fields may keep their meaning in a form of one's own, and may not get another one. */
function otherMeaning(where: NameClash['where'], lower: string): string | undefined {
  const is = (name: string) => name.toLowerCase() === lower;
  if (is(BOOTSTRAP_FIELD)) return 'the mark of a secret that has no key yet';
  for (const { name, fields, tokens, marks } of BUILT_IN_FORMS) {
    const means =
      (where !== 'accessKeyId' && is(fields.accessKeyId)) ||
      (where !== 'secretAccessKey' && is(fields.secretAccessKey));
    if (means || [...tokens, ...marks].some(is)) return `the form '${name}', where it means something else`;
  }
  return undefined;
}
