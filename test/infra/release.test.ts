import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getLanguageService, TextDocument } from 'amazon-states-language-service';
import aslValidator from 'asl-validator';
import { describe, expect, test } from 'vitest';
import { RELEASE_CLOCK_INPUT } from '../../adapters/aws/environment.ts';
import { releaseMachine } from '../../lib/release-machine.ts';
import { makeApp, REGIONS, type Resource, ROOT, Synthesized } from './support/synthesized.ts';

const FUNCTION_ARN = 'arn:aws:lambda:us-east-1:111111111111:function:release-step';
const made = new Synthesized(makeApp());

function only(region: string, type: string): Resource {
  const found = Object.values(made.resources(region, 'release', type));
  expect(found, type).toHaveLength(1);
  return found[0]!;
}

/** What is wrong with a definition, by each of the two validators: each misses what the other finds. */
async function problemsOf(definition: object): Promise<readonly string[]> {
  const { errors } = aslValidator(definition);
  const text = TextDocument.create('machine.asl.json', 'json', 1, JSON.stringify(definition));
  const service = getLanguageService({});
  const found = await service.doValidation(text, service.parseJSONDocument(text));
  return [...errors.map((error) => JSON.stringify(error)), ...found.map(({ message }) => JSON.stringify(message))];
}

describe('the definition of the release clock', () => {
  test('is valid for both validators', async () => {
    expect(await problemsOf(releaseMachine({ functionArn: FUNCTION_ARN }))).toEqual([]);
  });

  test('would not be if a state led nowhere, or could not be reached', async () => {
    const { States, ...machine } = releaseMachine({ functionArn: FUNCTION_ARN });
    const nowhere = { ...machine, States: { ...States, Hold: { ...States.Hold, Next: 'Gone' } } };
    expect(await problemsOf(nowhere)).not.toEqual([]);
    const lonely = { ...machine, States: { ...States, Lonely: { Type: 'Pass', End: true } } };
    expect(await problemsOf(lonely)).not.toEqual([]);
  });

  test('has an error of every call tried again with jitter, and caught', () => {
    const tasks = Object.values(releaseMachine({ functionArn: FUNCTION_ARN }).States).filter(
      ({ Type }) => Type === 'Task',
    ) as readonly { Retry: readonly { JitterStrategy?: string }[]; Catch: readonly { ErrorEquals: string[] }[] }[];
    expect(tasks).toHaveLength(4);
    for (const { Retry, Catch } of tasks) {
      expect(Retry.at(-1)?.JitterStrategy).toBe('FULL');
      expect(Catch.at(-1)?.ErrorEquals).toEqual(['States.ALL']);
    }
  });
});

