import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnPipe } from 'aws-cdk-lib/aws-pipes';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { RELEASE_CLOCK_FILTERS, RELEASE_CLOCK_INPUT } from '../../adapters/aws/environment.ts';
import type { RegionResources } from '../region-resources.ts';

export type ReleaseStartsParts = {
  readonly resources: RegionResources;
  readonly control: TableV2;
  readonly machineArn: string;
  /** Takes what could not be started: the schedule of the function goes on without an execution. */
  readonly failed: IQueue;
};

/** Starts the release clock of a model when its release is opened, by whomever: the write of the record is all that it takes. */
export class ReleaseStarts extends Construct {
  constructor(scope: Construct, id: string, parts: ReleaseStartsParts) {
    super(scope, id);
    const { control, machineArn, failed } = parts;
    const role = this.#role(parts);
    const pipe = new CfnPipe(this, 'Pipe', {
      description: 'A model has an open release: starts its clock',
      roleArn: role.roleArn,
      source: control.tableStreamArn!,
      sourceParameters: {
        dynamoDbStreamParameters: {
          startingPosition: 'LATEST',
          batchSize: 1,
          maximumRecordAgeInSeconds: 3600,
          maximumRetryAttempts: 10,
          deadLetterConfig: { arn: failed.queueArn },
        },
        filterCriteria: { filters: RELEASE_CLOCK_FILTERS.map((pattern) => ({ pattern: JSON.stringify(pattern) })) },
      },
      target: machineArn,
      targetParameters: {
        inputTemplate: JSON.stringify(RELEASE_CLOCK_INPUT),
        stepFunctionStateMachineParameters: { invocationType: 'FIRE_AND_FORGET' },
      },
    });
    pipe.node.addDependency(role);
  }

  #role({ resources, control, machineArn, failed }: ReleaseStartsParts): Role {
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('pipes.amazonaws.com') });
    const { dataKey, operationsKey } = resources;
    const via = (services: readonly string[]) => ({
      StringEquals: { 'kms:ViaService': services.map((service) => `${service}.${dataKey.env.region}.amazonaws.com`) },
    });
    const streams = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'];
    role.addToPolicy(
      new PolicyStatement({
        actions: streams.map((action) => `dynamodb:${action}`),
        resources: [control.tableStreamArn!],
      }),
    );
    role.addToPolicy(new PolicyStatement({ actions: ['states:StartExecution'], resources: [machineArn] }));
    role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [failed.queueArn] }));
    const uses = ['kms:Decrypt', 'kms:GenerateDataKey'];
    role.addToPolicy(
      new PolicyStatement({ actions: uses, resources: [dataKey.keyArn], conditions: via(['dynamodb', 'sqs']) }),
    );
    role.addToPolicy(
      new PolicyStatement({ actions: uses, resources: [operationsKey.keyArn], conditions: via(['states']) }),
    );
    return role;
  }
}
