import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import { emptyTelemetry } from '../quality/telemetry.ts';
import { SECOND_MS } from '../units.ts';
import { advance, type ReleaseEvent } from './advance.ts';
import { beyondHardLimit } from './hard-limit.ts';
import { judge } from './judge.ts';
import { isGate, type TrafficStep } from './plan.ts';
import { desiredOf, isActive, type Release, stepOf } from './release.ts';
import type { ReleaseNotices } from './release-notices.ts';
import type { SegmentTelemetry } from './segment-telemetry.ts';
import { warmShare } from './warm-share.ts';

export type DriverPorts = Pick<Platform, 'releases' | 'registry' | 'capacity' | 'wake' | 'log'> & {
  readonly notices: Pick<ReleaseNotices, 'tell'>;
};

/** How a look left a release, and when to look again at the latest; undefined: never, it has ended and what that asks for is done. */
export type Driven = { readonly release: Release; readonly lookAtMs: number | undefined };

/** While capacity is waited for. */
const CAPACITY_EVERY_MS = SECOND_MS;
/** While traffic flows: what is known of it changes with every window. */
const TRAFFIC_EVERY_MS = 2 * SECOND_MS;
/** Where an end could not be told of. */
const TELL_EVERY_MS = 30 * SECOND_MS;
/** People and other drivers of one release come a few a second at most. */
const MOST_TRIES = 20;

/**
 * One look at a release: reads what both versions and their workers did, decides, writes the decision and what follows from it. Safe at any time, as often as one
 * likes, for any number of drivers at once and after a crash anywhere in it; `seen` only saves reads. What it does by itself is audited as
 * `sluice`. `release-unknown`; `state-conflict` where others keep writing; whatever a port throws: then look again.
 */
export async function driveRelease(
  ports: DriverPorts,
  seen: SegmentTelemetry,
  id: string,
  nowMs: number,
): Promise<Driven> {
  const release = await decide(ports, seen, id, nowMs);
  await bringAbout(ports, release.model, nowMs);
  const told = await ports.notices.tell(release, nowMs);
  if (!isActive(release)) {
    // It stays open until it is told of.
    if (told === 'not-told') return { release, lookAtMs: nowMs + TELL_EVERY_MS };
    await ports.releases.settle(release);
    return { release, lookAtMs: undefined };
  }
  const { tickByMs = nowMs } = desiredOf(release, nowMs);
  return { release, lookAtMs: Math.min(tickByMs, nowMs + everyMs(release)) };
}

function everyMs({ state, segments }: Release): number {
  if (state.kind === 'scaling' || state.kind === 'undoing') return CAPACITY_EVERY_MS;
  const last = segments.at(-1);
  return last !== undefined && last.untilMs === undefined ? TRAFFIC_EVERY_MS : Number.POSITIVE_INFINITY;
}

/** The release once everything that is known was applied to it. */
async function decide(ports: DriverPorts, seen: SegmentTelemetry, id: string, nowMs: number): Promise<Release> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const release = await ports.releases.read(id);
    if (release === undefined) throw new Failure('release-unknown', { field: 'release' });
    if (!isActive(release)) return release;
    const events = await eventsOf(ports, seen, release, nowMs);
    const decided = await applyAll(ports, release, events, nowMs);
    if (decided !== 'conflict') return decided;
  }
  throw new Failure('state-conflict', { detail: `many writers of release ${id} at once` });
}

/** Each in a write of its own; `conflict`: somebody else wrote, and all is to be read and decided again. */
async function applyAll(
  { releases, log }: DriverPorts,
  release: Release,
  events: readonly ReleaseEvent[],
  nowMs: number,
): Promise<Release | 'conflict'> {
  let current = release;
  for (const event of events) {
    const next = advance(current, event, nowMs);
    if (next.kind === 'unchanged') continue;
    try {
      await releases.write(next.release, next.audits);
    } catch (error) {
      if (error instanceof Failure && error.code === 'state-conflict') return 'conflict';
      throw error;
    }
    current = next.release;
    const { id, model } = current;
    for (const { what, why } of next.audits) log.info('release', { model, release: id, what, why });
  }
  return current;
}

