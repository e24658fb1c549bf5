import { describe, expect, test } from 'vitest';
import { serviceName } from '../../adapters/aws/environment.ts';
import { makeApp, REGIONS, type Resource, Synthesized } from './support/synthesized.ts';

const made = new Synthesized(makeApp());
const GPU_POOLS = ['default', 'acme'] as const;

function ofType(region: string, type: string): readonly (Resource & { readonly id: string })[] {
  return Object.entries(made.resources(region, 'inference', type)).map(([id, resource]) => ({ ...resource, id }));
}

function service(region: string, pool: string): Resource {
  return ofType(region, 'AWS::ECS::Service').find(
    ({ Properties }) => Properties.ServiceName === serviceName('prod', pool),
  )!;
}

function task(region: string, pool: string): Resource {
  const id = service(region, pool).Properties.TaskDefinition.Ref;
  return made.resources(region, 'inference')[id]!;
}

function userData(template: Resource): string {
  const { UserData } = template.Properties.LaunchTemplateData;
  return JSON.stringify(UserData);
}

describe.each(REGIONS)('queues of %s', (region) => {
  test('each pool has two, encrypted, by TLS only, with dead letters beyond what a worker itself tries', () => {
    const queues = ofType(region, 'AWS::SQS::Queue');
    const dead = queues.filter(({ Properties }) => Properties.QueueName.endsWith('-dead'));
    const live = queues.filter((queue) => !dead.includes(queue));
    expect(live).toHaveLength(dead.length);
    for (const { Properties } of queues) expect(Properties.KmsMasterKeyId).toBeDefined();
    for (const { Properties } of live) {
      expect(Properties.RedrivePolicy.maxReceiveCount).toBe(60);
      const [target] = Properties.RedrivePolicy.deadLetterTargetArn['Fn::GetAtt'];
      expect(dead.find(({ id }) => id === target)!.Properties.QueueName).toBe(`${Properties.QueueName}-dead`);
    }
    for (const { Properties } of dead) expect(Properties.MessageRetentionPeriod).toBe(14 * 86_400);
    const policies = ofType(region, 'AWS::SQS::QueuePolicy');
    expect(policies).toHaveLength(queues.length);
    for (const policy of policies) expect(JSON.stringify(policy)).toContain('"aws:SecureTransport":"false"');
  });
});

describe('GPU instances', () => {
  const templates = ofType('us', 'AWS::EC2::LaunchTemplate');

  test('each pool has On-Demand for its base and Spot beside it', () => {
    expect(templates).toHaveLength(2 * GPU_POOLS.length);
    const groups = ofType('us', 'AWS::AutoScaling::AutoScalingGroup').map(
      ({ Properties }) => Properties.MixedInstancesPolicy,
    );
    const shares = groups.map(({ InstancesDistribution }) => InstancesDistribution.OnDemandPercentageAboveBaseCapacity);
    expect(shares).toEqual([100, 0, 100, 0]);
    for (const { InstancesDistribution, LaunchTemplate } of groups) {
      expect(InstancesDistribution.SpotAllocationStrategy).toBe('price-capacity-optimized');
      expect(LaunchTemplate.Overrides).toEqual([{ InstanceType: 'g5.xlarge' }, { InstanceType: 'g6.xlarge' }]);
    }
    const { CapacityProviderStrategy: strategy } = service('us', 'default').Properties;
    expect(strategy).toEqual([
      expect.objectContaining({ Base: 1, Weight: 20 }),
      expect.objectContaining({ Weight: 80 }),
    ]);
  });

  test("a spot notice drains, tasks do not see the instance's role, and stopping takes up to two minutes", () => {
    for (const template of templates) {
      for (const line of [
        'ECS_ENABLE_SPOT_INSTANCE_DRAINING=true',
        'ECS_AWSVPC_BLOCK_IMDS=true',
        'ECS_CONTAINER_STOP_TIMEOUT=120s',
      ]) {
        expect(userData(template)).toContain(`echo ${line} >> /etc/ecs/ecs.config`);
      }
      expect(userData(template)).toContain('echo ECS_CLUSTER=');
    }
  });

  test("the cache is on the instance's own disk and the worker's alone", () => {
    for (const template of templates) {
      expect(userData(template)).toContain('mount -o noatime,nodev,nosuid');
      expect(userData(template)).toContain('chown 10001:10001 /var/lib/sluice/cache');
    }
  });

  test('metadata wants a session and answers no farther than the instance; disks are encrypted', () => {
    for (const { Properties } of templates) {
      const { MetadataOptions, BlockDeviceMappings } = Properties.LaunchTemplateData;
      expect(MetadataOptions).toMatchObject({ HttpTokens: 'required', HttpPutResponseHopLimit: 1 });
      expect(BlockDeviceMappings[0].Ebs).toMatchObject({ Encrypted: true, VolumeType: 'gp3' });
    }
  });

  test('groups go to zero and leave it to ECS which instance may end', () => {
    for (const { Properties } of ofType('us', 'AWS::AutoScaling::AutoScalingGroup')) {
      expect(Properties).toMatchObject({ MinSize: '0', NewInstancesProtectedFromScaleIn: true });
      expect(Properties.DesiredCapacity).toBeUndefined();
    }
    for (const { Properties } of ofType('us', 'AWS::ECS::CapacityProvider')) {
      expect(Properties.AutoScalingGroupProvider).toMatchObject({
        ManagedDraining: 'ENABLED',
        ManagedTerminationProtection: 'ENABLED',
        ManagedScaling: { Status: 'ENABLED', TargetCapacity: 100 },
      });
    }
  });

  test('a service comes after the association of its capacity providers', () => {
    const [association] = ofType('us', 'AWS::ECS::ClusterCapacityProviderAssociations');
    for (const { DependsOn } of ofType('us', 'AWS::ECS::Service')) expect(DependsOn).toContain(association!.id);
  });
});

