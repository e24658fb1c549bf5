import { startRunning } from '../support/running-platform.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { describeReleaseNotices } from './release-notices.flow.ts';

describeReleaseNotices(startRunning, () => WebhookReceiver.start());
