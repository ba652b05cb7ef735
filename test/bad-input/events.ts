/** Events that Secrets Manager never sends, and moments at which a step is none of the rotator's business. */
import type { Deployment } from '../../lambdas/contract/deployment.ts';
import { parseRotation, tellEvent } from '../../lambdas/rotate/rotation.ts';
import { moveLabel } from '../../local/services/secrets-manager.ts';
import { deployedKey } from '../policy.ts';
import type { Simulation } from '../simulation/world.ts';
import { begin, goodValue, type Row, row, rowOf, SECRET, step, TOKEN, takeLabel } from './row.ts';

const deployment: Deployment = {
  formatVersion: 1,
  name: 'iam-key-rotator',
  maxChangesPerRun: 25,
  rotateTimeout: 120,
  keys: [deployedKey({ userName: 'app' })],
};

/** As Lambda hands it over: the table's own way in would make an object of nothing. */
const handedOver = (event: unknown) => () => {
  tellEvent(event);
  return parseRotation(event, deployment);
};

type Event = Record<string, unknown>;
/** A createSecret event of a rotation under way, with something else in it. */
const sent = (change: (event: Event, world: Simulation) => Event) => ({
  from: 'new' as const,
  bring: (world: Simulation) => begin(world),
  run: (world: Simulation) => {
    const good = { Step: 'createSecret', SecretId: world.secret(SECRET).arn, ClientRequestToken: TOKEN };
    return world.invoke('rotate', change(good, world));
  },
});
const replaced = (field: string, value: unknown) => sent((event) => ({ ...event, [field]: value }));

