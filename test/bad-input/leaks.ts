/** Events that are no report of a leak, or one that can't be acted upon. Whatever they say, nothing is changed. */
import { exposed, leakReported, quarantined, type Simulation } from '../simulation/world.ts';
import { type Row, row } from './row.ts';

const sent = (event: unknown) => ({ run: (world: Simulation) => world.invoke('respond', event) });
const malformed = (wrong: string, event: unknown): Row => row(wrong, 'EVENT_MALFORMED', sent(event));

type Detail = Record<string, unknown>;
const health = (more: Detail) => {
  const event = exposed('AKIAIOSFODNN7EXAMPLE');
  return { ...event, detail: { ...event.detail, ...more } };
};
const trail = (more: Detail) => {
  const event = quarantined('app', new Date('2026-01-01T00:00:00Z'));
  return { ...event, detail: { ...event.detail, ...more } };
};
const POLICY = 'arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV2';

export const leaks: readonly Row[] = [
  malformed('nothing', {}),
  malformed('a text', 'AKIAIOSFODNN7EXAMPLE'),
  malformed('a list', [exposed('AKIAIOSFODNN7EXAMPLE')]),
  malformed("a rotation step, which is somebody else's", {
    Step: 'createSecret',
    SecretId: 'x',
    ClientRequestToken: 'y',
  }),
  malformed('a source that nobody has', { ...leakReported('AKIAIOSFODNN7EXAMPLE'), source: 'iam-key-rotator.other' }),
  malformed('of an operator, with no key', leakReported('')),
  malformed('of an operator, with a temporary key', leakReported('ASIAIOSFODNN7EXAMPLE')),
  malformed('of an operator, with something behind the key', leakReported('AKIAIOSFODNN7EXAMPLE signal=x')),
  malformed('of an operator, under another name', { ...leakReported('AKIAIOSFODNN7EXAMPLE'), 'detail-type': 'Leak' }),
  malformed('of Health, about another service', health({ service: 'EC2' })),
  malformed('of Health, of another type', health({ eventTypeCode: 'AWS_RISK_ACCOUNT_CONSOLE_COMPROMISE' })),
  malformed('of Health, with no entities', health({ affectedEntities: [] })),
  malformed('of Health, with entities that are no list', health({ affectedEntities: 'AKIAIOSFODNN7EXAMPLE' })),
  malformed('of Health, about entities that are no keys', health({ affectedEntities: [{ entityValue: 'app' }] })),
  malformed('of Health, about an entity that is a number', health({ affectedEntities: [{ entityValue: 7 }] })),
  malformed('of CloudTrail, about another call', trail({ eventName: 'DetachUserPolicy' })),
  malformed('of CloudTrail, without a time', trail({ eventTime: undefined })),
  malformed('of CloudTrail, at a time that is none', trail({ eventTime: 'yesterday' })),
  malformed(
    'of CloudTrail, about another policy',
    trail({ requestParameters: { userName: 'app', policyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' } }),
  ),
  malformed(
    "of CloudTrail, about the team's own policy of such a name",
    trail({ requestParameters: { userName: 'app', policyArn: POLICY.replace('::aws:', '::111122223333:') } }),
  ),
  malformed('of CloudTrail, about nobody', trail({ requestParameters: { policyArn: POLICY } })),
  malformed('of CloudTrail, without parameters', trail({ requestParameters: null })),
  row('about a key of a secret that is scheduled for deletion', 'LEAK_NOT_CONTAINED', {
    bring: (world) => world.account.operate('secretsmanager', 'DeleteSecret', { SecretId: 'iam/app' }),
    run: (world) => world.invoke('respond', leakReported(String(world.currentKey('iam/app')))),
  }),
  row('about a key whose secret has a damaged ledger', 'LEAK_NOT_CONTAINED', {
    bring: (world) => {
      const Tags = [{ Key: 'iam-key-rotator:leak/AKIAIOSFODNN7EXAMPLE', Value: 'rumour' }];
      world.account.operate('secretsmanager', 'TagResource', { SecretId: 'iam/app', Tags });
    },
    run: (world) => world.invoke('respond', leakReported(String(world.currentKey('iam/app')))),
  }),
  row(
    'about a pending key, whose rotation goes on',
    'PENDING_KEY_LEAKED',
    {
      async bring(world) {
        world.account.faults.add({ match: { action: 'UpdateSecretVersionStage' }, kind: 'crash-before' });
        await world.rotate('iam/app');
        const pending = JSON.parse(world.account.valueOf('iam/app', 'AWSPENDING') ?? '{}').AccessKeyId;
        const Tags = [{ Key: `iam-key-rotator:leak/${pending}`, Value: 'at=2026-01-01T00:00:00Z signal=health' }];
        world.account.operate('secretsmanager', 'TagResource', { SecretId: 'iam/app', Tags });
      },
      run: (world) => world.step('createSecret', 'iam/app', world.secret('iam/app').labels.get('AWSPENDING') ?? ''),
    },
    { why: 'without its label the version is not taken up again', lines: [/^- label AWSPENDING of iam\/app/] },
  ),
];
