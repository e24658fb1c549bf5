import { afterAll, beforeAll, describe } from 'vitest';
import { describeCache } from '../flows/cache.flow.ts';
import { describeFallback } from '../flows/fallback.flow.ts';
import { describeQuota } from '../flows/quota.flow.ts';
import { type Cloud, startCloud } from '../support/aws/cloud.ts';
import { DeployedPlatform } from '../support/aws/deployed-platform.ts';
import type { StartPlatform } from '../support/platform-under-test.ts';

let cloud: Cloud;

beforeAll(async () => {
  cloud = await startCloud();
});

afterAll(() => cloud.stop());

const start: StartPlatform = (options) => DeployedPlatform.start(cloud, options);

describe('quota', () => describeQuota(start, 100));
describe('kept answers', () => describeCache(start));
describe('fallbacks', () => describeFallback(start, 500));
