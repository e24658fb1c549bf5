import type { Clock } from '../core/ports/clock.ts';
import type { Platform } from '../core/ports/platform.ts';
import type { Releases } from '../core/ports/releases.ts';
import { type DriverPorts, driveRelease } from '../core/release/drive.ts';
import type { Release } from '../core/release/release.ts';
import { SegmentTelemetry } from '../core/release/segment-telemetry.ts';
import { MINUTE_MS, SECOND_MS } from '../core/units.ts';
import type { Alarm } from './validator.ts';

/** Where no release is open; whatever opens one rings. */
const IDLE_MS = MINUTE_MS;
const AGAIN_AFTER_MS = SECOND_MS;
/** Nothing is due sooner than it can be known. */
const SHORTEST_SLEEP_MS = 20;

type LoopPorts = DriverPorts & Pick<Platform, 'telemetry' | 'clock'>;
/** Of a release: which epoch was driven, and when it is due again. */
type Due = { readonly epoch: number; readonly atMs: number };

/** The same releases; `alarm` rings for each that is started or changed. */
export function ringingReleases(releases: Releases, alarm: Alarm): Releases {
  return {
    async start(release, audits) {
      await releases.start(release, audits);
      alarm.ring();
    },
    async write(release, audits) {
      await releases.write(release, audits);
      alarm.ring();
    },
    read: (id) => releases.read(id),
    readLatest: (model) => releases.readLatest(model),
    listActive: () => releases.listActive(),
    listOpen: () => releases.listOpen(),
    settle: (release) => releases.settle(release),
    list: (model, limit, cursor) => releases.list(model, limit, cursor),
    listRecent: (limit, cursor) => releases.listRecent(limit, cursor),
    listAudits: (id, limit, cursor) => releases.listAudits(id, limit, cursor),
  };
}

/**
 * Drives all open releases until stopped: when they are due, and at once when somebody changes one. It keeps nothing that is not stored: after a crash the
 * next start goes on where the last write left off. `ports.releases` are those that do not ring, for its own changes need no second look.
 */
export function startReleaseLoop(ports: LoopPorts, changes: Alarm): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const looping = loop(ports, changes, stopped.signal);
  return {
    async stop() {
      stopped.abort();
      await looping;
    },
  };
}

async function loop(ports: LoopPorts, changes: Alarm, stopped: AbortSignal): Promise<void> {
  const { clock, log } = ports;
  const seen = new SegmentTelemetry(ports);
  let due: ReadonlyMap<string, Due> = new Map();
  while (!stopped.aborted) {
    let sleepMs = AGAIN_AFTER_MS;
    try {
      due = await driveAll(ports, seen, due, stopped);
      sleepMs = untilNext(clock, due);
    } catch (error) {
      log.error('releases could not be looked at', error);
    }
    await changes.sleep(clock, sleepMs, stopped);
  }
}

async function driveAll(
  ports: LoopPorts,
  seen: SegmentTelemetry,
  before: ReadonlyMap<string, Due>,
  stopped: AbortSignal,
): Promise<ReadonlyMap<string, Due>> {
  const due = new Map<string, Due>();
  for (const release of await ports.releases.listOpen()) {
    if (stopped.aborted) break;
    const { id, epoch } = release;
    const known = before.get(id);
    const nowMs = ports.clock.nowMs();
    if (known !== undefined && known.epoch === epoch && nowMs < known.atMs) due.set(id, known);
    else {
      const driven = await drive(ports, seen, release, nowMs);
      if (driven !== undefined) due.set(id, driven);
    }
  }
  return due;
}

/** Undefined: it has ended. One that fails holds up no other. */
async function drive(
  ports: LoopPorts,
  seen: SegmentTelemetry,
  { id, epoch }: Pick<Release, 'id' | 'epoch'>,
  nowMs: number,
): Promise<Due | undefined> {
  try {
    const { release, lookAtMs } = await driveRelease(ports, seen, id, nowMs);
    return lookAtMs === undefined ? undefined : { epoch: release.epoch, atMs: lookAtMs };
  } catch (error) {
    ports.log.error('a release could not be driven: tried again', error, { release: id });
    return { epoch, atMs: nowMs + AGAIN_AFTER_MS };
  }
}

function untilNext(clock: Clock, due: ReadonlyMap<string, Due>): number {
  let atMs = Number.POSITIVE_INFINITY;
  for (const each of due.values()) atMs = Math.min(atMs, each.atMs);
  return Math.min(IDLE_MS, Math.max(SHORTEST_SLEEP_MS, atMs - clock.nowMs()));
}
