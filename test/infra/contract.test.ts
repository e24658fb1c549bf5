import { describe, expect, test } from 'vitest';
import {
  HTTP_FUNCTIONS,
  type HttpFunction,
  INNER_FUNCTIONS,
  MODEL_PACKAGES_VARIABLE_NAMES,
  QUALITY_EVERY_MINUTES,
  QUALITY_VARIABLE_NAMES,
  queueUrls,
  REGION_VARIABLES,
  readRegionEnvironment,
  readSetupEnvironment,
  readWaitingEnvironment,
  readWorkerEnvironment,
  SETUP_VARIABLE_NAMES,
  STREAMED_FUNCTIONS,
  STREAMS,
  VALIDATE_EVERY_MINUTES,
  WAITING_VARIABLE_NAMES,
  WATCH_VARIABLE_NAMES,
  WORKER_VARIABLE_NAMES,
} from '../../adapters/aws/environment.ts';
import { buildOpenApi } from '../../core/api/openapi.ts';
import { ROUTES } from '../../core/api/routes.ts';
import { FUNCTION_NAMES, makeApp, REGIONS, type Resource, Synthesized } from './support/synthesized.ts';

const made = new Synthesized(makeApp());

/** Of functions that are told more than all are. */
const OWN_VARIABLES: Readonly<Record<string, readonly string[]>> = {
  setup: SETUP_VARIABLE_NAMES,
  'model-packages': MODEL_PACKAGES_VARIABLE_NAMES,
  quality: QUALITY_VARIABLE_NAMES,
  watch: WATCH_VARIABLE_NAMES,
  infer: WAITING_VARIABLE_NAMES,
  predictions: WAITING_VARIABLE_NAMES,
};

function idOf(name: string): string {
  return `Function${name.replaceAll('-', '')}Function`;
}

function lambda(region: string, name: string): Resource & { readonly id: string } {
  const found = Object.entries(made.resources(region, 'api', 'AWS::Lambda::Function')).filter(([id]) =>
    id.startsWith(idOf(name)),
  );
  expect(found, name).toHaveLength(1);
  return { ...found[0]![1], id: found[0]![0] };
}

/** What CloudFormation would put in, as text where it is a token. */
function resolved(variables: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}

type Method = {
  readonly path: string;
  readonly method: string;
  readonly function: string;
  readonly integration: Record<string, unknown>;
};

function methods(region: string): readonly Method[] {
  const all = made.resources(region, 'api');
  const paths = (id: string | undefined): string => {
    const resource = id === undefined ? undefined : all[id];
    if (resource?.Type !== 'AWS::ApiGateway::Resource') return '';
    return `${paths(resource.Properties.ParentId.Ref)}/${resource.Properties.PathPart}`;
  };
  return Object.values(made.resources(region, 'api', 'AWS::ApiGateway::Method')).map(({ Properties }) => {
    const uri = JSON.stringify(Properties.Integration.Uri);
    return {
      path: paths(Properties.ResourceId.Ref) || '/',
      method: Properties.HttpMethod,
      function: FUNCTION_NAMES.find((name) => uri.includes(`"${lambda(region, name).id}"`))!,
      integration: Properties.Integration,
    };
  });
}

