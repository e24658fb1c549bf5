import { afterAll, beforeAll } from 'vitest';
import { describeFeedback } from '../flows/feedback.flow.ts';
import { type Cloud, startCloud } from '../support/aws/cloud.ts';
import { DeployedPlatform } from '../support/aws/deployed-platform.ts';

let cloud: Cloud;

beforeAll(async () => {
  cloud = await startCloud();
});

afterAll(() => cloud.stop());

describeFeedback((options) => DeployedPlatform.start(cloud, options));
