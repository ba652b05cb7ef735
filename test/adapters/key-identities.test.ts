import { STSClient } from '@aws-sdk/client-sts';
import { describe, expect, it } from 'vitest';
import { keyIdentities } from '../../lambdas/adapters/key-identities.ts';
import { type Answer, answering, xml, xmlError } from './answering.ts';

const KEY = { keyId: 'AKIA1', secret: 'secret' };
const IDENTITY = [
  '<Arn>arn:aws:iam::111122223333:user/app</Arn>',
  '<UserId>AIDA1</UserId>',
  '<Account>111122223333</Account>',
];
const identity = (...parts: readonly string[]) => xml('GetCallerIdentity', parts.join(''));

function asking(answer: Answer) {
  const requestHandler = answering(answer);
  const clients: unknown[] = [];
  const identities = keyIdentities((credentials, region) => {
    clients.push([{ ...credentials }, region]);
    return new STSClient({ region, credentials, maxAttempts: 1, requestHandler });
  });
  return { identities, clients, handler: requestHandler };
}

describe('whose key it is', () => {
  it('is asked with the key in question, in the Region named, by a client that is given up afterwards', async () => {
    const { identities, clients, handler } = asking(identity(...IDENTITY));
    expect(await identities.identify(KEY, 'us-east-1')).toEqual({
      kind: 'identified',
      identity: { account: '111122223333', arn: 'arn:aws:iam::111122223333:user/app', userId: 'AIDA1' },
    });
    expect(clients).toEqual([[{ accessKeyId: 'AKIA1', secretAccessKey: 'secret' }, 'us-east-1']]);
    expect(handler.bodies.map((body) => new URLSearchParams(body).get('Action'))).toEqual(['GetCallerIdentity']);
    expect(handler.destroyed).toHaveLength(1);
  });

  it.each([
    ['InvalidClientTokenId', 403, 'refused'],
    ['SignatureDoesNotMatch', 403, 'refused'],
    ['AccessDenied', 403, 'unavailable'],
    ['InternalFailure', 500, 'unavailable'],
  ])('is not said by the error %s (%i): the answer is %s', async (code, status, kind) => {
    const { identities, handler } = asking(xmlError(code, status));
    expect(await identities.identify(KEY, 'us-east-1')).toEqual({ kind, awsCode: code });
    expect(handler.destroyed).toHaveLength(1);
  });

  it.each([
    ['Account', identity(...IDENTITY.slice(0, 2))],
    ['Arn', identity(...IDENTITY.slice(1))],
    ['UserId', identity(...IDENTITY.filter((part) => !part.includes('UserId')))],
  ])('is missed in an answer without %s, which is neither a yes nor a no', async (field, answer) => {
    const { identities, handler } = asking(answer);
    await expect(identities.identify(KEY, 'us-east-1')).rejects.toThrow(
      `AWS_CALL_FAILED: an answer of GetCallerIdentity without ${field}.`,
    );
    expect(handler.destroyed).toHaveLength(1);
  });

  it('is unknown after an answer that makes no sense', async () => {
    const { identities } = asking({ status: 200, body: '<' });
    expect(await identities.identify(KEY, 'us-east-1')).toMatchObject({ kind: 'unavailable' });
  });
});
