import { afterAll, beforeAll } from 'vitest';
import { describeOperations } from '../flows/operations.flow.ts';
import { type Cloud, startCloud } from '../support/aws/cloud.ts';
import { DeployedPlatform } from '../support/aws/deployed-platform.ts';

let cloud: Cloud;

beforeAll(async () => {
  cloud = await startCloud();
});

afterAll(() => cloud.stop());

describeOperations((options) => DeployedPlatform.start(cloud, options));
