import type { EventBridgeEvent } from 'aws-lambda';
import { dynamoClient, s3Client, sagemakerClient } from '../../adapters/aws/clients.ts';
import { readModelPackagesEnvironment } from '../../adapters/aws/environment.ts';
import { onModelPackageEvent, settleModelPackages } from '../../adapters/aws/model-packages.ts';
import { Table } from '../../adapters/aws/table.ts';
import { openHost } from './host.ts';
import { start } from './main.ts';

const CHANGE = 'SageMaker Model Package State Change';

/** Pushes a package that was approved, and may start the release of its version; with every event, those of the schedule too, packages are told what became of them. */
export const handler = await start(async (lambda) => {
  const { environment, endpoints, variables, clock } = lambda;
  const { groups, startsReleases } = readModelPackagesEnvironment(variables);
  const { awsRegion: region } = environment;
  const packages = {
    sagemaker: sagemakerClient({ region, endpoint: endpoints.sagemaker }),
    s3: s3Client({ region, endpoint: endpoints.s3 }),
    control: new Table(dynamoClient({ region, endpoint: endpoints.dynamo }), environment.tables.control),
    groups,
    startsReleases,
  };
  const host = await openHost(lambda);
  const ports = { ...host, packages };
  return async (event: Partial<EventBridgeEvent<string, unknown>>): Promise<void> => {
    try {
      await host.refresh();
      if (event['detail-type'] === CHANGE) await onModelPackageEvent(ports, event);
      await settleModelPackages(ports, clock.nowMs());
    } finally {
      await host.settled();
    }
  };
});
