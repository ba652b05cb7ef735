import { describe, expect, it } from 'vitest';
import { parseCredentialReport, ROOT } from '../../lambdas/audit/credential-report.ts';
import { csvRecord, NotCsv, parseCsv } from '../../lambdas/audit/csv.ts';
import { HEADER, NONE, reportOf, rowOf } from './reports.ts';

const failure = (content: string): string => {
  try {
    parseCredentialReport(content);
    return 'no error';
  } catch (error) {
    return String(error);
  }
};
const FULL = reportOf([
  rowOf('app', ['true', '2026-01-02T03:04:05+00:00', '2026-02-03T04:05:06+00:00', 'eu-west-1', 's3']),
]);

describe('a credential report', () => {
  it('is read: account, root user, users, and of each the keys that it has', () => {
    expect(parseCredentialReport(FULL)).toEqual({
      account: '111122223333',
      partition: 'aws',
      root: { user: ROOT, created: new Date('2020-01-01T00:00:00Z'), slots: [] },
      users: [
        {
          user: 'app',
          created: new Date('2025-01-01T00:00:00Z'),
          slots: [
            {
              active: true,
              changed: new Date('2026-01-02T03:04:05Z'),
              lastUsed: new Date('2026-02-03T04:05:06Z'),
              region: 'eu-west-1',
              service: 's3',
            },
          ],
        },
      ],
    });
  });

  it.each<[string, readonly string[], object[]]>([
    [
      'in use',
      ['TRUE', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', 'N/A', 'sts'],
      [{ active: true, region: undefined }],
    ],
    ['never used', ['true', '2026-01-01T00:00:00+00:00', 'N/A', 'N/A', 'N/A'], [{ lastUsed: 'never' }]],
    [
      'of which nobody knows the last use',
      ['true', '2026-01-01T00:00:00Z', 'no_information', 'N/A', 'N/A'],
      [{ lastUsed: 'unknown' }],
    ],
    ['Inactive', ['false', '2026-01-01T00:00:00Z', 'N/A', 'N/A', 'N/A'], [{ active: false }]],
    [
      'Inactive, of which only the last use is told',
      ['false', 'N/A', '2026-01-02T00:00:00Z', 'N/A', 's3'],
      [{ active: false, changed: undefined }],
    ],
    ['Active and without a date', ['true', 'N/A', 'N/A', 'N/A', 'N/A'], [{ active: true, changed: undefined }]],
    ['that is not there', NONE, []],
  ])('tells a key %s', (_, slot, expected) => {
    expect(parseCredentialReport(reportOf([rowOf('app', slot)])).users[0]?.slots).toMatchObject(expected);
  });

  it.each(['a,b', 'comma,', 'x=y+z@example.com_-.', ','])('has a user called %s, quoted or not', (name) => {
    const quoted = reportOf([[`"${name}"`, `"arn:aws:iam::111122223333:user/a,path/${name}"`, ...rowOf('u').slice(2)]]);
    const plain = reportOf([[name, `arn:aws:iam::111122223333:user/a,path/${name}`, ...rowOf('u').slice(2)]]);
    for (const content of [quoted, plain])
      expect(parseCredentialReport(content).users.map(({ user }) => user)).toEqual([name]);
  });

  it('may have further columns, in another order, a byte order mark and Windows line ends', () => {
    const columns = [...HEADER.slice(2), 'additional_credentials_info', 'arn', 'user'];
    const turned = (row: readonly string[]) => [...row.slice(2), 'N/A', row[1] ?? '', row[0] ?? ''];
    const [, ...rows] = FULL.split('\n').map((line) => line.split(','));
    const content = `\uFEFF${[columns, ...rows.map(turned)].map((row) => row.join(',')).join('\r\n')}\r\n`;
    expect(parseCredentialReport(content)).toEqual(parseCredentialReport(FULL));
  });

  it.each(HEADER.filter((column) => /^(user|arn|user_creation_time|access_key_.*)$/.test(column)))(
    'without the column %s is refused',
    (column) => expect(failure(FULL.replace(column, `${column}_v2`))).toContain(`no column ${column}.`),
  );

  it('cut off anywhere is refused, but for the very end of a user', () => {
    const [header = '', root = ''] = FULL.split('\n');
    const whole = header.length + 1 + root.length;
    const passed: number[] = [];
    for (let length = 0; length < FULL.length; length += 1) {
      const end = failure(FULL.slice(0, length));
      if (end === 'no error') passed.push(length);
      else expect(end).toMatch(/^RotatorError: CREDENTIAL_REPORT_MALFORMED: .* Expected: .* To do: /);
    }
    expect(passed).toEqual([whole, whole + 1]);
  });

  it.each<[string, string]>([
    ['a row of another account', reportOf([rowOf('app')]).replace(/111122223333:user/, '444455556666:user')],
    ['a user twice', reportOf([rowOf('app'), rowOf('app')])],
    ['no row of the root user', FULL.replace(/\n<root_account>.*/, '')],
    ['two rows of the root user', FULL.replace(/(\n<root_account>.*)/, '$1$1')],
    ['the ARN of another user', reportOf([rowOf('app')]).replace('user/app', 'user/other')],
    ['a quote that is never closed', FULL.replace('app,', '"app,')],
    ['a quote inside a field', FULL.replace('app,', 'a"pp,')],
    ['a flag that is neither TRUE nor FALSE', reportOf([rowOf('app', ['yes', 'N/A', 'N/A', 'N/A', 'N/A'])])],
    ['a flag that is not supported', reportOf([rowOf('app', ['not_supported', 'N/A', 'N/A', 'N/A', 'N/A'])])],
    ['a date that is none', reportOf([rowOf('app', ['true', 'yesterday', 'N/A', 'N/A', 'N/A'])])],
    ['an empty date', reportOf([rowOf('app', ['true', '', 'N/A', 'N/A', 'N/A'])])],
    ['a column twice', FULL.replace('mfa_active', 'password_enabled')],
    ['an error page in its place', '<html>Service Unavailable</html>'],
    ['nothing in it', ''],
  ])('with %s is refused', (_, content) => {
    expect(failure(content)).toMatch(/CREDENTIAL_REPORT_MALFORMED/);
  });

  it('may tell of the root user that keys are not supported', () => {
    const content = FULL.replace(/<root_account>(.*?),true,false/, '<root_account>$1,true,not_supported');
    expect(content).not.toBe(FULL);
    expect(parseCredentialReport(content).root.slots).toEqual([]);
  });
});

describe('CSV', () => {
  it('is read as RFC 4180 has it', () => {
    expect([...parseCsv('a,"b ""c"", d",\r\n"e\nf",,g\n')]).toEqual([
      ['a', 'b "c", d', ''],
      ['e\nf', '', 'g'],
    ]);
    for (const text of ['"a"b', 'a\rb', '"a']) expect(() => [...parseCsv(text)]).toThrow(NotCsv);
    expect([...parseCsv('')]).toEqual([]);
  });

  it.each([
    ['plain', 'plain'],
    ['=HYPERLINK("http://x")', `"'=HYPERLINK(""http://x"")"`],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@sum', "'@sum"],
    ['\tx', "'\tx"],
    ['a,b', '"a,b"'],
    ['line\nbreak', '"line\nbreak"'],
  ])('writes %j so that no spreadsheet calculates and every reader gets it back', (field, written) => {
    expect(csvRecord([field])).toBe(`${written}\r\n`);
    expect([...parseCsv(csvRecord([field]))]).toEqual([[/^[=+\-@\t]/.test(field) ? `'${field}` : field]]);
  });
});
