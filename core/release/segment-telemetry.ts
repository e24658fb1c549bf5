import type { Platform } from '../ports/platform.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { WINDOW_MS } from '../quality/recorder.ts';
import { mergeTelemetry } from '../quality/telemetry.ts';
import { SECOND_MS } from '../units.ts';
import { lotOf, type Release, type SegmentMark } from './release.ts';
import type { Segment } from './segment.ts';

/** A share that was written is everywhere in the region by then. */
const SEEN_AFTER_MS = SECOND_MS;
/** What is older was appended, but by a writer that could not reach the store for so long: such items are not looked for again. */
const COMPLETE_AFTER_MS = 30 * SECOND_MS;
/** Verdicts look at as many segments of a release, and two versions. */
const MOST_KEPT = 200;

type Asked = { readonly model: string; readonly version: string; readonly lot: string; readonly fromMs: number };
type Kept = { readonly untilMs: number; readonly telemetry: Telemetry };

/** What a release's versions did, read once: what was merged before is kept, and only what came since is read again. */
export class SegmentTelemetry {
  readonly #telemetry: Platform['telemetry'];
  readonly #kept = new Map<string, Kept>();

  constructor({ telemetry }: Pick<Platform, 'telemetry'>) {
    this.#telemetry = telemetry;
  }

  /**
   * All segments of a release, the same windows of both versions. Windows are counted for the segment that they lie in as a whole: what was admitted at another
   * share is in none.
   */
  async segments(release: Release, nowMs: number): Promise<Segment[]> {
    const segments: Segment[] = [];
    for (const mark of release.segments) {
      const { fromMs, untilMs } = windowsOf(mark, nowMs);
      const read = (version: string) => this.#read({ ...asked(release, version), fromMs }, untilMs, nowMs);
      const [stable, candidate] = [await read(release.stable), await read(release.candidate)];
      segments.push({ weight: mark.weight, shadow: mark.shadow, stable, candidate });
    }
    return segments;
  }

  /** What the candidate did from a time on, the window that this is in included. */
  candidateSince(release: Release, fromMs: number, nowMs: number): Promise<Telemetry> {
    const startMs = Math.floor(fromMs / WINDOW_MS) * WINDOW_MS;
    return this.#read({ ...asked(release, release.candidate), fromMs: startMs }, nowMs + 1, nowMs);
  }

  async #read({ model, version, lot, fromMs }: Asked, untilMs: number, nowMs: number): Promise<Telemetry> {
    const key = `${model}@${version} ${lot} ${fromMs}`;
    const kept = this.#kept.get(key);
    let before = kept ?? { untilMs: fromMs, telemetry: mergeTelemetry([], lot) };
    const completeMs = Math.min(untilMs, nowMs - COMPLETE_AFTER_MS);
    const isDue = completeMs - before.untilMs >= (completeMs === untilMs ? 1 : COMPLETE_AFTER_MS);
    if (isDue) {
      const more = await this.#telemetry.read(model, version, before.untilMs, completeMs, lot);
      before = { untilMs: completeMs, telemetry: mergeTelemetry([before.telemetry, more], lot) };
      this.#keep(key, before);
    }
    if (before.untilMs >= untilMs) return before.telemetry;
    const latest = await this.#telemetry.read(model, version, before.untilMs, untilMs, lot);
    return mergeTelemetry([before.telemetry, latest], lot);
  }

  #keep(key: string, kept: Kept): void {
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    if (this.#kept.size > MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
  }
}

/** Starts of the windows that lie in a segment as a whole. */
function windowsOf({ fromMs, untilMs }: SegmentMark, nowMs: number): { fromMs: number; untilMs: number } {
  const startMs = fromMs + SEEN_AFTER_MS;
  const endMs = untilMs === undefined ? nowMs + 1 : untilMs - WINDOW_MS + 1;
  return { fromMs: startMs, untilMs: Math.max(startMs, endMs) };
}

function asked(release: Release, version: string): Omit<Asked, 'fromMs'> {
  return { model: release.model, version, lot: lotOf(release) };
}