describe.each(REGIONS)('the contract between infrastructure and code in %s', (region) => {
  test.each(FUNCTION_NAMES)('%s is told what it reads and nothing besides', (name) => {
    const { Variables } = lambda(region, name).Properties.Environment;
    const own = OWN_VARIABLES[name] ?? [];
    expect(Object.keys(Variables).toSorted()).toEqual([...REGION_VARIABLES, ...own].toSorted());
    const variables = resolved({ ...Variables, AWS_REGION: 'us-east-1' });
    expect(() => readRegionEnvironment(variables)).not.toThrow();
    if (name === 'setup') expect(() => readSetupEnvironment(variables)).not.toThrow();
  });

  test('every worker is told what it reads and nothing besides', () => {
    const tasks = Object.values(made.resources(region, 'inference', 'AWS::ECS::TaskDefinition'));
    expect(tasks).toHaveLength(region === 'us' ? 3 : 1);
    for (const { Properties } of tasks) {
      const [{ Environment }] = Properties.ContainerDefinitions;
      const variables = Object.fromEntries(
        Environment.map(({ Name, Value }: { Name: string; Value: unknown }) => [Name, Value]),
      );
      // ECS sets the region on Fargate alone, CDK on instances.
      const told = Object.keys(variables).filter((name) => name !== 'AWS_REGION');
      expect(told.toSorted()).toEqual([...REGION_VARIABLES, ...WORKER_VARIABLE_NAMES].toSorted());
      if (Properties.RequiresCompatibilities.includes('EC2')) expect(variables.AWS_REGION).toBeDefined();
      expect(() => readRegionEnvironment(resolved({ ...variables, AWS_REGION: 'us-east-1' }))).not.toThrow();
      expect(() => readWorkerEnvironment(resolved(variables))).not.toThrow();
    }
  });

  test('the code finds every queue under the name that it has', () => {
    const names = Object.values(made.resources(region, 'inference', 'AWS::SQS::Queue')).map(
      ({ Properties }) => Properties.QueueName,
    );
    const { Variables } = lambda(region, 'infer').Properties.Environment;
    const pools = Variables.SLUICE_POOLS.split(',');
    const urls = queueUrls({ queuesUrl: `sluice-prod-${region}-`, pools });
    const expected = Object.values(urls).flatMap((lanes) =>
      Object.values(lanes).flatMap(({ url, deadLetterUrl }) => [url, deadLetterUrl]),
    );
    expect(names.toSorted()).toEqual(expected.toSorted());
    expect(Math.max(...names.map((name) => name.length))).toBeLessThanOrEqual(80);
    // The beginning of a queue's URL, cut off where the name of pool and lane begins.
    const { Value } = Object.values(
      made.template(region, 'inference').toJSON().Outputs as Record<string, { Value: unknown }>,
    ).find((output) => JSON.stringify(output).includes('Ref":"Queuesdefaultinteractive'))!;
    expect(Value).toBeDefined();
    expect(JSON.stringify(Variables.SLUICE_QUEUES_URL)).toContain('"default-interactive"');
  });

  test('every endpoint is a method at the function that serves it, and HEAD where there is GET', () => {
    const functionOf = (id: string) =>
      Object.entries(HTTP_FUNCTIONS).find(([, ids]) => (ids as readonly string[]).includes(id))![0];
    const expected = ROUTES.flatMap(({ id, method, path }) =>
      (method === 'GET' ? ['GET', 'HEAD'] : [method]).map((one) => `${one} ${path} ${functionOf(id)}`),
    );
    const found = methods(region).filter(({ method }) => method !== 'ANY');
    expect(found.map((one) => `${one.method} ${one.path} ${one.function}`).toSorted()).toEqual(expected.toSorted());
    const described = Object.entries(buildOpenApi('1').paths as Record<string, object>).flatMap(([path, verbs]) =>
      Object.keys(verbs)
        .filter((verb) => verb !== 'parameters')
        .map((verb) => `${verb.toUpperCase()} ${path}`),
    );
    expect(described.toSorted()).toEqual(ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted());
  });

  test('whatever no endpoint takes is answered by catalogue, on every path', () => {
    const any = methods(region).filter(({ method }) => method === 'ANY');
    expect(new Set(any.map((one) => one.function))).toEqual(new Set(['catalogue']));
    const resources = Object.keys(made.resources(region, 'api', 'AWS::ApiGateway::Resource'));
    expect(any).toHaveLength(resources.length + 1);
    expect(any.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['/', '/{proxy+}', '/v2/health', '/control/v1']),
    );
  });

  test('streamed functions are asked to stream, for as long as they run; the others have 29 s', () => {
    for (const { function: name, integration, path } of methods(region)) {
      const isStreamed = STREAMED_FUNCTIONS.has(name as HttpFunction);
      expect(integration.ResponseTransferMode, path).toBe(isStreamed ? 'STREAM' : 'BUFFERED');
      expect(JSON.stringify(integration.Uri).includes('response-streaming-invocations')).toBe(isStreamed);
      expect(integration.TimeoutInMillis).toBe(isStreamed ? 60_000 : 29_000);
      expect(lambda(region, name).Properties.Timeout * 1000).toBeLessThanOrEqual(integration.TimeoutInMillis as number);
    }
  });

  test('functions are arm64, Node 24, with what is reserved for them and a log of their own', () => {
    for (const name of FUNCTION_NAMES) {
      const { Properties } = lambda(region, name);
      expect(Properties).toMatchObject({ Architectures: ['arm64'], Runtime: 'nodejs24.x', Handler: 'index.handler' });
      expect(Properties.LoggingConfig.LogGroup).toBeDefined();
      expect(Properties.DeadLetterConfig.TargetArn).toBeDefined();
    }
    expect(lambda(region, 'infer').Properties.ReservedConcurrentExecutions).toBe(600);
    expect(lambda(region, 'setup').Properties.ReservedConcurrentExecutions).toBeUndefined();
    for (const name of ['infer', 'predictions']) {
      const { Environment, ReservedConcurrentExecutions } = lambda(region, name).Properties;
      expect(readWaitingEnvironment(Environment.Variables)).toEqual({
        reservedConcurrency: ReservedConcurrentExecutions,
      });
    }
  });

  test('the streams of tables carry what the functions look at, and only that invokes them', () => {
    const mappings = Object.values(made.resources(region, 'api', 'AWS::Lambda::EventSourceMapping'));
    expect(mappings).toHaveLength(Object.keys(STREAMS).length);
    for (const [name, { view, filters }] of Object.entries(STREAMS)) {
      const { Properties } = mappings.find((one) => JSON.stringify(one.Properties.FunctionName).includes(idOf(name)))!;
      const patterns = Properties.FilterCriteria.Filters.map(({ Pattern }: { Pattern: string }) => JSON.parse(Pattern));
      expect(patterns).toEqual(filters);
      expect(Properties.DestinationConfig.OnFailure.Destination).toBeDefined();
      const table = name === 'validate' ? 'control' : 'jobs';
      const { Properties: stored } = Object.values(made.resources(region, 'data', 'AWS::DynamoDB::GlobalTable')).find(
        (one) => one.Properties.TableName === `sluice-prod-${region}-${table}`,
      )!;
      expect(stored.StreamSpecification.StreamViewType).toBe(view);
    }
    expect(mappings.find((one) => one.Properties.BatchSize === 1)!.Properties.ParallelizationFactor).toBe(1);
  });

  test('the clock finds what an event has missed', () => {
    const rules = Object.values(made.resources(region, 'api', 'AWS::Events::Rule'));
    const rates = rules.flatMap(({ Properties }) => {
      const target = JSON.stringify(Properties.Targets);
      const name = INNER_FUNCTIONS.find((one) => target.includes(idOf(one)));
      return Properties.ScheduleExpression === undefined ? [] : [[name, Properties.ScheduleExpression] as const];
    });
    expect(Object.fromEntries(rates)).toEqual({
      sweep: 'rate(1 minute)',
      notices: 'rate(1 minute)',
      validate: `rate(${VALIDATE_EVERY_MINUTES} minutes)`,
      'model-packages': 'rate(1 minute)',
      'release-step': 'rate(1 minute)',
      watch: 'rate(1 minute)',
      quality: `rate(${QUALITY_EVERY_MINUTES} minutes)`,
    });
    const [approvals] = rules.filter(({ Properties }) => Properties.EventPattern !== undefined);
    expect(approvals!.Properties.EventPattern.detail.ModelPackageGroupName).toEqual(['churn', 'ticket-router']);
  });

  test('setup runs with every deployment, after the settings are there', () => {
    const [setUp] = Object.values(made.resources(region, 'api', 'Custom::Trigger'));
    expect(JSON.stringify(setUp!.Properties.HandlerArn)).toContain(idOf('setup'));
    expect(setUp!.DependsOn?.some((id) => id.startsWith('Settings'))).toBe(true);
  });

  test('settings are those that the code reads, with the address of every region', () => {
    const [settings] = Object.values(made.resources(region, 'api', 'AWS::SSM::Parameter'));
    expect(settings!.Properties.Name).toBe(`/sluice/prod/${region}/settings`);
    expect(JSON.parse(settings!.Properties.Value)).toEqual({
      regionUrls: { us: 'https://us.api.example.com', eu: 'https://eu.api.example.com' },
      corsOrigins: ['https://app.example.com'],
      logLevel: 'info',
      runbookUrl: 'https://example.com/sluice/runbook',
    });
  });
});