describe.each([
  ['us', 'default'],
  ['us', 'cpu'],
  ['us', 'acme'],
  ['eu', 'default'],
] as const)('the worker of %s/%s', (region, pool) => {
  const container = task(region, pool).Properties.ContainerDefinitions[0];

  test("is no user of the system's, writes nothing but its two folders, and has two minutes to hand back its work", () => {
    expect(container).toMatchObject({ User: '10001:10001', ReadonlyRootFilesystem: true, StopTimeout: 120 });
    expect(container.Privileged).toBeUndefined();
    const writable = [
      ...container.MountPoints.map(({ ContainerPath }: { ContainerPath: string }) => ContainerPath),
      ...(container.LinuxParameters.Tmpfs ?? []).map(({ ContainerPath }: { ContainerPath: string }) => ContainerPath),
    ];
    expect(writable.toSorted()).toEqual(['/cache', '/tmp']);
  });

  test('is asked whether it is well', () => {
    expect(container.HealthCheck.Command.at(-1)).toBe('--health');
  });

  test('runs in subnets without a way to the internet', () => {
    const { AwsvpcConfiguration } = service(region, pool).Properties.NetworkConfiguration;
    expect(AwsvpcConfiguration.AssignPublicIp ?? 'DISABLED').toBe('DISABLED');
    expect(Object.values(made.resources(region, 'foundation', 'AWS::EC2::InternetGateway'))).toEqual([]);
    expect(Object.values(made.resources(region, 'foundation', 'AWS::EC2::NatGateway'))).toEqual([]);
  });

  test('can be replaced where it is the only one', () => {
    const { MaximumPercent, MinimumHealthyPercent } = service(region, pool).Properties.DeploymentConfiguration;
    expect(Math.floor(MaximumPercent / 100)).toBeGreaterThan(Math.ceil(MinimumHealthyPercent / 100));
  });

  test('leaves the number of tasks to scaling', () => {
    expect(service(region, pool).Properties.DesiredCount).toBeUndefined();
  });
});

test('a pool of its own is paid by its tenant', () => {
  expect(service('us', 'acme').Properties.Tags).toContainEqual({ Key: 'sluice:tenant', Value: 'acme' });
});

test('on the first deployment services start without tasks', () => {
  const first = new Synthesized(makeApp(undefined, { isFirstDeployment: true }));
  for (const { Properties } of Object.values(first.resources('us', 'inference', 'AWS::ECS::Service'))) {
    expect(Properties.DesiredCount).toBe(0);
  }
});