describe.each(REGIONS)('the release clock of %s', (region) => {
  const name = `sluice-prod-${region}-release-clock`;

  test('is a standard state machine under our key that logs no data', () => {
    const { Properties } = only(region, 'AWS::StepFunctions::StateMachine');
    expect(Properties).toMatchObject({
      StateMachineName: name,
      StateMachineType: 'STANDARD',
      EncryptionConfiguration: { Type: 'CUSTOMER_MANAGED_KMS_KEY' },
      LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: false },
    });
    expect(Properties.EncryptionConfiguration.KmsKeyId).toBeDefined();
    const log = only(region, 'AWS::Logs::LogGroup');
    expect(log.Properties.LogGroupName).toBe(`/aws/vendedlogs/states/${name}`);
    expect(log.Properties.KmsKeyId).toBeDefined();
  });

  test('runs the definition as it is, nulls too, with the function that is deployed for it', () => {
    const { Properties } = only(region, 'AWS::StepFunctions::StateMachine');
    const [separator, parts]: readonly [string, readonly unknown[]] = Properties.DefinitionString['Fn::Join'];
    const tokens = parts.filter((part) => typeof part !== 'string');
    expect(tokens).toHaveLength(1);
    expect(JSON.stringify(tokens[0])).toContain('Functionreleasestep');
    const text = parts.map((part) => (typeof part === 'string' ? part : FUNCTION_ARN)).join(separator);
    expect(JSON.parse(text)).toEqual(releaseMachine({ functionArn: FUNCTION_ARN }));
    expect(JSON.parse(text).States.Tell.ResultPath).toBeNull();
  });

  test('may invoke that function, start itself and tell of releases, and nothing more than be logged', () => {
    const policies = Object.entries(made.resources(region, 'release', 'AWS::IAM::Policy'));
    const [, { Properties }] = policies.find(([id]) => id.startsWith('ClockRole'))!;
    const statements: readonly { Action: string | string[]; Resource: unknown; Condition?: unknown }[] =
      Properties.PolicyDocument.Statement;
    const actions = statements.filter(({ Resource }) => Resource !== '*').flatMap(({ Action }) => Action);
    expect(actions.toSorted()).toEqual([
      'events:PutEvents',
      'kms:Decrypt',
      'kms:GenerateDataKey',
      'kms:GenerateDataKey',
      'lambda:InvokeFunction',
      'states:StartExecution',
    ]);
    const starts = statements.find(({ Action }) => Action === 'states:StartExecution')!;
    expect(JSON.stringify(starts.Resource)).toContain(`:stateMachine:${name}`);
    for (const { Action, Condition } of statements)
      if (JSON.stringify(Action).includes('kms:')) expect(Condition).toBeDefined();
    const ofNoResource = statements.filter(({ Resource }) => Resource === '*').flatMap(({ Action }) => Action);
    expect(ofNoResource.every((action) => action.startsWith('logs:'))).toBe(true);
  });

  test('starts when a model has an open release and had none, with all that its first look reads', () => {
    const { Properties } = only(region, 'AWS::Pipes::Pipe');
    const { FilterCriteria, DynamoDBStreamParameters } = Properties.SourceParameters;
    expect(FilterCriteria.Filters.map(({ Pattern }: { Pattern: string }) => JSON.parse(Pattern))).toEqual([
      { eventName: ['INSERT'], dynamodb: { Keys: { pk: { S: ['open-releases'] } } } },
    ]);
    expect(DynamoDBStreamParameters).toMatchObject({ BatchSize: 1, StartingPosition: 'LATEST' });
    expect(DynamoDBStreamParameters.DeadLetterConfig.Arn).toBeDefined();
    const { InputTemplate, StepFunctionStateMachineParameters } = Properties.TargetParameters;
    expect(JSON.parse(InputTemplate)).toEqual(RELEASE_CLOCK_INPUT);
    expect(StepFunctionStateMachineParameters.InvocationType).toBe('FIRE_AND_FORGET');
    expect(JSON.stringify(Properties.Target)).toContain(`:stateMachine:${name}`);
  });

  test('tells an encrypted topic of releases of its own region that wait for a person or have ended', () => {
    const { Properties } = only(region, 'AWS::Events::Rule');
    expect(Properties.EventPattern).toEqual({
      source: ['sluice'],
      'detail-type': ['Sluice Release Changed'],
      detail: {
        deployment: ['prod'],
        region: [region],
        state: ['gated', 'escalated', 'undoing', 'rolled-back', 'promoted'],
      },
    });
    expect(only(region, 'AWS::SNS::Topic').Properties.KmsMasterKeyId).toBeDefined();
  });

  test('is watched: an execution that fails is an alarm with a section of the runbook', () => {
    const alarms = Object.values(made.resources(region, 'observability', 'AWS::CloudWatch::Alarm'));
    const clock = alarms.filter(({ Properties }) => JSON.stringify(Properties.Metrics ?? '').includes('AWS/States'));
    expect(clock).toHaveLength(1);
    const { AlarmDescription, Metrics } = clock[0]!.Properties;
    expect(AlarmDescription).toMatch(/#release-clock$/);
    for (const metric of ['ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted'])
      expect(JSON.stringify(Metrics)).toContain(`"${metric}"`);
    expect(readFileSync(join(ROOT, 'docs', 'runbook.md'), 'utf8')).toContain('## release-clock');
  });
});
