import type { FailureCode } from '../failure.ts';
import type { Confidence } from '../quality/confidence.ts';
import type { LabelCounts } from '../quality/label-counts.ts';
import type { Sketch } from '../quality/sketch.ts';
import type { UnitSample } from '../quality/unit-sample.ts';

/** Shadow answers compared with the stable answer to the same request. */
export type ShadowCounts = {
  compared: number;
  agreed: number;
  /** The candidate failed where stable answered. */
  candidateFailed: number;
};

/** What one slice of a release's buckets saw on one version: only units that the release assigned by lot, not callers who named a version. */
export type Cohort = {
  requests: number;
  errors: number;
  computeMs: number;
  /** Coarse; nothing of shadow copies, for which nobody waits. */
  readonly latencyMs: Sketch;
  readonly labels: LabelCounts;
  /** Sum of confidences, of `confidences` answers that had one. */
  confidence: number;
  confidences: number;
  feedback: number;
  feedbackCorrect: number;
  readonly shadow: ShadowCounts;
};

/** What a release compares; present while one is active. */
export type ReleaseTelemetry = {
  /** Id of the release: cohorts and unit hashes of another one mean something else. */
  readonly release: string;
  /** By number, 0 to 199; those that saw nothing are left out. */
  readonly cohorts: Map<number, Cohort>;
  /** Units that had at least one error of ours (no refusal, no mistake of the caller). */
  readonly failingUnits: UnitSample;
};

/** What a version did in a window. Counts are of requests unless they say otherwise. */
export type Telemetry = {
  requests: number;
  /** By failure code. Fallbacks, timeouts and errors of handlers count for the version that was assigned. */
  readonly errors: Map<FailureCode, number>;
  /** Admission to answer. */
  readonly latencyMs: Sketch;
  readonly queueMs: Sketch;
  /** Rows of each run. */
  readonly batchRows: Sketch;
  computeMs: number;
  /** Rows that were computed: compute per prediction is computeMs / rows. */
  rows: number;
  cacheHits: number;
  fallbacks: number;
  /** Runners that this version killed. */
  crashes: number;
  readonly labels: LabelCounts;
  readonly confidence: Confidence;
  /** Elements of the inputs of a request. */
  readonly inputElements: Sketch;
  readonly shadow: ShadowCounts;
  feedback: number;
  feedbackCorrect: number;
  /** Requests by tenant; `top(n)` is what leaves the region's operators. */
  readonly tenants: LabelCounts;
  release: ReleaseTelemetry | undefined;
};

/**
 * One immutable report of one writer. `model`, `version`, `windowStartMs`, `writer`, `sequence` and `shard` together name it: no two
 * reports have the same. A writer gives each of its reports the next sequence and never repeats one with other contents; after a restart
 * it is another writer.
 */
export type TelemetryItem = {
  readonly model: string;
  readonly version: string;
  /** Start of the window that it tells of; windows are at most 10 s. */
  readonly windowStartMs: number;
  /** A process: a worker or a handler, unique over restarts. */
  readonly writer: string;
  readonly sequence: number;
  /** 0 to 15, by writer: spreads the items of a busy model over a table's partitions. Readers read all. */
  readonly shard: number;
  readonly telemetry: Telemetry;
};

/**
 * What the versions of one region's models did, as immutable items that readers merge: nothing is ever updated, so there is no hot item and
 * no count is lost or doubled.
 *
 * - Appending an item again (after a timeout, say) changes nothing: reading finds it once.
 * - Items are forgotten 14 days after their window, and as if forgotten from then on whether or not they are gone.
 * - An item is found by every read that begins a second after its append resolved; earlier reads may miss it.
 */
export interface Telemetries {
  /** At most 100 items. Resolves when all are stored; on failure some may be, and all may be appended again. */
  append(items: readonly TelemetryItem[]): Promise<void>;
  /**
   * The merge of all items of a version whose window starts at or after `fromMs` and before `untilMs`; empty telemetry of nothing. What they
   * say of a release is in it only of the one that is named. An item that cannot be read is left out and logged: the rest is unaffected.
   */
  read(model: string, version: string, fromMs: number, untilMs: number, release?: string): Promise<Telemetry>;
  /** Forgets what has expired. Returns how many items. */
  purge(nowMs: number): Promise<number>;
}
