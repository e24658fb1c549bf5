import { afterAll, beforeAll } from 'vitest';
import { describeCost } from '../flows/cost.flow.ts';
import { type Cloud, startCloud } from '../support/aws/cloud.ts';
import { DeployedPlatform } from '../support/aws/deployed-platform.ts';

let cloud: Cloud;

beforeAll(async () => {
  cloud = await startCloud();
});

afterAll(() => cloud.stop());

describeCost((options) => DeployedPlatform.start(cloud, options));
