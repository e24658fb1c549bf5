import { afterAll, beforeAll } from 'vitest';
import { describeMetrics } from '../flows/metrics.flow.ts';
import { type Cloud, startCloud } from '../support/aws/cloud.ts';
import { DeployedPlatform } from '../support/aws/deployed-platform.ts';

let cloud: Cloud;

beforeAll(async () => {
  cloud = await startCloud();
});

afterAll(() => cloud.stop());

describeMetrics((options) => DeployedPlatform.start(cloud, options));
