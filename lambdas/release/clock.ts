import { z } from 'zod';
import type { Platform } from '../../core/ports/platform.ts';
import { type DriverPorts, driveRelease } from '../../core/release/drive.ts';
import { isActive, type Release } from '../../core/release/release.ts';
import type { SegmentTelemetry } from '../../core/release/segment-telemetry.ts';
import { SECOND_MS } from '../../core/units.ts';
import { type Notice, type NoticeSource, untold } from './notices.ts';

/** What an execution of the clock knows, from one look to the next and on to the execution that continues it. */
export const clockSchema = z.strictObject({
  model: z.string().min(1),
  /** Names the change that opened the model's release: all executions that follow from it have it in their names. */
  activation: z.string().min(1),
  /** How many executions came before this one. */
  generation: z.int().min(0),
  /** Looks of this execution. */
  looks: z.int().min(0),
  /** Whose changes have been told of, up to and with which epoch; '' until there was a look. */
  release: z.string(),
  told: z.int().min(0),
});

export type Clock = z.infer<typeof clockSchema>;

export type Look = Clock & {
  /** `wait` for so long and look again, `continue` as a new execution, or `done`: the model has no open release. */
  readonly next: 'wait' | 'continue' | 'done';
  readonly waitSeconds: number;
  /** To be sent before that: entries of EventBridge's PutEvents. */
  readonly notices: readonly Notice[];
};

export type LookPorts = DriverPorts & Pick<Platform, 'clock'>;

/** A look costs three transitions and a few reads, and what it looks at is written every few seconds. */
const SHORTEST_WAIT_S = 5;
const LONGEST_WAIT_S = 60;

/**
 * Executions end at 25,000 events. A look has 9: task 5, choice 2, wait 2. Its five retries have 3 each. Notices have 7, and three
 * retries. So a look has 40 at the most, and 500 of them 20,000.
 */
export const MOST_LOOKS = 500;

/**
 * Looks once at the model's open release, decides, and says when to look again. Again is harmless, and so are several executions for one model: they decide the same.
 * Throws whatever a port does; then nothing is told of that was not decided, and another look finds the rest.
 */
export async function look(
  ports: LookPorts,
  seen: SegmentTelemetry,
  clock: Clock,
  source: NoticeSource,
): Promise<Look> {
  const nowMs = ports.clock.nowMs();
  const open = await openRelease(ports, clock.model);
  const driven = open && (await driveRelease(ports, seen, open.id, nowMs));
  const isDone = driven?.lookAtMs === undefined && (await openRelease(ports, clock.model)) === undefined;
  const { notices, ...told } = await untold(ports, { clock, release: driven?.release, source, nowMs });
  const looks = clock.looks + 1;
  const lookAtMs = notices.length > 0 || driven?.lookAtMs === undefined ? nowMs : driven.lookAtMs;
  const due = Math.ceil((lookAtMs - nowMs) / SECOND_MS);
  return {
    ...clock,
    ...told,
    looks,
    notices,
    next: isDone && notices.length === 0 ? 'done' : looks >= MOST_LOOKS ? 'continue' : 'wait',
    waitSeconds: Math.min(LONGEST_WAIT_S, Math.max(SHORTEST_WAIT_S, due)),
  };
}

/** Looks once at every open release: what no execution is there for goes on all the same. One that fails keeps no other; then it throws. */
export async function lookAtAll(ports: LookPorts, seen: SegmentTelemetry): Promise<number> {
  const open = await ports.releases.listOpen();
  const failed: unknown[] = [];
  for (const { id, model } of open) {
    try {
      await driveRelease(ports, seen, id, ports.clock.nowMs());
    } catch (error) {
      ports.log.error('a look at a release failed', error, { release: id, model });
      failed.push(error);
    }
  }
  if (failed.length > 0) throw new AggregateError(failed, `${failed.length} of ${open.length} looks failed`);
  return open.length;
}

/** Active, or ended and not settled. What has been settled is not driven again: the stable version may have been chosen by hand since. */
async function openRelease({ releases }: Pick<Platform, 'releases'>, model: string): Promise<Release | undefined> {
  const latest = await releases.readLatest(model);
  if (latest === undefined || isActive(latest)) return latest;
  return (await releases.listOpen()).find((release) => release.id === latest.id);
}
