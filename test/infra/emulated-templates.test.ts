import { join } from 'node:path';
import type { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { leaveOut, type Resource, type Template } from '../../bin/emulated/leave-out.ts';
import '../../bin/emulated/response-streams.ts';
import { answerWhole, withoutConditions } from '../../bin/emulated/without.ts';
import { loadConfig } from '../../lib/config.ts';

const isNew = ({ Type }: Resource) => (Type === 'New::Thing' ? 'not known' : undefined);

function only(resources: Template['Resources'], outputs: Template['Outputs'] = {}) {
  const { templates, leftOut } = leaveOut({ one: { Resources: resources, Outputs: outputs } }, isNew);
  return { ids: Object.keys(templates.one!.Resources), template: templates.one!, leftOut };
}

describe('what an emulator does not know', () => {
  test.each([
    ['Ref', { Ref: 'New' }],
    ['Fn::GetAtt', { 'Fn::GetAtt': ['New', 'Arn'] }],
    ['Fn::GetAtt in one text', { 'Fn::GetAtt': 'New.Arn' }],
    ['Fn::Sub', { 'Fn::Sub': 'a $' + '{New.Arn} b' }],
    ['a reference deep within', { 'Fn::Join': ['', ['a', { Ref: 'New' }]] }],
  ])('is left out with whatever refers to it, by %s, and the reason is told', (_, value) => {
    const { ids, leftOut } = only({
      New: { Type: 'New::Thing' },
      User: { Type: 'Old::Thing', Properties: { value } },
      UserOfUser: { Type: 'Old::Thing', Properties: { value: { Ref: 'User' } } },
      Other: { Type: 'Old::Thing', Properties: { text: 'New', parameter: { Ref: 'Newer' } } },
    });
    expect(ids).toEqual(['Other']);
    expect(leftOut.map(({ id, why }) => [id, why])).toEqual([
      ['New', 'not known'],
      ['User', 'refers to New'],
      ['UserOfUser', 'refers to User'],
    ]);
  });

  test('keeps nobody who only had to wait for it', () => {
    const { template } = only({
      New: { Type: 'New::Thing' },
      Waits: { Type: 'Old::Thing', DependsOn: ['New', 'Kept'] },
      WaitsForIt: { Type: 'Old::Thing', DependsOn: 'New' },
      Kept: { Type: 'Old::Thing' },
    });
    expect(template.Resources.Waits).toEqual({ Type: 'Old::Thing', DependsOn: ['Kept'] });
    expect(template.Resources.WaitsForIt).toEqual({ Type: 'Old::Thing' });
  });

  test('is left out with what other stacks import of it', () => {
    const resources = { New: { Type: 'New::Thing' }, Old: { Type: 'Old::Thing' } };
    const outputs = {
      ofNew: { Value: { Ref: 'New' }, Export: { Name: 'one:new' } },
      ofOld: { Value: { Ref: 'Old' }, Export: { Name: 'one:old' } },
    };
    const importing = (name: string) => ({ Type: 'Old::Thing', Properties: { value: { 'Fn::ImportValue': name } } });
    const two = { Resources: { User: importing('one:new'), UserOfOld: importing('one:old') } };
    const { templates, leftOut } = leaveOut({ two, one: { Resources: resources, Outputs: outputs } }, isNew);
    expect(Object.keys(templates.one!.Outputs!)).toEqual(['ofOld']);
    expect(Object.keys(templates.two!.Resources)).toEqual(['UserOfOld']);
    expect(leftOut.map(({ stack, id }) => `${stack}/${id}`)).toEqual(['one/New', 'two/User']);
  });
});

test('methods that would stream answer whole, within the time that API Gateway has for that', () => {
  const method = (mode: string, version: string, call: string) => ({
    Type: 'AWS::ApiGateway::Method',
    Properties: {
      HttpMethod: 'POST',
      Integration: {
        ResponseTransferMode: mode,
        TimeoutInMillis: mode === 'STREAM' ? 60_000 : 29_000,
        Uri: {
          'Fn::Join': ['', [`arn:aws:apigateway:us-east-1:lambda:path/${version}/functions/`, { Ref: 'F' }, call]],
        },
      },
    },
  });
  const whole = method('BUFFERED', '2015-03-31', '/invocations');
  const streamed = method('STREAM', '2021-11-15', '/response-streaming-invocations');
  const { template, methods } = answerWhole({ Resources: { whole, streamed, other: { Type: 'Old::Thing' } } });
  expect(methods).toBe(1);
  expect(template.Resources.streamed).toEqual(whole);
  expect(template.Resources.whole).toEqual(whole);
});

test('of conditions of policies only those on keys that are not told are dropped, and no statement is', () => {
  const statement = (Condition?: object) => ({
    Effect: 'Allow',
    Action: 'a:B',
    Resource: '*',
    ...(Condition && { Condition }),
  });
  const document = (...conditions: (object | undefined)[]) => ({ Statement: conditions.map(statement) });
  const { template, conditions } = withoutConditions(
    {
      Resources: {
        Policy: {
          Type: 'AWS::IAM::Policy',
          Properties: {
            PolicyDocument: document(
              { StringEquals: { 'x:untold': '1' } },
              { StringEquals: { 'x:untold': '1', 'x:told': '2' }, StringLike: { 'x:untold': '3' } },
              undefined,
            ),
          },
        },
        Role: {
          Type: 'AWS::IAM::Role',
          Properties: { Path: '/', AssumeRolePolicyDocument: document({ ArnLike: { 'x:untold': '4' } }) },
        },
        Key: { Type: 'AWS::KMS::Key', Properties: { KeyPolicy: document({ StringEquals: { 'x:untold': '5' } }) } },
      },
    },
    (key) => key === 'x:untold',
  );
  expect(conditions).toBe(4);
  expect(template.Resources.Policy!.Properties).toEqual({
    PolicyDocument: document(undefined, { StringEquals: { 'x:told': '2' } }, undefined),
  });
  expect(template.Resources.Role!.Properties).toEqual({ Path: '/', AssumeRolePolicyDocument: document(undefined) });
  expect(JSON.stringify(template.Resources.Key)).toContain('x:untold');
});

test('a streamed function whose runtime has no streams answers whole, byte for byte, and fails if it fails', async () => {
  type Handler = (event: unknown, context: unknown) => Promise<unknown>;
  const { streamifyResponse, HttpResponseStream } = awslambda as unknown as {
    streamifyResponse(handler: (event: Uint8Array, stream: PassThrough) => Promise<void>): Handler;
    HttpResponseStream: { from(stream: PassThrough, head: object): PassThrough };
  };
  const head = { statusCode: 202, headers: { Location: '/x' } };
  const echo = streamifyResponse(async (event, stream) => {
    const body = HttpResponseStream.from(stream, head);
    body.write(event.subarray(0, 2));
    body.end(event.subarray(2));
  });
  const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
  expect(await echo(bytes, {})).toEqual({
    ...head,
    body: Buffer.from(bytes).toString('base64'),
    isBase64Encoded: true,
  });
  const failing = streamifyResponse(async () => {
    throw new Error('broken');
  });
  await expect(failing(bytes, {})).rejects.toThrow('broken');
});

test('the environment for emulators is one region whose stacks need no Fn::GetStackOutput', () => {
  const config = loadConfig(join(import.meta.dirname, '..', '..', 'config', 'emulated.json'));
  expect(Object.keys(config.regions)).toEqual([config.primary]);
  expect(config.crossStackReferences).toBe('strong');
});
