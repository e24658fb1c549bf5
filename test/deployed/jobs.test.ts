import { afterAll, beforeAll, describe } from 'vitest';
import { describeAsync } from '../flows/async.flow.ts';
import { describeIdempotency } from '../flows/idempotency.flow.ts';
import { type Cloud, startCloud } from '../support/aws/cloud.ts';
import { DeployedPlatform } from '../support/aws/deployed-platform.ts';
import type { StartPlatform } from '../support/platform-under-test.ts';

let cloud: Cloud;

beforeAll(async () => {
  cloud = await startCloud();
});

afterAll(() => cloud.stop());

const start: StartPlatform = (options) => DeployedPlatform.start(cloud, options);

describe('later', () => describeAsync(start));
describe('once', () => describeIdempotency(start));
