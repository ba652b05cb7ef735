/** The forms of the value that histories have: the built-in ones, and names of a team's own. */
import { FORMATS, type SecretFormat } from '../../lambdas/contract/formats.ts';
import { storedKey } from '../../local/stored-key.ts';
import { SES_SMTP } from '../simulation/scenarios.ts';

/** Names of a team's own. */
const OWN = { accessKeyId: 'id', secretAccessKey: 'secret', userName: 'user', createDate: 'made' } as const;

export const FORMS: readonly SecretFormat[] = [
  { fields: FORMATS['credential-process'], derived: [] },
  { fields: FORMATS.env, derived: [] },
  { fields: FORMATS.env, derived: SES_SMTP },
  // A built-in form's names for the key, and others beside.
  { fields: { ...FORMATS.env, userName: 'UserName', createDate: 'CreateDate' }, derived: [] },
  { fields: OWN, derived: [] },
  { fields: OWN, derived: [{ field: 'smtp', is: 'ses-smtp-password', region: 'eu-west-1' }] },
];

/** Where a value may have the name of its user. */
export const USER_FIELDS: readonly string[] = [...new Set(FORMS.map(({ fields }) => fields.userName))];

/** The key in a value of any of these forms. */
export function keyIn(value: string | undefined): string | undefined {
  return storedKey(value, OWN)?.accessKeyId;
}
