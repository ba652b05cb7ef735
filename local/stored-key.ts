/** The key in a secret's value, as an application finds it that reads the fields of its form. Not by the functions' own code: the oracle judges that. */
import { type FieldNames, FORMATS } from '../lambdas/contract/formats.ts';

type KeyFields = Pick<FieldNames, 'accessKeyId' | 'secretAccessKey'>;

/**
 * @param value the SecretString
 * @param fields where to look first; then in those of the built-in forms, which the value may have from before
 * @returns undefined when there is no id of a key in any of them
 */
export function storedKey(
  value: string | undefined,
  fields?: KeyFields,
): { readonly accessKeyId: string; readonly secretAccessKey: string | undefined } | undefined {
  const parsed = parse(value);
  for (const names of [...(fields === undefined ? [] : [fields]), ...Object.values(FORMATS)]) {
    const accessKeyId = text(parsed, names.accessKeyId);
    if (accessKeyId !== undefined) return { accessKeyId, secretAccessKey: text(parsed, names.secretAccessKey) };
  }
  return undefined;
}

function parse(value: string | undefined): object {
  try {
    const parsed: unknown = JSON.parse(value ?? '{}');
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}

function text(parsed: object, field: string): string | undefined {
  const found: unknown = Reflect.get(parsed, field);
  return typeof found === 'string' ? found : undefined;
}
