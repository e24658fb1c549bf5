import { afterAll, beforeAll } from 'vitest';
import { describeReleaseNotices } from '../flows/release-notices.flow.ts';
import { type Cloud, startCloud } from '../support/aws/cloud.ts';
import { DeployedPlatform } from '../support/aws/deployed-platform.ts';
import { type HooksInternet, openHooksInternet } from '../support/aws/hooks-internet.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

let cloud: Cloud;
let internet: HooksInternet;

beforeAll(async () => {
  [cloud, internet] = await Promise.all([startCloud(), openHooksInternet()]);
});

afterAll(() => Promise.all([cloud?.stop(), internet?.close()]));

describeReleaseNotices(
  (options) => {
    const { functionVariables } = internet;
    return DeployedPlatform.start(cloud, { ...options, scheduled: ['notices', 'release-step'], functionVariables });
  },
  () => WebhookReceiver.start({ port: internet.port }),
);
