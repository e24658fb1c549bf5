import { ArnFormat, Stack } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { regionPrefix } from '../names.ts';
import type { RegionContext } from '../region-context.ts';
import type { RegionResources } from '../region-resources.ts';
import { releaseMachine } from '../release-machine.ts';
import { sealedLogGroup } from './sealed-log-group.ts';

export type ReleaseClockParts = {
  readonly context: RegionContext;
  readonly resources: RegionResources;
  /** Looks and decides. */
  readonly step: IFunction;
};

/** What Step Functions needs to write a log itself: none of it is of a resource. */
const LOG_DELIVERY = [
  'logs:CreateLogDelivery',
  'logs:GetLogDelivery',
  'logs:UpdateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:DescribeResourcePolicies',
  'logs:DescribeLogGroups',
];

/** The state machine by which releases go on: an execution for each model that has an open one. */
export class ReleaseClock extends Construct {
  readonly name: string;
  readonly arn: string;

  constructor(scope: Construct, id: string, parts: ReleaseClockParts) {
    super(scope, id);
    const { context, resources, step } = parts;
    const prefix = regionPrefix(context.config.deployment, context.region);
    this.name = `${prefix}-release-clock`;
    // By its name, as its own role names it.
    this.arn = Stack.of(this).formatArn({
      service: 'states',
      resource: 'stateMachine',
      resourceName: this.name,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const log = sealedLogGroup(this, 'Log', {
      config: context.config,
      key: resources.operationsKey,
      // AWS shortens the account's policy of log deliveries for names under this.
      name: `/aws/vendedlogs/states/${this.name}`,
    });
    const role = this.#role(parts);
    const machine = new CfnStateMachine(this, 'Machine', {
      stateMachineName: this.name,
      stateMachineType: 'STANDARD',
      roleArn: role.roleArn,
      // As text: a template takes no null, by which a state says that it drops a result.
      definitionString: Stack.of(this).toJsonString(releaseMachine({ functionArn: step.functionArn })),
      encryptionConfiguration: { type: 'CUSTOMER_MANAGED_KMS_KEY', kmsKeyId: resources.operationsKey.keyArn },
      loggingConfiguration: {
        level: 'ALL',
        includeExecutionData: false,
        destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: log.logGroupArn } }],
      },
      tracingConfiguration: { enabled: false },
    });
    machine.node.addDependency(role);
  }

  /** How many executions have ended so. */
  metric(name: 'ExecutionsFailed' | 'ExecutionsTimedOut' | 'ExecutionsAborted'): Metric {
    return new Metric({
      namespace: 'AWS/States',
      metricName: name,
      dimensionsMap: { StateMachineArn: this.arn },
      statistic: 'Sum',
    });
  }

  #role({ resources, step }: ReleaseClockParts): Role {
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('states.amazonaws.com') });
    const key = resources.operationsKey.keyArn;
    const may = (actions: readonly string[], resource: string, conditions?: Record<string, Record<string, string>>) =>
      role.addToPolicy(
        new PolicyStatement({ actions: [...actions], resources: [resource], ...(conditions && { conditions }) }),
      );
    may(['lambda:InvokeFunction'], step.functionArn);
    may(['states:StartExecution'], this.arn);
    may(
      ['events:PutEvents'],
      Stack.of(this).formatArn({ service: 'events', resource: 'event-bus', resourceName: 'default' }),
    );
    may(['kms:Decrypt', 'kms:GenerateDataKey'], key, {
      StringEquals: { 'kms:EncryptionContext:aws:states:stateMachineArn': this.arn },
    });
    const { region, account, partition } = Stack.of(this);
    may(['kms:GenerateDataKey'], key, {
      StringEquals: { 'kms:EncryptionContext:SourceArn': `arn:${partition}:logs:${region}:${account}:*` },
    });
    may(LOG_DELIVERY, '*');
    return role;
  }
}
