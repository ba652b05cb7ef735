/** What applications must find in a secret, put together from the account's own key and not by the functions' code. */
import { createHmac } from 'node:crypto';
import type { Simulation } from './world.ts';

/** The rotator's fields in AWSCURRENT as the configured form has them, for the key that is current. */
export function ownFields(simulation: Simulation, name: string): Record<string, unknown> {
  const policy = simulation.deployment.keys.find(({ secretName }) => secretName === name);
  const key = simulation.account.keys.get(simulation.currentKey(name) ?? '');
  if (policy === undefined || key === undefined) throw new Error(`no key in ${name}`);
  const { fields, derived } = policy.format;
  return {
    ...(fields.accessKeyId === 'AccessKeyId' && { Version: 1 }),
    [fields.accessKeyId]: key.id,
    [fields.secretAccessKey]: key.secret,
    [fields.userName]: key.userName,
    [fields.createDate]: `${new Date(key.createdAt).toISOString().slice(0, 19)}Z`,
    ...Object.fromEntries(
      derived.map((one) => [one.field, one.is === 'ses-smtp-username' ? key.id : smtpPassword(key.secret, one.region)]),
    ),
  };
}

/** Step by step as AWS's guide has it; test/adapters/ses-smtp.test.ts holds the functions' one to AWS's published example. */
function smtpPassword(secret: string, region: string): string {
  const sign = (key: Buffer, message: string) => createHmac('sha256', key).update(message, 'utf8').digest();
  const dated = sign(Buffer.from(`AWS4${secret}`, 'utf8'), '11111111');
  const message = sign(sign(sign(sign(dated, region), 'ses'), 'aws4_request'), 'SendRawEmail');
  return Buffer.concat([Buffer.from([4]), message]).toString('base64');
}
