/** `npm run experiment`: real clients call AWS on rotated keys, through rotations, emergencies and outages, and count what fails. */
import { parseArgs } from 'node:util';
import { problemOf, runCommand } from '../demo/command.ts';
import { CLIENT_NAMES } from './clients/client.ts';
import { report } from './report.ts';
import { type ExperimentOptions, runExperiment } from './run.ts';
import { brokenPromises, type Experiment, longestEmergencyMs, reasonsOf, retriesOf } from './summary.ts';

const USAGE = `Usage: npm run experiment [-- options]

Deploys the CDK app into a simulated AWS account and lets an application with the JS SDK, one with boto3 and the AWS CLI
call STS on rotated keys, each in a process of its own, while keys are rotated, disabled at once, and Secrets Manager is away.
Nothing of the clients is changed; their clock is set to the account's. Needs no AWS account and no network.

  --rotations N     scheduled rotations of each client's key (100)
  --emergencies N   rotations that disable the old key at once (10)
  --outages N       outages of Secrets Manager, of an hour each (5)
  --clients LIST    of ${CLIENT_NAMES.join(',')} (all); what isn't installed is left out
  --seed N          of identifiers and moments (1)
  --json            print the figures as one JSON object instead of the report
  --help            print this

Exit status: 0 if every promise held, 1 if one was broken or the experiment failed, 2 for wrong arguments.
Colours follow NO_COLOR and FORCE_COLOR.
`;

process.exitCode = await runCommand(process.argv.slice(2), {
  usage: USAGE,
  read,
  run: runExperiment,
  report,
  inJson,
  holds: (experiment) => brokenPromises(experiment).length === 0,
});

interface Arguments extends ExperimentOptions {
  readonly json: boolean;
  readonly help: boolean;
}

/** The options, or what is wrong with the arguments. */
function read(args: readonly string[]): Arguments | string {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        rotations: text('100'),
        emergencies: text('10'),
        outages: text('5'),
        clients: text(CLIENT_NAMES.join(',')),
        seed: text('1'),
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const wanted = values.clients.split(',');
    const unknown = wanted.find((name) => !CLIENT_NAMES.some((known) => known === name));
    if (unknown !== undefined)
      return `--clients: there is no '${unknown}'; expected a list of ${CLIENT_NAMES.join(',')}`;
    for (const name of ['rotations', 'emergencies', 'outages', 'seed'] as const) {
      if (!/^\d{1,6}$/.test(values[name])) return `--${name}: found '${values[name]}', expected a whole number`;
    }
    const [rotations, emergencies, outages] = [values.rotations, values.emergencies, values.outages].map(Number);
    if (rotations === undefined || emergencies === undefined || outages === undefined || rotations < 1)
      return '--rotations: at least one is needed';
    if (emergencies + outages > rotations)
      return `--emergencies ${emergencies} and --outages ${outages} are more than the ${rotations} days of --rotations, of which each has one at most; give fewer of them, or more rotations`;
    const clients = CLIENT_NAMES.filter((name) => wanted.includes(name));
    return { ...values, rotations, emergencies, outages, clients, seed: Number(values.seed) };
  } catch (error) {
    return problemOf(error);
  }
}

/** The figures by client. A reason has the message of its first failure. */
function inJson(experiment: Experiment): unknown {
  const { clients, ...rest } = experiment;
  const figures = clients.map((client) => {
    const { failed, client: name, ...own } = client;
    const derived = { failures: failed.length, retries: retriesOf(client), lastFailureMs: longestEmergencyMs(client) };
    return [name, { ...own, ...derived, reasons: reasonsOf(client) }];
  });
  return { ...rest, clients: Object.fromEntries(figures), brokenPromises: brokenPromises(experiment) };
}
