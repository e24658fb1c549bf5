import { describe, expect, test } from 'vitest';
import { MODEL_EVENT_FIELDS } from '../../adapters/aws/environment.ts';
import { makeApp, REGIONS, type Resource, Synthesized } from './support/synthesized.ts';

const made = new Synthesized(makeApp());

describe.each(REGIONS)('what EventBridge is told of models in %s', (region) => {
  const all = (type: string) => Object.entries(made.resources(region, 'api', type));

  function only(type: string): Resource {
    const found = all(type);
    expect(found, type).toHaveLength(1);
    return found[0]![1];
  }

  const [queueId, queue] = all('AWS::SQS::Queue').find(([id]) => id.startsWith('ModelEvents'))!;

  test('every message of the queue is an event with all its fields, as Sluice, on the default bus', () => {
    const { Source, SourceParameters, Target, TargetParameters } = only('AWS::Pipes::Pipe').Properties;
    expect(Source).toEqual({ 'Fn::GetAtt': [queueId, 'Arn'] });
    expect(SourceParameters.FilterCriteria).toBeUndefined();
    expect(JSON.stringify(Target)).toContain(':event-bus/default');
    expect(TargetParameters.EventBridgeEventBusParameters).toEqual({
      Source: 'sluice',
      DetailType: 'Sluice Model Quality',
    });
    // Each place is a whole value of the message's JSON: text, number, list or object.
    const template: string = TargetParameters.InputTemplate;
    const filled = JSON.parse(template.replaceAll(/<\$\.body\.([a-z_]+)>/g, '"$1"'));
    expect(filled).toEqual(Object.fromEntries(MODEL_EVENT_FIELDS.map((field) => [field, field])));
  });

  test('the queue is encrypted, and what EventBridge does not take goes where people look', () => {
    const { KmsMasterKeyId, RedrivePolicy, MessageRetentionPeriod } = queue.Properties;
    expect(KmsMasterKeyId).toBeDefined();
    expect(JSON.stringify(RedrivePolicy.deadLetterTargetArn)).toContain('Failed');
    expect(MessageRetentionPeriod).toBe(14 * 86_400);
  });

  test('the pipe takes from its queue and tells the bus, and may nothing else; the function quality alone sends', () => {
    const policies = all('AWS::IAM::Policy').map(([, { Properties }]) => Properties);
    const statementsOf = (part: string) =>
      policies
        .filter(({ Roles }) => JSON.stringify(Roles).includes(part))
        .flatMap(
          ({ PolicyDocument }) => PolicyDocument.Statement as { Action: string | string[]; Resource: unknown }[],
        );
    const ofPipe = statementsOf('ModelEvents').flatMap(({ Action }) => Action);
    expect(ofPipe.toSorted()).toEqual([
      'events:PutEvents',
      'kms:Decrypt',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ReceiveMessage',
    ]);
    const senders = policies.filter(({ PolicyDocument }) =>
      (PolicyDocument.Statement as { Action: unknown; Resource: unknown }[]).some(
        ({ Action, Resource }) => Action === 'sqs:SendMessage' && JSON.stringify(Resource).includes(queueId),
      ),
    );
    expect(senders.map(({ Roles }) => JSON.stringify(Roles))).toEqual([expect.stringContaining('Functionquality')]);
  });
});
