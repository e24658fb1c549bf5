import type { FailureCode } from '../failure.ts';
import type { Calibration } from '../quality/calibration.ts';
import type { Confidence } from '../quality/confidence.ts';
import type { Confusion } from '../quality/confusion.ts';
import type { InputProfile } from '../quality/input-profile.ts';
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
  /** What a sample of rows was like, by input: at most 64 rows of each process and window, at most 16 inputs. */
  readonly inputs: Map<string, InputProfile>;
  readonly shadow: ShadowCounts;
  /** Rows whose true label came in during the window, whenever they were answered. */
  feedback: number;
  feedbackCorrect: number;
  /** The same by tenant. */
  readonly feedbackTenants: LabelCounts;
  readonly feedbackCorrectTenants: LabelCounts;
  /** Of the rows with feedback. */
  readonly confusion: Confusion;
  readonly calibration: Calibration;
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

export type VersionName = { readonly model: string; readonly version: string };

/** What a version did from `startMs` on, for as long as a step is. */
export type TelemetryStep = { readonly startMs: number; readonly telemetry: Telemetry };

/** As long as a roll-up is. Minutes are kept for 15 days, hours for 400. */
export type RollUpSpan = 'minute' | 'hour';

/** What all reports of one minute or hour come to, without what they say of releases. Names no writer, so that whoever rolls up makes the same. */
export type RollUp = VersionName & {
  readonly span: RollUpSpan;
  readonly startMs: number;
  /** Reports in it: as reports are only ever added, of two roll-ups the one of more is the later. */
  readonly reports: number;
  readonly telemetry: Telemetry;
};

/** How far a region has been rolled up: every span that starts before has its roll-up, if anything was reported of it. */
export type RolledUntil = {
  /** From when on; what came before is in reports alone. Set once. */
  readonly sinceMs: number;
  /** Minutes, in which late reports may still be missing. */
  readonly minutesMs: number;
  /** Minutes that were rolled up again after the last late report. */
  readonly settledMs: number;
  readonly hoursMs: number;
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
  /**
   * Versions with reports of windows from `fromMs` until `untilMs`, in no order: all of them, and maybe some whose windows are less than ten minutes
   * outside of it; of a span that is longer than six hours, or began as many days ago as reports are kept, maybe some less than a day outside.
   */
  activeVersions(fromMs: number, untilMs: number): Promise<readonly VersionName[]>;
  /**
   * As `read`, in steps of `stepMs` (a multiple of 5 s) from `fromMs` on, in order, those of nothing left out; without releases. Whole minutes and
   * hours come from roll-ups as far as there are any: a report that comes late is found once its minute has settled.
   */
  series(
    model: string,
    version: string,
    fromMs: number,
    untilMs: number,
    stepMs: number,
  ): Promise<readonly TelemetryStep[]>;
  /** Each minute from `fromMs` until `untilMs` as its roll-up would be now, of the reports alone: what is rolled up is made of this. */
  readMinutes(model: string, version: string, fromMs: number, untilMs: number): Promise<readonly RollUp[]>;
  /** Stored roll-ups whose spans start from `fromMs` until `untilMs`, in order. One that cannot be read is left out and logged. */
  readRollUps(
    span: RollUpSpan,
    model: string,
    version: string,
    fromMs: number,
    untilMs: number,
  ): Promise<readonly RollUp[]>;
  /** Keeps roll-ups; of two of one name the one of more reports stays, whoever is last. */
  keepRollUps(rollUps: readonly RollUp[]): Promise<void>;
  /** Undefined: nothing was rolled up yet. */
  rolledUntil(): Promise<RolledUntil | undefined>;
  /** Goes forward only: each time is the greater of the one that is there and the one given, `sinceMs` the first one ever given. */
  markRolled(until: RolledUntil): Promise<void>;
  /** Forgets what has expired, roll-ups too. Returns how many reports. */
  purge(nowMs: number): Promise<number>;
}
