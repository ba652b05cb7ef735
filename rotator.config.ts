/** The keys that are rotated. Every field is explained in docs/configuration.md; `npx cdk synth` checks them all. */
import { defineConfig } from './infra/config/index.ts';

export default defineConfig({
  // What a key gets that doesn't say otherwise. These are the built-in defaults, written out.
  defaults: {
    schedule: '30d',
    deactivateAfter: '3d',
    holdAtMost: '14d',
    deleteAfter: '7d',
  },
  keys: [
    // A new user: the stack creates it, and the first deployment puts its first key into iam-key-rotator/deploy-prod.
    { user: 'deploy-prod', createUser: true },

    // An existing user whose application still has a hand-made key in its settings: that key is retired as well, but is held
    // for up to 60 days after its overlap while something still uses it.
    {
      user: 'legacy-batch',
      schedule: '90d',
      // Or 'only-key', if it is the only one that the user has.
      adopt: 'AKIAIOSFODNN7EXAMPLE',
      holdAtMost: '60d',
    },

    // Rotated on the first of each month, between 03:00 and 07:00 UTC.
    {
      user: 'ses-sender',
      userPath: '/service/',
      schedule: { cron: 'cron(0 3 1 * ? *)', window: '4h' },
    },
  ],
});
