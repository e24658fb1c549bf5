import { DAY_MS, HOUR_MS, MINUTE_MS } from '../units.ts';
import { byModel, inTurns, lastMinuteEnd, type ServedVersion, type ServingHost } from './measure-serving.ts';
import type { Measure } from './metric.ts';
import type { WatchRecord } from './watch-record.ts';

/** Long enough to hold some requests of whoever calls steadily. */
const SPAN_MS = 15 * MINUTE_MS;
/** When fewer came, that none comes is no surprise: of a steady 30 the chance of fewer than 3 is 10⁻⁹. */
const LEAST_EXPECTED = 30;
/** Of a region that was begun within a week or a day, the hour before has to do. */
const BEFORE_MS = [7 * DAY_MS, DAY_MS, HOUR_MS] as const;

type Expected = Pick<WatchRecord, 'expected' | 'expectedAtMs'>;

/**
 * Requests of the last 15 minutes, as a share of the fewest that came in the same 15 minutes a week and a day before (of the hour before, where there was
 * nothing then): of each model, and of the region. Of what nobody is used to call there is no measure; what is called without being
 * expected is 1.
 */
export async function measureTraffic(
  host: ServingHost,
  versions: readonly ServedVersion[],
  before: Expected | undefined,
  nowMs: number,
): Promise<{ readonly measures: readonly Measure[] } & Expected> {
  const untilMs = lastMinuteEnd(nowMs);
  const expectation = await readExpected(host, before, untilMs);
  const seen = new Map(
    [...byModel(versions)].map(([model, served]) => [model, requestsSince(served, untilMs - SPAN_MS)]),
  );
  const measures: Measure[] = [];
  for (const model of new Set([...seen.keys(), ...Object.keys(expectation.expected)])) {
    const share = shareOf(seen.get(model) ?? 0, expectation.expected[model] ?? 0);
    if (share !== undefined)
      measures.push({ metric: 'traffic_share', of: model === '' ? {} : { model }, value: share });
  }
  const all = shareOf(requestsSince(versions, untilMs - SPAN_MS), expectation.expected[''] ?? 0);
  const ofModels = measures.filter(({ of }) => of.model !== undefined);
  return {
    ...expectation,
    measures: all === undefined ? ofModels : [{ metric: 'traffic_share', of: {}, value: all }, ...ofModels],
  };
}

function shareOf(requests: number, expected: number): number | undefined {
  if (expected >= LEAST_EXPECTED) return requests / expected;
  return requests > 0 ? 1 : undefined;
}

function requestsSince(versions: readonly ServedVersion[], fromMs: number): number {
  const steps = versions.flatMap(({ minutes }) => minutes.filter(({ startMs }) => startMs >= fromMs));
  return steps.reduce((sum, { telemetry }) => sum + telemetry.requests, 0);
}

/** What is expected by model, and of all under ''. Read anew when a quarter of a span is over: it changes slowly, and is four reads a version. */
async function readExpected(host: ServingHost, before: Expected | undefined, untilMs: number): Promise<Expected> {
  if (before !== undefined && untilMs >= before.expectedAtMs && untilMs - before.expectedAtMs < SPAN_MS / 4)
    return { expected: before.expected, expectedAtMs: before.expectedAtMs };
  const [week, day, hour] = await Promise.all(
    BEFORE_MS.map((ms) => requestsOf(host, untilMs - ms - SPAN_MS, untilMs - ms)),
  );
  const older = [week!, day!].filter((counts) => counts.size > 0);
  const baselines = older.length > 0 ? older : [hour!];
  const models = new Set(baselines.flatMap((counts) => [...counts.keys()]));
  const expected = [...models].map(
    (model) => [model, Math.min(...baselines.map((counts) => counts.get(model) ?? 0))] as const,
  );
  return {
    expected: Object.fromEntries(expected.filter(([, count]) => count >= LEAST_EXPECTED)),
    expectedAtMs: untilMs,
  };
}

async function requestsOf(
  { telemetry }: ServingHost,
  fromMs: number,
  untilMs: number,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const add = (model: string, requests: number) => counts.set(model, (counts.get(model) ?? 0) + requests);
  await inTurns(await telemetry.activeVersions(fromMs, untilMs), async ({ model, version }) => {
    const steps = await telemetry.series(model, version, fromMs, untilMs, 5 * MINUTE_MS);
    const requests = steps.reduce((sum, step) => sum + step.telemetry.requests, 0);
    if (requests === 0) return;
    add(model, requests);
    add('', requests);
  });
  return counts;
}
