import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRegion } from '../../adapters/local/open-region.ts';
import { SystemClock } from '../../adapters/node/system-clock.ts';
import { WINDOW_MS } from '../../core/quality/recorder.ts';
import { SECOND_MS } from '../../core/units.ts';
import { NO_LOG } from '../support/aws/aws-jobs.ts';
import { killNow, StartedPlatform } from '../support/durability/started-platform.ts';
import { fourOf, type JsonTensor, texts } from '../support/http-client.ts';

let platform: StartedPlatform;

beforeAll(async () => {
  platform = await StartedPlatform.create();
  await platform.start();
});

afterAll(() => platform.end());

async function ask(tenant: string, model: string, inputs: JsonTensor[], times: number): Promise<void> {
  const client = platform.tenant(tenant);
  for (let at = 0; at < times; at += 1) expect((await client.infer(model, inputs)).status).toBe(200);
}

/** Until the window is over and its reports are written. */
const written = () => delay(WINDOW_MS + SECOND_MS);

async function killAll(): Promise<void> {
  const others = platform.descendants();
  await platform.kill(others);
  others.forEach(killNow);
}

test('kill -9 loses at most what the last window saw, and nothing is counted twice after a restart', async () => {
  await ask('acme', 'ticket-sentiment', texts('text', 'thank you'), 5);
  await written();
  await ask('initech', 'row-sum', fourOf(1), 3);
  await killAll();
  await platform.start();
  await ask('acme', 'row-sum', fourOf(1), 2);
  await written();
  await killAll();
  const { region } = platform.credentials.tenants.find(({ tenant }) => tenant === 'acme')!;
  const clock = new SystemClock();
  const storage = await openRegion({ dataFolder: platform.folder, region, clock, log: NO_LOG });
  try {
    const read = async (model: string) => storage.telemetry.read(model, '1', 0, clock.nowMs());
    const sentiment = await read('ticket-sentiment');
    expect([sentiment.requests, sentiment.labels.total, sentiment.tenants.get('acme')]).toEqual([5, 5, 5]);
    const { tenants, requests } = await read('row-sum');
    expect(tenants.get('acme')).toBe(2);
    expect(tenants.get('initech')).toBeLessThanOrEqual(3);
    expect(requests).toBe(tenants.total);
  } finally {
    await storage.close();
  }
}, 60_000);
