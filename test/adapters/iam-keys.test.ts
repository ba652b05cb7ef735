import { IAMClient } from '@aws-sdk/client-iam';
import { describe, expect, it } from 'vitest';
import { iamKeys } from '../../lambdas/adapters/iam-keys.ts';
import { AwsCallError } from '../../lambdas/domain/errors.ts';
import { type Answer, answering, xml, xmlError } from './answering.ts';

const DATE = '<CreateDate>2026-01-02T03:04:05Z</CreateDate>';
const CREATED = new Date('2026-01-02T03:04:05Z');
const listed = (keys: string, more = '<IsTruncated>false</IsTruncated>') =>
  xml('ListAccessKeys', `<AccessKeyMetadata>${keys}</AccessKeyMetadata>${more}`);
const member = (id: string, status: string, date = DATE) =>
  `<member><UserName>app</UserName><AccessKeyId>${id}</AccessKeyId><Status>${status}</Status>${date}</member>`;

/** What the adapter asked, as the parameters of each request, and which client it asked. */
function asking(...answers: [Answer, ...Answer[]]) {
  const [ordinary, minting] = [answering(...answers), answering(...answers)];
  const client = (requestHandler: ReturnType<typeof answering>) =>
    new IAMClient({
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      maxAttempts: 1,
      requestHandler,
    });
  const parameters = ({ bodies }: typeof ordinary) =>
    bodies.map((body) => {
      const { Version: _, ...asked } = Object.fromEntries(new URLSearchParams(body));
      return asked;
    });
  return {
    keys: iamKeys(client(ordinary), client(minting)),
    asked: () => ({ ordinary: parameters(ordinary), minting: parameters(minting) }),
  };
}