const arn = (name: string) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}`;
const PENDING_GONE_SECONDS = 'the secret is scheduled for deletion';

export const events: readonly Row[] = [
  rowOf('the event is null', 'EVENT_MALFORMED', handedOver(null)),
  rowOf('the event is not there', 'EVENT_MALFORMED', handedOver(undefined)),
  rowOf('the event is a list', 'EVENT_MALFORMED', handedOver([])),
  rowOf('the event is a text', 'EVENT_MALFORMED', handedOver('createSecret')),
  rowOf('the event is a number', 'EVENT_MALFORMED', handedOver(7)),
  row(
    'the event is empty',
    'EVENT_MALFORMED',
    sent(() => ({})),
  ),
  row('the event has no Step', 'EVENT_MALFORMED', replaced('Step', undefined)),
  row('the Step is none of the four', 'EVENT_MALFORMED', replaced('Step', 'deleteSecret')),
  row('the Step is written in capitals', 'EVENT_MALFORMED', replaced('Step', 'CREATE_SECRET')),
  row('the Step is a list', 'EVENT_MALFORMED', replaced('Step', ['createSecret'])),
  row('the event has no SecretId', 'EVENT_MALFORMED', replaced('SecretId', undefined)),
  row("the SecretId is the secret's name", 'EVENT_MALFORMED', replaced('SecretId', SECRET)),
  row("the SecretId is an ARN without the suffix of Secrets Manager's", 'EVENT_MALFORMED', {
    ...replaced('SecretId', arn(SECRET)),
  }),
  row('the SecretId is the ARN of an IAM user', 'EVENT_MALFORMED', {
    ...replaced('SecretId', 'arn:aws:iam::111122223333:user/app'),
  }),
  row('the event has no ClientRequestToken', 'EVENT_MALFORMED', replaced('ClientRequestToken', undefined)),
  row('the ClientRequestToken is empty', 'EVENT_MALFORMED', replaced('ClientRequestToken', '')),
  row(
    'the ClientRequestToken is shorter than the id of a version',
    'EVENT_MALFORMED',
    replaced('ClientRequestToken', 'x'),
  ),
  row('the ClientRequestToken has words of the ledger in it', 'EVENT_MALFORMED', {
    ...replaced('ClientRequestToken', 'aaaaaaaaaaaaaaaa disabled=2020-01-01T00:00:00Z'),
  }),
  row('the RotationToken is an object', 'EVENT_MALFORMED', replaced('RotationToken', {})),
  row('no user is bound to the secret', 'SECRET_NOT_BOUND', replaced('SecretId', arn('iam/other-a1B2c3'))),
  row('the secret has a bound name and six characters more', 'SECRET_NOT_BOUND', {
    ...replaced('SecretId', arn('iam/app-abcdef-a1B2c3')),
  }),
  row("the key is in mode 'observe'", 'OBSERVE_MODE', {
    ...sent((event) => event),
    options: { keys: [{ userName: 'app', mode: 'observe' }] },
  }),
  row('createSecret comes with a token that no version has', 'TOKEN_NOT_PENDING', { run: step('createSecret') }),
  row('createSecret comes with the token of a version without labels', 'TOKEN_NOT_PENDING', {
    bring: (world) => {
      begin(world, goodValue());
      takeLabel(world, 'AWSPENDING');
    },
    run: step('createSecret'),
  }),
  row('createSecret comes with the token of the version before', 'TOKEN_NOT_PENDING', {
    from: 'superseded',
    run: (world) => world.step('createSecret', SECRET, String(world.secret(SECRET).labels.get('AWSPREVIOUS'))),
  }),
  row('setSecret comes with a token that no version has', 'PENDING_VALUE_MISSING', { run: step('setSecret') }),
  row('testSecret comes with a token that no version has', 'PENDING_VALUE_MISSING', { run: step('testSecret') }),
  row('finishSecret comes with a token that no version has', 'TOKEN_NOT_PENDING', { run: step('finishSecret') }),
  row('setSecret comes before createSecret has stored a key', 'PENDING_VALUE_MISSING', {
    bring: (world) => begin(world),
    run: step('setSecret'),
  }),
  row('testSecret comes before createSecret has stored a key', 'PENDING_VALUE_MISSING', {
    bring: (world) => begin(world),
    run: step('testSecret'),
  }),
  row('finishSecret comes before testSecret', 'NOT_VERIFIED', {
    bring: (world) => begin(world, goodValue()),
    run: step('finishSecret'),
  }),
  row('rotation is off', 'ROTATION_NOT_ENABLED', {
    bring: (world) => {
      begin(world);
      world.account.operate('secretsmanager', 'CancelRotateSecret', { SecretId: SECRET });
    },
    run: step('createSecret'),
  }),
  row(`${PENDING_GONE_SECONDS}, and createSecret comes`, 'SECRET_NOT_USABLE', {
    bring: deleted,
    run: step('createSecret'),
  }),
  row(`${PENDING_GONE_SECONDS}, and setSecret comes`, 'SECRET_NOT_USABLE', {
    bring: deleted,
    run: step('setSecret'),
  }),
  row(`${PENDING_GONE_SECONDS}, and finishSecret comes`, 'NOT_VERIFIED', {
    bring: deleted,
    run: step('finishSecret'),
  }),
  row('no version is current when createSecret comes', 'CURRENT_MISSING', {
    bring: (world) => {
      begin(world);
      takeLabel(world, 'AWSCURRENT');
    },
    run: step('createSecret'),
  }),
  row('no version is current when finishSecret comes', 'CURRENT_MISSING', {
    bring: (world) => {
      begin(world, goodValue());
      takeLabel(world, 'AWSCURRENT');
    },
    run: step('finishSecret'),
  }),
  row(
    'the pending version was current before, and createSecret comes',
    'ROLLED_BACK',
    { from: 'superseded', bring: pendBefore, run: (world) => world.step('createSecret', SECRET, before(world)) },
    { why: 'without the label the next rotation starts anew', lines: [/^- label AWSPENDING of iam\/app: /] },
  ),
  row('the pending version was current before, and finishSecret comes', 'ROLLED_BACK', {
    from: 'superseded',
    bring: pendBefore,
    run: (world) => world.step('finishSecret', SECRET, before(world)),
  }),
];

function deleted(world: Simulation): void {
  begin(world, goodValue());
  world.account.operate('secretsmanager', 'DeleteSecret', { SecretId: SECRET });
}

const before = (world: Simulation) => String(world.secret(SECRET).labels.get('AWSPREVIOUS'));

function pendBefore(world: Simulation): void {
  moveLabel(world.account, world.secret(SECRET), 'AWSPENDING', before(world));
}
