import type { Telemetry } from '../ports/telemetry.ts';
import { cohortIn } from './telemetry.ts';

/** One row whose true label came in. */
export type Feedback = {
  readonly tenant: string;
  readonly actual: string;
  /** Undefined: the answer had no label, which counts as wrong. */
  readonly predicted: string | undefined;
  readonly correct: boolean;
  /** Of the predicted label, 0 to 1. */
  readonly confidence: number | undefined;
  /** Of a request that a release assigned by lot; counted while its cohorts are, that is until the next release of the model. */
  readonly lot: { readonly release: string; readonly cohort: number } | undefined;
};

/** Counts one row of feedback. The telemetry is the writer's own until it is appended. */
export function recordFeedback(telemetry: Telemetry, feedback: Feedback): void {
  const { tenant, actual, predicted, correct, confidence, lot } = feedback;
  telemetry.feedback += 1;
  telemetry.feedbackTenants.add(tenant);
  if (correct) {
    telemetry.feedbackCorrect += 1;
    telemetry.feedbackCorrectTenants.add(tenant);
  }
  if (predicted !== undefined) telemetry.confusion.add(actual, predicted);
  if (confidence !== undefined) telemetry.calibration.add(confidence, correct);
  if (lot === undefined || telemetry.release?.release !== lot.release) return;
  const cohort = cohortIn(telemetry.release, lot.cohort);
  cohort.feedback += 1;
  if (correct) cohort.feedbackCorrect += 1;
}
