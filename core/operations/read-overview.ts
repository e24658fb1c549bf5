import { costOfDay } from '../cost/read-cost.ts';
import { FreshCache } from '../fresh-cache.ts';
import type { Platform } from '../ports/platform.ts';
import type { Telemetry, TelemetryStep, VersionName } from '../ports/telemetry.ts';
import { ofRegion, WHOLE_REGION } from '../quality/roll-up.ts';
import { Steps } from '../quality/steps.ts';
import { emptyTelemetry, mergeTelemetry } from '../quality/telemetry.ts';
import { BUCKETS_PER_PERCENT } from '../release/assign.ts';
import { type Release, stepOf } from '../release/release.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../units.ts';
import type { AlarmState } from './alarm-state.ts';
import { listAlarms } from './list-alarms.ts';
import { inTurns } from './measure-serving.ts';
import { type LaneState, readPools } from './read-pools.ts';

/** Whoever looks, it is read once in this time. */
const FRESH_MS = 3 * SECOND_MS;
/** Every record of the day is read for it. */
const COST_FRESH_MS = MINUTE_MS;
const WINDOW_MS = 5 * SECOND_MS;
/** Versions whose reports are read beyond what is rolled up, those first that were asked most: on AWS 16 small queries each, which take half a second in all. */
const MOST_VERSIONS = 32;
/** How much of them, where nobody has rolled up of late. */
const MOST_UNROLLED_MS = 10 * MINUTE_MS;
/** What latency and error rate are of. */
const RECENT_MS = 5 * MINUTE_MS;

export type ActiveRelease = {
  readonly release: string;
  readonly model: string;
  /** Kind of its state. */
  readonly phase: Release['state']['kind'];
  /** From 1. */
  readonly step: number;
  readonly candidate: string;
  readonly stable: string;
  readonly weightPercent: number;
};

/** A region at a glance. */
export type Overview = {
  readonly atMs: number;
  /** Over the last minute. */
  readonly requestsPerS: number;
  readonly requestsLastHour: number;
  /** The last five minutes of all versions. */
  readonly recent: Telemetry;
  /** The last hour, in order. */
  readonly minutes: readonly TelemetryStep[];
  readonly queues: readonly (LaneState & { readonly pool: string })[];
  readonly workers: number;
  readonly runners: number;
  /** Runners that are at work. */
  readonly busy: number;
  readonly releases: readonly ActiveRelease[];
  /** All of them, those that are on first. */
  readonly alarms: readonly AlarmState[];
  /** Up to a minute old. */
  readonly costTodayUsd: number;
};

type OverviewPorts = Pick<
  Platform,
  'capacity' | 'clock' | 'config' | 'meters' | 'queue' | 'releases' | 'telemetry' | 'watches'
> &
  Parameters<typeof costOfDay>[0];

/** A region at a glance, at most three seconds old however many look at it. */
export class Overviews {
  readonly #ports: OverviewPorts;
  readonly #latest = new FreshCache<Overview>(FRESH_MS, 1);
  readonly #cost = new FreshCache<number>(COST_FRESH_MS, 1);

  constructor(ports: OverviewPorts) {
    this.#ports = ports;
  }

  read(): Overview | Promise<Overview> {
    const nowMs = this.#ports.clock.nowMs();
    return this.#latest.get('', nowMs, () => this.#read(nowMs));
  }

  async #read(nowMs: number): Promise<Overview> {
    const { telemetry, releases } = this.#ports;
    const [traffic, pools, active, alarms, costTodayUsd] = await Promise.all([
      readTraffic(telemetry, nowMs),
      readPools(this.#ports),
      releases.listActive(),
      listAlarms(this.#ports),
      this.#cost.get('', nowMs, () => costOfDay(this.#ports, nowMs)),
    ]);
    const workers = pools.flatMap((pool) => pool.workers);
    return {
      atMs: nowMs,
      ...traffic,
      queues: pools.flatMap(({ pool, lanes }) => lanes.map((lane) => ({ pool, ...lane }))),
      workers: workers.length,
      runners: workers.reduce((sum, { runners }) => sum + runners, 0),
      busy: workers.reduce((sum, { busy = 0 }) => sum + busy, 0),
      releases: active.map(toActive),
      alarms,
      costTodayUsd,
    };
  }
}

type Traffic = Pick<Overview, 'requestsPerS' | 'requestsLastHour' | 'recent' | 'minutes'>;

/** Sixty rows of the whole region, and what is not rolled up yet of the versions that were asked most. */
async function readTraffic(telemetry: Platform['telemetry'], nowMs: number): Promise<Traffic> {
  const untilMs = Math.floor(nowMs / WINDOW_MS) * WINDOW_MS;
  const fromMs = Math.floor((untilMs - HOUR_MS) / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
  const rolled = await telemetry.rolledUntil();
  const unrolledMs = Math.max(rolled?.minutesMs ?? 0, untilMs - MOST_UNROLLED_MS);
  const minuteMs = untilMs - MINUTE_MS;
  const { model, version } = WHOLE_REGION;
  const whole = await telemetry.readRollUps('minute', model, version, fromMs, unrolledMs);
  const minutes = new Steps(fromMs, MINUTE_MS);
  for (const step of whole) minutes.add(step.startMs, step.telemetry);
  let lastMinute = 0;
  const windows = await readWindows(telemetry, whole.at(-1)?.telemetry, Math.min(unrolledMs, minuteMs), nowMs);
  for (const { startMs, telemetry: seen } of windows) {
    if (startMs >= minuteMs && startMs < untilMs) lastMinute += seen.requests;
    if (startMs >= Math.max(unrolledMs, fromMs)) minutes.add(startMs, seen);
  }
  const steps = minutes.inOrder();
  const recent = steps.filter(({ startMs }) => startMs >= untilMs - RECENT_MS).map((step) => step.telemetry);
  return {
    requestsPerS: lastMinute / (MINUTE_MS / SECOND_MS),
    requestsLastHour: steps.reduce((sum, step) => sum + step.telemetry.requests, 0),
    recent: recent.length === 0 ? emptyTelemetry() : mergeTelemetry(recent),
    minutes: steps,
  };
}

/** By window, what versions did lately: `busy` counts them by how much they were asked a minute ago. */
async function readWindows(
  telemetry: Platform['telemetry'],
  busy: Telemetry | undefined,
  fromMs: number,
  untilMs: number,
): Promise<readonly TelemetryStep[]> {
  const weigh = ({ model, version }: VersionName) => busy?.labels.get(`${model}@${version}`) ?? 0;
  const active = await telemetry.activeVersions(fromMs, untilMs);
  const versions = active.toSorted((a, b) => weigh(b) - weigh(a)).slice(0, MOST_VERSIONS);
  const series = await inTurns(versions, async ({ model, version }) => {
    const steps = await telemetry.series(model, version, fromMs, untilMs, WINDOW_MS);
    return steps.map((step) => ({ ...step, telemetry: ofRegion(`${model}@${version}`, step.telemetry) }));
  });
  return series.flat();
}

function toActive(release: Release): ActiveRelease {
  const { id, model, state, candidate, stable, share } = release;
  return {
    release: id,
    model,
    phase: state.kind,
    step: stepOf(release) + 1,
    candidate,
    stable,
    weightPercent: share.weight / BUCKETS_PER_PERCENT,
  };
}
