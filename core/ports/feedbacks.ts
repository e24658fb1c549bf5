import type { Lot } from '../inference/job.ts';
import type { FeedbackTally } from '../quality/feedback/tally.ts';

/** What a version answered to one row. */
export type KeptRow = { readonly label: string; readonly confidence: number | undefined };

/** What is kept of an answered prediction, so that its truth can be told later. */
export type KeptPrediction = {
  readonly tenant: string;
  readonly id: string;
  /** Who asked: the users of browser tokens tell the truth of their own predictions alone. */
  readonly principal: string;
  /** The model and version that answered. */
  readonly model: string;
  readonly version: string;
  /** At most `MOST_KEPT_ROWS`. */
  readonly rows: readonly KeptRow[];
  /** Of a request that a release drew by lot and whose own version answered. */
  readonly lot: Lot | undefined;
  readonly atMs: number;
  readonly expiresAtMs: number;
};

/** The truth of a prediction: a label a row. */
export type GivenFeedback = {
  readonly labels: readonly string[];
  /** When the labels became known, as far as the giver says. */
  readonly knownAtMs: number | undefined;
  /** When it came; which day it counts for. */
  readonly atMs: number;
};

export type FoundPrediction = { readonly prediction: KeptPrediction; readonly given: GivenFeedback | undefined };

/** What a tenant's feedback of one UTC day came to. */
export type DayTally = { readonly dayMs: number; readonly tally: FeedbackTally };
/** The UTC days that start at or after `fromMs` and before `untilMs`. */
export type TallySpan = {
  readonly model: string;
  readonly version: string;
  readonly fromMs: number;
  readonly untilMs: number;
};

/**
 * Predictions whose truth may be told later, the truth, and what it comes to by tenant, model, version and UTC day. Labels are sealed under the
 * tenant's data key, in predictions, feedback and tallies alike; ids, versions, times and plain counts are not.
 *
 * - A prediction is as if it were not kept from `expiresAtMs` on, but for a week `read` still tells that it was.
 * - Feedback is written once, and counted in the tally of its day with the same write: each exactly once, whoever else gives any at the same time.
 * - Tallies are kept for 400 days.
 */
export interface Feedbacks {
  /**
   * At most 100 of any tenants. Durable when it resolves; on failure some may be. To be kept again (after a timeout, say) changes nothing: feedback
   * that was given stays.
   */
  keep(predictions: readonly KeptPrediction[]): Promise<void>;
  /** `too-late`: its time is over. Undefined: never kept, another tenant's, erased, or over for long. */
  read(tenant: string, id: string, nowMs: number): Promise<FoundPrediction | 'too-late' | undefined>;
  /** False if nothing was written: feedback was given before, or the prediction is kept no more. Of concurrent calls one is true. */
  give(prediction: KeptPrediction, given: GivenFeedback): Promise<boolean>;
  /** A tenant's tallies of a version, one a day with feedback, in order. One that cannot be opened is left out. */
  tallies(tenant: string, span: TallySpan): Promise<readonly DayTally[]>;
  /** Forgets all of a tenant, including what is kept later of predictions made before. */
  erase(tenant: string): Promise<void>;
  /** Forgets what is over. Returns how many. */
  purge(nowMs: number): Promise<number>;
}
