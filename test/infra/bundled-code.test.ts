import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App } from 'aws-cdk-lib';
import { afterAll, describe, expect, test } from 'vitest';
import { addStacks } from '../../infra/add-stacks.ts';
import { bundle } from '../../infra/bundle.ts';
import { type RotatorConfig, resolveConfig } from '../../infra/config/index.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FUNCTIONS = ['rotate', 'retire', 'respond', 'audit', 'notify'];
const HANDLERS = FUNCTIONS.map((name) => join(ROOT, 'lambdas', name, 'handler.ts'));

const folders: string[] = [];
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bundled-code-'));
  folders.push(folder);
  return folder;
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** The assets of a configuration's stacks: files by name. */
function assetsOf(config: RotatorConfig, outdir = temporaryFolder()) {
  const app = new App({ outdir });
  addStacks(app, resolveConfig(config));
  app.synth();
  return readdirSync(outdir)
    .filter((name) => name.startsWith('asset.'))
    .sort()
    .map((name) => {
      const files = readdirSync(join(outdir, name)).sort();
      return { name, files, read: (file: string) => readFileSync(join(outdir, name, file), 'utf8') };
    });
}

const config: RotatorConfig = {
  maxChangesPerRun: 7,
  keys: [{ user: 'deploy-prod', adopt: 'AKIAIOSFODNN7EXAMPLE', verifyRegions: ['eu-west-1'], deleteAfter: '6d' }],
};

describe.runIf(HANDLERS.every(existsSync))('the code of the functions', () => {
  const assets = assetsOf(config);

  test('is a file, its source map and what is deployed, for each function', () => {
    expect(assets.map(({ files }) => files)).toEqual(
      HANDLERS.map(() => ['deployment.json', 'index.js', 'index.js.map']),
    );
    expect(new Set(assets.map(({ read }) => read('index.js'))).size).toBe(HANDLERS.length);
  });

  test('carries the deployed keys with all their durations in seconds', () => {
    for (const { read } of assets) {
      expect(JSON.parse(read('deployment.json'))).toEqual({
        formatVersion: 1,
        name: 'iam-key-rotator',
        maxChangesPerRun: 7,
        rotateTimeout: 120,
        audit: { maxKeyAge: 7_776_000, unusedFor: 3_888_000, neverUsedFor: 3_888_000, securityHub: false },
        retireEvery: 3_600,
        overdueMargin: 172_800,
        runbookUrl: 'docs/runbook.md',
        keys: [
          {
            secretName: 'iam-key-rotator/deploy-prod',
            userName: 'deploy-prod',
            mode: 'enforce',
            adopt: 'AKIAIOSFODNN7EXAMPLE',
            deactivateAfter: 259_200,
            settle: 14_400,
            ifInUse: 'hold',
            holdAtMost: 1_209_600,
            quietFor: 691_200,
            deleteAfter: 518_400,
            verifyRegions: ['eu-west-1'],
            // The period and the day of its window.
            rotateEvery: 2_678_400,
            onLeak: 'rotate-then-disable',
            format: {
              fields: {
                accessKeyId: 'AccessKeyId',
                secretAccessKey: 'SecretAccessKey',
                userName: 'UserName',
                createDate: 'CreateDate',
              },
              derived: [],
            },
          },
        ],
      });
    }
  });

  test('is not weighed down by what the functions never use: STS in the retire pass, clients of S3 and Security Hub in the audit, credentials from elsewhere', () => {
    const packages = FUNCTIONS.map((name) => {
      const map = bundle(`lambdas/${name}/handler.ts`).find((file) => file.name === 'index.js.map');
      const { sources }: { sources: string[] } = JSON.parse(String(map?.content));
      return new Set(sources.flatMap((source) => /^node_modules\/(@aws-sdk\/[^/]+)\//.exec(source)?.[1] ?? []));
    });
    const [rotate, retire, respond, audit, notify] = packages;
    expect(rotate).toContain('@aws-sdk/client-sts');
    for (const names of [retire, respond]) expect(names).not.toContain('@aws-sdk/client-sts');
    const clients = [...(audit ?? [])].filter((name) => name.startsWith('@aws-sdk/client-'));
    expect(clients.sort()).toEqual(['@aws-sdk/client-iam', '@aws-sdk/client-secrets-manager']);
    expect(notify).toContain('@aws-sdk/client-eventbridge');
    expect(notify).not.toContain('@aws-sdk/client-iam');
    for (const names of packages) {
      expect([...names].filter((name) => name.includes('credential-provider'))).toEqual([
        '@aws-sdk/credential-provider-env',
      ]);
    }
  });

  test('names no folder of the machine that built it', () => {
    for (const { read } of assets) {
      const sources: string[] = JSON.parse(read('index.js.map')).sources;
      expect(sources.filter((source) => !/^(lambdas|node_modules)\//.test(source))).toEqual([]);
      expect(read('index.js')).not.toContain(ROOT);
      expect(read('index.js.map')).not.toContain(ROOT);
    }
  });

  test('is the same when it is built again elsewhere, so that deploying without a change changes nothing', async () => {
    // The same sources in another folder. The modules of CDK remember assets, so these are loaded anew.
    const copy = temporaryFolder();
    for (const part of ['infra', 'lambdas', 'package.json', 'tsconfig.json']) {
      cpSync(join(ROOT, part), join(copy, part), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    const elsewhere: typeof import('../../infra/bundle.ts') = await import(join(copy, 'infra', 'bundle.ts'));
    const built = FUNCTIONS.map((name) => elsewhere.bundle(`lambdas/${name}/handler.ts`));
    const code = built.map((files) => files.find(({ name }) => name === 'index.js')?.content.toString());
    for (const { read } of assets) expect(code).toContain(read('index.js'));
  });

  test('differs between stacks with other keys, although the bundle is the same', () => {
    const targets = ['a', 'b'].map((name) => ({ name, keys: [{ user: `user-${name}` }] }));
    const files = assetsOf({ targets }).map(({ read }) => JSON.parse(read('deployment.json')).keys[0].userName);
    expect(files.sort()).toEqual(['user-a', 'user-b'].flatMap((user) => HANDLERS.map(() => user)));
  });
});
