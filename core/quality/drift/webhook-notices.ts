import type { Platform } from '../../ports/platform.ts';
import { messageTo } from '../../webhooks/fan-out.ts';
import { REGION_OWNER } from '../../webhooks/webhook.ts';
import type { QualityNotice } from './quality-record.ts';
import { nameOfNotice, type TellNotices } from './tell.ts';

/** Addresses a message to each webhook of the region that wants such events and was there when it was found. `regionUrl` is as `ReleaseNotices` has it. */
export function webhookNotices(
  { webhooks, clock }: Pick<Platform, 'webhooks' | 'clock'>,
  regionUrl: string,
): TellNotices {
  return async (notices) => {
    const endpoints = (await webhooks.listEndpoints(REGION_OWNER)).filter(({ disabled }) => disabled === 'no');
    const nowMs = clock.nowMs();
    const messages = notices.flatMap((notice) =>
      endpoints
        .filter(({ events, createdAtMs }) => events.includes(notice.event) && createdAtMs <= notice.atMs)
        .map((endpoint) => {
          const { model, version, event } = notice;
          const body = bodyOf(notice, regionUrl);
          const about = `${model}@${version}`;
          return messageTo(endpoint, { tenant: REGION_OWNER, about, name: nameOfNotice(notice), event, body }, nowMs);
        }),
    );
    await webhooks.addDeliveries(messages);
  };
}

const REASONS = {
  drift: 'has drifted from its reference',
  'missing-class': 'predicts classes no more that its reference has',
  schedule: 'is due for a retraining',
} as const;

/** Of a notice, what leaves the region: ids and numbers. */
export function noticeData({ reason, model, version, window, checks, missingClasses }: QualityNotice, url: string) {
  return {
    model,
    version,
    reason,
    window: window && { from: new Date(window.fromMs).toISOString(), until: new Date(window.untilMs).toISOString() },
    checks: [...checks],
    missing_classes: missingClasses,
    url,
  };
}

/** `text` is what Slack's incoming webhooks show. */
function bodyOf(notice: QualityNotice, regionUrl: string): string {
  const { event, reason, model, version, atMs } = notice;
  const url = `${regionUrl}${qualityPath(notice)}`;
  return JSON.stringify({
    type: event,
    timestamp: new Date(atMs).toISOString(),
    text: `${model} ${version} ${REASONS[reason]} (${url})`,
    data: noticeData(notice, url),
  });
}

/** Where the report of a version is read. */
export function qualityPath({ model, version }: Pick<QualityNotice, 'model' | 'version'>): string {
  return `/control/v1/models/${model}/quality?version=${version}`;
}
