import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnPipe } from 'aws-cdk-lib/aws-pipes';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { MODEL_EVENT_FIELDS } from '../../adapters/aws/environment.ts';
import type { RegionResources } from '../region-resources.ts';

export type ModelEventsParts = {
  readonly resources: RegionResources;
  /** Takes what EventBridge does not. */
  readonly failed: IQueue;
};

/** EventBridge is asked for half a minute at the most, a call and its retries. */
const VISIBILITY = Duration.minutes(2);
const MOST_RECEIVES = 10;

/**
 * Events `Sluice Model Quality` on the account's default bus: what is sent to the queue gets there at least once. A rule on them starts a pipeline that
 * trains.
 */
export class ModelEvents extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string, { resources, failed }: ModelEventsParts) {
    super(scope, id);
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: resources.dataKey,
      enforceSSL: true,
      visibilityTimeout: VISIBILITY,
      retentionPeriod: Duration.days(14),
      deadLetterQueue: { queue: failed, maxReceiveCount: MOST_RECEIVES },
    });
    const bus = Stack.of(this).formatArn({
      service: 'events',
      resource: 'event-bus',
      resourceName: 'default',
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
    const role = this.#role(resources, bus);
    const pipe = new CfnPipe(this, 'Pipe', {
      description: 'What has become of models: tells EventBridge',
      roleArn: role.roleArn,
      source: this.queue.queueArn,
      sourceParameters: { sqsQueueParameters: { batchSize: 1 } },
      target: bus,
      targetParameters: {
        inputTemplate: `{${MODEL_EVENT_FIELDS.map((field) => `"${field}": <$.body.${field}>`).join(', ')}}`,
        eventBridgeEventBusParameters: { source: 'sluice', detailType: 'Sluice Model Quality' },
      },
    });
    pipe.node.addDependency(role);
  }

  /** Lets a function send. */
  tellBy(sender: LambdaFunction): void {
    sender.addToRolePolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.queue.queueArn] }));
  }

  #role({ dataKey }: RegionResources, bus: string): Role {
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('pipes.amazonaws.com') });
    const may = (actions: readonly string[], resource: string, service?: string) =>
      role.addToPolicy(
        new PolicyStatement({
          actions: [...actions],
          resources: [resource],
          ...(service !== undefined && { conditions: { StringEquals: { 'kms:ViaService': service } } }),
        }),
      );
    may(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], this.queue.queueArn);
    may(['events:PutEvents'], bus);
    may(['kms:Decrypt'], dataKey.keyArn, `sqs.${dataKey.env.region}.amazonaws.com`);
    return role;
  }
}
