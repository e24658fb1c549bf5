import { Duration, Fn, RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { queueName } from '../../adapters/aws/environment.ts';

/** A tenant's own users never wait behind its batch jobs. */
const QUEUE_LANES = ['interactive', 'bulk'] as const;
type QueueLane = (typeof QUEUE_LANES)[number];

/** Above the attempts that a worker itself gives a job before it gives it up with a reason: what only the queue can see. */
const RECEIVES_BEFORE_DEAD = 60;
const KEPT = Duration.days(4);
const DEAD_KEPT = Duration.days(14);

export type LaneQueue = {
  readonly pool: string;
  readonly lane: QueueLane;
  readonly queue: Queue;
  readonly dead: Queue;
};

/** Two queues a pool, each with its dead letters, all under the region's key. */
export class PoolQueues extends Construct {
  readonly lanes: readonly LaneQueue[];

  constructor(scope: Construct, id: string, pools: readonly string[], prefix: string, key: IKey) {
    super(scope, id);
    const sealed = (construct: string, name: string, props: QueueProps) =>
      new Queue(this, construct, {
        queueName: `${prefix}-${name}`,
        encryption: QueueEncryption.KMS,
        encryptionMasterKey: key,
        // One KMS call in five minutes and queue.
        dataKeyReuse: Duration.minutes(5),
        enforceSSL: true,
        removalPolicy: RemovalPolicy.DESTROY,
        ...props,
      });
    this.lanes = pools.flatMap((pool) =>
      QUEUE_LANES.map((lane) => {
        const dead = sealed(`${pool}-${lane}-dead`, queueName(pool, lane, 'dead'), { retentionPeriod: DEAD_KEPT });
        const deadLetterQueue = { queue: dead, maxReceiveCount: RECEIVES_BEFORE_DEAD };
        const queue = sealed(`${pool}-${lane}`, queueName(pool, lane), { retentionPeriod: KEPT, deadLetterQueue });
        return { pool, lane, queue, dead };
      }),
    );
  }

  /** Beginning of every queue's URL, as whoever runs CloudFormation spells it. */
  get urlPrefix(): string {
    const [first] = this.lanes as readonly [LaneQueue];
    return Fn.select(0, Fn.split(queueName(first.pool, first.lane), first.queue.queueUrl));
  }

  of(pool: string): readonly LaneQueue[] {
    return this.lanes.filter((lane) => lane.pool === pool);
  }
}
