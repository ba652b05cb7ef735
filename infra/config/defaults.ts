import { DEPLOYMENT_STANDARDS } from '../../lambdas/contract/deployment.ts';
import { PROJECT } from '../../lambdas/contract/names.ts';
import type { PolicyInput } from './types.ts';

/** What a key gets that neither it nor `defaults` says. Overlap, hold and recovery together fit into the period. */
export const KEY_DEFAULTS = {
  schedule: '30d',
  deactivateAfter: '3d',
  settle: '4h',
  ifInUse: 'hold',
  holdAtMost: '14d',
  quietFor: '8d',
  deleteAfter: '7d',
  mode: 'enforce',
  verifyRegions: [],
  onLeak: 'rotate-then-disable',
  rotateOnDeploy: true,
  userPath: '/',
  createUser: false,
  readers: [],
  userReads: false,
  consumers: [],
  ledgerOperators: [],
  replicas: [],
  format: 'credential-process',
  sesSmtp: [],
} as const satisfies PolicyInput;

/** What a deployment gets that doesn't say otherwise. */
export const DEPLOYMENT_DEFAULTS = {
  name: PROJECT,
  maxChangesPerRun: 25,
  retireEvery: '1h',
  audit: {
    every: '1d',
    maxKeyAge: '90d',
    unusedFor: '45d',
    neverUsedFor: '45d',
    securityHub: false,
    keepReportsFor: '365d',
  },
  notices: {},
  alarms: {},
  runbookUrl: DEPLOYMENT_STANDARDS.runbookUrl,
} as const;

/** A key that is held for longer raises an alarm. In seconds. */
export const HOLD_LONGER_THAN = 7 * 86_400;

/** Name of the secret of a user whose key names none. */
export const defaultSecretName = (user: string): string => `${PROJECT}/${user}`;