describe('scaling', () => {
  const policies = ofType('us', 'AWS::ApplicationAutoScaling::ScalingPolicy');
  const targets = ofType('us', 'AWS::ApplicationAutoScaling::ScalableTarget');

  test('holds the backlog of each task, of what is visible and what is prefetched, by one expression', () => {
    const tracking = policies.filter(({ Properties }) => Properties.PolicyType === 'TargetTrackingScaling');
    expect(tracking).toHaveLength(3);
    const { TargetTrackingScalingPolicyConfiguration: configuration } = tracking[0]!.Properties;
    const { Metrics } = configuration.CustomizedMetricSpecification;
    const answers = Metrics.filter(({ ReturnData }: { ReturnData: boolean }) => ReturnData);
    expect(answers.map(({ Expression }: { Expression: string }) => Expression)).toEqual([
      '(FILL(i, 0) + FILL(b, 0)) / IF(FILL(r, 0) < 1, 1, FILL(r, 0)) + FILL(p, 0)',
    ]);
    const prefetched = Metrics.find(({ Id }: { Id: string }) => Id === 'p').MetricStat;
    expect(prefetched).toEqual({
      Stat: 'Average',
      Metric: {
        Namespace: 'Sluice',
        MetricName: 'PrefetchedNotStarted',
        Dimensions: expect.arrayContaining([
          { Name: 'Deployment', Value: 'prod' },
          { Name: 'Region', Value: 'us' },
        ]),
      },
    });
    expect(configuration.TargetValue).toBe(20);
  });

  test('goes to zero where a pool may, and by the clock is back before people are', () => {
    const pool = targets.find(({ Properties }) => Properties.ResourceId === 'service/sluice-prod-us/prod-default')!;
    expect(pool.Properties).toMatchObject({ MinCapacity: 0, MaxCapacity: 8 });
    const actions = pool.Properties.ScheduledActions;
    expect(actions.map(({ Schedule, Timezone }: Record<string, string>) => `${Schedule} ${Timezone}`)).toEqual([
      'cron(0 7 ? * MON-FRI *) America/New_York',
      'cron(0 20 ? * MON-FRI *) America/New_York',
    ]);
    expect(
      actions.map(
        ({ ScalableTargetAction }: { ScalableTargetAction: { MinCapacity: number } }) =>
          ScalableTargetAction.MinCapacity,
      ),
    ).toEqual([1, 0]);
  });

  test('starts a first task on cold submissions within ten seconds, and on jobs that wait without workers', () => {
    const alarms = ofType('us', 'AWS::CloudWatch::Alarm');
    const cold = alarms.filter(({ Properties }) => Properties.MetricName === 'ColdSubmits');
    const waiting = alarms.filter(({ Properties }) =>
      Properties.Metrics?.some(({ Expression }: { Expression?: string }) => Expression?.includes('FILL(r, 0) < 1')),
    );
    expect(cold).toHaveLength(3);
    expect(waiting).toHaveLength(3);
    for (const { Properties } of cold)
      expect(Properties).toMatchObject({ Period: 10, Namespace: 'Sluice', EvaluationPeriods: 1 });
    const steps = policies.filter(({ Properties }) => Properties.PolicyType === 'StepScaling');
    for (const { Properties } of [...cold, ...waiting]) {
      expect(steps.map(({ id }) => id)).toContain(Properties.AlarmActions[0].Ref);
    }
    for (const { Properties } of steps) {
      expect(Properties.StepScalingPolicyConfiguration).toMatchObject({
        AdjustmentType: 'ChangeInCapacity',
        StepAdjustments: [{ MetricIntervalLowerBound: 0, ScalingAdjustment: 1 }],
      });
    }
  });
});

describe.each(REGIONS)('the network of %s', (region) => {
  test('services are reached inside it, from workers alone', () => {
    const endpoints = Object.values(made.resources(region, 'foundation', 'AWS::EC2::VPCEndpoint'));
    expect(endpoints.filter(({ Properties }) => Properties.VpcEndpointType === 'Gateway')).toHaveLength(2);
    const groups = Object.entries(made.resources(region, 'foundation', 'AWS::EC2::SecurityGroup'));
    for (const { Properties } of endpoints.filter(
      ({ Properties: { VpcEndpointType } }) => VpcEndpointType === 'Interface',
    )) {
      expect(Properties.SecurityGroupIds).toHaveLength(1);
    }
    for (const [id, { Properties }] of groups) expect(Properties.SecurityGroupIngress, id).toBeUndefined();
    const ingress = Object.values(made.resources(region, 'foundation', 'AWS::EC2::SecurityGroupIngress'));
    expect(ingress.map(({ Properties }) => [Properties.FromPort, Properties.CidrIp])).toEqual([[443, undefined]]);
  });

  test('what flows in it is noted', () => {
    expect(Object.values(made.resources(region, 'foundation', 'AWS::EC2::FlowLog'))).toHaveLength(1);
  });
});
