/** `npm run bench`: what the functions cost, held against the budgets of the design. Exits with 1 past a budget. */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { judgeAll } from './budgets.ts';
import { measureAudit } from './measure-audit.ts';
import { measureBundles } from './measure-bundles.ts';
import { measureCalls } from './measure-calls.ts';
import { measureCli } from './measure-cli.ts';
import { measureClient } from './measure-client.ts';
import { measureMemory } from './measure-memory.ts';
import { drawTable, summary } from './table.ts';

const USAGE = 'usage: npm run bench [-- --json]\n';

let json = false;
try {
  ({ json = false } = parseArgs({ options: { json: { type: 'boolean' } } }).values);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  process.exit(2);
}

const machine = {
  date: new Date().toISOString(),
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
  cpus: cpus().length,
  cpu: cpus()[0]?.model ?? 'unknown',
};
// One after the other, times first: nothing else may be running, in this process or in another, while they are taken.
const figures = {
  ...(await measureBundles()),
  ...(await measureClient()),
  ...(await measureCli()),
  ...(await measureCalls()),
  ...(await measureMemory()),
  ...(await measureAudit()),
};
const rows = judgeAll(figures);
const within = rows.every((row) => row.within);

if (json) {
  process.stdout.write(`${JSON.stringify({ ...machine, kilobyte: 1024, within, rows }, null, 2)}\n`);
} else {
  const header = [
    `Budgets of iam-key-rotator · ${machine.date}`,
    `Node ${machine.node} · ${machine.platform} · ${machine.cpus} CPUs (${machine.cpu})`,
    '1 KB = 1024 bytes, 1 MB = 1024 KB; figures are rounded up',
  ];
  process.stdout.write(`${[...header, '', ...drawTable(rows), '', summary(rows)].join('\n')}\n`);
}
process.exitCode = within ? 0 : 1;
