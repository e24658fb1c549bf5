import { STATUS } from '../api/problem.ts';
import type { Platform } from '../ports/platform.ts';
import type { Telemetry, TelemetryStep, VersionName } from '../ports/telemetry.ts';
import { Sketch } from '../quality/sketch.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../units.ts';
import type { Measure } from './metric.ts';
import { burnRate, type Outcomes } from './slo.ts';
import type { Slot, WatchRecord } from './watch-record.ts';

export type ServingHost = Pick<Platform, 'config' | 'telemetry'>;

/** Reports are written within six seconds of their window. */
const SETTLED_MS = 10 * SECOND_MS;
const SLOT_MS = 5 * MINUTE_MS;
const HISTORY_MS = 6 * HOUR_MS;
/** Of fewer, a share or a quantile says nothing. */
const LEAST_REQUESTS = 20;
/** Models of which six hours are kept: those with the most requests. */
const MOST_MODELS = 100;
const MOST_READS = 8;

/** What one version did in the last hour, by minute. */
export type ServedVersion = VersionName & { readonly minutes: readonly TelemetryStep[] };

/** The last whole minute ends here. */
export function lastMinuteEnd(nowMs: number): number {
  return Math.floor((nowMs - SETTLED_MS) / MINUTE_MS) * MINUTE_MS;
}

/** The last hour of all versions that were called, which every measure of serving is made of. */
export async function readLastHour(
  { telemetry }: Pick<ServingHost, 'telemetry'>,
  nowMs: number,
): Promise<readonly ServedVersion[]> {
  const untilMs = lastMinuteEnd(nowMs);
  const fromMs = untilMs - HOUR_MS;
  const versions = await telemetry.activeVersions(fromMs, untilMs);
  return inTurns(versions, async ({ model, version }) => ({
    model,
    version,
    minutes: await telemetry.series(model, version, fromMs, untilMs, MINUTE_MS),
  }));
}

/** Requests, errors and latency: of each version, of each model over its versions, and of the region. */
export function measureServing(versions: readonly ServedVersion[], nowMs: number): readonly Measure[] {
  const untilMs = lastMinuteEnd(nowMs);
  const groups: readonly (readonly [Measure['of'], readonly ServedVersion[]])[] = [
    [{}, versions],
    ...[...byModel(versions)].map(([model, served]) => [{ model }, served] as const),
    ...versions.map((served) => [{ model: served.model, version: served.version }, [served]] as const),
  ];
  return groups.flatMap(([of, served]) => {
    const since = (minutes: number) => telemetrySince(served, untilMs - minutes * MINUTE_MS);
    return [
      { metric: 'requests', of, value: sum(since(1), ({ requests }) => requests) } as const,
      ...measureRecent(of, since(5)),
      ...measureFeedback(of, since(60)),
    ];
  });
}

function measureRecent(of: Measure['of'], seen: readonly Telemetry[]): readonly Measure[] {
  const requests = sum(seen, (telemetry) => telemetry.requests);
  const measures: Measure[] = [];
  if (requests >= LEAST_REQUESTS) measures.push({ metric: 'error_rate', of, value: sum(seen, failuresOf) / requests });
  const latencyMs = new Sketch();
  for (const telemetry of seen) latencyMs.merge(telemetry.latencyMs);
  if (latencyMs.count < LEAST_REQUESTS) return measures;
  const quantiles = [
    ['latency_p50_ms', 0.5],
    ['latency_p95_ms', 0.95],
    ['latency_p99_ms', 0.99],
  ] as const;
  for (const [metric, q] of quantiles) measures.push({ metric, of, value: latencyMs.quantile(q)! });
  return measures;
}

function measureFeedback(of: Measure['of'], seen: readonly Telemetry[]): readonly Measure[] {
  const feedback = sum(seen, (telemetry) => telemetry.feedback);
  if (of.model === undefined || feedback < LEAST_REQUESTS) return [];
  return [{ metric: 'feedback_accuracy', of, value: sum(seen, ({ feedbackCorrect }) => feedbackCorrect) / feedback }];
}

function telemetrySince(served: readonly ServedVersion[], fromMs: number): readonly Telemetry[] {
  return served.flatMap(({ minutes }) =>
    minutes.filter(({ startMs }) => startMs >= fromMs).map((step) => step.telemetry),
  );
}

function sum(seen: readonly Telemetry[], count: (telemetry: Telemetry) => number): number {
  return seen.reduce((total, telemetry) => total + count(telemetry), 0);
}

