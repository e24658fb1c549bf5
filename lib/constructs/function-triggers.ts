import { Duration } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as FunctionTarget } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, type Function as LambdaFunction, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import {
  type InnerFunction,
  QUALITY_EVERY_MINUTES,
  STREAMS,
  VALIDATE_EVERY_MINUTES,
} from '../../adapters/aws/environment.ts';
import type { Config } from '../config.ts';

const EVERY_MINUTES: Readonly<Partial<Record<InnerFunction, number>>> = {
  sweep: 1,
  notices: 1,
  validate: VALIDATE_EVERY_MINUTES,
  'model-packages': 1,
  'release-step': 1,
  quality: QUALITY_EVERY_MINUTES,
  watch: 1,
};

export type TriggerParts = {
  readonly config: Config;
  readonly functions: Readonly<Record<InnerFunction, LambdaFunction>>;
  readonly control: TableV2;
  readonly jobs: TableV2;
  readonly failed: IQueue;
};

/** What invokes the functions that no caller reaches: the clock, changes of tables, and approvals of models elsewhere. */
export class FunctionTriggers extends Construct {
  readonly #failed: IQueue;

  constructor(scope: Construct, id: string, { config, functions, control, jobs, failed }: TriggerParts) {
    super(scope, id);
    this.#failed = failed;
    for (const [name, minutes] of Object.entries(EVERY_MINUTES)) {
      new Rule(this, `Every-${name}`, {
        schedule: Schedule.rate(Duration.minutes(minutes)),
        targets: [new FunctionTarget(functions[name as InnerFunction], { retryAttempts: 0 })],
      });
    }
    this.#follow('validate', control, functions.validate);
    this.#follow('notices', jobs, functions.notices);
    this.#hearApprovals(config, functions['model-packages']);
  }

  /** A change that a lost invocation leaves is found by the schedule: a stream does not wait for one that cannot be handled. */
  #follow(name: keyof typeof STREAMS, table: TableV2, target: LambdaFunction): void {
    const eventSourceArn = table.tableStreamArn!;
    const actions = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map(
      (action) => `dynamodb:${action}`,
    );
    target.addToRolePolicy(new PolicyStatement({ actions, resources: [eventSourceArn] }));
    const mapping = new EventSourceMapping(this, `Stream-${name}`, {
      target,
      eventSourceArn,
      startingPosition: StartingPosition.LATEST,
      batchSize: name === 'validate' ? 1 : 100,
      parallelizationFactor: 1,
      retryAttempts: 2,
      maxRecordAge: Duration.hours(1),
      bisectBatchOnError: true,
      onFailure: new SqsDlq(this.#failed),
      filters: STREAMS[name].filters.map((pattern) => ({ pattern: JSON.stringify(pattern) })),
    });
    mapping.node.addDependency(target.role!);
  }

  #hearApprovals({ sagemaker }: Config, target: LambdaFunction): void {
    if (sagemaker.modelPackageGroups.length === 0) return;
    new Rule(this, 'Approvals', {
      description: 'Packages of the SageMaker Model Registry that are approved, or no longer are',
      eventPattern: {
        source: ['aws.sagemaker'],
        detailType: ['SageMaker Model Package State Change'],
        detail: { ModelPackageGroupName: [...sagemaker.modelPackageGroups] },
      },
      targets: [new FunctionTarget(target, { retryAttempts: 10 })],
    });
  }
}
