/** What `npm run demo` deploys: four users, each with a story of its own. The same form as rotator.config.ts at the root. */
import { defineConfig } from '../../infra/config/index.ts';

const ROLES = 'arn:aws:iam::111122223333:role';

export default defineConfig({
  // A year has enough of them; each is one of the whole account.
  audit: { every: '6d' },
  keys: [
    // New, without a key: the stack creates the user, and the deployment puts its first key into the secret.
    { user: 'deploy-prod', createUser: true, readers: [`${ROLES}/deploy-prod`] },

    // Its application has the user's only key, made by hand, in its settings, and takes weeks to learn where the new one is.
    {
      user: 'legacy-batch',
      schedule: '90d',
      adopt: 'only-key',
      holdAtMost: '60d',
      // It reads the names of environment variables, and sends mail by SMTP.
      format: 'env',
      sesSmtp: ['eu-central-1'],
      readers: [`${ROLES}/legacy-batch`],
    },

    // Both of its slots are taken by keys that nobody has told the rotator about.
    { user: 'two-keys' },

    // One of its rotations is cut off at the worst moment. Its application has names of its own for the fields.
    {
      user: 'crashy',
      format: { accessKeyId: 'id', secretAccessKey: 'secret' },
      readers: [`${ROLES}/crashy`],
    },
  ],
});
