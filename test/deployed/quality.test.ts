import { afterAll, beforeAll } from 'vitest';
import { describeQuality } from '../flows/quality.flow.ts';
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

describeQuality({
  start: (options) => {
    const { functionVariables } = internet;
    return DeployedPlatform.start(cloud, { ...options, scheduled: ['notices', 'quality'], functionVariables });
  },
  openReceiver: () => WebhookReceiver.start({ port: internet.port }),
  // The function looks by itself.
  look: async () => {},
});
