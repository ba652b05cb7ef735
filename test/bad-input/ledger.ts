/** Tags of the ledger that the rotator never writes, and such as say that something is not as it should be. */
import { iso } from '../../lambdas/domain/model.ts';
import type { Simulation } from '../simulation/world.ts';
import { begin, currentKey, pass, type Row, row, SECRET, setTag, step, TOKEN } from './row.ts';

const VERSION = 'version=99999999-2222-3333-4444-555555555555';
const STRANGER = 'key/AKIAIOSFODNN7EXAMPLE';
const DATE = '2026-01-01T00:00:00Z';
const EVIDENCE = { token: TOKEN, key: 'AKIAIOSFODNN7EXAMPLE', account: '111122223333', user: 'AIDAX', at: DATE };

/** The words of a tag; `undefined` leaves one out. */
const words = (fields: Record<string, string | undefined>) =>
  Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
const evidenceWithout = (field: string) => words({ ...EVIDENCE, [field]: undefined });

const MALFORMED: readonly (readonly [string, string, string])[] = [
  ['an entry has a word without =', STRANGER, `${VERSION} promoted`],
  ['an entry has a word without a name', STRANGER, '=x'],
  ['an entry is a text for people', STRANGER, 'please do not touch'],
  ['an entry was minted on a date of another form', STRANGER, `${VERSION} minted=01.01.2026`],
  ['an entry was minted in a month that does not exist', STRANGER, `${VERSION} minted=2026-13-01T00:00:00Z`],
  ['an entry was minted on 30 February', STRANGER, `${VERSION} minted=2026-02-30T00:00:00Z`],
  ['an entry names no version and says so', STRANGER, 'version='],
  ['an announcement has an empty token', 'intent/x', `token= at=${DATE}`],
  ['an entry was promoted at a time without its zone', STRANGER, `${VERSION} promoted=2026-01-01T00:00:00`],
  ['an entry was promoted to the millisecond', STRANGER, `${VERSION} promoted=2026-01-01T00:00:00.000Z`],
  ['an entry was superseded by nobody', STRANGER, `${VERSION} superseded=${DATE}`],
  ['an entry says by whom it was superseded and not when', STRANGER, `${VERSION} by=AKIAIOSFODNN7EXAMPLE`],
  ['an entry was disabled in another time zone', STRANGER, `${VERSION} disabled=2026-01-01T00:00:00+01:00`],
  ['an entry was deleted on an empty date', STRANGER, 'deleted='],
  ['an announcement has no token', 'intent/x', `at=${DATE}`],
  ['an announcement has no date', 'intent/x', `token=${TOKEN}`],
  ['an announcement has a date without a time', 'intent/x', `token=${TOKEN} at=2026-01-01`],
  ['an announcement is empty', 'intent/x', ''],
  ...Object.keys(EVIDENCE).map(
    (field) => [`the evidence has no ${field}`, 'verified', evidenceWithout(field)] as const,
  ),
  ['the evidence has a date that is none', 'verified', words({ ...EVIDENCE, at: 'today' })],
];

/** A rotation that testSecret has verified, with one field of the evidence changed. */
function verified(world: Simulation, change: (evidence: typeof EVIDENCE, world: Simulation) => object): void {
  const { accessKeyId } = world.account.createAccessKey('app');
  begin(world, { ...world.current(SECRET), AccessKeyId: accessKeyId });
  setTag(world, `key/${accessKeyId}`, `version=${TOKEN} minted=${iso(world.now)}`);
  const user = String(world.account.users.get('app')?.id);
  const evidence = { ...EVIDENCE, key: accessKeyId, user, at: iso(world.now) };
  setTag(world, 'verified', words({ ...evidence, ...change(evidence, world) }));
}

export const ledger: readonly Row[] = [
  ...MALFORMED.map(([what, tag, value], n) =>
    n % 2 === 0
      ? row(`${what}, and createSecret comes`, 'LEDGER_MALFORMED', {
          bring: (world) => {
            begin(world);
            setTag(world, tag, value);
          },
          run: step('createSecret'),
        })
      : row(`${what}, and a pass comes`, 'LEDGER_MALFORMED', {
          from: 'superseded',
          bring: (world) => setTag(world, tag, value),
          run: pass,
        }),
  ),
  row('an entry is malformed, and finishSecret comes', 'LEDGER_MALFORMED', {
    bring: (world) => {
      verified(world, () => ({}));
      setTag(world, STRANGER, 'promoted');
    },
    run: step('finishSecret'),
  }),
  row('the evidence is of another key', 'NOT_VERIFIED', {
    bring: (world) => verified(world, () => ({ key: currentKey(world) })),
    run: step('finishSecret'),
  }),
  row('the evidence is of another version', 'NOT_VERIFIED', {
    bring: (world) => verified(world, () => ({ token: '99999999-2222-3333-4444-555555555555' })),
    run: step('finishSecret'),
  }),
  row('the evidence is old, and the key is verified anew in vain', 'KEY_NOT_USABLE', {
    bring: (world) => verified(world, () => ({ at: iso(new Date(world.now.getTime() - 901_000)) })),
    run: step('finishSecret'),
  }),
  row('the evidence is of a user with another id', 'USER_RECREATED', {
    bring: (world) => verified(world, () => ({ user: 'AIDAOTHER' })),
    run: step('finishSecret'),
  }),
  row('another run may still be at work', 'MINT_UNSETTLED', {
    bring: (world) => {
      begin(world);
      setTag(world, 'intent/other', `token=${TOKEN} at=${iso(world.now)}`);
    },
    run: step('createSecret'),
  }),
  row(
    'announcing a new key takes longer than an announcement holds',
    'MINT_TOO_LATE',
    {
      bring: (world) => {
        begin(world);
        world.account.faults.add({
          match: { action: 'TagResource', functionName: 'rotate' },
          kind: 'late',
          ms: 16_000,
        });
      },
      run: step('createSecret'),
    },
    {
      why: 'the announcement stands until the next run has seen that nothing came of it',
      lines: [/^\+ tag iam-key-rotator:intent\//],
    },
  ),
];
