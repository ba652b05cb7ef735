/** `iam-key-rotator audit`: the report of the scheduled audit, now and from the terminal. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { codeOf } from '../../client/code-of.ts';
import { type AuditReport, type Finding, SEVERITIES, type Severity } from '../../lambdas/audit/report.ts';
import { badOption, type OperatorCommand, type Options, textOption } from '../operator/command.ts';
import type { OperatorContext } from '../operator/context.ts';
import { NEEDS_ATTENTION } from '../operator/errors.ts';
import { type Colour, type Page, plural, wrap } from '../operator/page.ts';
import type { Stack } from '../operator/stack.ts';
import { type Column, table } from '../operator/table.ts';

/** Where the report comes from, and what is made of it. */
export interface AuditSource {
  /** Audits the account with the operator's credentials. A whole report, or an error. */
  run(context: OperatorContext, stack: Stack): Promise<AuditReport>;
  readonly csv: (report: AuditReport) => string;
  readonly page: (report: AuditReport) => string;
}

const FAIL_ON: Severity = 'high';

export const auditCommand = (source: AuditSource): OperatorCommand => ({
  name: 'audit',
  says: 'check every user of the account for key hygiene, as the scheduled audit does',
  about:
    "Reads the credential report, which IAM makes every four hours at most, and afresh the users that have something to report; changes nothing. The scheduled audit's reports stand in the bucket that the stack's output ReportBucketName names.",
  attention: `a finding is as grave as --fail-on says (default: ${FAIL_ON})`,
  examples: [
    { does: 'the findings, the gravest first', line: 'audit' },
    { does: 'the page with the histogram and the timeline, in the browser', line: 'audit --open' },
    { does: 'for an auditor', line: 'audit --csv findings.csv --html report.html' },
    { does: 'the whole report as JSON', line: 'audit --json > report.json' },
  ],
  configure: (parser) => {
    parser
      .option('--severity <severity>', `show what is at least as grave: ${SEVERITIES.join(', ')} (default: info)`)
      .option('--fail-on <severity>', `exit code 1 if something is at least as grave (default: ${FAIL_ON})`)
      .option('--csv <file>', 'write the findings as CSV')
      .option('--html <file>', 'write the page, which needs no network')
      .option('--open', 'open the page; without --html in a temporary file');
  },
  async run(context, _, options) {
    const shownFrom = severityOption(options, 'severity') ?? 'info';
    const failOn = severityOption(options, 'failOn') ?? FAIL_ON;
    const files = { csv: textOption(options, 'csv'), html: textOption(options, 'html') };
    context.progress('reading the stack …');
    const stack = await context.stack();
    context.progress('auditing the account; having a credential report made takes some seconds …');
    const report = await source.run(context, stack);
    if (context.json) context.printJson(report);
    else context.print(auditLines(report, shownFrom, context.page));
    if (files.csv !== undefined) await write('csv', files.csv, source.csv(report), context);
    const page = files.html ?? (options.open === true ? await temporaryFile() : undefined);
    if (page !== undefined) await write('html', page, source.page(report), context);
    if (options.open === true && page !== undefined && !(await context.open(resolve(page)))) {
      context.say(`iam-key-rotator: no program could be started to open ${resolve(page)}`);
    }
    return report.findings.some(({ severity }) => isAsGrave(severity, failOn)) ? NEEDS_ATTENTION : 0;
  },
});

function severityOption(options: Options, name: string): Severity | undefined {
  const text = textOption(options, name);
  const known = SEVERITIES.find((severity) => severity === text);
  if (text === undefined || known !== undefined) return known;
  const written = name === 'failOn' ? 'fail-on' : name;
  throw badOption(`--${written} that is no severity`, `one of ${SEVERITIES.join(', ')}`, 'correct it');
}

const isAsGrave = (severity: Severity, as: Severity) => SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(as);

