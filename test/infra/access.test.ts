import { describe, expect, test } from 'vitest';
import { FUNCTION_ACCESS } from '../../lib/access.ts';
import { FUNCTION_NAMES, makeApp, REGIONS, type Resource, Synthesized } from './support/synthesized.ts';

const made = new Synthesized(makeApp());

type Statement = {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
};

function policies(region: string): readonly (Resource & { readonly id: string })[] {
  return made.everything(region).filter(({ Type }) => Type === 'AWS::IAM::Policy');
}

function statements(resource: Resource): readonly Statement[] {
  return resource.Properties.PolicyDocument.Statement;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** What the policies of a function's role allow, in text. */
function granted(region: string, name: string): readonly Statement[] {
  const id = `Function${name.replaceAll('-', '')}`;
  return policies(region)
    .filter((policy) => policy.id.startsWith(`${id}Role`))
    .flatMap(statements);
}

const OF_NO_RESOURCE = new Set([
  'ecr:GetAuthorizationToken',
  // Of the canary, limited to the namespace of CloudWatch Synthetics by a condition.
  'cloudwatch:PutMetricData',
  'ecs:DiscoverPollEndpoint',
  // Of the ECS agent, limited to the cluster by a condition.
  'ecs:Poll',
  'ecs:StartTelemetrySession',
  // In the statement that CDK gives the agent with those.
  'logs:CreateLogStream',
  'logs:PutLogEvents',
  // Of Step Functions, to have its log delivered.
  'logs:CreateLogDelivery',
  'logs:GetLogDelivery',
  'logs:UpdateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:DescribeResourcePolicies',
  'logs:DescribeLogGroups',
]);

describe.each(REGIONS)('who may what in %s', (region) => {
  test('nobody may do everything of a service, or something to everything but what has no resource', () => {
    for (const policy of policies(region)) {
      for (const { Action, Resource, Effect } of statements(policy)) {
        if (Effect !== 'Allow') continue;
        for (const action of list(Action)) expect(action, policy.id).not.toMatch(/^[a-z0-9]*:?\*$/);
        if (!list(Resource).includes('*')) continue;
        expect(
          list(Action).filter((action) => !OF_NO_RESOURCE.has(String(action))),
          policy.id,
        ).toEqual([]);
      }
    }
  });

  test('no policy names another region, but that by which model files are copied', () => {
    const other = region === 'us' ? 'eu-central-1' : 'us-east-1';
    const crossing = policies(region).filter((policy) => JSON.stringify(policy).includes(other));
    const buckets = policies(region).filter((policy) =>
      JSON.stringify(policy).includes(`sluice-prod-${region === 'us' ? 'eu' : 'us'}`),
    );
    const ids = new Set([...crossing, ...buckets].map(({ id }) => id));
    expect([...ids].every((id) => id.startsWith('ArtifactsReplicationRole'))).toBe(true);
    expect(ids.size).toBe(region === 'us' ? 1 : 0);
  });

  test('nothing is read of another region but its key, to copy model files and the directory', () => {
    const other = region === 'us' ? 'eu' : 'us';
    const crossing = made
      .everything(region)
      .filter((resource) => JSON.stringify(resource).includes(`"sluice-prod-${other}-`));
    const types = new Set(crossing.map(({ Type, stack }) => `${stack} ${Type}`));
    expect(types).toEqual(
      new Set(
        region === 'us'
          ? ['directory AWS::DynamoDB::GlobalTable', 'modelStore AWS::IAM::Policy', 'modelStore AWS::S3::Bucket']
          : [],
      ),
    );
  });

  test.each(FUNCTION_NAMES)('%s touches the tables that it declares and no other', (name) => {
    const access = FUNCTION_ACCESS[name as keyof typeof FUNCTION_ACCESS];
    const expected = Object.keys(access.tables).concat(access.dataKeys ? ['dataKeys'] : []);
    const touched = granted(region, name).filter(({ Action }) => list(Action).includes('dynamodb:GetItem'));
    const text = JSON.stringify(touched);
    const found = {
      directory: text.includes('table/sluice-prod-directory'),
      control: /Control/.test(text),
      jobs: /Jobs/.test(text),
      limits: /Limits/.test(text),
      dataKeys: /DataKeys/.test(text),
      telemetry: /Telemetry/.test(text),
    };
    expect(
      Object.entries(found)
        .filter(([, is]) => is)
        .map(([table]) => table)
        .toSorted(),
    ).toEqual(expected.toSorted());
    for (const [table, mode] of Object.entries(access.tables)) {
      const pattern = {
        directory: /sluice-prod-directory/,
        control: /Control/,
        jobs: /Jobs/,
        limits: /Limits/,
        telemetry: /Telemetry/,
      }[table]!;
      const own = touched.filter((statement) => pattern.test(JSON.stringify(statement.Resource)));
      expect(
        own.some(({ Action }) => list(Action).includes('dynamodb:PutItem')),
        table,
      ).toBe(mode === 'write');
    }
  });

  test("tenants' data keys are opened by those who seal payloads alone; all others use the key only by way of a store", () => {
    for (const name of FUNCTION_NAMES) {
      const access = FUNCTION_ACCESS[name as keyof typeof FUNCTION_ACCESS];
      const ours = granted(region, name).filter(({ Action }) => list(Action).includes('kms:Decrypt'));
      const direct = ours.filter(({ Condition }) =>
        JSON.stringify(Condition)?.includes('kms:EncryptionContext:purpose'),
      );
      expect(direct.length, name).toBe(access.dataKeys ? 1 : 0);
      const via = ours.filter(({ Condition }) => JSON.stringify(Condition)?.includes('kms:ViaService'));
      expect(via.length, name).toBe(1);
    }
  });

  test('only the submit path, the sweeper and releases start pools, and only setup writes secrets', () => {
    const who = (action: string) =>
      FUNCTION_NAMES.filter((name) => granted(region, name).some(({ Action }) => list(Action).includes(action)));
    expect(who('ecs:UpdateService')).toEqual(['infer', 'sweep', 'release-step']);
    expect(who('secretsmanager:PutSecretValue')).toEqual(['setup']);
    expect(who('ssm:GetParameter')).toEqual(
      FUNCTION_NAMES.filter((name) => !['setup', 'release-step', 'quality'].includes(name)),
    );
    expect(who('sagemaker:UpdateModelPackage')).toEqual(['model-packages']);
    expect(who('s3:PutObject').toSorted()).toEqual([
      'control',
      'infer',
      'model-packages',
      'predictions',
      'sweep',
      'validate',
    ]);
  });

  test('the function of the control plane deletes what is of tenants, and neither reads nor writes it', () => {
    const ofTenants = granted(region, 'control').filter(({ Resource }) =>
      /(tenants|captures)\/\*/.test(JSON.stringify(Resource)),
    );
    expect(ofTenants.flatMap(({ Action }) => list(Action))).toEqual(['s3:DeleteObject']);
  });

  test("the worker's role is for tasks of this account alone", () => {
    const roles = Object.entries(made.resources(region, 'inference', 'AWS::IAM::Role'));
    const [, worker] = roles.find(([id]) => id.startsWith('EcsWorkerRole'))!;
    expect(worker.Properties.AssumeRolePolicyDocument.Statement[0].Condition.StringEquals).toEqual({
      'aws:SourceAccount': '111111111111',
    });
  });
});
