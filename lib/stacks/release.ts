import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { ReleaseClock } from '../constructs/release-clock.ts';
import { ReleaseStarts } from '../constructs/release-starts.ts';
import type { RegionContext } from '../region-context.ts';
import type { RegionResources } from '../region-resources.ts';

/** States of which people are told: a release waits for one of them, or it has ended. */
const TELLING = ['gated', 'escalated', 'undoing', 'rolled-back', 'promoted'];

export type ReleaseStackParts = {
  readonly context: RegionContext;
  readonly resources: RegionResources;
  readonly control: TableV2;
  readonly step: IFunction;
  readonly failed: IQueue;
};

/** What takes the region's releases from step to step, and tells of it. */
export class Release extends Stack {
  readonly clock: ReleaseClock;

  constructor(scope: Construct, id: string, props: StackProps, parts: ReleaseStackParts) {
    super(scope, id, props);
    const { context, resources, control, step, failed } = parts;
    this.clock = new ReleaseClock(this, 'Clock', { context, resources, step });
    new ReleaseStarts(this, 'Starts', { resources, control, machineArn: this.clock.arn, failed });
    const topic = new Topic(this, 'Notices', { masterKey: resources.operationsKey, enforceSSL: true });
    new Rule(this, 'Telling', {
      description: 'Releases that wait for a person, or have ended',
      eventPattern: {
        source: ['sluice'],
        detailType: ['Sluice Release Changed'],
        detail: { deployment: [context.config.deployment], region: [context.region], state: TELLING },
      },
      targets: [new SnsTopic(topic)],
    });
    new CfnOutput(this, 'NoticesTopic', { value: topic.topicArn });
  }
}
