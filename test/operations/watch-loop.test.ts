import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { regionSources } from '../../core/operations/region-sources.ts';
import { webhookAlarms } from '../../core/operations/tell-alarms.ts';
import { watchMinute } from '../../core/operations/watch.ts';
import type { CheckResult } from '../../core/operations/watch-record.ts';
import type { Platform } from '../../core/ports/platform.ts';
import { emptyTelemetry } from '../../core/quality/telemetry.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { ALARM_EVENT, REGION_OWNER, type WebhookEndpoint } from '../../core/webhooks/webhook.ts';
import { startWatchLoop } from '../../embedded/watch-loop.ts';
import { type LocalPlatform, openLocalPlatform } from '../support/local-platform.ts';

const FAILED: CheckResult = { check: 'live', atMs: 1, ok: false, status: 503, ms: 12 };

let local: LocalPlatform;
beforeEach(async () => {
  local = await openLocalPlatform();
});
afterEach(() => local.close());

function host() {
  const config = { region: 'us', regionUrls: {}, corsOrigins: [], pools: ['default'], usdPerComputeHour: 1 };
  return { ...local.ports, config, clock: local.clock, log: local.log } satisfies Partial<Platform>;
}

const isOn = async (id: string) =>
  (await local.ports.watches.latest())?.alarms.some((alarm) => alarm.id === id && alarm.condition.kind === 'alarm');

test('a region is watched once a minute until it is stopped, with that minute’s checks', async () => {
  const check = vi.fn(async () => [FAILED]);
  const onWatched = vi.fn();
  const loop = startWatchLoop({ host: host(), sources: [], check, onWatched });
  for (let minute = 1; minute <= 4; minute += 1) {
    await local.clock.advance(MINUTE_MS);
    await vi.waitFor(() => expect(onWatched).toHaveBeenCalledTimes(minute));
  }
  expect(check).toHaveBeenCalledTimes(4);
  expect(await isOn('check-failed')).toBe(true);
  await loop.stop();
  await local.clock.advance(10 * MINUTE_MS);
  expect(check).toHaveBeenCalledTimes(4);
});

test('a minute in which nothing can be kept is logged, and the next one goes on from the last', async () => {
  const { watches } = local.ports;
  const onWatched = vi.fn();
  const save = vi.fn(watches.save.bind(watches));
  const failing = { ...host(), watches: { latest: () => watches.latest(), save } };
  const loop = startWatchLoop({ host: failing, sources: [], check: async () => [FAILED], onWatched });
  await local.clock.advance(MINUTE_MS);
  await vi.waitFor(() => expect(onWatched).toHaveBeenCalledTimes(1));
  save.mockRejectedValueOnce(new Error('the disk is full'));
  await local.clock.advance(MINUTE_MS);
  await vi.waitFor(() => expect(local.logged.join()).toContain('was not watched this minute'));
  await local.clock.advance(MINUTE_MS);
  await vi.waitFor(() => expect(onWatched).toHaveBeenCalledTimes(2));
  expect(await isOn('check-failed')).toBe(true);
  await loop.stop();
});

test('an alarm outlives a kill of the process', async () => {
  for (let minute = 0; minute < 4; minute += 1) {
    await local.clock.advance(MINUTE_MS);
    await watchMinute(host(), [], [FAILED], local.clock.nowMs());
  }
  expect(await isOn('check-failed')).toBe(true);
  await local.crash();
  expect(await isOn('check-failed')).toBe(true);
  await local.clock.advance(MINUTE_MS);
  const { alarms } = await watchMinute(host(), [], [{ ...FAILED, ok: true, status: 200 }], local.clock.nowMs());
  expect(alarms.find(({ id }) => id === 'check-failed')?.condition.kind).toBe('clearing');
  // Told once, whatever happens in between.
  const told = local.logged.filter((line) => line.includes('"message":"alarm"'));
  expect(told).toHaveLength(1);
  expect(JSON.parse(told[0]!)).toMatchObject({ level: 'warn', alarm: 'check-failed', severity: 'page', check: 'live' });
});

test('what cannot be measured keeps nothing else from being known, and is named in the log without what it said', async () => {
  const broken = async () => {
    throw new Error('secret text');
  };
  const { deadLetters } = local.ports;
  const sick = {
    ...host(),
    deadLetters: { ...deadLetters, count: broken },
    queue: { ...local.ports.queue, depth: broken },
  };
  const nowMs = local.clock.nowMs();
  await deliver(nowMs);
  const { measures } = await watchMinute(sick, regionSources(sick), [], nowMs + MINUTE_MS);
  expect(measures.map(({ metric }) => metric)).toContain('requests');
  expect(measures.map(({ metric }) => metric)).toContain('audit_broken');
  expect(measures.map(({ metric }) => metric)).not.toContain('dead_letters');
  const lines = local.logged.filter((line) => line.includes('not measured this minute'));
  expect(lines).toHaveLength(2);
  expect(lines.join()).not.toContain('secret text');
});

test('every source of a region measures what it is named for', async () => {
  const nowMs = local.clock.nowMs();
  await deliver(nowMs);
  const { measures } = await watchMinute(host(), regionSources(host()), [], nowMs + MINUTE_MS);
  const found = new Set(measures.map(({ metric }) => metric));
  for (const metric of [
    'requests',
    'queue_depth',
    'workers',
    'dead_letters',
    'cost_today_usd',
    'audit_broken',
    'watch_age_s',
  ])
    expect(found).toContain(metric);
});

test('webhooks of the region that want alarms are told once that one is on, and once that it is over', async () => {
  const endpoint = (id: string, events: WebhookEndpoint['events']): WebhookEndpoint => ({
    ...{ id, tenant: REGION_OWNER, url: 'https://hooks.test/', events, secret: 'whsec_AAAA', disabled: 'no' },
    createdAtMs: Math.floor(local.clock.nowMs()),
  });
  const { webhooks } = local.ports;
  await webhooks.addEndpoint(endpoint('wh_0000000000000001', [ALARM_EVENT]), 10);
  await webhooks.addEndpoint(endpoint('wh_0000000000000002', ['release.changed']), 10);
  const telling = { ...host(), tellAlarms: webhookAlarms(host()) };
  for (let minute = 0; minute < 12; minute += 1) {
    await local.clock.advance(MINUTE_MS);
    const check = minute < 4 ? FAILED : { ...FAILED, ok: true, status: 200 };
    await watchMinute(telling, [], [check], local.clock.nowMs());
  }
  const told = await Promise.all(
    ['wh_0000000000000001', 'wh_0000000000000002'].map((id) => webhooks.listDeliveries(REGION_OWNER, id, 100)),
  );
  expect(told.map((deliveries) => deliveries.length)).toEqual([2, 0]);
  const bodies = told[0]!.toReversed().map(({ body }) => JSON.parse(body));
  expect(bodies.map(({ type, data }) => [type, data.name, data.of.check, data.state]).sort()).toEqual([
    ['alarm.changed', 'check-failed', 'live', 'alarm'],
    ['alarm.changed', 'check-failed', 'live', 'ok'],
  ]);
  expect(bodies[0].text).toMatch(/^us: check-failed \(check=live\) is on\. .*runbook\.md#check-failed\)$/);
});

async function deliver(atMs: number): Promise<void> {
  const telemetry = emptyTelemetry();
  telemetry.requests = 5;
  const windowStartMs = Math.floor(atMs / (5 * SECOND_MS)) * 5 * SECOND_MS;
  await local.ports.telemetry.append([
    { model: 'm', version: '1', windowStartMs, writer: 'w', sequence: 1, shard: 0, telemetry },
  ]);
}
