import { expect, test } from 'vitest';
import type { Telemetry } from '../../../core/ports/telemetry.ts';
import { recordAnswer } from '../../../core/quality/record-answer.ts';
import { emptyTelemetry } from '../../../core/quality/telemetry.ts';
import { advance } from '../../../core/release/advance.ts';
import { readNumbers } from '../../../core/release/read-numbers.ts';
import type { Release } from '../../../core/release/release.ts';
import { aStart } from '../../support/release-start.ts';

const STARTED_MS = 1_000_000;
const FLOWING_MS = 1_005_000;

/** Traffic flows from `FLOWING_MS` on. */
function flowing(): Release {
  const { release } = aStart(STARTED_MS, { plan: { steps: [{ setWeight: 50 }, { setWeight: 100 }] } });
  const next = advance(release, { kind: 'capacity', version: '2', warm: 10_000 }, FLOWING_MS);
  if (next.kind === 'unchanged') throw new Error(next.why);
  return next.release;
}

/** So many requests of these milliseconds, and one more with an error of ours and one with a mistake of the caller. */
function traffic(requests: number, latencyMs: number): Telemetry {
  const telemetry = emptyTelemetry();
  const answer = { tenant: 'acme', latencyMs, queueMs: 1, computeMs: 4, rows: 2, inputElements: 1, fellBack: false };
  const nothing = { label: undefined, confidence: undefined, lot: undefined };
  for (let at = 0; at < requests; at += 1) recordAnswer(telemetry, { ...answer, ...nothing, error: undefined });
  for (const error of ['prediction-failed', 'shape-mismatch'] as const)
    recordAnswer(telemetry, { ...answer, ...nothing, error });
  telemetry.crashes = 1;
  return telemetry;
}

/** Telemetry that is the same whenever it is asked for, and what was asked. */
function portsAt(nowMs: number, found: Readonly<Record<string, Telemetry>>) {
  const asked: unknown[][] = [];
  const read = async (model: string, version: string, fromMs: number, untilMs: number, release?: string) => {
    asked.push([model, version, fromMs, untilMs, release]);
    return found[version]!;
  };
  return { ports: { telemetry: { read }, clock: { nowMs: () => nowMs, sleep: async () => {} } }, asked };
}

test('numbers are those of both versions since the share last changed, of the attempt\u2019s own lot', async () => {
  const shadowed = traffic(98, 40);
  Object.assign(shadowed.shadow, { compared: 50, agreed: 49 });
  const { ports, asked } = portsAt(FLOWING_MS + 60_000, { '1': traffic(198, 10), '2': shadowed });
  const release = flowing();
  const numbers = await readNumbers(ports, release);
  expect(asked).toEqual(
    ['1', '2'].map((version) => ['m', version, FLOWING_MS, FLOWING_MS + 60_001, `${release.id}.1`]),
  );
  expect(numbers).toMatchObject({ fromMs: FLOWING_MS, untilMs: FLOWING_MS + 60_000, agreement: 0.98 });
  expect(numbers?.stable).toMatchObject({ requests: 200, errors: 1, errorRate: 0.005, computeMs: 2, crashes: 1 });
  expect(numbers?.candidate).toMatchObject({ requests: 100, errors: 1, errorRate: 0.01 });
  expect(numbers!.candidate.p99Ms! / 40).toBeCloseTo(1, 1);
  expect(numbers!.candidate.errorsByCode).toEqual(
    new Map([
      ['prediction-failed', 1],
      ['shape-mismatch', 1],
    ]),
  );
  expect(numbers!.shadow).toEqual({ compared: 50, agreed: 49, candidateFailed: 0 });
  const { latency } = numbers!;
  expect(latency.reduce((sum, { stable }) => sum + stable, 0)).toBe(200);
  expect(latency.reduce((sum, { candidate }) => sum + candidate, 0)).toBe(100);
});

test('confidence of both versions is told in the same bins, and labels as shares of each version\u2019s own answers', async () => {
  const [stable, candidate] = [emptyTelemetry(), emptyTelemetry()];
  stable.labels.add('calm', 30);
  stable.labels.add('angry', 10);
  candidate.labels.add('angry', 5);
  for (const confidence of [0.11, 0.12, 1]) stable.confidence.add(confidence);
  candidate.confidence.add(0.14);
  Object.assign(candidate, { feedback: 4, feedbackCorrect: 3 });
  const { ports } = portsAt(FLOWING_MS + 1, { '1': stable, '2': candidate });
  const numbers = (await readNumbers(ports, flowing()))!;
  expect(numbers.labels).toEqual([
    { label: 'angry', stable: 0.25, candidate: 1 },
    { label: 'calm', stable: 0.75, candidate: 0 },
  ]);
  expect(numbers.confidence).toHaveLength(20);
  expect(numbers.confidence[2]).toMatchObject({ stable: 2, candidate: 1 });
  expect(numbers.confidence[19]).toMatchObject({ until: 1, stable: 1, candidate: 0 });
  expect([numbers.stable.accuracy, numbers.candidate.accuracy]).toEqual([undefined, 0.75]);
  expect(numbers.latency).toEqual([]);
});

test('of a long step they are of its last ten minutes', async () => {
  const { ports, asked } = portsAt(FLOWING_MS + 3_600_000, { '1': traffic(1, 1), '2': traffic(1, 1) });
  await readNumbers(ports, flowing());
  expect(asked[0]?.[2]).toBe(FLOWING_MS + 3_000_000);
});

test('nothing is nothing: no rate, no quantile, no agreement, and no number before any traffic', async () => {
  const { ports } = portsAt(FLOWING_MS + 1, { '1': emptyTelemetry(), '2': emptyTelemetry() });
  const nothing = { requests: 0, errors: 0, errorRate: undefined, p50Ms: undefined, computeMs: undefined };
  expect(await readNumbers(ports, flowing())).toMatchObject({
    stable: nothing,
    candidate: nothing,
    agreement: undefined,
  });
  expect(await readNumbers(ports, aStart(STARTED_MS).release)).toBeUndefined();
});
