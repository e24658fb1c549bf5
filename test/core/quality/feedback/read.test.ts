import { afterEach, beforeEach, expect, test } from 'vitest';
import { readFeedback, readTenantFeedback } from '../../../../core/quality/feedback/read-feedback.ts';
import { recordFeedback } from '../../../../core/quality/record-feedback.ts';
import { emptyTelemetry } from '../../../../core/quality/telemetry.ts';
import { HOUR_MS } from '../../../../core/units.ts';
import { failureCodeOf } from '../../../contract/contract.ts';
import { aVersion } from '../../../support/jobs.ts';
import { type LocalPlatform, openLocalPlatform } from '../../../support/local-platform.ts';

let local: LocalPlatform;
let sequence = 0;

beforeEach(async () => {
  local = await openLocalPlatform();
  for (const digest of ['a', 'b', 'c']) {
    const { version: _, ...pushed } = aVersion();
    await local.ports.registry.addVersion({ ...pushed, digest: digest.repeat(64) });
  }
  await local.ports.registry.writeRoute({ model: 'm', stable: '1', epoch: 1 });
});

afterEach(() => local.close());

type Row = { readonly tenant?: string; readonly actual: string; readonly predicted: string };

/** What one process reports of a window. */
async function report(version: string, atMs: number, rows: readonly Row[], shadow = { compared: 0, agreed: 0 }) {
  const telemetry = emptyTelemetry();
  for (const { tenant = 'acme', actual, predicted } of rows) {
    const row = { tenant, actual, predicted, correct: actual === predicted, confidence: 0.5, lot: undefined };
    recordFeedback(telemetry, row);
  }
  Object.assign(telemetry.shadow, shadow);
  sequence += 1;
  const item = { model: 'm', version, windowStartMs: atMs, writer: 'w', sequence, shard: 0, telemetry };
  await local.ports.telemetry.append([item]);
}

const asked = (fromMs: number, version?: string) => ({
  model: 'm',
  version,
  fromMs,
  untilMs: fromMs + 24 * HOUR_MS,
  stepMs: HOUR_MS,
});

const right = { actual: 'a', predicted: 'a' };
const wrong = { actual: 'b', predicted: 'a' };

test('figures are of the span and of one version, step by step and in all', async () => {
  const fromMs = Math.floor(local.clock.nowMs() / HOUR_MS) * HOUR_MS - 24 * HOUR_MS;
  await report('1', fromMs - 5000, [wrong]);
  await report('1', fromMs, [right, right, wrong], { compared: 8, agreed: 6 });
  await report('1', fromMs + 5000, [right]);
  await report('1', fromMs + 3 * HOUR_MS, [wrong], { compared: 2, agreed: 2 });
  await report('1', fromMs + 5 * HOUR_MS, []);
  await report('2', fromMs, [wrong]);
  const read = await readFeedback(local.ports, asked(fromMs));
  expect(read).toMatchObject({ version: '1', count: 5, accuracy: 0.6, agreement: 0.8 });
  expect(read.steps).toEqual([
    { atMs: fromMs, count: 4, accuracy: 0.75, macroF1: expect.closeTo((6 / 7 + 0) / 2, 6) },
    { atMs: fromMs + 3 * HOUR_MS, count: 1, accuracy: 0, macroF1: 0 },
  ]);
  expect(read.confusion).toEqual({
    labels: ['a', 'b'],
    counts: [
      [3, 0],
      [2, 0],
    ],
    other: 0,
  });
  expect(await readFeedback(local.ports, asked(fromMs, '2'))).toMatchObject({
    version: '2',
    count: 1,
    agreement: undefined,
  });
  expect(await readFeedback(local.ports, asked(fromMs, '3'))).toMatchObject({ version: '3', count: 0, steps: [] });
});

test('the twenty tenants with the most are told, each with its own accuracy', async () => {
  const fromMs = Math.floor(local.clock.nowMs() / HOUR_MS) * HOUR_MS - HOUR_MS;
  for (let at = 1; at <= 25; at += 1) {
    const tenant = `t${at}`;
    const rows = Array.from({ length: at }, (_, nth) => ({ tenant, ...(nth === 0 ? wrong : right) }));
    await report('1', fromMs, rows);
  }
  const { tenants } = await readFeedback(local.ports, asked(fromMs));
  expect(tenants).toHaveLength(20);
  expect(tenants[0]).toEqual({ tenant: 't25', count: 25, accuracy: 24 / 25 });
  expect(tenants.at(-1)).toMatchObject({ tenant: 't6', accuracy: expect.closeTo(5 / 6, 6) });
});

test('models and versions that there are not are told from each other, tenants too', async () => {
  const code = (call: Promise<unknown>) => failureCodeOf(call);
  expect(await code(readFeedback(local.ports, { ...asked(0), model: 'n' }))).toBe('model-unknown');
  expect(await code(readFeedback(local.ports, asked(0, '9')))).toBe('version-unknown');
  expect(await code(readTenantFeedback(local.ports, 'acme', asked(0)))).toBe('tenant-unknown');
});
