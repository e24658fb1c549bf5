import { Stack, TimeZone } from 'aws-cdk-lib';
import { CfnScalingPolicy, ScalableTarget, Schedule, ServiceNamespace } from 'aws-cdk-lib/aws-applicationautoscaling';
import {
  type Alarm,
  ComparisonOperator,
  type IMetric,
  type Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { type IRole, Role } from 'aws-cdk-lib/aws-iam';
import { Construct, type IConstruct } from 'constructs';
import type { PoolConfig } from '../config-pools.ts';
import { type PoolMetrics, waitingWithoutWorkers } from './pool-metrics.ts';

const OUT_COOLDOWN_S = 60;
/** Tasks cost minutes to start: what ends one must have been so for a while. */
const IN_COOLDOWN_S = 300;
/** An instance that starts from nothing takes up to this long: another one before would be too many. */
const START_COOLDOWN_S = 300;

export type PoolScalingParts = {
  readonly cluster: string;
  readonly service: string;
  /** What must be there before it can be scaled. */
  readonly serviceConstruct: IConstruct;
  readonly pool: PoolConfig;
  readonly metrics: PoolMetrics;
};

/**
 * As many tasks as hold the backlog of each at its target; by the clock at least so many; from zero by whichever comes first of
 * the submit path, which asks ECS itself, an alarm on what it reports, and an alarm on the queues.
 */
export class PoolScaling extends Construct {
  readonly #target: ScalableTarget;

  constructor(scope: Construct, id: string, { cluster, service, serviceConstruct, pool, metrics }: PoolScalingParts) {
    super(scope, id);
    this.#target = new ScalableTarget(this, 'Target', {
      serviceNamespace: ServiceNamespace.ECS,
      role: this.#scalingRole(),
      scalableDimension: 'ecs:service:DesiredCount',
      resourceId: `service/${cluster}/${service}`,
      minCapacity: pool.minTasks,
      maxCapacity: pool.maxTasks,
    });
    this.#target.node.addDependency(serviceConstruct);
    for (const [at, { cron, timeZone, minTasks }] of pool.scheduledMinimums.entries()) {
      this.#target.scaleOnSchedule(`Minimum${at}`, {
        schedule: Schedule.expression(`cron(${cron})`),
        timeZone: TimeZone.of(timeZone),
        minCapacity: minTasks,
      });
    }
    this.#followBacklog(pool, metrics);
    const first = this.#startFirst();
    this.#startOn('Cold', metrics.coldSubmits, first);
    this.#startOn('Waiting', waitingWithoutWorkers(metrics), first);
  }

  /** AWS's own, which it makes with the first target of an account. */
  #scalingRole(): IRole {
    const { account, partition } = Stack.of(this);
    const name = 'ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService';
    return Role.fromRoleArn(this, 'Role', `arn:${partition}:iam::${account}:role/aws-service-role/${name}`);
  }

  /** Of L1, as the L2 takes no metric math for target tracking. */
  #followBacklog(
    { backlogPerTask }: PoolConfig,
    { visible: [interactive, bulk], running, prefetched }: PoolMetrics,
  ): void {
    const metrics: CfnScalingPolicy.TargetTrackingMetricDataQueryProperty[] = [
      query('i', interactive),
      query('b', bulk),
      query('p', prefetched),
      query('r', running),
      {
        id: 'backlog',
        label: 'Jobs before each task',
        expression: '(FILL(i, 0) + FILL(b, 0)) / IF(FILL(r, 0) < 1, 1, FILL(r, 0)) + FILL(p, 0)',
        returnData: true,
      },
    ];
    new CfnScalingPolicy(this, 'Backlog', {
      policyName: `${this.node.path.replaceAll('/', '-')}-backlog`,
      policyType: 'TargetTrackingScaling',
      scalingTargetId: this.#target.scalableTargetId,
      targetTrackingScalingPolicyConfiguration: {
        targetValue: backlogPerTask,
        scaleOutCooldown: OUT_COOLDOWN_S,
        scaleInCooldown: IN_COOLDOWN_S,
        customizedMetricSpecification: { metrics },
      },
    });
  }

  /** One task where there is none; while one starts it counts, so that a second alarm adds nothing. */
  #startFirst(): CfnScalingPolicy {
    return new CfnScalingPolicy(this, 'First', {
      policyName: `${this.node.path.replaceAll('/', '-')}-first`,
      policyType: 'StepScaling',
      scalingTargetId: this.#target.scalableTargetId,
      stepScalingPolicyConfiguration: {
        adjustmentType: 'ChangeInCapacity',
        cooldown: START_COOLDOWN_S,
        metricAggregationType: 'Maximum',
        stepAdjustments: [{ metricIntervalLowerBound: 0, scalingAdjustment: 1 }],
      },
    });
  }

  #startOn(id: string, metric: IMetric, policy: CfnScalingPolicy): Alarm {
    const alarm = (metric as Metric).createAlarm(this, id, {
      alarmDescription: 'Starts the first task of a pool',
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: 1,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction({ bind: () => ({ alarmActionArn: policy.ref }) });
    return alarm;
  }
}

function query(id: string, metric: Metric): CfnScalingPolicy.TargetTrackingMetricDataQueryProperty {
  const { namespace, metricName, dimensions = {}, statistic } = metric;
  return {
    id,
    returnData: false,
    metricStat: {
      stat: statistic,
      metric: {
        namespace,
        metricName,
        dimensions: Object.entries(dimensions).map(([name, value]) => ({ name, value })),
      },
    },
  };
}
