import { expect, it } from 'vitest';
import { scheduledForDeletion } from '../../lambdas/domain/refusals.ts';
import { refusalOf } from './world.ts';

it('a secret that is scheduled for deletion is refused by its name, with the two ways out', () => {
  const refusal = scheduledForDeletion('iam/app');
  expect(refusal).toMatchObject({ do: 'refuse', error: { code: 'SECRET_NOT_USABLE' } });
  expect(refusalOf(refusal)).toBe(
    'SECRET_NOT_USABLE: the secret iam/app is scheduled for deletion. Expected: a secret in use. ' +
      'To do: restore it (aws secretsmanager restore-secret), or remove the key from rotator.config.ts.',
  );
});
