import type { Platform } from '../ports/platform.ts';
import { rollUp } from '../quality/roll-up.ts';
import { SECOND_MS } from '../units.ts';
import { evaluateAlarms } from './alarm-state.ts';
import { ruleOf } from './alarms.ts';
import { measurePools } from './measure-pools.ts';
import { measureBudgets, measureServing, readLastHour } from './measure-serving.ts';
import { measureTraffic } from './measure-traffic.ts';
import type { Measure } from './metric.ts';
import { changesOf, type TellAlarms } from './tell-alarms.ts';
import type { CheckResult, WatchRecord } from './watch-record.ts';

export type WatchHost = Pick<
  Platform,
  'capacity' | 'clock' | 'config' | 'log' | 'queue' | 'registry' | 'telemetry' | 'watches'
> & {
  /** Undefined where others tell: CloudWatch. */
  readonly tellAlarms?: TellAlarms;
};

/** What else is measured. One that throws is logged: its numbers are missing this minute, and no other's. */
export type MeasureSource<Host = WatchHost> = (host: Host, nowMs: number) => Promise<readonly Measure[]>;

const MOST_CHECKS = 60;
/** A record is kept small: beyond it the measures of single workers, keys and versions go first. */
const MOST_MEASURES = 5000;

/**
 * One look at the region, meant for every minute: rolls up, measures, decides about alarms, and keeps both. What fails is logged and missing, so that the rest
 * is known; a record that cannot be kept throws. `checks`: the results of this minute's.
 */
export async function watchMinute<Host extends WatchHost>(
  host: Host,
  sources: readonly MeasureSource<Host>[],
  checks: readonly CheckResult[],
  nowMs: number,
): Promise<WatchRecord> {
  const before = await host.watches.latest();
  const attempt = attempts(host);
  await attempt('roll-ups', () => rollUp(host, nowMs));
  const versions = (await attempt('the last hour', () => readLastHour(host, nowMs))) ?? [];
  const budgets = await attempt('error budgets', () => measureBudgets(host, versions, before, nowMs));
  const traffic = await attempt('traffic', () => measureTraffic(host, versions, before, nowMs));
  const pools = await attempt('pools', () => measurePools(host, before, nowMs));
  const more = await Promise.all(sources.map((source) => attempt('a source of measures', () => source(host, nowMs))));
  const kept = [...(before?.checks ?? []), ...checks].slice(-MOST_CHECKS);
  const found: readonly Measure[] = [
    { metric: 'watch_age_s', of: {}, value: before === undefined ? 0 : (nowMs - before.atMs) / SECOND_MS },
    ...measureServing(versions, nowMs),
    ...(budgets?.measures ?? []),
    ...(traffic?.measures ?? []),
    ...(pools?.measures ?? []),
    ...more.flatMap((measures) => measures ?? []),
    ...measureChecks(checks),
  ];
  const measures = found.filter(({ value }) => Number.isFinite(value));
  const record: WatchRecord = {
    atMs: nowMs,
    measures: measures.slice(0, MOST_MEASURES),
    alarms: evaluateAlarms(measures, before, nowMs),
    slots: budgets?.slots ?? before?.slots ?? {},
    expected: traffic?.expected ?? before?.expected ?? {},
    expectedAtMs: traffic?.expectedAtMs ?? before?.expectedAtMs ?? 0,
    coldSinceMs: pools?.coldSinceMs ?? before?.coldSinceMs ?? {},
    checks: kept,
  };
  await tellChanges(host, before, record);
  await host.watches.save(record);
  return record;
}

/** Told before it is kept: after a crash in between it is told again, and never lost. */
async function tellChanges(
  { log, tellAlarms }: Pick<WatchHost, 'log' | 'tellAlarms'>,
  before: WatchRecord | undefined,
  { alarms, atMs }: WatchRecord,
): Promise<void> {
  const changes = changesOf(before?.alarms ?? [], alarms);
  for (const { id, of, value } of changes.on)
    log.warn('alarm', { alarm: id, severity: ruleOf(id).severity, ...of, value, runbook: `#${id}` });
  for (const { id, of } of changes.over) log.info('alarm is over', { alarm: id, ...of });
  if (changes.on.length + changes.over.length === 0) return;
  await tellAlarms?.(changes, atMs).catch((error: unknown) => log.error('nobody was told of an alarm', error));
}

function measureChecks(checks: readonly CheckResult[]): readonly Measure[] {
  return checks.flatMap(({ check, ok, ms }) => [
    { metric: 'check_failed', of: { check }, value: ok ? 0 : 1 } as const,
    { metric: 'check_ms', of: { check }, value: ms } as const,
  ]);
}

function attempts({ log }: Pick<Platform, 'log'>) {
  return async <T>(what: string, call: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await call();
    } catch (error) {
      log.error('not measured this minute', error, { what });
      return undefined;
    }
  };
}
