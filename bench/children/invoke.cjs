/**
 * Loads the function in LAMBDA_TASK_ROOT, invokes it once and sends the parent what came of it and how much memory that took.
 *
 * Plain JavaScript: stripping types would load a compiler into the very process that is measured.
 */
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { getHeapStatistics } = require('node:v8');

const SAMPLE_MS = 5;
const TIMEOUT_MS = 900_000;

const context = {
  awsRequestId: '00000000-0000-4000-8000-000000000000',
  functionName: 'retire',
  functionVersion: '$LATEST',
  memoryLimitInMB: '256',
  getRemainingTimeInMillis: () => TIMEOUT_MS - performance.now(),
};

void main();

async function main() {
  let heap = 0;
  const sample = () => {
    heap = Math.max(heap, getHeapStatistics().used_heap_size);
  };
  const sampling = setInterval(sample, SAMPLE_MS);
  const { handler } = require(join(process.env.LAMBDA_TASK_ROOT, 'index.js'));
  sample();
  let outcome;
  try {
    outcome = { result: await handler({}, context) };
  } catch (error) {
    outcome = { error: String(error) };
  }
  sample();
  clearInterval(sampling);
  process.send({ ...outcome, heap, resident: peakResident() }, () => process.disconnect());
}

/** Bytes. Not `maxRSS` where it can be helped: Linux hands the parent's peak down to a process that it starts. */
function peakResident() {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return Number(kilobytes) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}