describe('the keys of a user', () => {
  it('are listed over all pages', async () => {
    const { keys, asked } = asking(
      listed(member('AKIA1', 'Active'), '<IsTruncated>true</IsTruncated><Marker>next</Marker>'),
      listed(member('AKIA2', 'Inactive')),
    );
    expect(await keys.list('app')).toEqual([
      { id: 'AKIA1', status: 'Active', created: CREATED },
      { id: 'AKIA2', status: 'Inactive', created: CREATED },
    ]);
    expect(asked()).toEqual({
      ordinary: [
        { Action: 'ListAccessKeys', UserName: 'app' },
        { Action: 'ListAccessKeys', UserName: 'app', Marker: 'next' },
      ],
      minting: [],
    });
  });

  it('end with the page that is not truncated, whatever marker it has', async () => {
    const { keys, asked } = asking(listed('', '<IsTruncated>false</IsTruncated><Marker>next</Marker>'));
    expect(await keys.list('app')).toEqual([]);
    expect(asked().ordinary).toHaveLength(1);
  });

  it('are not taken for listed when the same marker comes again', async () => {
    const { keys } = asking(listed('', '<IsTruncated>true</IsTruncated><Marker>next</Marker>'));
    await expect(keys.list('app')).rejects.toThrow(
      'LISTING_LOOPS: ListAccessKeys answered the same page token twice. Expected:',
    );
  });

  it.each([
    ['no list', xml('ListAccessKeys', ''), 'AccessKeyMetadata'],
    ['a status of another kind', listed(member('AKIA1', 'Paused')), 'Status of Active or Inactive'],
    ['no date', listed(member('AKIA1', 'Active', '')), 'CreateDate'],
  ])('are not taken for listed with %s', async (_, answer, field) => {
    await expect(asking(answer).keys.list('app')).rejects.toThrow(
      `AWS_CALL_FAILED: an answer of ListAccessKeys without ${field}. Expected: ${field}, which`,
    );
  });

  it('of a user that is not there are not listed', async () => {
    const failure = asking(xmlError('NoSuchEntity', 404)).keys.list('app');
    await expect(failure).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RotatorError: USER_NOT_FOUND: IAM has no user app. Expected: the user that rotator.config.ts lists. To do: create the user, or correct or remove it in rotator.config.ts and deploy.]`,
    );
    await expect(failure).rejects.toMatchObject({
      code: 'USER_NOT_FOUND',
      cause: expect.objectContaining({ operation: 'ListAccessKeys', awsCode: 'NoSuchEntity' }),
    });
  });

  it('are not listed for another reason either, which is told', async () => {
    await expect(asking(xmlError('AccessDenied', 403)).keys.list('app')).rejects.toMatchObject({
      code: 'AWS_CALL_FAILED',
      operation: 'ListAccessKeys',
      awsCode: 'AccessDenied',
      refused: true,
    });
  });
});

describe('the last use of a key', () => {
  const used = (parts: string) => xml('GetAccessKeyLastUsed', `<AccessKeyLastUsed>${parts}</AccessKeyLastUsed>`);

  it('is asked for by its id', async () => {
    const { keys, asked } = asking(
      used('<LastUsedDate>2026-01-02T03:04:05Z</LastUsedDate><ServiceName>s3</ServiceName><Region>eu-west-1</Region>'),
    );
    expect(await keys.lastUse('AKIA1')).toEqual({ at: CREATED, service: 's3', region: 'eu-west-1' });
    expect(asked()).toEqual({ ordinary: [{ Action: 'GetAccessKeyLastUsed', AccessKeyId: 'AKIA1' }], minting: [] });
  });

  it('is one with a date, even without a service and a Region', async () => {
    const { keys } = asking(used('<LastUsedDate>2026-01-02T03:04:05Z</LastUsedDate>'));
    expect(await keys.lastUse('AKIA1')).toEqual({ at: CREATED, service: 'N/A', region: 'N/A' });
  });

  it('is not taken for none when the answer is damaged', async () => {
    await expect(asking(xml('GetAccessKeyLastUsed', '')).keys.lastUse('AKIA1')).rejects.toThrow(
      'AWS_CALL_FAILED: an answer of GetAccessKeyLastUsed without AccessKeyLastUsed.',
    );
  });

  it('is not taken for none when the call fails', async () => {
    await expect(asking(xmlError('AccessDenied', 403)).keys.lastUse('AKIA1')).rejects.toMatchObject({
      operation: 'GetAccessKeyLastUsed',
      awsCode: 'AccessDenied',
    });
  });
});

describe('the id of a user', () => {
  it('is asked for by the name', async () => {
    const { keys, asked } = asking(xml('GetUser', '<User><UserName>app</UserName><UserId>AIDA1</UserId></User>'));
    expect(await keys.userId('app')).toBe('AIDA1');
    expect(asked()).toEqual({ ordinary: [{ Action: 'GetUser', UserName: 'app' }], minting: [] });
  });

  it.each([
    ['no user', ''],
    ['a user without it', '<User><UserName>app</UserName></User>'],
  ])('is missed in an answer with %s', async (_, answer) => {
    await expect(asking(xml('GetUser', answer)).keys.userId('app')).rejects.toThrow(
      'AWS_CALL_FAILED: an answer of GetUser without User.UserId.',
    );
  });

  it('is not there without the user', async () => {
    await expect(asking(xmlError('NoSuchEntity', 404)).keys.userId('app')).rejects.toMatchObject({
      code: 'USER_NOT_FOUND',
      cause: expect.objectContaining({ operation: 'GetUser' }),
    });
  });
});

describe('a new key', () => {
  const minted = (parts: string) => xml('CreateAccessKey', `<AccessKey>${parts}</AccessKey>`);
  const ID = '<AccessKeyId>AKIA1</AccessKeyId>';
  const SECRET = '<SecretAccessKey>secret</SecretAccessKey>';

  it('is asked for by the client that makes one attempt', async () => {
    const { keys, asked } = asking(minted(`<UserName>app</UserName>${ID}${SECRET}${DATE}`));
    expect(await keys.mint('app')).toEqual({ id: 'AKIA1', secret: 'secret', created: CREATED });
    expect(asked()).toEqual({ ordinary: [], minting: [{ Action: 'CreateAccessKey', UserName: 'app' }] });
  });

  it.each([
    ['the key', xml('CreateAccessKey', ''), 'AccessKey'],
    ['its id', minted(`${SECRET}${DATE}`), 'AccessKeyId'],
    ['its secret', minted(`${ID}${DATE}`), 'SecretAccessKey'],
    ['its date', minted(`${ID}${SECRET}`), 'CreateDate'],
  ])('is missed in an answer without %s', async (_, answer, field) => {
    await expect(asking(answer).keys.mint('app')).rejects.toThrow(
      `AWS_CALL_FAILED: an answer of CreateAccessKey without ${field}.`,
    );
  });

  it('that is refused is a failed call, whatever the reason', async () => {
    const failure = asking(xmlError('NoSuchEntity', 404)).keys.mint('app');
    await expect(failure).rejects.toBeInstanceOf(AwsCallError);
    await expect(failure).rejects.toMatchObject({ operation: 'CreateAccessKey', awsCode: 'NoSuchEntity' });
  });
});

describe('a change of a key', () => {
  it('to Inactive names the user and the key', async () => {
    const { keys, asked } = asking(xml('UpdateAccessKey', ''));
    expect(await keys.disable('app', 'AKIA1')).toBe(true);
    expect(asked()).toEqual({
      ordinary: [{ Action: 'UpdateAccessKey', UserName: 'app', AccessKeyId: 'AKIA1', Status: 'Inactive' }],
      minting: [],
    });
  });

  it('to nothing names the user and the key', async () => {
    const { keys, asked } = asking(xml('DeleteAccessKey', ''));
    expect(await keys.remove('app', 'AKIA1')).toBeUndefined();
    expect(asked()).toEqual({
      ordinary: [{ Action: 'DeleteAccessKey', UserName: 'app', AccessKeyId: 'AKIA1' }],
      minting: [],
    });
  });

  it('that is gone is no error', async () => {
    expect(await asking(xmlError('NoSuchEntity', 404)).keys.disable('app', 'AKIA1')).toBe(false);
    expect(await asking(xmlError('NoSuchEntity', 404)).keys.remove('app', 'AKIA1')).toBeUndefined();
  });

  it('that is denied is one', async () => {
    const denied = () => asking(xmlError('AccessDenied', 403)).keys;
    await expect(denied().disable('app', 'AKIA1')).rejects.toMatchObject({
      operation: 'UpdateAccessKey',
      awsCode: 'AccessDenied',
    });
    await expect(denied().remove('app', 'AKIA1')).rejects.toMatchObject({
      operation: 'DeleteAccessKey',
      awsCode: 'AccessDenied',
    });
  });
});
