/** What `npm run experiment` deploys: a user for each client, rotated daily. The same form as rotator.config.ts at the root. */
import { defineConfig } from '../../infra/config/index.ts';

const ROLES = 'arn:aws:iam::111122223333:role';

const user = (name: string) => ({ user: name, createUser: true, readers: [`${ROLES}/${name}`] });

export default defineConfig({
  // A year has enough of them; each is one of the whole account.
  audit: { every: '6d' },
  defaults: {
    schedule: { every: '1d', window: '4h' },
    // Within a day each superseded key is disabled and deleted, so that every rotation ends with a retirement, and an emergency in the
    // afternoon finds a free slot.
    deactivateAfter: '6h',
    settle: '1h',
    holdAtMost: '4h',
    deleteAfter: '6h',
  },
  keys: [user('app-js'), user('app-boto3'), user('app-cli')],
});
