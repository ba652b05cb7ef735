import { describe, expect, it } from 'vitest';
import { byLastUse, type ForeignKey, type Past, waysOut } from '../../lambdas/domain/ways-out.ts';
import { DAY, deployedKey } from '../policy.ts';
import { at, NEW, OLD, OTHER } from './world.ts';

const used = (days: number) => ({ at: at(-days * DAY), service: 's3', region: 'eu-central-1' });
const foreign = (id: string, lastUse?: ReturnType<typeof used>, role: ForeignKey['role'] = 'stranger'): ForeignKey => ({
  id,
  role,
  lastUse,
});
const free = (id: string, why: string) =>
  `the key that nobody uses is disabled and deleted by hand. Look at ${id} first${why}; that alone does not make it safe. ` +
  `aws iam update-access-key --user-name app --access-key-id ${id} --status Inactive (undone by --status Active); when for as long as the ` +
  `rarest job takes nothing has missed it, aws iam delete-access-key --user-name app --access-key-id ${id}`;
const NEW_SECRET: Past = { promoted: false, empty: true };
const STORED: Past = { promoted: false, empty: false };
const PROMOTED: Past = { promoted: true, empty: false };
const again = 'then aws secretsmanager rotate-secret --secret-id iam/app';

describe('keys in the way', () => {
  it('are looked at in the order never used, used longest ago, adopted already', () => {
    const keys = [foreign(NEW, undefined, 'adoptable'), foreign(OLD, used(1)), foreign(OTHER, used(2))];
    expect(byLastUse(keys).map(({ id }) => id)).toEqual([OTHER, OLD, NEW]);
    expect(byLastUse([...keys, foreign('AKIA1')]).map(({ id }) => id)).toEqual(['AKIA1', OTHER, OLD, NEW]);
  });
});

describe('the ways out', () => {
  const out = (keys: readonly ForeignKey[], adopt?: string, past: Past = NEW_SECRET) => {
    const [first = foreign('none'), ...others] = byLastUse(keys);
    return waysOut(first, others, deployedKey({ userName: 'app', ...(adopt !== undefined && { adopt }) }), past);
  };

  it('of two keys made by hand are to free the slot of one, and to name the other', () => {
    expect(out([foreign(OLD, used(1)), foreign(OTHER)])).toBe(
      `(1) ${free(OTHER, ', of which no use is known')}; (2) the key in use is adopted, to be retired when nobody uses it any more: ` +
        `put adopt: '${OLD}' for this user in rotator.config.ts and deploy, or it will hold its slot for ever; ${again}. ` +
        `Should ${OTHER} be the one in use, the same with the two ids changed over`,
    );
    expect(out([foreign(OLD, used(1)), foreign(OTHER, used(2))])).toContain(
      `Look at ${OTHER} first, whose last use is the longest ago; that alone does not make it safe`,
    );
  });

  it("of two keys made by hand need no name where 'only-key' adopts the one that is left", () => {
    expect(out([foreign(OLD, used(1)), foreign(OTHER)], 'only-key')).toContain(
      `: ${OLD} is then the only key, which 'only-key' adopts without more ado; then aws secretsmanager rotate-secret`,
    );
  });

  it("of two keys made by hand need a name once something was stored, when 'only-key' adopts none any more", () => {
    const two = [foreign(OLD, used(1)), foreign(OTHER)];
    expect(out(two, 'only-key', STORED)).toContain(
      `: put adopt: '${OLD}' for this user in rotator.config.ts and deploy`,
    );
    expect(out(two, 'only-key', STORED)).toBe(out(two));
  });

  it('never are to free the slot of the key that is adopted already', () => {
    expect(out([foreign(OLD, undefined, 'adoptable'), foreign(OTHER, used(1))], OLD)).toMatch(
      new RegExp(`Look at ${OTHER} first, whose .*: rotator.config.ts names it already, or it will hold`),
    );
  });

  it('of a single one, before a key of the rotator is current, is to free its slot', () => {
    expect(out([foreign(OTHER, used(1))])).toBe(`${free(OTHER, '')}, ${again}`);
  });

  it('beside a current key are to free its slot, or to adopt it, which frees the slot in time', () => {
    expect(out([foreign(OTHER, used(1))], undefined, PROMOTED)).toBe(
      `(1) ${free(OTHER, '')}, ${again}; or (2) it is in use, and adopted: put adopt: '${OTHER}' for this user in ` +
        'rotator.config.ts and deploy; the retire pass then disables it when it is quiet, deletes it after the recovery time, and so frees the slot',
    );
    expect(out([foreign(OTHER, used(1), 'adoptable')], OTHER, PROMOTED)).toContain(
      'rotator.config.ts names it already; ',
    );
  });
});
