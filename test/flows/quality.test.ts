import { expect, onTestFinished, test } from 'vitest';
import { lookAtAll } from '../../core/quality/drift/look-at-all.ts';
import { webhookNotices } from '../../core/quality/drift/webhook-notices.ts';
import { MINUTE_MS } from '../../core/units.ts';
import { sluice } from '../support/command-line.ts';
import { aProfile, sawBefore } from '../support/drift.ts';
import { readSample } from '../support/platform-under-test.ts';
import { withManifest } from '../support/push-model.ts';
import { startRunning } from '../support/running-platform.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { describeQuality } from './quality.flow.ts';

const MODEL = 'ticket-sentiment';

describeQuality({
  start: startRunning,
  openReceiver: () => WebhookReceiver.start(),
  async look(platform) {
    const { platform: ports, url } = platform.region();
    await lookAtAll(ports, { untilMs: ports.clock.nowMs() + MINUTE_MS, tell: webhookNotices(ports, url) });
  },
});

test('a terminal says how a version does, and by its exit code whether it has drifted', async () => {
  const drift = { windowMinutes: 1, alarmAfter: 1, minSamples: 100, threshold: 0.1 };
  const platform = await startRunning({ models: [withManifest(await readSample(MODEL), { drift })], runners: 1 });
  onTestFinished(() => platform.end());
  const operator = await platform.addKey(undefined);
  const ask = (...args: string[]) => sluice(['quality', ...args], operator);
  const usual = await ask(MODEL);
  expect([usual.code, usual.stdout]).toEqual([0, expect.stringContaining('reference.json of the push, 4547 rows')]);
  // From now on whatever comes is in a window that is looked at.
  expect((await ask(MODEL, '--now')).code).toBe(0);
  const { platform: ports } = platform.region();
  const endMs = Math.floor((ports.clock.nowMs() - MINUTE_MS) / MINUTE_MS) * MINUTE_MS;
  await sawBefore(ports, endMs, aProfile({ negative: 400 }), { model: MODEL, version: '1' });
  const now = await ask(MODEL, '--now');
  expect([now.code, now.stdout]).toEqual([1, expect.stringContaining('has drifted from its reference')]);
  const iso = (ms: number) => new Date(ms).toISOString();
  const window = ['--reference', 'window', '--from', iso(endMs - MINUTE_MS), '--until', iso(endMs)];
  const moved = await ask(MODEL, ...window, '--json');
  expect(moved.code).toBe(0);
  expect(JSON.parse(moved.stdout)).toMatchObject({ reference: { kind: 'window', rows: 400 }, status: 'too-few' });
  const unknown = await ask('nobody');
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('model')]);
}, 60_000);
