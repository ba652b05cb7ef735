import { keyIdentities } from '../../lambdas/adapters/key-identities.ts';
import type { KeyIdentities } from '../../lambdas/domain/ports.ts';
import type { Connect } from '../operator/clients.ts';

/** Whose key it is, over the operator's connection: one client a question, which signs with the key in question. */
export const identitiesOver = (connect: Connect): KeyIdentities => ({
  async identify(key, region) {
    const credentials = { accessKeyId: key.keyId, secretAccessKey: key.secret };
    const client = await connect('sts', { credentials, region, maxAttempts: 1 });
    return keyIdentities(() => client).identify(key, region);
  },
});
