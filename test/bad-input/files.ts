/** Deployment files that no deployment of this version writes, and environments that Lambda never makes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDeployment, readRegion, readReportBucket } from '../../lambdas/adapters/deployment-file.ts';
import { DEFAULT_FORMAT } from '../../lambdas/contract/formats.ts';
import { deployedKey } from '../policy.ts';
import { FAKE, type Row, rowOf } from './row.ts';

export const GOOD = {
  formatVersion: 1,
  name: 'iam-key-rotator',
  maxChangesPerRun: 25,
  rotateTimeout: 120,
  keys: [deployedKey({ userName: 'app' })],
};

/** Reads a folder with these files, as a function does when it starts. */
function readFolder(files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'bad-input-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    return readDeployment({ LAMBDA_TASK_ROOT: folder });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const readContent = (content: string) => readFolder({ 'deployment.json': content });

const file = (what: string, content: unknown) =>
  rowOf(`the deployment file ${what}`, 'DEPLOYMENT_MALFORMED', () =>
    readContent(typeof content === 'string' ? content : JSON.stringify(content)),
  );
const root = (what: string, change: object) => file(what, { ...GOOD, ...change });
const key = (what: string, change: object) => root(what, { keys: [{ ...GOOD.keys[0], ...change }] });

export const files: readonly Row[] = [
  rowOf('the environment has no LAMBDA_TASK_ROOT', 'DEPLOYMENT_MALFORMED', () => readDeployment({})),
  rowOf('there is no deployment file', 'DEPLOYMENT_MALFORMED', () => readFolder({})),
  rowOf('the environment has no AWS_REGION', 'DEPLOYMENT_MALFORMED', () => readRegion({})),
  rowOf('AWS_REGION is empty', 'DEPLOYMENT_MALFORMED', () => readRegion({ AWS_REGION: '' })),
  rowOf('the environment has no REPORT_BUCKET', 'DEPLOYMENT_MALFORMED', () => readReportBucket({})),
  rowOf('REPORT_BUCKET is empty', 'DEPLOYMENT_MALFORMED', () => readReportBucket({ REPORT_BUCKET: '' })),
  rowOf('LAMBDA_TASK_ROOT is empty', 'DEPLOYMENT_MALFORMED', () => readDeployment({ LAMBDA_TASK_ROOT: '' })),
  file('is empty', ''),
  file('is not JSON', `export default { secret: '${FAKE}' }`),
  file('is null', 'null'),
  file('is a list', []),
  root('is of a format version that is yet to come', { formatVersion: 2 }),
  root('has its format version as a text', { formatVersion: '1' }),
  root('has no name', { name: undefined }),
  root('has an audit without a largest age', { audit: { unusedFor: 1, neverUsedFor: 1, securityHub: false } }),
  root('has an audit that allows no age at all', {
    audit: { maxKeyAge: 0, unusedFor: 1, neverUsedFor: 1, securityHub: false },
  }),
  root('has an empty name', { name: '' }),
  root('allows no change a run', { maxChangesPerRun: 0 }),
  root('allows half a change a run', { maxChangesPerRun: 0.5 }),
  root('says nothing of the timeout', { rotateTimeout: undefined }),
  root('has no keys', { keys: undefined }),
  root('has its keys as an object', { keys: { app: GOOD.keys[0] } }),
  root('has a field that this version does not know', { dryRun: true }),
  key('has a key with a field that this version does not know', { userNames: ['admin'] }),
  key('has a key without a user', { userName: undefined }),
  key('has a key with an empty secret name', { secretName: '' }),
  key('has a key with an unknown mode', { mode: 'dry-run' }),
  key('has a key with a negative recovery time', { deleteAfter: -1 }),
  key('has a key with a duration as a text', { deactivateAfter: '3d' }),
  key('has a key with an endless hold', { holdAtMost: 1e300 }),
  key('has a key with a hold longer than any date can tell', { holdAtMost: 999_999_999 * 86_400 }),
  key('has a key with a recovery time longer than any date can tell', { deleteAfter: 999_999_999 * 86_400 }),
  root('binds one user to two secrets', { keys: [GOOD.keys[0], { ...GOOD.keys[0], secretName: 'iam/other' }] }),
  root('binds one secret to two users', { keys: [GOOD.keys[0], { ...GOOD.keys[0], userName: 'admin' }] }),
  key('has a key with one Region where a list is due', { verifyRegions: 'eu-west-1' }),
  key('says nothing of the form of a value', { format: undefined }),
  key('has the name of a form where its fields are due', { format: 'env' }),
  key('has two fields of one name in a value', {
    format: { fields: { ...DEFAULT_FORMAT.fields, userName: 'createdate' }, derived: [] },
  }),
  key('derives what this version does not know', {
    format: { ...DEFAULT_FORMAT, derived: [{ field: 'token', is: 'session-token' }] },
  }),
  key('derives an SMTP password for no Region', {
    format: { ...DEFAULT_FORMAT, derived: [{ field: 'password', is: 'ses-smtp-password' }] },
  }),
];