/** How fast each model spends its error budget; and the six hours that the next minute goes on from. */
export async function measureBudgets(
  host: ServingHost,
  versions: readonly ServedVersion[],
  before: Pick<WatchRecord, 'slots' | 'atMs'> | undefined,
  nowMs: number,
): Promise<{ readonly measures: readonly Measure[]; readonly slots: WatchRecord['slots'] }> {
  const untilMs = lastMinuteEnd(nowMs);
  const models = byModel(versions);
  const isFresh = before !== undefined && nowMs - before.atMs < HOUR_MS - SLOT_MS;
  const older = isFresh ? before.slots : await readSlots(host, untilMs);
  const slots = joinSlots(older, models, untilMs);
  const measures = [...models].flatMap(([model, served]) => {
    const recent = (minutes: number) => outcomesOf(telemetrySince(served, untilMs - minutes * MINUTE_MS));
    const sixHours = (slots[model] ?? []).reduce(
      (all, [, requests, errors]) => ({ requests: all.requests + requests, errors: all.errors + errors }),
      { requests: 0, errors: 0 },
    );
    const rates = [
      ['error_budget_burn_5m', recent(5)],
      ['error_budget_burn_30m', recent(30)],
      ['error_budget_burn_1h', recent(60)],
      ['error_budget_burn_6h', sixHours],
    ] as const;
    return rates.flatMap(([metric, outcomes]) => {
      const value = burnRate(outcomes, host.config.slo);
      return value === undefined ? [] : [{ metric, of: { model }, value }];
    });
  });
  return { measures, slots };
}

/** Requests that failed through us: what a caller did wrong is none of it. */
export function failuresOf({ errors }: Pick<Telemetry, 'errors'>): number {
  let failures = 0;
  for (const [code, count] of errors) if (STATUS[code] >= 500) failures += count;
  return failures;
}

export function byModel(versions: readonly ServedVersion[]): ReadonlyMap<string, readonly ServedVersion[]> {
  return Map.groupBy(versions, ({ model }) => model);
}

/** Calls for each, a few at once. */
export async function inTurns<T, R>(items: readonly T[], call: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const turn = async () => {
    for (let at = next++; at < items.length; at = next++) results[at] = await call(items[at]!);
  };
  await Promise.all(Array.from({ length: Math.min(MOST_READS, items.length) }, turn));
  return results;
}

function outcomesOf(seen: readonly Telemetry[]): Outcomes {
  return { requests: sum(seen, ({ requests }) => requests), errors: sum(seen, failuresOf) };
}

/** The six hours of a region that nobody has watched before. */
async function readSlots(
  { telemetry }: Pick<ServingHost, 'telemetry'>,
  untilMs: number,
): Promise<WatchRecord['slots']> {
  const fromMs = Math.floor((untilMs - HISTORY_MS) / SLOT_MS) * SLOT_MS;
  const read = await inTurns(await telemetry.activeVersions(fromMs, untilMs), async ({ model, version }) => ({
    model,
    steps: await telemetry.series(model, version, fromMs, untilMs, SLOT_MS),
  }));
  const slots: Record<string, Slot[]> = {};
  for (const { model, steps } of read) {
    const merged = new Map((slots[model] ?? []).map((slot) => [slot[0], slot]));
    for (const { startMs, telemetry: seen } of steps) addTo(merged, startMs, seen);
    slots[model] = [...merged.values()].sort(([a], [b]) => a - b);
  }
  return slots;
}

/** The last hour as it is now, for reports may come late, and what is known of the five before. */
function joinSlots(
  older: WatchRecord['slots'],
  models: ReadonlyMap<string, readonly ServedVersion[]>,
  untilMs: number,
): WatchRecord['slots'] {
  const hourMs = Math.ceil((untilMs - HOUR_MS) / SLOT_MS) * SLOT_MS;
  const names = new Set([...Object.keys(older), ...models.keys()]);
  const joined = [...names].map((model): readonly [string, Slot[]] => {
    const kept = (older[model] ?? []).filter(([startMs]) => startMs > untilMs - HISTORY_MS && startMs < hourMs);
    const recent = new Map<number, Slot>();
    for (const { minutes } of models.get(model) ?? [])
      for (const { startMs, telemetry } of minutes)
        if (startMs >= hourMs) addTo(recent, Math.floor(startMs / SLOT_MS) * SLOT_MS, telemetry);
    return [model, [...kept, ...[...recent.values()].sort(([a], [b]) => a - b)]];
  });
  const busiest = joined.filter(([, slots]) => slots.length > 0).sort(([, a], [, b]) => requestsOf(b) - requestsOf(a));
  return Object.fromEntries(busiest.slice(0, MOST_MODELS));
}

function addTo(slots: Map<number, Slot>, startMs: number, telemetry: Telemetry): void {
  const [, requests, errors] = slots.get(startMs) ?? [startMs, 0, 0];
  slots.set(startMs, [startMs, requests + telemetry.requests, errors + failuresOf(telemetry)]);
}

function requestsOf(slots: readonly Slot[]): number {
  return slots.reduce((all, [, requests]) => all + requests, 0);
}
