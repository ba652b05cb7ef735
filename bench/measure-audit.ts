/** An audit of a large account: its calls, memory and time. The bundle alone in a process, with the simulated account in this one, over loopback. */
import type { CallRecord } from '../local/model.ts';
import { DAY } from '../test/policy.ts';
import { Simulation } from '../test/simulation/world.ts';
import { AUDIT_KEYS, AUDIT_SECRETS, AUDIT_USERS, type Figure, MB } from './budgets.ts';
import { promoteNewKey } from './lived-in.ts';
import { invoke } from './measure-memory.ts';
import { AUDIT_NODE_OPTIONS, BUCKET, bundleOf, environment, withFolder, writeTaskRoot } from './task-root.ts';

type Names = 'auditGathering' | 'auditUsers' | 'auditWrites' | 'auditMemory' | 'auditTime';

const GATHERING = new Set(['GenerateCredentialReport', 'GetCredentialReport', 'ListSecrets', 'DescribeSecret']);
const OF_USERS = new Set(['ListAccessKeys', 'GetAccessKeyLastUsed']);

export async function measureAudit(): Promise<Record<Names, Figure>> {
  const simulation = await largeAccount();
  const { account } = simulation;
  account.buckets.set(BUCKET, { name: BUCKET, versioned: true, objects: new Map() });
  const { endpoint, close } = await account.listen(Date.now);
  // The function goes by the computer's clock; the report is made while it waits.
  const ticking = setInterval(() => void account.clock.advance(1000), 1000);
  const before = account.history.length;
  try {
    const started = performance.now();
    const { result, error, heap, resident } = await withFolder((folder) => {
      const root = writeTaskRoot(folder, 'audit', bundleOf('audit'), simulation.deployment);
      const { accessKeyId, secretAccessKey, sessionToken = '' } = account.operator.credentials;
      const credentials = {
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_SESSION_TOKEN: sessionToken,
      };
      return invoke({ ...environment(root), ...credentials, AWS_ENDPOINT_URL: endpoint }, AUDIT_NODE_OPTIONS);
    });
    const seconds = (performance.now() - started) / 1000;
    const told = result as
      | { readonly users: number; readonly keys: number; readonly findings: Record<string, number> }
      | undefined;
    if (error !== undefined || told?.users !== AUDIT_USERS || told.keys !== AUDIT_KEYS)
      throw new Error(`the audit did not go as planned: ${error ?? JSON.stringify(result)}`);
    const calls = account.history.slice(before).filter((entry) => entry.kind === 'call');
    const findings = Object.entries(told.findings).map(([severity, count]) => `${count} ${severity}`);
    return {
      ...counted(calls),
      auditMemory: {
        value: resident / MB,
        how: `peak resident set; peak heap ${Math.ceil(heap / MB)} MB; process of the bundle alone`,
      },
      auditTime: {
        value: seconds,
        how: `${findings.join(', ')}; calls answered by loopback: IAM's answers take longer, and no rate of theirs is published`,
      },
    };
  } finally {
    clearInterval(ticking);
    await close();
  }
}

function counted(calls: readonly CallRecord[]): Record<Exclude<Names, 'auditMemory' | 'auditTime'>, Figure> {
  const of = (actions: ReadonlySet<string>) => calls.filter(({ action }) => actions.has(action));
  const tally = (some: readonly CallRecord[]) =>
    [...new Set(some.map(({ action }) => action))]
      .map((action) => `${some.filter((call) => call.action === action).length} ${action}`)
      .join(', ');
  const users = new Set(calls.filter(({ action }) => action === 'ListAccessKeys').map(({ userName }) => userName)).size;
  const [gathering, reads, writes] = [of(GATHERING), of(OF_USERS), calls.filter(({ service }) => service === 's3')];
  if (gathering.length + reads.length + writes.length !== calls.length)
    throw new Error(`other calls were made: ${tally(calls)}`);
  return {
    auditGathering: { value: gathering.length, how: tally(gathering) },
    auditUsers: { value: reads.length / users, how: `${users} users: ${tally(reads)}` },
    auditWrites: { value: writes.length, how: tally(writes) },
  };
}

/**
 * As accounts are: every tenth user has a key that nobody uses any more, others one that is old, a second one, or one that was left Inactive; some are
 * under rotation, and most have nothing to report but that they are not.
 */
async function largeAccount(): Promise<Simulation> {
  const managed = Array.from({ length: AUDIT_SECRETS }, (_, index) => `app${index}`);
  const start = new Date(Date.now() - 220 * DAY * 1000);
  const simulation = new Simulation({ keys: managed.map((userName) => ({ userName })), account: { start } });
  const { account, deployment } = simulation;
  const others = Array.from({ length: AUDIT_USERS - AUDIT_SECRETS }, (_, index) => `user-${index}`);
  for (const name of others) account.createUser(name);
  const every = (n: number, remainder: number) => others.filter((_, index) => index % n === remainder);
  // Old: a fifth of all.
  for (const name of every(5, 0)) account.createAccessKey(name);
  await simulation.advance(200 * DAY);
  for (const name of others) if (!every5(name)) account.createAccessKey(name);
  // As many second keys as are missing.
  let missing = AUDIT_KEYS - AUDIT_USERS;
  for (const name of [...every(5, 1), ...every(5, 2), ...every(5, 3)]) {
    if (missing === 0) break;
    const { accessKeyId } = account.createAccessKey(name);
    if (missing % 4 === 0) account.setAccessKeyStatus(accessKeyId, 'Inactive');
    missing -= 1;
  }
  for (const key of deployment.keys) {
    promoteNewKey(account, key);
    account.operate('secretsmanager', 'RotateSecret', {
      SecretId: key.secretName,
      RotationLambdaARN: simulation.rotateArn,
      RotationRules: { AutomaticallyAfterDays: 30 },
      RotateImmediately: false,
    });
  }
  await simulation.advance(20 * DAY);
  return simulation;
}

const every5 = (name: string) => Number(name.replace('user-', '')) % 5 === 0;
