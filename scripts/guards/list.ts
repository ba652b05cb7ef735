/** The guards of the rotator: where each stands, what it looks like when it is gone, and which suites notice. */

export interface Edit {
  readonly file: string;
  /** Stands there exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Guard {
  readonly name: string;
  /** Which invariants of docs/architecture.md it holds. */
  readonly invariant: string;
  readonly edits: readonly Edit[];
  readonly suites: readonly string[];
}

const CREATE = 'lambdas/rotate/create-secret.ts';
const FINISH = 'lambdas/rotate/finish-secret.ts';
const LEAK = 'lambdas/domain/leak.ts';
const MINT = 'lambdas/domain/mint.ts';
const RETIRE = 'lambdas/domain/retire.ts';
const ROLES = 'lambdas/domain/roles.ts';

export const GUARDS: readonly Guard[] = [
  {
    name: 'the intent, written before a key is minted',
    invariant: '5',
    edits: [{ file: CREATE, find: 'await world.secrets.tag(secret.arn, announcement, settled);', replace: '' }],
    suites: ['test/simulation/faults-of-rotations.test.ts'],
  },
  {
    name: 'no mint and no clearing while another run may be at work',
    invariant: '5',
    edits: [
      { file: MINT, find: 'if (intent !== undefined) return mintUnsettled(intent, rotateTimeout);', replace: '' },
    ],
    suites: ['test/simulation/regressions.test.ts', 'test/domain/mint.test.ts'],
  },
  {
    name: 'a second look for another run where the quota leaves room for two',
    invariant: '5',
    edits: [{ file: CREATE, find: 'if (plan.roomForTwo) await standAlone(intent, rotation, world);', replace: '' }],
    suites: ['test/simulation/faults-of-rotations.test.ts'],
  },
  {
    name: 'an orphan only if announcements explain every unknown key',
    invariant: '4',
    edits: [
      {
        file: ROLES,
        find: 'return explains(key) && standing.keys.filter(explains).length <= open.length;',
        replace: 'return explains(key);',
      },
    ],
    suites: ['test/domain/retire.test.ts', 'test/domain/mint.test.ts'],
  },
  {
    name: 'slot policy: only a superseded key of ours is removed to make room',
    invariant: '3, 4',
    edits: [{ file: MINT, find: "key.role === 'superseded' &&", replace: '' }],
    suites: ['test/domain/mint.test.ts', 'test/simulation/lives.test.ts'],
  },
  {
    name: 'slot policy: and only after the whole recovery time',
    invariant: '3',
    edits: [{ file: MINT, find: 'now >= surelyAfter(disabled, policy.deleteAfter) &&', replace: '' }],
    suites: ['test/domain/mint.test.ts', 'test/simulation/lives.test.ts'],
  },
  {
    name: 'last use is looked at before a key is disabled',
    invariant: '5',
    edits: [
      { file: RETIRE, find: 'if (inUse && now < holdOver) return', replace: 'if (now < after(since, 0)) return' },
    ],
    suites: ['test/simulation/lives.test.ts'],
  },
  {
    name: 'recovery: a key is deleted after the whole time Inactive',
    invariant: '3',
    edits: [{ file: RETIRE, find: 'if (now < recoveryOver) return', replace: 'if (now < entry.disabled) return' }],
    suites: ['test/domain/retire.test.ts'],
  },
  {
    name: 'nothing is retired while the current key does not work',
    invariant: '1, 5',
    edits: [
      {
        file: ROLES,
        find: "keys.find((key) => key.id === currentKeyId && key.status === 'Active')?.id",
        replace: 'keys.find((key) => key.id === currentKeyId)?.id',
      },
    ],
    suites: ['test/simulation/retire.test.ts'],
  },
  {
    name: 'identity check: the pending key is the bound user’s',
    invariant: '2, 8',
    edits: [
      {
        file: 'lambdas/rotate/test-secret.ts',
        find: 'assertBoundUser(answer.identity, rotation.secret, rotation.policy);',
        replace: '',
      },
    ],
    suites: ['test/deputy'],
  },
  {
    name: 'several identifications in a row',
    invariant: '2',
    edits: [
      { file: 'lambdas/rotate/test-secret.ts', find: 'SUCCESSES_IN_A_ROW = 3', replace: 'SUCCESSES_IN_A_ROW = 1' },
    ],
    suites: ['test/simulation/lives.test.ts'],
  },
  {
    name: 'evidence of testSecret, made just now',
    invariant: '2',
    edits: [
      {
        file: 'lambdas/domain/promote.ts',
        find: "if (now > after(evidence.at, EVIDENCE_LASTS)) return { do: 'verify' };",
        replace: '',
      },
    ],
    suites: ['test/simulation/interference.test.ts'],
  },
  {
    name: 'the pinned id of the user: one made again under the same name is another',
    invariant: '2, 8',
    edits: [
      {
        file: MINT,
        find: 'if (!provesSameUser(observed) && observed.userId !== pinned)',
        replace: 'if (pinned === "")',
      },
    ],
    suites: ['test/simulation/lives.test.ts'],
  },
  {
    name: 'version guard in finishSecret: the label leaves the version that was looked at',
    invariant: '1, 2',
    edits: [
      {
        file: FINISH,
        find: 'if (plan.from !== undefined) await world.secrets.moveLabel(secret.arn, AWSCURRENT, plan.from, rotation.token);',
        replace:
          'const now = await world.secrets.describe(secret.arn); const [from = ""] = [...now.labels].find(([, labels]) => labels.includes(AWSCURRENT)) ?? []; ' +
          'if (plan.from !== undefined) await world.secrets.moveLabel(secret.arn, AWSCURRENT, from, rotation.token);',
      },
    ],
    suites: ['test/simulation/regressions.test.ts'],
  },
  {
    name: 'fresh reads before a change: the listing only nominates',
    invariant: '1',
    edits: [
      {
        file: 'lambdas/retire/pass.ts',
        find: 'await retireSecret(facts.arn, nomination',
        replace: 'await retireSecret(facts as never, nomination',
      },
      {
        file: 'lambdas/retirement/look.ts',
        find: 'const facts = await world.secrets.describe(secretId);',
        replace:
          'const facts = typeof secretId === "string" ? await world.secrets.describe(secretId) : (secretId as SecretFacts);',
      },
      {
        file: 'lambdas/retirement/look.ts',
        find: 'if (!hasLabel(facts.labels, current.version, AWSCURRENT)) return undefined;',
        replace: '',
      },
    ],
    suites: ['test/simulation/retire.test.ts'],
  },
  {
    name: 'what was read is acted upon for seconds only',
    invariant: '1',
    edits: [
      {
        file: 'lambdas/domain/freshness.ts',
        find: 'if (now <= after(readAt, FRESH_FOR)) return;',
        replace: 'if (now) return;',
      },
    ],
    suites: ['test/simulation/interference.test.ts'],
  },
  {
    name: 'with an overlap of zero: is the new key still current?',
    invariant: '1',
    edits: [
      {
        file: FINISH,
        find: "if (current?.version !== token || value?.kind !== 'key') return;",
        replace: "if (value?.kind !== 'key') return;",
      },
      {
        file: FINISH,
        find: 'if (entry.keyId === value.keyId) continue;',
        replace: '',
      },
    ],
    suites: ['test/simulation/interference.test.ts'],
  },
  {
    name: 'binding check: the secret is one of the deployment’s',
    invariant: '8',
    edits: [
      {
        file: 'lambdas/rotate/rotation.ts',
        find: 'deployment.keys.find((key) => key.secretName === secret.name)',
        replace: 'deployment.keys.find((key) => key.secretName === secret.name) ?? deployment.keys[0]',
      },
    ],
    suites: ['test/deputy'],
  },
  {
    name: 'binding check: the value names the bound user',
    invariant: '8',
    edits: [
      {
        file: 'lambdas/domain/secret-value.ts',
        find: 'if (found === userName) return;',
        replace: 'if (userName !== "") return;',
      },
    ],
    suites: ['test/deputy'],
  },
  {
    name: 'the ledger is closed to whoever may tag the secret',
    invariant: '8',
    edits: [
      {
        file: 'infra/secret-policy.ts',
        find: "'ForAnyValue:StringLike': { 'aws:TagKeys': [",
        replace: "'ForAllValues:StringEquals': { 'aws:TagKeys': [",
      },
    ],
    suites: ['test/deputy/exclusive.test.ts'],
  },
  {
    name: 'a version that was promoted once is not promoted again',
    invariant: '5',
    edits: [{ file: CREATE, find: ' || entry?.promoted !== undefined) {', replace: ') {' }],
    suites: ['test/simulation/regressions.test.ts'],
  },
  {
    name: 'the only key: the ledger is believed about none that is younger than another key of the user',
    invariant: '4',
    edits: [
      {
        file: 'lambdas/domain/adoption.ts',
        find: '(policy.adopt !== ONLY_KEY || isOldest(key, keys))',
        replace: 'keys.length > 0',
      },
    ],
    suites: ['test/deputy', 'test/domain/adoption.test.ts'],
  },
  {
    name: 'the only key: discovered while nothing was stored in the secret, and once',
    invariant: '4',
    edits: [
      {
        file: 'lambdas/domain/adoption.ts',
        find: "current.kind === 'bootstrap' && ledger.entries.size === 0 &&",
        replace: '',
      },
    ],
    suites: ['test/domain/adoption.test.ts'],
  },
  {
    name: 'change limit of a pass',
    invariant: '9',
    edits: [
      { file: 'lambdas/retirement/apply.ts', find: 'if (budget.left === 0) {', replace: 'if (budget.left === -1) {' },
    ],
    suites: ['test/simulation/retire.test.ts'],
  },
  {
    name: "mode 'observe' changes nothing",
    invariant: '10',
    edits: [
      {
        file: 'lambdas/retirement/apply.ts',
        find: "const observed = policy.mode === 'observe';",
        replace: 'const observed = false;',
      },
    ],
    suites: ['test/simulation/retire.test.ts'],
  },
  {
    name: 'an answer without the field that decides is an error, not "never"',
    invariant: '6',
    edits: [
      {
        file: 'lambdas/adapters/need.ts',
        find: 'if (value !== undefined && value !== null) return value;',
        replace: 'return (value ?? []) as T;',
      },
    ],
    suites: ['test/adapters', 'test/bad-input'],
  },
  {
    name: 'a leaked key ends only while another, usable one is current',
    invariant: '1, 5',
    edits: [
      {
        file: RETIRE,
        find: "if (current === undefined) return { do: 'none', reason: 'current-not-usable' };",
        replace: '',
      },
    ],
    suites: ['test/domain/leak.test.ts', 'test/domain/retire.test.ts'],
  },
  {
    name: 'a leaked pending key is not promoted',
    invariant: '2',
    edits: [
      {
        file: 'lambdas/domain/promote.ts',
        find: 'if (ledger.leaks.has(keyId)) return pendingLeaked(keyId);',
        replace: '',
      },
    ],
    suites: ['test/domain/leak.test.ts'],
  },
  {
    name: 'a leaked key that was never current waits until no promotion can be under way',
    invariant: '1',
    edits: [
      {
        file: RETIRE,
        find: "if (!wasCurrent && now < settled) return { do: 'none', reason: 'leak-settles', due: settled };",
        replace: '',
      },
    ],
    suites: ['test/domain/leak.test.ts'],
  },
  {
    name: 'a slot is taken before recovery only for the successor of a leaked current key',
    invariant: '3',
    edits: [{ file: LEAK, find: 'if (currentLeak(standing) === undefined) return [];', replace: '' }],
    suites: ['test/domain/leak.test.ts', 'test/domain/mint.test.ts'],
  },
  {
    name: 'what makes way for a leak is superseded, and ours',
    invariant: '4',
    edits: [{ file: LEAK, find: "key.role === 'superseded' && (", replace: '(' }],
    suites: ['test/domain/leak.test.ts'],
  },
  {
    name: 'a current key is disabled first only by a policy that says so',
    invariant: '1',
    edits: [{ file: LEAK, find: "policy.onLeak === 'disable-first' &&", replace: '' }],
    suites: ['test/domain/leak.test.ts', 'test/simulation/leaks.test.ts'],
  },
  {
    name: 'a current key is disabled first only if it is marked',
    invariant: '1',
    edits: [{ file: LEAK, find: 'currentLeak(standing) !== undefined &&', replace: '' }],
    suites: ['test/domain/leak.test.ts'],
  },
  {
    name: 'the response to a leak leaves strangers alone',
    invariant: '4',
    edits: [
      {
        file: 'lambdas/respond/contain.ts',
        find: "['current', 'pending', 'superseded', 'adoptable']",
        replace: "['current', 'pending', 'superseded', 'adoptable', 'stranger']",
      },
    ],
    suites: ['test/respond/respond.test.ts'],
  },
  {
    name: 'a rotation that somebody turned off is not turned on by a leak',
    invariant: '-',
    edits: [
      {
        file: 'lambdas/respond/contain.ts',
        find: 'if (!one.rotationEnabled) throw notContained(one, look.observed, rotationOff(policy));',
        replace: '',
      },
    ],
    suites: ['test/simulation/leaks.test.ts'],
  },
];
