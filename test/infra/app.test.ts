import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'rotator-app-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a program in the project's folder, with no credentials in sight. */
function run(program: string, args: string[], env: Record<string, string> = {}) {
  return new Promise<{ status: number | null; output: string }>((done) => {
    const options = { cwd: ROOT, env: { PATH: process.env.PATH, HOME: folder, ...env } };
    const child = execFile(program, args, options, (_error, stdout, stderr) =>
      done({ status: child.exitCode, output: stdout + stderr }),
    );
  });
}

/** Runs the app as the CDK CLI does, with a configuration file of this content; without bundling, to be quick. */
function runApp(file: string, content?: string) {
  const path = join(folder, file);
  if (content !== undefined) writeFileSync(path, content);
  const context = JSON.stringify({ config: path, 'aws:cdk:bundling-stacks': [] });
  return run(process.execPath, ['infra/app.ts'], { CDK_CONTEXT_JSON: context });
}

const WRONG = `export default {
  keys: [
    { user: 'deploy-prod', deactivteAfter: '3d' },
    { user: 'deploy-prod', secretName: 'other' },
    { user: 'ses-sender', deactivateAfter: '40d' },
    { user: 'legacy-batch', schedule: { cron: 'cron(61 3 * * ? *)' } },
    { user: 'never', schedule: '0d' },
  ],
};`;

const FIVE_PROBLEMS = [
  "key 'deploy-prod', keys[0].deactivteAfter",
  "did you mean 'deactivateAfter'?",
  "key 'deploy-prod', keys[1].user",
  "received  'deploy-prod', which keys[0] has already",
  "key 'ses-sender', keys[2].deactivateAfter",
  'received  overlap 40d + recovery 7d = 47d, with 30d between rotations',
  "key 'legacy-batch', keys[3].schedule",
  "received  { cron: 'cron(61 3 * * ? *)' }",
  "key 'never', keys[4].schedule",
  "received  '0d'",
];

describe('a wrong configuration', () => {
  test('gives one message with all five problems and exit status 1, without a stack trace', async () => {
    const { status, output } = await runApp('wrong.ts', WRONG);
    expect(status).toBe(1);
    expect(output).toContain('5 problems in the configuration');
    for (const part of FIVE_PROBLEMS) expect(output).toContain(part);
    expect(output).not.toMatch(/^\s+at /m);
    expect(output).not.toContain('ConfigError');
  });

  test('says the same through `cdk synth -c config=…`', async () => {
    writeFileSync(join(folder, 'wrong.ts'), WRONG);
    const cdk = join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk');
    const out = join(folder, 'out');
    const args = [cdk, 'synth', '--no-notices', '-o', out, '-c', `config=${join(folder, 'wrong.ts')}`];
    const { status, output } = await run(process.execPath, args, { CI: 'true', CDK_DISABLE_CLI_TELEMETRY: 'true' });
    expect(status).toBe(1);
    for (const part of FIVE_PROBLEMS) expect(output).toContain(part);
    expect(output).not.toMatch(/^\s+at /m);
  });

  test('that is not there, or is no program, is said in a sentence', async () => {
    const missing = await runApp('missing.ts');
    expect(missing).toMatchObject({ status: 1, output: expect.stringContaining('There is no configuration file') });
    const broken = await runApp('broken.ts', 'export defalt {}');
    expect(broken).toMatchObject({ status: 1, output: expect.stringContaining("can't be loaded") });
    expect(broken.output).not.toMatch(/^\s+at /m);
  });
});

test('a good configuration is synthesized without credentials, and its warnings are printed', async () => {
  const { status, output } = await runApp('good.ts', "export default { keys: [{ user: 'u', mode: 'observe' }] };");
  expect(status).toBe(0);
  expect(output).toContain("warning: key 'u', keys[0].mode: 'observe'; no rotation schedule is created");
});
