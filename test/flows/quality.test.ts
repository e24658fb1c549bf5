import { lookAtAll } from '../../core/quality/drift/look-at-all.ts';
import { webhookNotices } from '../../core/quality/drift/webhook-notices.ts';
import { MINUTE_MS } from '../../core/units.ts';
import { startRunning } from '../support/running-platform.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { describeQuality } from './quality.flow.ts';

describeQuality({
  start: startRunning,
  openReceiver: () => WebhookReceiver.start(),
  async look(platform) {
    const { platform: ports, url } = platform.region();
    await lookAtAll(ports, { untilMs: ports.clock.nowMs() + MINUTE_MS, tell: webhookNotices(ports, url) });
  },
});
