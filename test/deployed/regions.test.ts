import { afterAll, beforeAll, describe } from 'vitest';
import { describeControlPlane } from '../flows/control-plane.flow.ts';
import { describeRegions } from '../flows/regions.flow.ts';
import { type Cloud, startCloud } from '../support/aws/cloud.ts';
import { DeployedPlatform } from '../support/aws/deployed-platform.ts';
import type { StartPlatform } from '../support/platform-under-test.ts';

let cloud: Cloud;

beforeAll(async () => {
  cloud = await startCloud();
});

afterAll(() => cloud.stop());

const start: StartPlatform = (options) => DeployedPlatform.start(cloud, options);

describe('regions', () => describeRegions(start));
describe('the control plane', () => describeControlPlane(start));