const temporaryFile = async () => join(await mkdtemp(join(tmpdir(), 'iam-key-rotator-')), 'audit.html');

async function write(option: string, path: string, text: string, context: OperatorContext): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o600 });
  } catch (error) {
    throw badOption(
      `--${option} can not be written (${codeOf(error)})`,
      'a file in a folder that is there',
      'name another',
    );
  }
  context.say(`wrote ${path}`);
}

const COLOURS: Readonly<Record<Severity, Colour>> = {
  critical: ['bold', 'red'],
  high: 'red',
  medium: 'yellow',
  low: 'cyan',
  info: 'dim',
};

const NONE = '-';
const severity: Column<Finding> = {
  heading: 'severity',
  cell: (finding) => finding.severity,
  colour: (finding) => COLOURS[finding.severity],
};
const user: Column<Finding> = { heading: 'user', cell: (finding) => finding.user };
const key: Column<Finding> = { heading: 'key', cell: ({ keyId = NONE }) => keyId };
const check: Column<Finding> = { heading: 'check', cell: (finding) => finding.check };
const title: Column<Finding> = { heading: 'finding', cell: (finding) => finding.title };
const evidence: Column<Finding> = { heading: 'evidence', cell: (finding) => finding.evidence };

const LAYOUTS: readonly (readonly Column<Finding>[])[] = [
  [severity, user, key, check, title, evidence],
  [severity, user, key, title, evidence],
  [severity, user, key, title],
  [severity, user, key, check],
  [severity, user, title],
  [severity, user, check],
];

/** The lines that are printed. */
export function auditLines(report: AuditReport, from: Severity, page: Page): string[] {
  const { findings, summary, at, credentialReportAt, account } = report;
  const { paint, width } = page;
  const shown = findings.filter((finding) => isAsGrave(finding.severity, from));
  const counts = SEVERITIES.filter((one) => summary.findings[one] > 0).map((one) => `${summary.findings[one]} ${one}`);
  const verdict = `${plural(summary.users, 'user')}, ${plural(summary.activeKeys, 'active key')}: ${counts.length === 0 ? 'nothing found' : counts.join(', ')}`;
  const grave = summary.findings.critical + summary.findings.high > 0;
  const when = (iso: string) => iso.slice(0, 16).replace('T', ' ');
  const hidden = findings.length - shown.length;
  const rows = table(shown, LAYOUTS, block, page);
  return [
    ...wrap(verdict, width, 2).map((line) => paint(['bold', grave ? 'red' : 'green'], line)),
    ...wrap(
      `account ${account}, ${when(at)} UTC, by the credential report of ${when(credentialReportAt)} UTC; ${summary.managedUsers} of the users under rotation`,
      width,
      2,
    ).map((line) => paint('dim', line)),
    ...(shown.length === 0 ? [] : ['', ...rows]),
    ...(shown.length === 0 || rows[0]?.includes(evidence.heading)
      ? []
      : [
          '',
          ...wrap('What was seen of each: --html, --csv or --json, or a wider terminal', width, 2).map((line) =>
            paint('dim', line),
          ),
        ]),
    ...(hidden === 0 ? [] : ['', ...wrap(`${plural(hidden, 'finding')} less grave than ${from} not shown`, width, 2)]),
    ...remedies(shown, page),
  ];
}

function block(finding: Finding): string[] {
  return [`${finding.severity}: ${finding.user} ${finding.keyId ?? ''}`.trimEnd(), `    ${finding.title}`];
}

/** What to do, once a check. */
function remedies(findings: readonly Finding[], { width, paint }: Page): string[] {
  const first = new Map<string, Finding>();
  for (const finding of findings) if (!first.has(finding.check)) first.set(finding.check, finding);
  if (first.size === 0) return [];
  return [
    '',
    paint('bold', 'To do'),
    ...[...first.values()].flatMap((finding) => wrap(`  ${finding.check}: ${finding.remedy}`, width, 4)),
  ];
}