/** What ends it first, what moves it last. */
async function eventsOf(
  ports: DriverPorts,
  seen: SegmentTelemetry,
  release: Release,
  nowMs: number,
): Promise<ReleaseEvent[]> {
  const { state, attempt, candidate, stateEpoch, plan, looks } = release;
  const awaited = state.kind === 'undoing' ? state.to : candidate;
  const capacity = await capacityFor(ports, release.model, awaited, nowMs);
  if (capacity === undefined) {
    const why = `version ${awaited} is not there any more`;
    return [{ kind: 'hard-limit', attempt, why }, { kind: 'tick' }];
  }
  const step = judgedStep(release);
  if (step === undefined) return [{ kind: 'capacity', version: awaited, warm: capacity }, { kind: 'tick' }];
  const events: ReleaseEvent[] = [];
  const beyond = await hardLimitOf(seen, release, nowMs);
  if (beyond !== undefined) events.push({ kind: 'hard-limit', attempt, why: beyond });
  events.push({ kind: 'capacity', version: awaited, warm: capacity });
  const verdict = judge(step, plan.analysis, await seen.segments(release, nowMs), looks);
  return [...events, { kind: 'verdict', stateEpoch, verdict }, { kind: 'tick' }];
}

/** Warm share of a version, in buckets; undefined if there is no such version. A pool without workers is asked for one. */
async function capacityFor(
  { registry, capacity, wake }: DriverPorts,
  model: string,
  version: string,
  nowMs: number,
): Promise<number | undefined> {
  const record = await registry.readVersion(model, version);
  if (record === undefined) return undefined;
  const pool = record.manifest.pool ?? 'default';
  const reports = await capacity.read(pool, nowMs);
  if (reports.every(({ draining }) => draining)) await wake.wake(pool, nowMs);
  return warmShare(reports, `${model}@${version}`);
}

async function hardLimitOf(seen: SegmentTelemetry, release: Release, nowMs: number): Promise<string | undefined> {
  const [first, last] = [release.segments[0], release.segments.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const sinceStart = await seen.candidateSince(release, first.fromMs, nowMs);
  const isFirst = last === first;
  const since = isFirst ? sinceStart : await seen.candidateSince(release, last.fromMs, nowMs);
  const inStep = last.untilMs === undefined ? since : emptyTelemetry();
  return beyondHardLimit(release.plan.limits, sinceStart, inStep);
}

/** The step whose traffic is looked at: the present one, or the last one before a gate. Undefined where there was no traffic yet. */
function judgedStep(release: Release): TrafficStep | undefined {
  const { plan, segments, state } = release;
  if (segments.length === 0 || state.kind === 'undoing') return undefined;
  for (let at = stepOf(release); at >= 0; at -= 1) {
    const step = plan.steps[at];
    if (step !== undefined && !isGate(step)) return step;
  }
  return undefined;
}

/** The stable version of a model is what its latest release says. The route is read first: whoever decides later writes over it, or makes this fail. */
async function bringAbout({ registry, releases, log }: DriverPorts, model: string, nowMs: number): Promise<void> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const route = await registry.readRoute(model);
    const latest = await releases.readLatest(model);
    if (route === undefined || latest === undefined) return;
    const { stable } = desiredOf(latest, nowMs);
    if (route.stable === stable) return;
    try {
      await registry.writeRoute({ model, stable, epoch: route.epoch + 1 });
      log.info('stable version changed', { model, version: stable, before: route.stable, release: latest.id });
      return;
    } catch (error) {
      if (!(error instanceof Failure) || (error.code !== 'state-conflict' && error.code !== 'already-exists'))
        throw error;
    }
  }
  throw new Failure('state-conflict', { detail: `many writers of the route of ${model} at once` });
}
